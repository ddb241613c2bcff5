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
