//! The messages of the key exchange (MS-PSRP 2.2.2.3, 2.2.2.4).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use winrm_clixml::{PsObject, PsValue};

use crate::DecodeError;
use crate::field::Fields;

/// A key as CryptoAPI exports it, which [`crate::key`] reads.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyBlob(pub Vec<u8>);

impl KeyBlob {
    pub(crate) fn from_value(value: &PsValue, field: &'static str) -> Result<Self, DecodeError> {
        let fields =
            Fields::of(if field == "PublicKey" { "PUBLIC_KEY" } else { "ENCRYPTED_SESSION_KEY" }, value)?;
        fields.read(field, "base64", |value| STANDARD.decode(value.as_str()?).ok()).map(Self)
    }

    pub(crate) fn to_value(&self, field: &'static str) -> PsValue {
        PsObject::new().with_extended(field, STANDARD.encode(&self.0)).into()
    }
}

/// Without the bytes.
impl fmt::Debug for KeyBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBlob({} bytes)", self.0.len())
    }
}
