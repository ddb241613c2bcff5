//! What a finished context protects.

use std::fmt;

use winrm_ntlm::{Negotiated, Session};
use winrm_spnego::MechanismError;

/// What was negotiated with a server, for people to read and for code to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Security {
    /// The scheme of the `Authorization` header.
    pub scheme: &'static str,
    /// Whether SPNEGO wrapped the mechanism's tokens and protected the choice of mechanism.
    pub spnego: bool,
    /// What NTLM came to.
    pub ntlm: Negotiated,
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrapping = if self.spnego { "SPNEGO" } else { "bare NTLM" };
        write!(f, "{} ({wrapping}), {}", self.scheme, self.ntlm)
    }
}

/// Signs, then puts the RC4 state back but not the sequence number (MS-SPNG 3.3.5.1): the first sealed message
/// has sequence number 1 and the key stream from its beginning.
pub(super) fn sign_mech_list(session: &mut Session, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
    let mic = session.sign(mech_types)?.to_vec();
    session.reset_outgoing_cipher();
    Ok(mic)
}

/// The same for the peer's direction.
pub(super) fn verify_mech_list(
    session: &mut Session,
    mech_types: &[u8],
    mic: &[u8],
) -> Result<(), MechanismError> {
    session.verify(mech_types, mic)?;
    session.reset_incoming_cipher();
    Ok(())
}
