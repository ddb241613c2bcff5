//! What a finished context protects.

use std::fmt;

use winrm_ntlm::Negotiated;

use crate::tls::TlsChannel;

/// What was negotiated with a server, for people to read and for code to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Security {
    /// The scheme of the `Authorization` header.
    pub scheme: &'static str,
    /// Whether SPNEGO wrapped the mechanism's tokens and protected the choice of mechanism.
    pub spnego: bool,
    /// What NTLM came to; `None` where another mechanism logged on.
    pub ntlm: Option<Negotiated>,
    /// The TLS channel; `None` over http.
    pub tls: Option<TlsChannel>,
    /// Whether the mechanism seals messages; over TLS they are protected without that too.
    pub sealed: bool,
    /// Whether the log-on was bound to the TLS channel by `tls-server-end-point` (RFC 5929).
    pub channel_bound: bool,
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The scheme of who logs on by a certificate is an URI.
        f.write_str(if self.scheme.contains("://") { "client certificate" } else { self.scheme })?;
        if let Some(ntlm) = &self.ntlm {
            let wrapping = if self.spnego { "SPNEGO" } else { "bare NTLM" };
            write!(f, " ({wrapping}), {ntlm}")?;
        }
        if self.channel_bound {
            f.write_str(", bound to the TLS channel")?;
        }
        match &self.tls {
            Some(tls) => write!(f, ", {tls}"),
            None => Ok(()),
        }
    }
}
