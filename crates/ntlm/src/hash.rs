//! One-way functions and responses (MS-NLMP 3.3), as pure functions.
//!
//! What is a secret is returned in [`Zeroizing`].

use des::cipher::{BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use rc4::{Rc4, StreamCipher};
use zeroize::Zeroizing;

use crate::error::EncodeError;
use crate::text;

/// A 128-bit key, wiped when dropped.
pub type Key = Zeroizing<[u8; 16]>;

/// `LMOWFv1`: DES of a constant under the upper-cased password, cut to 14 OEM bytes (MS-NLMP 3.3.1). Weak by design.
///
/// # Errors
/// When the password has characters beyond Latin-1.
pub fn lmowf_v1(password: &str) -> Result<Key, EncodeError> {
    let upper: Zeroizing<String> = Zeroizing::new(password.chars().map(uppercase_char).collect());
    let oem = Zeroizing::new(text::oem("password", &upper)?);
    let first = Zeroizing::new(fill(oem.iter().copied()));
    let second = Zeroizing::new(fill(oem.iter().skip(7).copied()));
    let blocks = [first, second].into_iter().flat_map(|half| des_encrypt(*half, *b"KGS!@#$%"));
    Ok(Zeroizing::new(fill(blocks)))
}

/// `NTOWFv1`, the NT hash: MD4 of the password in UTF-16LE (MS-NLMP 3.3.1).
pub fn ntowf_v1(password: &str) -> Key {
    let mut state = Md4::new();
    for unit in password.encode_utf16() {
        state.update(unit.to_le_bytes());
    }
    Zeroizing::new(state.finalize().into())
}

/// `NTOWFv2` (and `LMOWFv2`, the same): HMAC-MD5 under the NT hash over user, upper-cased UTF-16 unit by unit, and domain
/// as given (MS-NLMP 3.3.2).
pub fn ntowf_v2(nt_hash: &[u8; 16], user: &str, domain: &str) -> Key {
    let user: Vec<u8> = user.encode_utf16().map(text::uppercase_unit).flat_map(u16::to_le_bytes).collect();
    Zeroizing::new(hmac_md5(nt_hash, &[&user, &text::utf16_le(domain)]))
}

/// `LmChallengeResponse` of NTLMv1 (MS-NLMP 3.3.1).
pub fn lm_response_v1(lm_hash: &[u8; 16], server_challenge: &[u8; 8]) -> [u8; 24] {
    desl(lm_hash, *server_challenge)
}

/// `NtChallengeResponse` of NTLMv1 without extended session security (MS-NLMP 3.3.1).
pub fn nt_response_v1(nt_hash: &[u8; 16], server_challenge: &[u8; 8]) -> [u8; 24] {
    desl(nt_hash, *server_challenge)
}

/// `NtChallengeResponse` of NTLMv1 with extended session security: over MD5 of both challenges (MS-NLMP 3.3.1).
pub fn nt_response_v1_extended(
    nt_hash: &[u8; 16],
    server_challenge: &[u8; 8],
    client_challenge: &[u8; 8],
) -> [u8; 24] {
    desl(nt_hash, fill(md5(&[server_challenge, client_challenge])))
}

/// `LmChallengeResponse` of NTLMv1 with extended session security: the client's nonce and zeros (MS-NLMP 3.3.1).
pub fn lm_response_v1_extended(client_challenge: &[u8; 8]) -> [u8; 24] {
    fill(client_challenge.iter().copied())
}

/// `LmChallengeResponse` of NTLMv2 (MS-NLMP 3.3.2).
pub fn lm_response_v2(
    ntowf_v2: &[u8; 16],
    server_challenge: &[u8; 8],
    client_challenge: &[u8; 8],
) -> [u8; 24] {
    let proof = hmac_md5(ntowf_v2, &[server_challenge, client_challenge]);
    fill(proof.into_iter().chain(*client_challenge))
}

/// `NTProofStr`: HMAC-MD5 over the server's challenge and `temp` (MS-NLMP 3.3.2).
pub fn nt_proof_str(ntowf_v2: &[u8; 16], server_challenge: &[u8; 8], temp: &[u8]) -> [u8; 16] {
    hmac_md5(ntowf_v2, &[server_challenge, temp])
}

/// `SessionBaseKey` of NTLMv1: MD4 of the NT hash (MS-NLMP 3.3.1).
pub fn session_base_key_v1(nt_hash: &[u8; 16]) -> Key {
    Zeroizing::new(Md4::digest(nt_hash).into())
}

/// `SessionBaseKey` of NTLMv2: HMAC-MD5 over `NTProofStr` (MS-NLMP 3.3.2).
pub fn session_base_key_v2(ntowf_v2: &[u8; 16], nt_proof_str: &[u8; 16]) -> Key {
    Zeroizing::new(hmac_md5(ntowf_v2, &[nt_proof_str]))
}

/// MIC of an AUTHENTICATE message: HMAC-MD5 over the three messages as sent, the MIC field zero (MS-NLMP 3.1.5.1.2).
pub fn mic(exported_session_key: &[u8; 16], messages: [&[u8]; 3]) -> [u8; 16] {
    hmac_md5(exported_session_key, &messages)
}

/// RC4K: `data` under a fresh RC4 stream (MS-NLMP 6).
pub fn rc4k(key: &[u8; 16], data: [u8; 16]) -> [u8; 16] {
    let mut data = data;
    rc4(key).apply_keystream(&mut data);
    data
}

/// DES key of eight bytes, with odd parity, from seven bytes of key material.
pub fn des_key(key_material: &[u8; 7]) -> [u8; 8] {
    let bits = key_material.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut shift = 56_u32;
    [0; 8].map(|_: u8| {
        shift -= 7;
        let [.., seven] = (bits >> shift << 1 & 0xfe).to_be_bytes();
        seven | u8::from(seven.count_ones() % 2 == 0)
    })
}

/// An array filled from the start; missing bytes are zero, those beyond its end are left.
pub(crate) fn fill<const N: usize>(bytes: impl IntoIterator<Item = u8>) -> [u8; N] {
    let mut array = [0; N];
    array.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    array
}

/// An RC4 stream at its start. RC4's key schedule walks the key cyclically, so repeating it changes nothing.
pub(crate) fn rc4(key: &[u8]) -> Rc4 {
    let cycled = Zeroizing::new(fill::<32>(key.iter().cycle().copied()));
    Rc4::new((&*cycled).into())
}

/// HMAC-MD5 of the parts put together.
pub(crate) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut state = keyed_hmac_md5(key);
    for part in parts {
        state.update(part);
    }
    state.finalize().into_bytes().into()
}

