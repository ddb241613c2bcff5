//! What a TLS channel came to.

use std::fmt;
#[cfg(feature = "tls")]
use std::sync::Arc;

use winrm_ntlm::ChannelBindings;

use super::Pin;
#[cfg(feature = "tls")]
use super::{TlsError, certificate};
#[cfg(feature = "tls")]
use crate::error::ErrorKind;

/// The protocol version of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// Why the server's certificate was accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Trust {
    /// It is for this host name, and its chain ends at a certificate authority that is trusted.
    Authority,
    /// It has one of the pins given.
    Pin,
    /// It was not looked at: `dangerous_accept_any_certificate`.
    Nothing,
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "certificate and host name verified",
            Self::Pin => "certificate pinned",
            Self::Nothing => "certificate NOT verified",
        })
    }
}

/// A TLS channel, for people to read and for code to judge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TlsChannel {
    /// The version negotiated.
    pub version: TlsVersion,
    /// Why the certificate was accepted.
    pub trust: Trust,
    /// The pin of the server's certificate.
    pub certificate: Pin,
    /// The pin of its public key; `None` where the certificate cannot be read that far.
    pub public_key: Option<Pin>,
}

impl fmt::Display for TlsChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.trust)
    }
}

#[cfg(feature = "tls")]
impl Opened {
    /// What a server's certificate (DER) makes of a channel.
    pub(super) fn new(certificate: &[u8], version: TlsVersion, trust: Trust) -> Result<Self, ErrorKind> {
        let bindings = certificate::tls_server_end_point(certificate)
            .map_err(|error| ErrorKind::Tls(TlsError::Certificate(Arc::new(error))))?;
        let channel = TlsChannel {
            version,
            trust,
            certificate: certificate::pin(certificate),
            public_key: certificate::public_key_pin(certificate),
        };
        Ok(Self { channel, bindings })
    }
}

/// A channel just opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) channel: TlsChannel,
    /// `tls-server-end-point` of the server's certificate.
    pub(crate) bindings: ChannelBindings,
}
