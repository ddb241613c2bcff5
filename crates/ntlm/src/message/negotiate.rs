//! `NEGOTIATE_MESSAGE`.

use crate::cursor::{Reader, Writer};
use crate::error::{DecodeError, EncodeError, MessageType};
use crate::flags::NegotiateFlags;
use crate::text;
use crate::version::Version;

/// Signature 8, `MessageType` 4, `NegotiateFlags` 4, `DomainName` 8, Workstation 8.
const FIXED_LEN: usize = 32;
/// Signature, `MessageType` and `NegotiateFlags`: all that the oldest clients send, and Windows takes it (seen live).
const FLAGS_ONLY_LEN: usize = 16;

/// What the client can do (MS-NLMP 2.2.1.1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NegotiateMessage {
    /// Bits we have no name for are kept.
    pub negotiate_flags: NegotiateFlags,
    /// OEM bytes whatever the flags say; at most 65 535. Windows sends none.
    pub domain_name: Vec<u8>,
    /// OEM bytes whatever the flags say; at most 65 535. Windows sends none.
    pub workstation: Vec<u8>,
    /// On the wire exactly when `NTLMSSP_NEGOTIATE_VERSION` is set; for logs only.
    pub version: Option<Version>,
}

impl NegotiateMessage {
    /// Reads a message; one of 16 bytes, without the name fields, is taken as one with empty names.
    ///
    /// # Errors
    /// When the bytes are not a `NEGOTIATE_MESSAGE`, are cut off or point outside themselves.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::message(message, MessageType::Negotiate)?;
        let negotiate_flags = NegotiateFlags(r.u32_le("NegotiateFlags")?);
        if message.len() == FLAGS_ONLY_LEN {
            let negotiate_flags = negotiate_flags.with(NegotiateFlags::VERSION, false);
            return Ok(Self { negotiate_flags, ..Self::default() });
        }
        let domain_name = r.payload("DomainName")?.to_vec();
        let workstation = r.payload("Workstation")?.to_vec();
        let has_version = negotiate_flags.contains(NegotiateFlags::VERSION);
        let version = has_version.then(|| r.array("Version").map(Version)).transpose()?;
        Ok(Self { negotiate_flags, domain_name, workstation, version })
    }

    /// Writes the message; `NTLMSSP_NEGOTIATE_VERSION` follows `version`.
    ///
    /// # Errors
    /// When a name is longer than 65 535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let version = self.version.as_ref().map_or(&[][..], |version| &version.0);
        let mut w = Writer::message(MessageType::Negotiate, FIXED_LEN + version.len());
        w.u32_le(self.negotiate_flags.with(NegotiateFlags::VERSION, self.version.is_some()).0);
        w.payload("DomainName", &self.domain_name)?;
        w.payload("Workstation", &self.workstation)?;
        w.bytes(version);
        Ok(w.finish())
    }

    /// The domain name, read as Latin-1.
    pub fn domain_name_text(&self) -> String {
        text::from_oem(&self.domain_name)
    }

    /// The workstation name, read as Latin-1.
    pub fn workstation_text(&self) -> String {
        text::from_oem(&self.workstation)
    }
}
