//! The session key, and strings under it (MS-PSRP 2.2.2.3, 2.2.2.4, 2.2.5.1.24, 3.1.1.2.7).
//!
//! The client makes a [`KeyPair`] for each pool and sends its public half; the server makes a [`SessionKey`] and sends it
//! under that. All keys are wiped when they are dropped, and none is shown by `Debug`.

use std::fmt;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::rand_core::TryCryptoRng;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, PrivateKey};
use winrm_clixml::{PsString, SecureString};
use zeroize::{Zeroize as _, Zeroizing};

use crate::message::KeyBlob;

/// The source of random values that keys are made from.
pub use rsa::rand_core;

/// PUBLICKEYBLOB of CryptoAPI: type 6, version 2, CALG_RSA_KEYX, "RSA1", 2048 bits.
const PUBLIC_BLOB: [u8; 16] = [0x06, 0x02, 0, 0, 0, 0xa4, 0, 0, b'R', b'S', b'A', b'1', 0x00, 0x08, 0, 0];
/// SIMPLEBLOB of CryptoAPI: type 1, version 2, CALG_AES_256, under CALG_RSA_KEYX.
const SESSION_BLOB: [u8; 12] = [0x01, 0x02, 0, 0, 0x10, 0x66, 0, 0, 0, 0xa4, 0, 0];

/// MS-PSRP 2.2.2.3 knows no other size.
const MODULUS_BITS: usize = 2048;
const MODULUS_LEN: usize = MODULUS_BITS / 8;
const SESSION_KEY_LEN: usize = 32;

/// Why keys cannot be exchanged, or a string not be read. It says no more than that, whatever went wrong within:
/// distinctions would help who forges messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No random values to be had.
    #[error("no random values to make keys from")]
    Random,
    /// The public key of the client is none that the protocol allows.
    #[error("public key is not acceptable")]
    PublicKey,
    /// The session key of the server is not readable.
    #[error("session key is not readable")]
    SessionKey,
    /// The string is not under this session key.
    #[error("secure string is not readable")]
    SecureString,
}

/// The client's key, made for one pool and for one use.
pub struct KeyPair(PrivateKey);

impl KeyPair {
    /// A fresh key from the random source of the operating system. This takes a while: prime numbers are looked for.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_from(&mut getrandom::SysRng)
    }

    /// A fresh key from another source.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    pub fn generate_from<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Self, KeyError> {
        PrivateKey::new(random, MODULUS_BITS).map(Self).map_err(|_| KeyError::Random)
    }

    /// A key from its two primes, big-endian, with the exponent 65537: for recorded sessions, whose keys are published.
    ///
    /// # Errors
    ///
    /// [`KeyError::PublicKey`] for numbers that make no key of 2048 bits.
    pub fn from_primes(p: &[u8], q: &[u8]) -> Result<Self, KeyError> {
        let number = |bytes: &[u8]| {
            let bits = u32::try_from(bytes.len().saturating_mul(8)).map_err(|_| KeyError::PublicKey)?;
            BoxedUint::from_be_slice(bytes, bits).map_err(|_| KeyError::PublicKey)
        };
        let key = PrivateKey::from_p_q(number(p)?, number(q)?, BoxedUint::from(65_537_u32))
            .map_err(|_| KeyError::PublicKey)?;
        if key.size() == MODULUS_LEN { Ok(Self(key)) } else { Err(KeyError::PublicKey) }
    }

    /// The public half, for PUBLIC_KEY.
    pub fn public_blob(&self) -> KeyBlob {
        let exponent = self.0.e().to_le_bytes();
        let exponent = exponent.iter().copied().chain([0; 4]).take(4);
        let modulus = self.0.n_bytes();
        let modulus = modulus.iter().rev().copied().chain(std::iter::repeat(0)).take(MODULUS_LEN);
        KeyBlob(PUBLIC_BLOB.into_iter().chain(exponent).chain(modulus).collect())
    }

    /// Reads ENCRYPTED_SESSION_KEY. The pair is used up: a second answer would let its sender learn of the first.
    ///
    /// # Errors
    ///
    /// [`KeyError::SessionKey`].
    pub fn decrypt(self, blob: &KeyBlob) -> Result<SessionKey, KeyError> {
        let encrypted = blob.0.strip_prefix(&SESSION_BLOB).ok_or(KeyError::SessionKey)?;
        if encrypted.len() != MODULUS_LEN {
            return Err(KeyError::SessionKey);
        }
        let encrypted: Vec<u8> = encrypted.iter().rev().copied().collect();
        let key =
            self.0.pkcs1v15_decrypt(&encrypted).map(Zeroizing::new).map_err(|_| KeyError::SessionKey)?;
        let key: &[u8; SESSION_KEY_LEN] = key.as_slice().try_into().map_err(|_| KeyError::SessionKey)?;
        Ok(SessionKey::from_bytes(key))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(hidden)")
    }
}

