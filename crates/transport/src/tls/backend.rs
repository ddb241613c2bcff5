//! The choice between implementations of TLS.

#[cfg(feature = "tls-native")]
use super::native;
use super::{Opened, Options, client};
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::http::Stream;

/// The implementation of TLS that a client uses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsBackend {
    /// rustls, with TLS 1.2 and 1.3 and forward secrecy.
    #[default]
    Rustls,
    /// OpenSSL with TLS 1.2 alone (feature `tls-native`): for hosts that offer AES-GCM only with static RSA, as Windows
    /// Server 2012 R2, or that ask for a client certificate only after the handshake, as Windows does by default.
    Native,
}

/// What every channel of a client is opened with.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    Rustls(client::Client),
    #[cfg(feature = "tls-native")]
    Native(native::Client),
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, ConfigError> {
        match options.backend {
            TlsBackend::Rustls => client::Client::new(options).map(Self::Rustls),
            #[cfg(feature = "tls-native")]
            TlsBackend::Native => native::Client::new(options).map(Self::Native),
            #[cfg(not(feature = "tls-native"))]
            TlsBackend::Native => Err(ConfigError::TlsNativeNotBuiltIn),
        }
    }

    /// Opens a channel over `stream`. The caller bounds the time.
    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
    ) -> Result<(Box<dyn Stream>, Opened), ErrorKind> {
        match self {
            Self::Rustls(client) => client.handshake(stream, endpoint).await,
            #[cfg(feature = "tls-native")]
            Self::Native(client) => client.handshake(stream, endpoint).await,
        }
    }
}

/// A reason that can be kept.
pub(crate) type Cause = std::sync::Arc<dyn std::error::Error + Send + Sync>;

/// The alert among the causes of an error by which a server ends a channel over a client certificate. It may come long after
/// the handshake: with TLS 1.3, and where the server asks for the certificate by renegotiation.
#[cfg(feature = "tls")]
pub(crate) fn certificate_alert(error: &(dyn std::error::Error + 'static)) -> Option<Cause> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An io::Error tells its inner error not as its source.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner: Option<&(dyn std::error::Error + 'static)> = match inner {
            Some(inner) => Some(inner),
            None => None,
        };
        for error in [Some(error), inner].into_iter().flatten() {
            if let Some(alert) = client::certificate_alert(error) {
                return Some(std::sync::Arc::new(alert));
            }
            #[cfg(feature = "tls-native")]
            if let Some(alert) = native::certificate_alert(error) {
                return Some(alert);
            }
        }
        next = error.source();
    }
    None
}

/// Never, where there is no TLS.
#[cfg(not(feature = "tls"))]
pub(crate) fn certificate_alert(_: &(dyn std::error::Error + 'static)) -> Option<Cause> {
    None
}
