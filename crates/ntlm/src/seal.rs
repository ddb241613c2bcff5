//! Signing and sealing of one direction (MS-NLMP 3.4): RC4, HMAC-MD5 or CRC32, and the sequence number.

use hmac::{Hmac, Mac};
use md5::Md5;
use rc4::{Rc4, StreamCipher};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::error::Error;
use crate::hash;
use crate::keys::SealKey;

/// Length of `NTLMSSP_MESSAGE_SIGNATURE` (MS-NLMP 2.2.2.9), in bytes.
pub const SIGNATURE_LEN: usize = 16;
/// Version of `NTLMSSP_MESSAGE_SIGNATURE`.
const VERSION: [u8; 4] = 1_u32.to_le_bytes();

/// Cipher, MAC and sequence number of one direction.
///
/// Messages must be processed in the order in which they were sent: RC4 runs through all of them.
/// A [`Session`](crate::Session) holds what it needs of these; this type is for who has keys from elsewhere.
pub struct Channel {
    seal_key: SealKey,
    cipher: Rc4,
    mac: Mode,
    sequence_number: u32,
}

/// How signatures are made.
enum Mode {
    /// MS-NLMP 3.4.4.2: HMAC-MD5 with its key set; encrypted where `KEY_EXCH` was negotiated.
    Extended { keyed: Box<Hmac<Md5>>, key_exch: bool },
    /// MS-NLMP 3.4.4.1: CRC32, always encrypted.
    Crc32,
}

impl Channel {
    /// With the keys of MS-NLMP 3.4.5; no signing key means no extended session security.
    pub fn new(seal_key: SealKey, sign_key: Option<&[u8; 16]>, key_exch: bool) -> Self {
        let cipher = hash::rc4(seal_key.as_bytes());
        let mac = sign_key.map_or(Mode::Crc32, |key| Mode::Extended {
            keyed: Box::new(hash::keyed_hmac_md5(key)),
            key_exch,
        });
        Self { seal_key, cipher, mac, sequence_number: 0 }
    }

    /// Continues at this sequence number instead of 0.
    pub fn with_sequence_number(self, sequence_number: u32) -> Self {
        Self { sequence_number, ..self }
    }

    /// Sequence number of the next message.
    pub const fn sequence_number(&self) -> u32 {
        self.sequence_number
    }

    /// Puts RC4 back to its start under the same key; the sequence number stays (MS-SPNG 3.3.5.1).
    pub fn reset_cipher(&mut self) {
        self.cipher = hash::rc4(self.seal_key.as_bytes());
    }

    /// Encrypts `message` in place and returns its signature.
    pub fn seal(&mut self, message: &mut [u8]) -> [u8; SIGNATURE_LEN] {
        let checksum = self.checksum(message);
        self.cipher.apply_keystream(message); // Before the checksum: the order in which RC4 advances.
        self.signature(checksum)
    }

    /// Signs `message`, which stays as it is.
    pub fn sign(&mut self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let checksum = self.checksum(message);
        self.signature(checksum)
    }

    /// Decrypts `message` in place and checks its signature; a message that fails is wiped.
    ///
    /// # Errors
    /// [`Error::SignatureLength`] and [`Error::SignatureMismatch`]; RC4 has advanced then, so the channel is of no more
    /// use.
    pub fn unseal(&mut self, message: &mut [u8], signature: &[u8]) -> Result<(), Error> {
        self.cipher.apply_keystream(message);
        self.verify(message, signature).inspect_err(|_| message.zeroize())
    }

    /// Checks the signature of a `message` that was signed only.
    ///
    /// # Errors
    /// [`Error::SignatureLength`] and [`Error::SignatureMismatch`].
    pub fn verify(&mut self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let mut sent: [u8; SIGNATURE_LEN] =
            signature.try_into().map_err(|_| Error::SignatureLength { found: signature.len() })?;
        if matches!(self.mac, Mode::Crc32) {
            // RandomPad: senders may leave what the cipher made of it, see MS-NLMP 4.2.2.4.
            sent.iter_mut().skip(4).take(4).for_each(|byte| *byte = 0);
        }
        let expected = self.sign(message);
        if expected.ct_eq(&sent).into() { Ok(()) } else { Err(Error::SignatureMismatch) }
    }

    /// Checksum of the plaintext, not encrypted yet: 8 bytes, of which CRC32 uses the last 4.
    fn checksum(&self, message: &[u8]) -> [u8; 8] {
        match &self.mac {
            Mode::Extended { keyed, .. } => {
                let mut state = Hmac::clone(keyed);
                state.update(&self.sequence_number.to_le_bytes());
                state.update(message);
                hash::fill(state.finalize().into_bytes())
            }
            Mode::Crc32 => hash::fill([0; 4].into_iter().chain(crc32fast::hash(message).to_le_bytes())),
        }
    }

    /// `NTLMSSP_MESSAGE_SIGNATURE` of the message that has this checksum; the next one has the next number.
    fn signature(&mut self, checksum: [u8; 8]) -> [u8; SIGNATURE_LEN] {
        let mut checksum = checksum;
        let mut number = self.sequence_number.to_le_bytes();
        self.sequence_number = self.sequence_number.wrapping_add(1);
        match self.mac {
            Mode::Extended { key_exch: true, .. } => self.cipher.apply_keystream(&mut checksum),
            Mode::Extended { key_exch: false, .. } => {}
            Mode::Crc32 => {
                // RandomPad, CRC32 and the number, in this order; then RandomPad is set to zero (MS-NLMP 3.4.4.1).
                self.cipher.apply_keystream(&mut checksum);
                self.cipher.apply_keystream(&mut number);
                checksum.iter_mut().take(4).for_each(|byte| *byte = 0);
            }
        }
        hash::fill(VERSION.into_iter().chain(checksum).chain(number))
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("sequence_number", &self.sequence_number).finish_non_exhaustive()
    }
}
