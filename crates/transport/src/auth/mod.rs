//! What makes NTLM a SPNEGO mechanism, on both sides, and what a finished context is worth.
//!
//! Public, so that a service (see `winrm-loopback`) and tests are built from the same halves as the client.

mod acceptor;
mod initiator;
mod security;
mod state;

pub use acceptor::{Accounts, NoSuchAccount, NtlmAcceptor};
pub use initiator::NtlmInitiator;
pub use security::Security;
pub use state::OutOfOrder;
