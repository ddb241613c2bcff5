//! The session key, which secure strings are encrypted with (MS-PSRP 3.1.5.4.3 to 3.1.5.4.5, 2.2.5.1.24).
//!
//! The client makes an RSA key for each pool and sends its public part; the server answers with a session key encrypted
//! with it. The transport protects both already: this is the protocol's own way, and adds nothing an attacker who reads
//! the transport could not undo.

use std::fmt;

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use getrandom::SysRng;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Encrypt, PrivateKey, PublicKey};
use winrm_clixml::{PsString, SecureString};
use zeroize::{Zeroize, Zeroizing};

/// Bits of the client's key: MS-PSRP 2.2.2.3 has room for no other.
const BITS: usize = 2048;
const MODULUS: usize = BITS / 8;
/// Before the length of the key: a PUBLICKEYBLOB for RSA key exchange (MS-PSRP 2.2.2.3).
const PUBLIC_HEADER: [u8; 12] = [0x06, 0x02, 0, 0, 0x00, 0xa4, 0, 0, b'R', b'S', b'A', b'1'];
/// A SIMPLEBLOB with a key for AES of 256 bits (MS-PSRP 2.2.2.4).
const SESSION_HEADER: [u8; 12] = [0x01, 0x02, 0, 0, 0x10, 0x66, 0, 0, 0x00, 0xa4, 0, 0];
/// Bytes of a secure string's encryption, before anything is allocated for its text.
const MAX_SECRET: usize = 1 << 20;

/// Why keys could not be exchanged, or a secure string not be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The system gave no randomness, or no key came of it.
    #[error("no key could be made")]
    Generation,
    /// A peer's key is not of the form that MS-PSRP gives it.
    #[error("the peer's key is of another form")]
    Form,
    /// A session key or secure string cannot be decrypted; why is not told, as that could help to guess it.
    #[error("cannot be decrypted")]
    Decryption,
    /// A secure string is longer than anybody's.
    #[error("a secure string exceeds {MAX_SECRET} bytes")]
    TooLarge,
}

/// The client's key pair, for one exchange.
pub struct KeyPair(PrivateKey);

impl KeyPair {
    /// A new one. This takes a good part of a second of processor time.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generation`].
    pub fn generate() -> Result<Self, KeyError> {
        PrivateKey::new(&mut SysRng, BITS).map(Self).map_err(|_| KeyError::Generation)
    }

    /// The public part, as the PUBLIC_KEY message has it.
    pub fn public_blob(&self) -> Vec<u8> {
        let mut blob = PUBLIC_HEADER.to_vec();
        // 2048 bits, as it was made with so many.
        blob.extend_from_slice(&2048_u32.to_le_bytes());
        blob.extend(little_endian(self.0.e(), 4));
        blob.extend(little_endian(self.0.n(), MODULUS));
        blob
    }

    /// The session key from an ENCRYPTED_SESSION_KEY message. The pair is used up, so that nobody can try another.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] and [`KeyError::Decryption`].
    pub fn session_key(self, blob: &[u8]) -> Result<SessionKey, KeyError> {
        let encrypted = blob.strip_prefix(&SESSION_HEADER).ok_or(KeyError::Form)?;
        if encrypted.len() != MODULUS {
            return Err(KeyError::Form);
        }
        let encrypted: Vec<u8> = encrypted.iter().rev().copied().collect();
        let key = self.0.decrypt_blinded(&mut SysRng, Pkcs1v15Encrypt, &encrypted);
        let mut key = key.map_err(|_| KeyError::Decryption)?;
        let session = <[u8; 32]>::try_from(key.as_slice()).map(Zeroizing::new);
        key.zeroize();
        session.map(SessionKey).map_err(|_| KeyError::Decryption)
    }
}

/// Without the key.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(hidden)")
    }
}

/// The key of a pool.
pub struct SessionKey(Zeroizing<[u8; 32]>);

