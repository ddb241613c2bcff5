//! `AUTHENTICATE_MESSAGE`.

use std::fmt;
use std::ops::Range;

use crate::cursor::{Reader, Writer};
use crate::error::{DecodeError, EncodeError, MessageType};
use crate::flags::NegotiateFlags;
use crate::text;
use crate::version::Version;

/// Signature 8, `MessageType` 4, six descriptors of 8, `NegotiateFlags` 4.
const FIXED_LEN: usize = 64;
/// Length of the Version field.
const VERSION_LEN: usize = 8;
/// Length of the MIC field.
const MIC_LEN: usize = 16;

/// Order of the payloads behind the fixed part. The specification leaves it open; the MIC covers it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum PayloadLayout {
    /// `DomainName`, `UserName`, Workstation, `LmChallengeResponse`, `NtChallengeResponse`, session key: as Windows does.
    #[default]
    NamesFirst,
    /// `LmChallengeResponse`, `NtChallengeResponse`, `DomainName`, `UserName`, Workstation, session key.
    ResponsesFirst,
}

/// The client's response (MS-NLMP 2.2.1.3).
#[derive(Clone, Default, Eq, PartialEq)]
pub struct AuthenticateMessage {
    /// `LM_RESPONSE` or `LMv2_RESPONSE`: 24 bytes, one zero byte for an anonymous log-on, or none.
    pub lm_challenge_response: Vec<u8>,
    /// `NTLM_RESPONSE` of 24 bytes, an `NTLMv2_RESPONSE` of more, or none.
    pub nt_challenge_response: Vec<u8>,
    /// UTF-16LE or OEM, as the flags say.
    pub domain_name: Vec<u8>,
    /// UTF-16LE or OEM, as the flags say.
    pub user_name: Vec<u8>,
    /// UTF-16LE or OEM, as the flags say.
    pub workstation: Vec<u8>,
    /// The session key under RC4 with the key exchange key: 16 bytes with `KEY_EXCH`, else empty.
    pub encrypted_random_session_key: Vec<u8>,
    /// What both sides agreed to. Bits we have no name for are kept.
    pub negotiate_flags: NegotiateFlags,
    /// For logs only. May be absent although `NTLMSSP_NEGOTIATE_VERSION` is set: some clients do that.
    pub version: Option<Version>,
    /// MIC, where the message has room for one; whether it means anything `MsvAvFlags` says.
    pub mic: Option<[u8; MIC_LEN]>,
    /// Order in which the payloads stand.
    pub payload_layout: PayloadLayout,
}

