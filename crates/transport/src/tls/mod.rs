//! TLS under HTTP: which certificates are trusted, and what a channel is known by.
//!
//! Connections come from the [`Connector`](crate::Connector) below; NTLM above is bound to the channel by
//! `tls-server-end-point` (RFC 5929). Sessions are not resumed: a certificate is then always the one in use, so that the
//! binding is right also after a host has renewed it.

mod backend;
#[cfg(feature = "tls")]
mod certificate;
mod channel;
#[cfg(not(feature = "tls"))]
#[path = "absent.rs"]
mod client;
#[cfg(feature = "tls")]
mod client;
mod error;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls-native")]
mod native;
mod options;
mod pin;
#[cfg(feature = "tls")]
mod verifier;

pub use backend::TlsBackend;
pub(crate) use backend::{Client, certificate_alert};
#[cfg(feature = "tls")]
pub use certificate::{MalformedCertificate, tls_server_end_point};
pub(crate) use channel::Opened;
pub use channel::{TlsChannel, TlsVersion, Trust};
pub use error::TlsError;
#[cfg(feature = "tls")]
pub use identity::{ClientCertificate, ClientCertificateError, ClientCertificateProblem};
pub(crate) use options::{Authorities, Options};
pub use pin::{Pin, PinError};
