//! `CHALLENGE_MESSAGE`.

use crate::av_pair::AvPairs;
use crate::cursor::{Reader, Writer};
use crate::error::{DecodeError, EncodeError, MessageType};
use crate::flags::NegotiateFlags;
use crate::text;
use crate::version::Version;

/// Signature 8, `MessageType` 4, `TargetName` 8, `NegotiateFlags` 4, `ServerChallenge` 8, Reserved 8, `TargetInfo` 8.
const FIXED_LEN: usize = 48;

/// The server's answer to a `NEGOTIATE_MESSAGE` (MS-NLMP 2.2.1.2).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChallengeMessage {
    /// Bits we have no name for are kept.
    pub negotiate_flags: NegotiateFlags,
    /// Nonce the response is computed over.
    pub server_challenge: [u8; 8],
    /// UTF-16LE or OEM, as the flags say; at most 65 535 bytes.
    pub target_name: Vec<u8>,
    /// `AV_PAIR` list exactly as received; empty when there is none.
    pub target_info: Vec<u8>,
    /// On the wire exactly when `NTLMSSP_NEGOTIATE_VERSION` is set; for logs only.
    pub version: Option<Version>,
}

impl ChallengeMessage {
    /// Reads a message. The `AV_PAIR` list is not looked into, see [`Self::av_pairs`].
    ///
    /// # Errors
    /// When the bytes are not a `CHALLENGE_MESSAGE`, are cut off or point outside themselves.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::message(message, MessageType::Challenge)?;
        let target_name = r.payload("TargetName")?.to_vec();
        let negotiate_flags = NegotiateFlags(r.u32_le("NegotiateFlags")?);
        let server_challenge = r.array("ServerChallenge")?;
        r.array::<8>("Reserved")?; // Ignored on receipt, so any value passes.
        let target_info = r.payload("TargetInfo")?.to_vec();
        let has_version = negotiate_flags.contains(NegotiateFlags::VERSION);
        let version = has_version.then(|| r.array("Version").map(Version)).transpose()?;
        Ok(Self { negotiate_flags, server_challenge, target_name, target_info, version })
    }

    /// Writes the message; `NTLMSSP_NEGOTIATE_VERSION` follows `version`.
    ///
    /// # Errors
    /// When `target_name` or `target_info` is longer than 65 535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let version = self.version.as_ref().map_or(&[][..], |version| &version.0);
        let mut w = Writer::message(MessageType::Challenge, FIXED_LEN + version.len());
        w.payload("TargetName", &self.target_name)?;
        w.u32_le(self.negotiate_flags.with(NegotiateFlags::VERSION, self.version.is_some()).0);
        w.bytes(&self.server_challenge);
        w.bytes(&[0; 8]); // Reserved
        w.payload("TargetInfo", &self.target_info)?;
        w.bytes(version);
        Ok(w.finish())
    }

    /// The target name as text.
    ///
    /// # Errors
    /// When UNICODE is set and the bytes are not UTF-16LE.
    pub fn target_name_text(&self) -> Result<String, DecodeError> {
        text::decode("TargetName", &self.target_name, self.negotiate_flags)
    }

    /// The `AV_PAIR` list; an absent one reads as an empty one.
    ///
    /// # Errors
    /// When the list is malformed.
    pub fn av_pairs(&self) -> Result<AvPairs, DecodeError> {
        if self.target_info.is_empty() { Ok(AvPairs::default()) } else { AvPairs::decode(&self.target_info) }
    }
}
