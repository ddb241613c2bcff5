//! What makes NTLM a SPNEGO mechanism, on both sides, and what a finished context is worth.
//!
//! Public, so that a service (see `winrm-loopback`) and tests are built from the same halves as the client.

mod acceptor;
mod initiator;
mod strength;

pub use acceptor::{Accounts, NoSuchAccount, NtlmAcceptor};
pub use initiator::NtlmInitiator;
pub use strength::Security;

/// A [`winrm_spnego::Mechanism`] was stepped after it had finished or failed, or asked to seal before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("NTLM is not at the step this call needs")]
pub struct OutOfOrder;
