//! The tokens on the wire (RFC 4178 section 4.2, MS-SPNG 2.2.1), DER inside the GSS framing of RFC 2743.
//!
//! Every token is one DER value, and trailing bytes are refused. Elements that a later revision may append
//! to a SEQUENCE (the `...` in the ASN.1) are skipped. A value that decodes encodes again to the same
//! fields.

mod cursor;
mod init;
mod mech_type_list;
mod resp;

use std::fmt;

use const_oid::ObjectIdentifier;
use der::{Tag, TagNumber};

use self::cursor::{Cursor, Value, context, tlv};
pub use self::init::{ContextFlags, NegHints, NegTokenInit};
pub use self::mech_type_list::MechTypeList;
pub use self::resp::{NegState, NegTokenResp};
use crate::error::{DecodeError, EncodeError};
use crate::oid;

/// Longest token read or written, in bytes: twice what Windows lets a Kerberos ticket grow to
/// (`MaxTokenSize`, 65 535).
pub const MAX_TOKEN_LEN: usize = 128 * 1024;

/// Most mechanisms in a `MechTypeList`; Windows sends five.
pub const MAX_MECH_TYPES: usize = 32;

/// `[APPLICATION 0]`, constructed.
const INITIAL_CONTEXT_TOKEN: Tag = Tag::Application { constructed: true, number: TagNumber(0) };
/// The choices of `NegotiationToken`.
const NEG_TOKEN_INIT: Tag = context(0);
const NEG_TOKEN_RESP: Tag = context(1);

/// The GSS framing of a first token: which mechanism, then that mechanism's bytes (RFC 2743 section 3.1).
#[derive(Clone, Eq, PartialEq)]
pub struct InitialContextToken<'a> {
    /// The mechanism the inner token belongs to.
    pub this_mech: ObjectIdentifier,
    /// Everything behind the identifier, as received.
    pub inner_token: &'a [u8],
}

impl<'a> InitialContextToken<'a> {
    /// Reads the framing and leaves the inner token alone.
    ///
    /// # Errors
    /// When it is not `[APPLICATION 0]` around an OBJECT IDENTIFIER, or longer than [`MAX_TOKEN_LEN`].
    pub fn decode(token: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_value(whole(token)?).map(|(framing, _)| framing)
    }

    /// The framing, and the offset of the inner token.
    fn decode_value(framing: Value<'a>) -> Result<(Self, usize), DecodeError> {
        let mut fields = framing.enter("InitialContextToken", INITIAL_CONTEXT_TOKEN)?;
        let this_mech = fields.value("thisMech")?.object_identifier("thisMech")?;
        let (inner_token, offset) = fields.rest("innerContextToken")?;
        Ok((Self { this_mech, inner_token }, offset))
    }

    /// Writes the framing around the inner token.
    ///
    /// # Errors
    /// When the token would exceed [`MAX_TOKEN_LEN`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut content = tlv("thisMech", Tag::ObjectIdentifier, self.this_mech.as_bytes())?;
        content.extend_from_slice(self.inner_token);
        bounded(tlv("InitialContextToken", INITIAL_CONTEXT_TOKEN, &content)?)
    }
}

/// The inner token as its length.
impl fmt::Debug for InitialContextToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitialContextToken")
            .field("this_mech", &self.this_mech)
            .field("inner_token", &Redacted(self.inner_token.len()))
            .finish()
    }
}

/// Either token of the negotiation (RFC 4178 section 4.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NegotiationToken {
    /// Opens the negotiation; travels in the GSS framing.
    Init(NegTokenInit),
    /// Every later token, from either side; travels bare.
    Resp(NegTokenResp),
}

impl NegotiationToken {
    /// Reads a token, with or without the GSS framing around NegTokenInit.
    ///
    /// # Errors
    /// [`DecodeError`] names the field; [`DecodeError::NotSpnego`] for the framing of another mechanism.
    pub fn decode(token: &[u8]) -> Result<Self, DecodeError> {
        let outer = whole(token)?;
        match outer.tag {
            NEG_TOKEN_INIT => NegTokenInit::decode_value(outer).map(Self::Init),
            NEG_TOKEN_RESP => NegTokenResp::decode_value(outer).map(Self::Resp),
            _ => {
                let (framing, offset) = InitialContextToken::decode_value(outer)?;
                if framing.this_mech != oid::SPNEGO {
                    return Err(DecodeError::NotSpnego { this_mech: framing.this_mech });
                }
                // Only the initial token is framed (RFC 4178 section 4.2).
                let inner = Cursor::only("NegotiationToken", framing.inner_token, offset)?;
                NegTokenInit::decode_value(inner).map(Self::Init)
            }
        }
    }

    /// Writes the token as it travels: NegTokenInit framed, NegTokenResp bare.
    ///
    /// # Errors
    /// When it would exceed [`MAX_TOKEN_LEN`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Init(init) => init.encode(),
            Self::Resp(resp) => resp.encode(),
        }
    }
}

/// Exactly one DER value, no more and no less.
fn whole(token: &[u8]) -> Result<Value<'_>, DecodeError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(DecodeError::TooLong { len: token.len(), max: MAX_TOKEN_LEN });
    }
    Cursor::only("NegotiationToken", token, 0)
}

/// Bytes that appear in no `Debug` text, by their number.
pub(crate) struct Redacted(pub(crate) usize);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

pub(crate) fn redacted(token: Option<&[u8]>) -> Option<Redacted> {
    token.map(|token| Redacted(token.len()))
}

fn bounded(token: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
    if token.len() > MAX_TOKEN_LEN {
        return Err(EncodeError::TooLong { len: token.len(), max: MAX_TOKEN_LEN });
    }
    Ok(token)
}
