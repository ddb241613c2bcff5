//! What SPNEGO needs of a mechanism.

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::token::{Redacted, redacted};

/// A mechanism's own error, kept as the source of [`Error`](crate::Error).
pub type MechanismError = Box<dyn std::error::Error + Send + Sync>;

/// What a mechanism wants after a step.
#[derive(Clone, Eq, PartialEq)]
pub enum Step {
    /// Send this token; another is expected from the peer.
    Continue(Vec<u8>),
    /// Established on this side; send the token if there is one.
    Done(Option<Vec<u8>>),
}

/// The token as its length.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue(token) => f.debug_tuple("Continue").field(&Redacted(token.len())).finish(),
            Self::Done(token) => f.debug_tuple("Done").field(&redacted(token.as_deref())).finish(),
        }
    }
}

/// One side of a GSS-like security mechanism, as [`Initiator`](crate::Initiator) and
/// [`Acceptor`](crate::Acceptor) drive it.
///
/// The layer that knows both SPNEGO and the mechanism implements it.
pub trait Mechanism {
    /// The identifier that stands for it in mechTypes and supportedMech.
    fn mech_type(&self) -> ObjectIdentifier;

    /// Takes the peer's token and returns ours. An initiator's first step takes `None`.
    ///
    /// # Errors
    /// Whatever the mechanism finds wrong; the negotiation ends.
    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError>;

    /// Whether the mechanism itself asks for the mechListMIC exchange once it is established: NTLM does
    /// when the AUTHENTICATE message carried a MIC.
    fn requires_mech_list_mic(&self) -> bool;

    /// MIC over the DER of `MechTypeList`. For NTLM the RC4 state is put back afterwards, the sequence number
    /// is not (MS-SPNG 3.3.5.1).
    ///
    /// # Errors
    /// Where the mechanism has no integrity protection.
    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError>;

    /// Checks the peer's MIC over the same bytes, with the same care for RC4.
    ///
    /// # Errors
    /// When the MIC is wrong.
    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError>;

    /// Seals `message` in place and returns the header that travels before it: 16 bytes for NTLM.
    ///
    /// # Errors
    /// When the context cannot seal.
    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError>;

    /// Unseals `message` in place after its `header`.
    ///
    /// # Errors
    /// When the message was changed, replayed or sealed under another context. Its content is then
    /// unspecified.
    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError>;
}

impl<M: Mechanism + ?Sized> Mechanism for Box<M> {
    fn mech_type(&self) -> ObjectIdentifier {
        (**self).mech_type()
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        (**self).step(token)
    }

    fn requires_mech_list_mic(&self) -> bool {
        (**self).requires_mech_list_mic()
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        (**self).sign_mech_list(mech_types)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        (**self).verify_mech_list(mech_types, mic)
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        (**self).wrap(message)
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        (**self).unwrap(header, message)
    }
}

/// What the caller does after a step of the negotiation.
#[derive(Clone, Eq, PartialEq)]
pub enum Progress {
    /// Send this token and step again with the answer.
    Continue(Vec<u8>),
    /// Established; send the token if there is one.
    Established(Option<Vec<u8>>),
}

/// The token as its length.
impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue(token) => f.debug_tuple("Continue").field(&Redacted(token.len())).finish(),
            Self::Established(token) => {
                f.debug_tuple("Established").field(&redacted(token.as_deref())).finish()
            }
        }
    }
}
