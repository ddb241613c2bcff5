//! SESSION_CAPABILITY (MS-PSRP 2.2.2.1).

use winrm_clixml::{PsObject, PsValue, Version};

use crate::field::Fields;
use crate::{DecodeError, ProtocolVersion};

const KIND: &str = "SESSION_CAPABILITY";

/// The first message of each side: what it speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionCapability {
    /// `protocolversion`.
    pub protocol_version: Version,
    /// `PSVersion`.
    pub ps_version: Version,
    /// `SerializationVersion`.
    pub serialization_version: Version,
    /// `TimeZone` (2.2.3.10), as .NET's binary formatter writes it. It is kept, never taken apart.
    pub time_zone: Option<Vec<u8>>,
}

impl SessionCapability {
    /// The first two numbers of the protocol version.
    pub fn protocol(&self) -> ProtocolVersion {
        ProtocolVersion::of(&self.protocol_version)
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of(KIND, value)?;
        Ok(Self {
            protocol_version: fields.version("protocolversion")?,
            ps_version: fields.version("PSVersion")?,
            serialization_version: fields.version("SerializationVersion")?,
            time_zone: fields.read_optional("TimeZone", "bytes", |value| match value {
                PsValue::Bytes(bytes) => Some(bytes.clone()),
                _ => None,
            })?,
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let object = PsObject::new()
            .with_extended("protocolversion", self.protocol_version.clone())
            .with_extended("PSVersion", self.ps_version.clone())
            .with_extended("SerializationVersion", self.serialization_version.clone());
        match &self.time_zone {
            Some(bytes) => object.with_extended("TimeZone", bytes.clone()).into(),
            None => object.into(),
        }
    }
}

/// Version 2.3 of the protocol, and what Windows says with it.
impl Default for SessionCapability {
    fn default() -> Self {
        let version =
            |text: &str| Version::new(text).unwrap_or_else(|_| unreachable!("constants are versions"));
        Self {
            protocol_version: version("2.3"),
            ps_version: version("2.0"),
            serialization_version: version("1.1.0.1"),
            time_zone: None,
        }
    }
}
