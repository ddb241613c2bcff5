//! Why no TLS channel came to be.

use std::error::Error as StdError;
use std::sync::Arc;

use super::Pin;

/// A TLS channel that could not be opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The crate was built without the feature `tls`.
    #[error("this build speaks no TLS (feature `tls`)")]
    NotBuiltIn,
    /// A host that no certificate can be for.
    #[error("{host:?} is not a name or address that a certificate can be for")]
    ServerName {
        /// The host of the endpoint.
        host: String,
    },
    /// No authority that is trusted vouches for the certificate: self-signed, private, expired or forged.
    #[error("the server's certificate is not trusted: {reason}; its pin is {pin}")]
    Untrusted {
        /// What is wrong with it.
        reason: String,
        /// The pin that would accept exactly this certificate.
        pin: Pin,
    },
    /// The certificate is trusted, but for other names.
    #[error("the server's certificate is for {}, not for {host}; its pin is {pin}", list(.names))]
    HostName {
        /// The host we asked for.
        host: String,
        /// The names in the certificate.
        names: Vec<String>,
        /// The pin that would accept exactly this certificate.
        pin: Pin,
    },
    /// The certificate has none of the pins given.
    #[error("the server's certificate has none of the pins given: its own is {found}{}", also(.public_key.as_ref()))]
    PinMismatch {
        /// The pin of the certificate found.
        found: Pin,
        /// The pin of its public key.
        public_key: Option<Pin>,
    },
    /// The certificate cannot be read.
    #[error("the server's certificate cannot be read")]
    Certificate(#[source] Arc<dyn StdError + Send + Sync>),
    /// No protocol version or cipher suite that both sides speak.
    #[error("the server and this client have no TLS version or cipher suite in common")]
    Incompatible(#[source] Arc<dyn StdError + Send + Sync>),
    /// What answers does not speak TLS.
    #[error("the server does not speak TLS on this port")]
    NotTls(#[source] Arc<dyn StdError + Send + Sync>),
    /// The server has not asked for the client's certificate in the handshake, so that nobody can log on by it.
    #[error("the server does not ask for a client certificate in the handshake")]
    ClientCertificateNotAsked,
    /// The server has ended the channel because it wants a client certificate, or a handshake that this backend does not make.
    #[error("the server ended the TLS channel, as one does that wants a client certificate")]
    ClientCertificateWanted(#[source] Arc<dyn StdError + Send + Sync>),
    /// The server does not accept the client's certificate.
    #[error("the server does not accept the client certificate")]
    ClientCertificateRefused(#[source] Arc<dyn StdError + Send + Sync>),
    /// Another failure of the handshake.
    #[error("TLS handshake failed")]
    Handshake(#[source] Arc<dyn StdError + Send + Sync>),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no host at all".to_owned() } else { names.join(", ") }
}

fn also(pin: Option<&Pin>) -> String {
    pin.map(|pin| format!(", that of its public key {pin}")).unwrap_or_default()
}
