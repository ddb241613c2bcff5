//! SPNEGO (RFC 4178, MS-SPNG): tokens and negotiation over any mechanism, without I/O.
//!
//! [`Initiator`] and [`Acceptor`] turn tokens into tokens over anything that implements [`Mechanism`]; which
//! mechanisms exist, and how tokens travel, is the caller's business. [`token`] has the messages by
//! themselves. NEGOEX is recognised by name only.
//!
//! A client opens with the first token, without a word from the server:
//!
//! ```
//! use winrm_spnego::token::NegotiationToken;
//! use winrm_spnego::{Initiator, Mechanism, MechanismError, ObjectIdentifier, Progress, Step, oid};
//!
//! /// Something that speaks NTLM; only its first step matters here.
//! struct Ntlm;
//!
//! impl Mechanism for Ntlm {
//!     fn mech_type(&self) -> ObjectIdentifier {
//!         oid::NTLMSSP
//!     }
//!     fn step(&mut self, _token: Option<&[u8]>) -> Result<Step, MechanismError> {
//!         Ok(Step::Continue(b"NTLMSSP\0...".to_vec()))
//!     }
//!     # fn requires_mech_list_mic(&self) -> bool { false }
//!     # fn sign_mech_list(&mut self, _: &[u8]) -> Result<Vec<u8>, MechanismError> { Err("none".into()) }
//!     # fn verify_mech_list(&mut self, _: &[u8], _: &[u8]) -> Result<(), MechanismError> { Err("none".into()) }
//!     # fn wrap(&mut self, _: &mut [u8]) -> Result<Vec<u8>, MechanismError> { Err("none".into()) }
//!     # fn unwrap(&mut self, _: &[u8], _: &mut [u8]) -> Result<(), MechanismError> { Err("none".into()) }
//!     // and four more, to sign and to seal
//! }
//!
//! let mut initiator = Initiator::new(vec![Ntlm]);
//! let Progress::Continue(token) = initiator.step(None)? else { panic!("nobody has answered yet") };
//! let NegotiationToken::Init(init) = NegotiationToken::decode(&token)? else { panic!("not the first") };
//! assert_eq!(init.mech_types.iter().collect::<Vec<_>>(), [Some(oid::NTLMSSP)]);
//! # Ok::<(), winrm_spnego::Error>(())
//! ```

mod acceptor;
pub mod error;
mod initiator;
mod mechanism;
mod mic;
pub mod oid;
pub mod token;

pub use const_oid::ObjectIdentifier;

pub use self::acceptor::Acceptor;
pub use self::error::{DecodeError, EncodeError, Error};
pub use self::initiator::Initiator;
pub use self::mechanism::{Mechanism, MechanismError, Progress, Step};
