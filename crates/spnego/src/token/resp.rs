//! NegTokenResp (RFC 4178 section 4.2.2).

use std::fmt;

use const_oid::ObjectIdentifier;
use der::Tag;

use super::cursor::{Value, put_explicit, tlv};
use super::{bounded, redacted};
use crate::error::{DecodeError, EncodeError};

/// Every token after the first, from either side.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct NegTokenResp {
    /// `[0]`: required in the acceptor's first reply only.
    pub neg_state: Option<NegState>,
    /// `[1]`: in the acceptor's first reply only.
    pub supported_mech: Option<ObjectIdentifier>,
    /// `[2]`: the mechanism's token.
    pub response_token: Option<Vec<u8>>,
    /// `[3]`: over the initiator's `MechTypeList`.
    pub mech_list_mic: Option<Vec<u8>>,
}

/// How the negotiation stands; values without a name are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NegState(pub u8);

impl NegState {
    /// Done, nothing more is expected.
    pub const ACCEPT_COMPLETED: Self = Self(0);
    /// At least one more token is expected.
    pub const ACCEPT_INCOMPLETE: Self = Self(1);
    /// The negotiation has failed.
    pub const REJECT: Self = Self(2);
    /// As incomplete, and a mechListMIC exchange is required; in the acceptor's first reply only.
    pub const REQUEST_MIC: Self = Self(3);
}

impl fmt::Display for NegState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ACCEPT_COMPLETED => f.write_str("accept-completed"),
            Self::ACCEPT_INCOMPLETE => f.write_str("accept-incomplete"),
            Self::REJECT => f.write_str("reject"),
            Self::REQUEST_MIC => f.write_str("request-mic"),
            Self(other) => write!(f, "negState {other}"),
        }
    }
}

impl NegTokenResp {
    /// What an acceptor sends when it cannot or will not go on.
    pub fn reject() -> Self {
        Self { neg_state: Some(NegState::REJECT), ..Self::default() }
    }

    pub(super) fn decode_value(choice: Value<'_>) -> Result<Self, DecodeError> {
        let mut choice = choice.enter("NegTokenResp", super::NEG_TOKEN_RESP)?;
        let mut fields = choice.value("NegTokenResp")?.enter("NegTokenResp", Tag::Sequence)?;
        choice.finish("NegTokenResp")?;
        let neg_state = fields.explicit("negState", 0)?.map(NegState::decode_value).transpose()?;
        let supported_mech = fields
            .explicit("supportedMech", 1)?
            .map(|value| value.object_identifier("supportedMech"))
            .transpose()?;
        let response_token = fields.octets("responseToken", 2)?;
        let mech_list_mic = fields.octets("mechListMIC", 3)?;
        fields.skip_extensions("NegTokenResp", 3)?;
        Ok(Self { neg_state, supported_mech, response_token, mech_list_mic })
    }

    /// Writes the token; it travels without GSS framing.
    ///
    /// # Errors
    /// When it would exceed [`MAX_TOKEN_LEN`](super::MAX_TOKEN_LEN).
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut fields = Vec::new();
        if let Some(NegState(state)) = self.neg_state {
            put_explicit(&mut fields, "negState", 0, Tag::Enumerated, &[state])?;
        }
        if let Some(mech) = &self.supported_mech {
            put_explicit(&mut fields, "supportedMech", 1, Tag::ObjectIdentifier, mech.as_bytes())?;
        }
        if let Some(token) = &self.response_token {
            put_explicit(&mut fields, "responseToken", 2, Tag::OctetString, token)?;
        }
        if let Some(mic) = &self.mech_list_mic {
            put_explicit(&mut fields, "mechListMIC", 3, Tag::OctetString, mic)?;
        }
        let sequence = tlv("NegTokenResp", Tag::Sequence, &fields)?;
        bounded(tlv("NegTokenResp", super::NEG_TOKEN_RESP, &sequence)?)
    }

    /// The peer's mechListMIC, unless it is a copy of responseToken: old Windows servers send one, and it
    /// means nothing.
    pub(crate) fn peer_mech_list_mic(&self) -> Option<&[u8]> {
        let mic = self.mech_list_mic.as_deref()?;
        (Some(mic) != self.response_token.as_deref()).then_some(mic)
    }
}

/// Tokens as their lengths: passwords can be guessed from what mechanisms send.
impl fmt::Debug for NegTokenResp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegTokenResp")
            .field("neg_state", &self.neg_state)
            .field("supported_mech", &self.supported_mech)
            .field("response_token", &redacted(self.response_token.as_deref()))
            .field("mech_list_mic", &redacted(self.mech_list_mic.as_deref()))
            .finish()
    }
}

impl NegState {
    fn decode_value(value: Value<'_>) -> Result<Self, DecodeError> {
        match *value.expect("negState", Tag::Enumerated)? {
            [state] => Ok(Self(state)),
            _ => Err(value.malformed("negState", Tag::Enumerated.length_error())),
        }
    }
}
