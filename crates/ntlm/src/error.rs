//! What can go wrong, by who must act.

use thiserror::Error;

use crate::flags::NegotiateFlags;

/// `MessageType` of the three messages (MS-NLMP 2.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageType {
    /// `NEGOTIATE_MESSAGE`, 1: what the client can do.
    Negotiate,
    /// `CHALLENGE_MESSAGE`, 2: the server's choice and its nonce.
    Challenge,
    /// `AUTHENTICATE_MESSAGE`, 3: the client's response.
    Authenticate,
}

impl MessageType {
    /// The number on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::Negotiate => 1,
            Self::Challenge => 2,
            Self::Authenticate => 3,
        }
    }

    /// The name that MS-NLMP gives the message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negotiate => "NEGOTIATE",
            Self::Challenge => "CHALLENGE",
            Self::Authenticate => "AUTHENTICATE",
        }
    }
}

/// Why bytes from the peer are not the message this step needs.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Cut off: `field` takes `needed` bytes, `available` are left.
    #[error("{field} takes {needed} bytes, {available} are left")]
    Truncated {
        /// Field of the specification.
        field: &'static str,
        /// Bytes the field takes.
        needed: usize,
        /// Bytes left in the message.
        available: usize,
    },
    /// The descriptor of `field` points outside the message. All in bytes.
    #[error(
        "{field} points outside the message: offset {offset}, length {len}, message length {message_len}"
    )]
    OutOfBounds {
        /// Field of the specification.
        field: &'static str,
        /// `BufferOffset` of the descriptor.
        offset: usize,
        /// Len of the descriptor.
        len: usize,
        /// Length of the whole message.
        message_len: usize,
    },
    /// No NTLMSSP signature: not NTLM at all.
    #[error("the token does not start with the NTLMSSP signature")]
    BadSignature,
    /// Another message of the three than this step takes.
    #[error("expected a {} message, found message type {found}", expected.name())]
    WrongType {
        /// What this step takes.
        expected: MessageType,
        /// `MessageType` as sent.
        found: u32,
    },
    /// A field whose length the specification fixes has another one.
    #[error("{field} must be {expected} bytes long and has {found}")]
    WrongLength {
        /// Field of the specification.
        field: &'static str,
        /// Length by the specification, in bytes.
        expected: usize,
        /// Length as sent, in bytes.
        found: usize,
    },
    /// An `AV_PAIR` that decides something stands in the list twice.
    #[error("{field} is there more than once")]
    Repeated {
        /// Name of the pair.
        field: &'static str,
    },
    /// UTF-16LE text with an odd number of bytes or an unpaired surrogate.
    #[error("{field} is not UTF-16LE text")]
    BadText {
        /// Field of the specification.
        field: &'static str,
    },
}

/// Why a message cannot be written: the caller gave something the format cannot hold.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum EncodeError {
    /// Lengths on the wire are 16 bits wide.
    #[error("{field} has {len} bytes, the format holds at most {max}")]
    TooLong {
        /// Field of the specification.
        field: &'static str,
        /// Length given, in bytes.
        len: usize,
        /// Longest length the format holds, in bytes.
        max: usize,
    },
    /// OEM strings were negotiated and the text has characters that no OEM code page is sure to share.
    #[error("{field} has characters that an OEM string cannot carry; negotiate UNICODE")]
    NotOem {
        /// Field of the specification.
        field: &'static str,
    },
}

/// Why a handshake or a sealed message failed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke the protocol.
    #[error("malformed {} message", message.name())]
    Decode {
        /// Which of the three messages it should have been.
        message: MessageType,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The caller gave what a message cannot hold.
    #[error("cannot write the {} message", message.name())]
    Encode {
        /// The message that was to be written.
        message: MessageType,
        /// What does not fit.
        source: EncodeError,
    },
    /// The peer does not agree to something this side requires.
    #[error("the peer does not agree to what is required here: {missing}")]
    NotNegotiated {
        /// Required and not agreed.
        missing: NegotiateFlags,
    },
    /// Neither UNICODE nor OEM is common to both sides.
    #[error("no character set in common")]
    NoCharacterSet,
    /// `KEY_EXCH` was negotiated, but `EncryptedRandomSessionKey` is not 16 bytes long.
    #[error("the AUTHENTICATE message has no session key of 16 bytes although key exchange was negotiated")]
    NoSessionKey,
    /// The NTLMv2 response is shorter than its fixed part, or its `AV_PAIR` list is broken or contradicts itself.
    #[error("malformed NTLMv2 response")]
    MalformedResponse(#[source] DecodeError),
    /// The client logged on anonymously and the configuration does not allow it.
    #[error("anonymous log-on is not allowed here")]
    AnonymousRefused,
    /// A call for anonymous log-ons on one that names a user, or the other way round.
    #[error("the log-on is not of the kind this call verifies")]
    WrongLogonKind,
    /// The client sent an NTLMv1 response and the configuration does not allow it.
    #[error("the client answered with NTLMv1, only NTLMv2 is accepted here")]
    NtlmV1Refused,
    /// The client sent an LM response alone and the configuration does not allow it.
    #[error("the client answered with LM alone, only NTLMv2 is accepted here")]
    LmRefused,
    /// The credentials given belong to another user than the one that logs on.
    #[error("the log-on names another user than the credentials")]
    UnknownUser,
    /// The response was not computed from this account's password.
    #[error("wrong password")]
    WrongPassword,
    /// `MsvAvFlags` says that a MIC is there, but the message has no room for one.
    #[error("the client announced a MIC and sent none")]
    MicMissing,
    /// The MIC does not match the three messages: one of them was changed on the way.
    #[error("the MIC does not match: a handshake message was changed on the way")]
    MicMismatch,
    /// The response does not repeat the time that the CHALLENGE named: the CHALLENGE was changed on the way.
    #[error("the client answered another CHALLENGE than was sent")]
    ChallengeChanged,
    /// Channel bindings are required and the client sent none, or sixteen zero bytes.
    #[error("the client sent no channel bindings and they are required here")]
    ChannelBindingsMissing,
    /// The client is bound to another channel: somebody stands in between.
    #[error("the client is bound to another channel")]
    ChannelBindingsMismatch,
    /// A signature is not 16 bytes long.
    #[error("a message signature has 16 bytes, this one {found}")]
    SignatureLength {
        /// Length given, in bytes.
        found: usize,
    },
    /// A message was changed, or keys or sequence numbers do not agree (MS-NLMP 3.4.4).
    #[error("the message signature does not match")]
    SignatureMismatch,
    /// A message failed before on this context: the cipher states no longer agree.
    #[error("the security context broke at an earlier message")]
    Broken,
}

impl Error {
    pub(crate) fn decode(message: MessageType) -> impl Fn(DecodeError) -> Self {
        move |source| Self::Decode { message, source }
    }

    pub(crate) fn encode(message: MessageType) -> impl Fn(EncodeError) -> Self {
        move |source| Self::Encode { message, source }
    }
}
