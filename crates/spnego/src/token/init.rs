//! NegTokenInit (RFC 4178 section 4.2.1) and NegTokenInit2 (MS-SPNG 2.2.1).

use std::fmt;

use der::asn1::BitString;
use der::{DecodeValue, Encode, Header, SliceReader, Tag};

use super::cursor::{Value, put_explicit, tlv};
use super::{InitialContextToken, MechTypeList, redacted};
use crate::error::{DecodeError, EncodeError};
use crate::oid;

/// Opens the negotiation.
///
/// NegTokenInit2 is the same message with hints: they take tag `[3]` and move mechListMIC to `[4]`. Which of
/// the two was received shows in `neg_hints`.
#[derive(Clone, Eq, PartialEq)]
pub struct NegTokenInit {
    /// `[0]`, in order of preference.
    pub mech_types: MechTypeList,
    /// `[1]`: never needed, kept as received.
    pub req_flags: Option<ContextFlags>,
    /// `[2]`: the optimistic token, for the first of `mech_types`.
    pub mech_token: Option<Vec<u8>>,
    /// `[3]` of NegTokenInit2: a SEQUENCE where NegTokenInit has an OCTET STRING.
    pub neg_hints: Option<NegHints>,
    /// `[3]`, or `[4]` of NegTokenInit2.
    pub mech_list_mic: Option<Vec<u8>>,
}

/// `reqFlags`: the context flags of GSS-API as a BIT STRING, bit 0 the highest of the first byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContextFlags {
    /// Bits at the end of the last byte that do not count, 0 to 7.
    pub unused_bits: u8,
    /// The bits.
    pub bytes: Vec<u8>,
}

/// What an acceptor that speaks first says of itself; Windows sends a fixed text that means nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NegHints {
    /// A `GeneralString`, as bytes because its repertoire is not fixed.
    pub hint_name: Option<Vec<u8>>,
    /// Never sent by Windows.
    pub hint_address: Option<Vec<u8>>,
}

impl NegTokenInit {
    /// A token that offers mechanisms and nothing more.
    pub fn new(mech_types: MechTypeList) -> Self {
        Self { mech_types, req_flags: None, mech_token: None, neg_hints: None, mech_list_mic: None }
    }

    pub(super) fn decode_value(choice: Value<'_>) -> Result<Self, DecodeError> {
        let mut choice = choice.enter("NegTokenInit", super::NEG_TOKEN_INIT)?;
        let mut fields = choice.value("NegTokenInit")?.enter("NegTokenInit", Tag::Sequence)?;
        choice.finish("NegTokenInit")?;
        let mech_types =
            fields.explicit("mechTypes", 0)?.ok_or(DecodeError::Missing { field: "mechTypes" })?;
        let mech_types = MechTypeList::decode_value(mech_types)?;
        let req_flags = fields.explicit("reqFlags", 1)?.map(ContextFlags::decode_value).transpose()?;
        let mech_token = fields.octets("mechToken", 2)?;
        let (mut neg_hints, mut mech_list_mic) = (None, None);
        match fields.explicit("negHints", 3)? {
            Some(hints) if hints.tag == Tag::Sequence => neg_hints = Some(NegHints::decode_value(hints)?),
            Some(mic) => mech_list_mic = Some(mic.expect("mechListMIC", Tag::OctetString)?.to_vec()),
            None => {}
        }
        // After a MIC in [3], [4] is an extension we do not know.
        if mech_list_mic.is_none() {
            mech_list_mic = fields.octets("mechListMIC", 4)?;
        }
        fields.skip_extensions("NegTokenInit", 3)?;
        Ok(Self { mech_types, req_flags, mech_token, neg_hints, mech_list_mic })
    }

    /// Writes the token in its GSS framing.
    ///
    /// # Errors
    /// When it would exceed [`MAX_TOKEN_LEN`](super::MAX_TOKEN_LEN).
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut fields = Vec::new();
        self.mech_types.put(&mut fields)?;
        if let Some(flags) = &self.req_flags {
            let flags = flags.encode()?;
            fields.extend_from_slice(&tlv("reqFlags", super::context(1), &flags)?);
        }
        if let Some(token) = &self.mech_token {
            put_explicit(&mut fields, "mechToken", 2, Tag::OctetString, token)?;
        }
        if let Some(hints) = &self.neg_hints {
            put_explicit(&mut fields, "negHints", 3, Tag::Sequence, &hints.encode_fields()?)?;
        }
        if let Some(mic) = &self.mech_list_mic {
            let number = if self.neg_hints.is_some() { 4 } else { 3 };
            put_explicit(&mut fields, "mechListMIC", number, Tag::OctetString, mic)?;
        }
        let inner_token =
            tlv("NegTokenInit", super::NEG_TOKEN_INIT, &tlv("NegTokenInit", Tag::Sequence, &fields)?)?;
        InitialContextToken { this_mech: oid::SPNEGO, inner_token: &inner_token }.encode()
    }
}

/// Tokens as their lengths: passwords can be guessed from what mechanisms send.
impl fmt::Debug for NegTokenInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegTokenInit")
            .field("mech_types", &self.mech_types)
            .field("req_flags", &self.req_flags)
            .field("mech_token", &redacted(self.mech_token.as_deref()))
            .field("neg_hints", &self.neg_hints)
            .field("mech_list_mic", &redacted(self.mech_list_mic.as_deref()))
            .finish()
    }
}

impl ContextFlags {
    fn decode_value(value: Value<'_>) -> Result<Self, DecodeError> {
        let bytes = value.expect("reqFlags", Tag::BitString)?;
        let decode = || {
            let mut reader = SliceReader::new(bytes)?;
            BitString::decode_value(&mut reader, Header::new(Tag::BitString, bytes.len().try_into()?))
        };
        let bits = decode().map_err(|error: der::Error| value.malformed("reqFlags", error.kind()))?;
        Ok(Self { unused_bits: bits.unused_bits(), bytes: bits.raw_bytes().to_vec() })
    }

    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        BitString::new(self.unused_bits, self.bytes.as_slice())
            .and_then(|bits| bits.to_der())
            .map_err(|source| EncodeError::Der { field: "reqFlags", source })
    }
}

impl NegHints {
    fn decode_value(value: Value<'_>) -> Result<Self, DecodeError> {
        let mut fields = value.enter("negHints", Tag::Sequence)?;
        let hint_name = match fields.explicit("hintName", 0)? {
            Some(name) => Some(name.expect("hintName", Tag::GeneralString)?.to_vec()),
            None => None,
        };
        let hint_address = fields.octets("hintAddress", 1)?;
        fields.skip_extensions("negHints", 1)?;
        Ok(Self { hint_name, hint_address })
    }

    fn encode_fields(&self) -> Result<Vec<u8>, EncodeError> {
        let mut fields = Vec::new();
        if let Some(name) = &self.hint_name {
            put_explicit(&mut fields, "hintName", 0, Tag::GeneralString, name)?;
        }
        if let Some(address) = &self.hint_address {
            put_explicit(&mut fields, "hintAddress", 1, Tag::OctetString, address)?;
        }
        Ok(fields)
    }
}