/// HMAC-MD5 with its key set. HMAC pads a key to the block with zeros, so doing it here changes nothing.
pub(crate) fn keyed_hmac_md5(key: &[u8; 16]) -> Hmac<Md5> {
    let block = Zeroizing::new(fill::<64>(key.iter().copied()));
    Hmac::new((&*block).into())
}

pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut state = Md5::new();
    for part in parts {
        state.update(part);
    }
    state.finalize().into()
}

/// One DES block under seven bytes of key material.
pub(crate) fn des_encrypt(key_material: [u8; 7], data: [u8; 8]) -> [u8; 8] {
    let key = Zeroizing::new(des_key(&key_material));
    let mut block = data.into();
    des::Des::new((&*key).into()).encrypt_block(&mut block);
    block.into()
}

/// DESL: `data` under three keys cut from 16 bytes and five zeros (MS-NLMP 6).
fn desl(key: &[u8; 16], data: [u8; 8]) -> [u8; 24] {
    let keys = [0, 7, 14].map(|start| Zeroizing::new(fill(key.iter().skip(start).copied())));
    fill(keys.iter().flat_map(|key| des_encrypt(**key, data)))
}

/// OEM upper case: one character to one character.
fn uppercase_char(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(first), None) if u32::from(first) <= 0xff => first,
        _ => c,
    }
}
