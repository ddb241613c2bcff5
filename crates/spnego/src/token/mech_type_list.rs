//! `MechTypeList ::= SEQUENCE OF MechType` (RFC 4178 section 4.1).

use const_oid::ObjectIdentifier;
use der::Tag;

use super::MAX_MECH_TYPES;
use super::cursor::{Value, tlv};
use crate::error::{DecodeError, EncodeError};

/// Mechanisms in the initiator's order of preference, with the bytes that stand for them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MechTypeList {
    mech_types: Vec<Option<ObjectIdentifier>>,
    /// The mechListMIC covers these bytes as sent (RFC 4178 section 5), so they are kept, not made again.
    der: Vec<u8>,
}

impl MechTypeList {
    /// Encodes a list.
    ///
    /// # Errors
    /// When there are more than [`MAX_MECH_TYPES`].
    pub fn new(mech_types: &[ObjectIdentifier]) -> Result<Self, EncodeError> {
        if mech_types.len() > MAX_MECH_TYPES {
            return Err(EncodeError::TooManyMechTypes { max: MAX_MECH_TYPES });
        }
        let mut content = Vec::new();
        for mech_type in mech_types {
            content.extend_from_slice(&tlv("mechTypes", Tag::ObjectIdentifier, mech_type.as_bytes())?);
        }
        let der = tlv("mechTypes", Tag::Sequence, &content)?;
        Ok(Self { mech_types: mech_types.iter().copied().map(Some).collect(), der })
    }

    /// Reads the SEQUENCE by itself, as it stands inside `[0]`.
    ///
    /// # Errors
    /// When it is not a SEQUENCE OF OBJECT IDENTIFIER, or longer than [`MAX_MECH_TYPES`].
    pub fn decode(der: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_value(super::whole(der)?)
    }

    pub(super) fn decode_value(value: Value<'_>) -> Result<Self, DecodeError> {
        let mut entries = value.enter("mechTypes", Tag::Sequence)?;
        let mut mech_types = Vec::new();
        while !entries.is_finished() {
            if mech_types.len() == MAX_MECH_TYPES {
                return Err(DecodeError::TooManyMechTypes { max: MAX_MECH_TYPES });
            }
            let bytes = entries.value("mechTypes")?.expect("mechTypes", Tag::ObjectIdentifier)?;
            // One that does not fit our type (arcs of 128 bits exist) is unknown, not malformed.
            mech_types.push(ObjectIdentifier::from_bytes(bytes).ok());
        }
        // DER has one encoding of the header, so these are the bytes received.
        let der = tlv("mechTypes", Tag::Sequence, value.bytes)
            .map_err(|_| DecodeError::TooLong { len: value.bytes.len(), max: super::MAX_TOKEN_LEN })?;
        Ok(Self { mech_types, der })
    }

    /// The entries in order; `None` stands for one longer than [`ObjectIdentifier`] can hold.
    pub fn iter(&self) -> impl Iterator<Item = Option<ObjectIdentifier>> {
        self.mech_types.iter().copied()
    }

    /// The bytes a mechListMIC is computed over: the SEQUENCE without the `[0]` around it.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The content of the SEQUENCE's `[0]`, for the encoder.
    pub(super) fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&tlv("mechTypes", super::context(0), &self.der)?);
        Ok(())
    }
}
