//! Key exchange, signing and sealing keys (MS-NLMP 3.4.5), as pure functions.

use zeroize::Zeroizing;

use crate::flags::NegotiateFlags;
use crate::hash::{self, Key};

/// Which way a key protects messages.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// Mode "client" of MS-NLMP 3.4.5.
    ClientToServer,
    /// Mode "server" of MS-NLMP 3.4.5.
    ServerToClient,
}

/// KXKEY for NTLMv1; with NTLMv2 the key exchange key is the session base key itself (MS-NLMP 3.4.5.1).
///
/// `lm_hash` is needed for `LM_KEY` and `REQUEST_NON_NT_SESSION_KEY` only; without it these fall back to the session base
/// key, as they do when an NT hash is all that is known.
pub fn key_exchange_key(
    flags: NegotiateFlags,
    session_base_key: &[u8; 16],
    lm_challenge_response: &[u8; 24],
    server_challenge: &[u8; 8],
    lm_hash: Option<&[u8; 16]>,
) -> Key {
    let lm_start: [u8; 8] = hash::fill(*lm_challenge_response);
    if flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        return Zeroizing::new(hash::hmac_md5(session_base_key, &[server_challenge, &lm_start]));
    }
    match lm_hash {
        Some(lm_hash) if flags.contains(NegotiateFlags::LM_KEY) => {
            let first = Zeroizing::new(hash::fill(*lm_hash));
            let second = Zeroizing::new(hash::fill(lm_hash.iter().skip(7).take(1).copied().chain([0xbd; 6])));
            let blocks = [first, second].into_iter().flat_map(|half| hash::des_encrypt(*half, lm_start));
            Zeroizing::new(hash::fill(blocks))
        }
        Some(lm_hash) if flags.contains(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY) => {
            Zeroizing::new(hash::fill(lm_hash.iter().take(8).copied()))
        }
        _ => Zeroizing::new(*session_base_key),
    }
}

/// SIGNKEY: none without extended session security (MS-NLMP 3.4.5.2).
pub fn sign_key(flags: NegotiateFlags, exported_session_key: &[u8; 16], direction: Direction) -> Option<Key> {
    let magic: &[u8] = match direction {
        Direction::ClientToServer => b"session key to client-to-server signing key magic constant\0",
        Direction::ServerToClient => b"session key to server-to-client signing key magic constant\0",
    };
    let extended = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    extended.then(|| Zeroizing::new(hash::md5(&[exported_session_key, magic])))
}

/// A sealing key: 16 bytes, or 8 where `LM_KEY` weakens it. Wiped when dropped.
#[derive(Clone)]
pub struct SealKey {
    bytes: Key,
    len: usize,
}

impl SealKey {
    /// A key of 16 bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self { bytes: Zeroizing::new(bytes), len: 16 }
    }

    /// A key of 8 bytes: `kept` bytes of `key` and a constant.
    fn weak(key: &[u8; 16], kept: usize, rest: &[u8]) -> Self {
        let bytes = hash::fill(key.iter().take(kept).chain(rest).copied());
        Self { bytes: Zeroizing::new(bytes), len: 8 }
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&*self.bytes)
    }
}

/// SEALKEY: 128, 56 or 40 bits, as the flags say (MS-NLMP 3.4.5.3).
pub fn seal_key(flags: NegotiateFlags, exported_session_key: &[u8; 16], direction: Direction) -> SealKey {
    if flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
        let magic: &[u8] = match direction {
            Direction::ClientToServer => b"session key to client-to-server sealing key magic constant\0",
            Direction::ServerToClient => b"session key to server-to-client sealing key magic constant\0",
        };
        let len = match flags.key_bits() {
            128 => 16,
            56 => 7,
            _ => 5,
        };
        let (weakened, _) = exported_session_key.split_at(len);
        return SealKey::new(hash::md5(&[weakened, magic]));
    }
    if !flags.contains(NegotiateFlags::LM_KEY) {
        SealKey::new(*exported_session_key)
    } else if flags.contains(NegotiateFlags::NEGOTIATE_56) {
        SealKey::weak(exported_session_key, 7, &[0xa0])
    } else {
        SealKey::weak(exported_session_key, 5, &[0xe5, 0x38, 0xb0])
    }
}