impl AuthenticateMessage {
    /// Reads a message.
    ///
    /// Version and MIC are there when the fixed part, which ends at the first payload, has room for them: neither has
    /// a flag that all clients set truthfully.
    ///
    /// # Errors
    /// When the bytes are not an `AUTHENTICATE_MESSAGE`, are cut off or point outside themselves.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::message(message, MessageType::Authenticate)?;
        let lm = r.payload("LmChallengeResponse")?;
        let nt = r.payload("NtChallengeResponse")?;
        let domain_name = r.payload("DomainName")?;
        let user_name = r.payload("UserName")?;
        let workstation = r.payload("Workstation")?;
        let session_key = r.payload("EncryptedRandomSessionKey")?;
        let negotiate_flags = NegotiateFlags(r.u32_le("NegotiateFlags")?);
        let fixed_end = r.fixed_end();
        let has_version =
            negotiate_flags.contains(NegotiateFlags::VERSION) && fixed_end >= FIXED_LEN + VERSION_LEN;
        let version = has_version.then(|| r.array("Version").map(Version)).transpose()?;
        let mic = mic_range(negotiate_flags, fixed_end)
            .and_then(|range| message.get(range)?.first_chunk().copied());
        Ok(Self {
            lm_challenge_response: lm.to_vec(),
            nt_challenge_response: nt.to_vec(),
            domain_name: domain_name.to_vec(),
            user_name: user_name.to_vec(),
            workstation: workstation.to_vec(),
            encrypted_random_session_key: session_key.to_vec(),
            negotiate_flags,
            version,
            mic,
            payload_layout: layout(&[lm, nt], &[domain_name, user_name, workstation]),
        })
    }

    /// Writes the message; a MIC without a version gets eight zero bytes before it, so that it stands at offset 72.
    ///
    /// # Errors
    /// When a payload is longer than 65 535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let zero_version = self.mic.map(|_| Version([0; VERSION_LEN]));
        let version = self.version.or(zero_version);
        let version_bytes = version.as_ref().map_or(&[][..], |version| &version.0);
        let mic = self.mic.as_ref().map_or(&[][..], |mic| mic);
        let mut w = Writer::message(MessageType::Authenticate, FIXED_LEN + version_bytes.len() + mic.len());

        let (lm, nt) = (&self.lm_challenge_response, &self.nt_challenge_response);
        let names = |w: &mut Writer| {
            let domain_name = w.place("DomainName", &self.domain_name)?;
            let user_name = w.place("UserName", &self.user_name)?;
            Ok([domain_name, user_name, w.place("Workstation", &self.workstation)?])
        };
        let responses = |w: &mut Writer| {
            let lm = w.place("LmChallengeResponse", lm)?;
            Ok([lm, w.place("NtChallengeResponse", nt)?])
        };
        let (responses, names) = match self.payload_layout {
            PayloadLayout::NamesFirst => {
                let names = names(&mut w)?;
                (responses(&mut w)?, names)
            }
            PayloadLayout::ResponsesFirst => (responses(&mut w)?, names(&mut w)?),
        };
        responses.into_iter().chain(names).for_each(|descriptor| w.descriptor(descriptor));
        w.payload("EncryptedRandomSessionKey", &self.encrypted_random_session_key)?;
        w.u32_le(self.negotiate_flags.with(NegotiateFlags::VERSION, self.has_version_flag()).0);
        w.bytes(version_bytes);
        w.bytes(mic);
        Ok(w.finish())
    }

    /// Where the MIC stands in an encoded or received `message`, if there is room for one.
    pub(crate) fn mic_range(message: &[u8]) -> Result<Option<Range<usize>>, DecodeError> {
        let mut r = Reader::message(message, MessageType::Authenticate)?;
        for field in ["LmChallengeResponse", "NtChallengeResponse", "DomainName", "UserName", "Workstation"] {
            r.payload(field)?;
        }
        r.payload("EncryptedRandomSessionKey")?;
        let negotiate_flags = NegotiateFlags(r.u32_le("NegotiateFlags")?);
        Ok(mic_range(negotiate_flags, r.fixed_end()))
    }

    fn has_version_flag(&self) -> bool {
        self.version.is_some() || self.negotiate_flags.contains(NegotiateFlags::VERSION)
    }

    /// `DomainName` as text.
    ///
    /// # Errors
    /// When UNICODE is set and the bytes are not UTF-16LE.
    pub fn domain_name_text(&self) -> Result<String, DecodeError> {
        text::decode("DomainName", &self.domain_name, self.negotiate_flags)
    }

    /// `UserName` as text.
    ///
    /// # Errors
    /// When UNICODE is set and the bytes are not UTF-16LE.
    pub fn user_name_text(&self) -> Result<String, DecodeError> {
        text::decode("UserName", &self.user_name, self.negotiate_flags)
    }

    /// Workstation as text.
    ///
    /// # Errors
    /// When UNICODE is set and the bytes are not UTF-16LE.
    pub fn workstation_text(&self) -> Result<String, DecodeError> {
        text::decode("Workstation", &self.workstation, self.negotiate_flags)
    }
}

/// Names and flags only: responses can be attacked offline, so they stay out of logs.
impl fmt::Debug for AuthenticateMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateMessage")
            .field("domain_name", &self.domain_name)
            .field("user_name", &self.user_name)
            .field("workstation", &self.workstation)
            .field("negotiate_flags", &self.negotiate_flags)
            .field("version", &self.version)
            .field("mic", &self.mic.is_some())
            .finish_non_exhaustive()
    }
}

/// The MIC follows Version at offset 72; one client was seen to leave Version out and put the MIC at 64.
fn mic_range(negotiate_flags: NegotiateFlags, fixed_end: usize) -> Option<Range<usize>> {
    const AFTER_VERSION: usize = FIXED_LEN + VERSION_LEN;
    if fixed_end >= AFTER_VERSION + MIC_LEN {
        Some(AFTER_VERSION..AFTER_VERSION + MIC_LEN)
    } else if fixed_end == FIXED_LEN + MIC_LEN && !negotiate_flags.contains(NegotiateFlags::VERSION) {
        Some(FIXED_LEN..FIXED_LEN + MIC_LEN)
    } else {
        None
    }
}

/// Which of the two groups stands first in the message; the slices all point into it.
fn layout(responses: &[&[u8]], names: &[&[u8]]) -> PayloadLayout {
    let first =
        |group: &[&[u8]]| group.iter().filter(|bytes| !bytes.is_empty()).map(|bytes| bytes.as_ptr()).min();
    match (first(responses), first(names)) {
        (Some(responses), Some(names)) if responses < names => PayloadLayout::ResponsesFirst,
        _ => PayloadLayout::NamesFirst,
    }
}
