//! The three messages (MS-NLMP 2.2.1), one module each, and the NTLMv2 response inside the third (2.2.2.7, 2.2.2.8).
//!
//! Integers are little-endian; payload offsets count from the first byte of the message. What is decoded keeps strings
//! as bytes, because their character set depends on the flags; the `*_text` methods read them.

mod authenticate;
mod challenge;
mod negotiate;
mod ntlm_v2_response;

pub use authenticate::{AuthenticateMessage, PayloadLayout};
pub use challenge::ChallengeMessage;
pub use negotiate::NegotiateMessage;
pub use ntlm_v2_response::{ClientChallenge, NtlmV2Response};