/// The client's public key as the server has it.
#[derive(Clone)]
pub struct PublicKey(rsa::PublicKey);

impl PublicKey {
    /// From PUBLIC_KEY.
    ///
    /// # Errors
    ///
    /// [`KeyError::PublicKey`].
    pub fn from_blob(blob: &KeyBlob) -> Result<Self, KeyError> {
        let rest = blob.0.strip_prefix(&PUBLIC_BLOB).ok_or(KeyError::PublicKey)?;
        let (exponent, modulus) = rest.split_first_chunk::<4>().ok_or(KeyError::PublicKey)?;
        // The highest bit makes it 2048 bits.
        if modulus.len() != MODULUS_LEN || modulus.last().is_none_or(|byte| byte & 0x80 == 0) {
            return Err(KeyError::PublicKey);
        }
        let modulus: Vec<u8> = modulus.iter().rev().copied().collect();
        let bits = u32::try_from(MODULUS_BITS).map_err(|_| KeyError::PublicKey)?;
        let modulus = BoxedUint::from_be_slice(&modulus, bits).map_err(|_| KeyError::PublicKey)?;
        let exponent = BoxedUint::from(u32::from_le_bytes(*exponent));
        rsa::PublicKey::new(modulus, exponent).map(Self).map_err(|_| KeyError::PublicKey)
    }

