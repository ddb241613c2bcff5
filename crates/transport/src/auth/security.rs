//! What a finished context protects.

use std::fmt;

use winrm_ntlm::Negotiated;

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
