//! Why a client cannot be built.

use std::path::PathBuf;
use std::time::Duration;

use super::{MAX_OPERATION_TIMEOUT, MIN_MAX_ENVELOPE_SIZE};
use crate::proxy::ProxyError;

/// Why a [`Client`](crate::Client) cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nobody to log on as.
    #[error("no credentials: anonymous access must be asked for with Credentials::anonymous()")]
    NoCredentials,
    /// An anonymous log-on has a key that everybody knows.
    #[error(
        "an anonymous log-on seals with a key that everybody knows: only dangerous_allow_weak_security_context \
         allows it"
    )]
    AnonymousIsUnsealed,
    /// Below [`MIN_OPERATION_TIMEOUT`](crate::MIN_OPERATION_TIMEOUT) or above [`MAX_OPERATION_TIMEOUT`].
    #[error("operation timeout of {} s is not between 0.5 and {} s", .0.as_secs_f32(), MAX_OPERATION_TIMEOUT.as_secs())]
    OperationTimeout(Duration),
    /// Below [`MIN_MAX_ENVELOPE_SIZE`].
    #[error("MaxEnvelopeSize of {0} bytes is below the {MIN_MAX_ENVELOPE_SIZE} that WS-Management allows")]
    MaxEnvelopeSize(u32),
    /// No connection at all.
    #[error("a client needs at least one connection")]
    MaxConnections,
    /// An https endpoint, and no TLS in this build.
    #[error("https is not in this build (feature `tls`)")]
    TlsNotBuiltIn,
    /// OpenSSL was asked for, and is not in this build.
    #[error("the native TLS backend is not in this build (feature `tls-native`)")]
    TlsNativeNotBuiltIn,
    /// Pins, authorities or the option to accept any certificate, for an http endpoint.
    #[error("options about certificates need an https endpoint: over http there is no certificate")]
    CertificateOptionOverHttp,
    /// Any certificate is to be accepted, and only certain ones are.
    #[error("accepting any certificate contradicts pins and certificate authorities")]
    ContradictoryTrust,
    /// A file of certificate authorities that cannot be used.
    #[error("certificate authorities in {}: {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate authorities that cannot be used.
    #[error("certificate authorities: {reason}")]
    CaCertificates {
        /// What is wrong.
        reason: String,
    },
    /// The environment names a proxy that cannot be used.
    #[error("proxy of the environment")]
    EnvironmentProxy(#[source] ProxyError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {reason}")]
    Tls {
        /// What is wrong.
        reason: String,
    },
    /// Clear text over http.
    #[error("messages over http are always sealed: MessageEncryption::Never needs https")]
    UnsealedOverHttp,
    /// Basic sends the password readable.
    #[error(
        "Basic sends the password readable, and over http the messages too: it is used over https only, unless \
         dangerous_allow_clear_text_basic (`--dangerous-allow-clear-text-basic`) allows it"
    )]
    BasicOverHttp,
    /// A client certificate is shown inside TLS only.
    #[error("client certificates are for https only")]
    CertificateOverHttp,
    /// No certificate to log on by.
    #[error("there is no client certificate to log on by")]
    NoClientCertificate,
    /// A certificate has no key to seal with.
    #[error("a client certificate cannot seal messages: MessageEncryption::Always needs Negotiate")]
    CertificateCannotSeal,
    /// A client certificate, and another method to log on.
    #[error(
        "a client certificate is of no use to this method of logging on: it is for AuthMethod::Certificate"
    )]
    UnusedClientCertificate,
    /// Basic has no key to seal with.
    #[error("Basic cannot seal messages: MessageEncryption::Always needs Negotiate")]
    BasicCannotSeal,
    /// Basic needs what an NT hash and nobody do not have.
    #[error("Basic needs a user without a colon and a password, not an NT hash")]
    BasicCredentials,
}