impl SessionKey {
    /// A new one, and how it is sent to the client whose public key this is: what a server does.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] and [`KeyError::Generation`].
    pub fn generate(public_blob: &[u8]) -> Result<(Self, Vec<u8>), KeyError> {
        let public = public_key(public_blob)?;
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| KeyError::Generation)?;
        let encrypted = public.encrypt(&mut SysRng, Pkcs1v15Encrypt, key.as_slice());
        let encrypted = encrypted.map_err(|_| KeyError::Generation)?;
        let mut blob = SESSION_HEADER.to_vec();
        blob.extend(encrypted.iter().rev());
        Ok((Self(key), blob))
    }

    /// A text as a secure string: UTF-16 under AES-256 in CBC mode, whose initialization vector MS-PSRP fixes to zeros.
    pub fn encrypt(&self, text: &str) -> SecureString {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        let plain = Zeroizing::new(units.collect::<Vec<u8>>());
        let cipher = cbc::Encryptor::<Aes256>::new((&*self.0).into(), &[0; 16].into());
        SecureString::new(STANDARD.encode(cipher.encrypt_padded_vec::<Pkcs7>(&plain)))
    }

    /// The text of a secure string.
    ///
    /// # Errors
    ///
    /// [`KeyError::Decryption`] and [`KeyError::TooLarge`].
    pub fn decrypt(&self, secret: &SecureString) -> Result<Zeroizing<String>, KeyError> {
        if secret.as_str().len() > MAX_SECRET {
            return Err(KeyError::TooLarge);
        }
        let encrypted = STANDARD.decode(secret.as_str()).map_err(|_| KeyError::Decryption)?;
        let cipher = cbc::Decryptor::<Aes256>::new((&*self.0).into(), &[0; 16].into());
        let plain = cipher.decrypt_padded_vec::<Pkcs7>(&encrypted).map_err(|_| KeyError::Decryption)?;
        let plain = Zeroizing::new(plain);
        let (units, rest) = plain.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(KeyError::Decryption);
        }
        let units = Zeroizing::new(units.iter().map(|unit| u16::from_le_bytes(*unit)).collect::<Vec<_>>());
        // Lone surrogates are no part of any password that can be typed.
        let text = String::try_from(PsString::from_utf16(&units)).map_err(|_| KeyError::Decryption)?;
        Ok(Zeroizing::new(text))
    }
}

/// Without the key.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(hidden)")
    }
}

fn public_key(blob: &[u8]) -> Result<PublicKey, KeyError> {
    let rest = blob.strip_prefix(&PUBLIC_HEADER).ok_or(KeyError::Form)?;
    let rest = rest.strip_prefix(&2048_u32.to_le_bytes()).ok_or(KeyError::Form)?;
    let (exponent, modulus) = rest.split_at_checked(4).ok_or(KeyError::Form)?;
    if modulus.len() != MODULUS {
        return Err(KeyError::Form);
    }
    let key =
        PublicKey::new(BoxedUint::from_le_slice_vartime(modulus), BoxedUint::from_le_slice_vartime(exponent));
    key.map_err(|_| KeyError::Form)
}

fn little_endian(number: &BoxedUint, size: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().into_vec();
    bytes.resize(size, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_get_one_key() {
        let pair = KeyPair::generate().unwrap();
        let public = pair.public_blob();
        assert_eq!(public.len(), 276);
        let (server, blob) = SessionKey::generate(&public).unwrap();
        assert_eq!(blob.len(), 268);
        let client = pair.session_key(&blob).unwrap();
        let secret = client.encrypt("correct horse \u{1d11e}");
        assert_eq!(server.decrypt(&secret).unwrap().as_str(), "correct horse \u{1d11e}");
        assert_eq!(server.decrypt(&SecureString::new("AAAA")), Err(KeyError::Decryption));
        assert_eq!(client.decrypt(&client.encrypt("")).unwrap().as_str(), "");
    }

    #[test]
    fn other_forms_are_refused() {
        assert!(matches!(SessionKey::generate(&[0; 276]), Err(KeyError::Form)));
        let mut short = PUBLIC_HEADER.to_vec();
        short.extend_from_slice(&1024_u32.to_le_bytes());
        assert!(matches!(SessionKey::generate(&short), Err(KeyError::Form)));
        let pair = KeyPair::generate().unwrap();
        assert!(matches!(pair.session_key(&[1; 268]), Err(KeyError::Form)));
        let pair = KeyPair::generate().unwrap();
        let blob = [SESSION_HEADER.as_slice(), &[7; 256]].concat();
        assert!(matches!(pair.session_key(&blob), Err(KeyError::Decryption)));
        assert_eq!(format!("{:?}", KeyPair::generate().unwrap()), "KeyPair(hidden)");
    }
}
