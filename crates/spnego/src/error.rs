//! What can go wrong, by who must act.

use const_oid::ObjectIdentifier;

use crate::mechanism::MechanismError;

/// Why bytes from the peer are not the token this step needs.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Longer than [`MAX_TOKEN_LEN`](crate::token::MAX_TOKEN_LEN). In bytes.
    #[error("token of {len} bytes is longer than {max}")]
    TooLong {
        /// Bytes received.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not DER, or not the type that belongs there.
    #[error("{field} is malformed at byte {offset}")]
    Malformed {
        /// Name in RFC 4178 or MS-SPNG.
        field: &'static str,
        /// From the first byte of the token.
        offset: usize,
        /// What is wrong; a position in it counts from the enclosing value.
        source: der::Error,
    },
    /// A field that RFC 4178 requires is absent.
    #[error("{field} is missing")]
    Missing {
        /// Name in RFC 4178.
        field: &'static str,
    },
    /// More mechanisms than [`MAX_MECH_TYPES`](crate::token::MAX_MECH_TYPES).
    #[error("mechTypes lists more than {max} mechanisms")]
    TooManyMechTypes {
        /// Entries allowed.
        max: usize,
    },
    /// GSS framing around another mechanism: a bare Kerberos token, for example.
    #[error("token is not SPNEGO but mechanism {this_mech}")]
    NotSpnego {
        /// The mechanism named by the framing.
        this_mech: ObjectIdentifier,
    },
}

/// Why a token cannot be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The token would be longer than [`MAX_TOKEN_LEN`](crate::token::MAX_TOKEN_LEN), so no peer of ours
    /// would read it.
    #[error("token of {len} bytes is longer than {max}")]
    TooLong {
        /// Bytes to send.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// More mechanisms than [`MAX_MECH_TYPES`](crate::token::MAX_MECH_TYPES).
    #[error("mechTypes lists more than {max} mechanisms")]
    TooManyMechTypes {
        /// Entries allowed.
        max: usize,
    },
    /// A length does not fit DER.
    #[error("{field} cannot be encoded")]
    Der {
        /// Name in RFC 4178.
        field: &'static str,
        /// Why.
        source: der::Error,
    },
}

/// Why a negotiation, or a message under it, failed.
///
/// Any error of `step` is final: the machine refuses every later call with [`Error::Failed`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer's token cannot be read.
    #[error("SPNEGO token cannot be read")]
    Decode(#[from] DecodeError),
    /// Our token cannot be written.
    #[error("SPNEGO token cannot be written")]
    Encode(#[from] EncodeError),
    /// A readable token that does not belong here.
    #[error("unexpected SPNEGO message: expected {expected}, found {found}")]
    Unexpected {
        /// What this step takes.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// The peer answered `reject`: wrong credentials, or nothing in common.
    #[error("peer rejected the negotiation")]
    Rejected,
    /// The acceptor selected a mechanism that was not offered.
    #[error("acceptor selected mechanism {selected}, which was not offered")]
    NotOffered {
        /// What it selected.
        selected: ObjectIdentifier,
    },
    /// Nothing the initiator offers is supported here.
    #[error("no mechanism in common with the peer")]
    NoCommonMechanism,
    /// The mechanism refused the peer's token, or could not make ours.
    #[error("mechanism {mech_type} failed")]
    Mechanism {
        /// Which mechanism.
        mech_type: ObjectIdentifier,
        /// Why, in the mechanism's own terms.
        source: MechanismError,
    },
    /// The peer sent no mechanism token although the mechanism needs one.
    #[error("peer sent no mechanism token")]
    MissingResponseToken,
    /// The peer says the negotiation is complete, but the mechanism is not.
    #[error("peer ended the negotiation before the mechanism was established")]
    EndedEarly,
    /// No mechListMIC although one is due: the list of mechanisms may have been changed on the way
    /// (RFC 4178 section 5).
    #[error("peer sent no mechListMIC although one is due")]
    MissingMechListMic,
    /// The mechListMIC does not belong to the list that was sent: it was changed on the way.
    #[error("mechListMIC is wrong")]
    WrongMechListMic {
        /// Why, in the mechanism's own terms.
        source: MechanismError,
    },
    /// The caller asked to seal, unseal or finish before the context allows that.
    #[error("context is not established yet")]
    NotEstablished,
    /// The caller stepped a negotiation that had ended well.
    #[error("context is established already")]
    AlreadyEstablished,
    /// The caller went on after an error.
    #[error("negotiation has failed before")]
    Failed,
    /// A message could not be sealed, or did not come from the peer as it is.
    #[error("message protection by {mech_type} failed")]
    Protection {
        /// Which mechanism.
        mech_type: ObjectIdentifier,
        /// Why, in the mechanism's own terms.
        source: MechanismError,
    },
}