    /// The session key under this one, for ENCRYPTED_SESSION_KEY.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    pub fn encrypt<R: TryCryptoRng + ?Sized>(
        &self,
        key: &SessionKey,
        random: &mut R,
    ) -> Result<KeyBlob, KeyError> {
        let encrypted =
            self.0.pkcs1v15_encrypt_with_rng(random, key.0.as_slice()).map_err(|_| KeyError::Random)?;
        let padded = encrypted.iter().rev().copied().chain(std::iter::repeat(0)).take(MODULUS_LEN);
        Ok(KeyBlob(SESSION_BLOB.into_iter().chain(padded).collect()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey")
    }
}

/// The key of one pool for its secure strings: AES-256 in CBC mode, with an initialization vector of zeros, as
/// MS-PSRP 2.2.5.1.24 wants it. Equal strings look equal, and nothing protects them from being changed: that is the
/// transport's part.
pub struct SessionKey(Zeroizing<[u8; SESSION_KEY_LEN]>);

impl SessionKey {
    /// A key of these bytes, which should be random.
    pub fn from_bytes(bytes: &[u8; SESSION_KEY_LEN]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// A fresh key from the random source of the operating system.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_from(&mut getrandom::SysRng)
    }

    /// A fresh key from another source.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    pub fn generate_from<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Self, KeyError> {
        let mut key = Self(Zeroizing::new([0; SESSION_KEY_LEN]));
        random.try_fill_bytes(key.0.as_mut_slice()).map_err(|_| KeyError::Random)?;
        Ok(key)
    }

    /// A string under this key.
    pub fn encrypt(&self, secret: &PsString) -> SecureString {
        let mut units = Zeroizing::new(secret.to_utf16());
        let bytes: Zeroizing<Vec<u8>> =
            Zeroizing::new(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        units.zeroize();
        let cipher = cbc::Encryptor::<aes::Aes256>::new(&(*self.0).into(), &[0; 16].into());
        SecureString::new(STANDARD.encode(cipher.encrypt_padded_vec::<Pkcs7>(&bytes)))
    }

    /// The string that is under this key.
    ///
    /// # Errors
    ///
    /// [`KeyError::SecureString`].
    pub fn decrypt(&self, encrypted: &SecureString) -> Result<Secret, KeyError> {
        let bytes = STANDARD.decode(encrypted.as_str()).map_err(|_| KeyError::SecureString)?;
        let cipher = cbc::Decryptor::<aes::Aes256>::new(&(*self.0).into(), &[0; 16].into());
        let bytes = cipher.decrypt_padded_vec::<Pkcs7>(&bytes).map_err(|_| KeyError::SecureString)?;
        let bytes = Zeroizing::new(bytes);
        let (units, []) = bytes.as_chunks::<2>() else { return Err(KeyError::SecureString) };
        Ok(Secret(Zeroizing::new(units.iter().map(|unit| u16::from_le_bytes(*unit)).collect())))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(hidden)")
    }
}

/// A string that was secret on its way. It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<Vec<u16>>);

impl Secret {
    /// The UTF-16 code units.
    pub fn expose_utf16(&self) -> &[u16] {
        &self.0
    }

    /// The text, unless there are lone surrogates in it.
    pub fn expose_text(&self) -> Option<Zeroizing<String>> {
        String::from_utf16(&self.0).ok().map(Zeroizing::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back() {
        let key = SessionKey::from_bytes(&[7; 32]);
        for text in ["", "x", "Passw\u{f6}rd \u{1d11e}", "sixteen bytes ok"] {
            let encrypted = key.encrypt(&text.into());
            assert_eq!(key.decrypt(&encrypted).unwrap().expose_text().unwrap().as_str(), text);
        }
        let lone = PsString::from_utf16(&[0xd834]);
        let secret = key.decrypt(&key.encrypt(&lone)).unwrap();
        assert_eq!(secret.expose_utf16(), [0xd834]);
        assert_eq!(secret.expose_text(), None);
    }

    #[test]
    fn all_failures_look_the_same() {
        let key = SessionKey::from_bytes(&[7; 32]);
        for text in ["", "!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(key.decrypt(&SecureString::new(text)).unwrap_err(), KeyError::SecureString, "{text}");
        }
        for blob in [vec![], PUBLIC_BLOB.to_vec(), [&PUBLIC_BLOB[..], &[0; 260]].concat()] {
            assert_eq!(PublicKey::from_blob(&KeyBlob(blob)).unwrap_err(), KeyError::PublicKey);
        }
    }

    #[test]
    fn a_fresh_pair_carries_a_session_key() {
        let pair = KeyPair::generate().unwrap();
        let key = SessionKey::generate().unwrap();
        let public = PublicKey::from_blob(&pair.public_blob()).unwrap();
        let blob = public.encrypt(&key, &mut getrandom::SysRng).unwrap();
        assert_eq!(pair.decrypt(&blob).unwrap().0, key.0);
        for shown in [format!("{key:?}"), format!("{public:?}")] {
            assert!(shown.len() < 30, "{shown}");
        }
    }

    #[test]
    fn other_blobs_are_no_session_keys() {
        for blob in [vec![], SESSION_BLOB.to_vec(), [&SESSION_BLOB[..], &[1; 255]].concat(), vec![0; 268]] {
            let pair = KeyPair::generate().unwrap();
            assert_eq!(pair.decrypt(&KeyBlob(blob)).unwrap_err(), KeyError::SessionKey);
        }
    }
}
