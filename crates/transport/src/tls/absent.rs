//! A build without the feature `tls`.

use super::{Opened, Options, TlsError};
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::http::Stream;

/// There is none.
#[derive(Clone, Debug)]
pub(crate) struct Client;

impl Client {
    pub(crate) fn new(_: &Options) -> Result<Self, ConfigError> {
        Err(ConfigError::TlsNotBuiltIn)
    }

    #[expect(clippy::unused_async, reason = "as the real one")]
    pub(crate) async fn handshake(
        &self,
        _: Box<dyn Stream>,
        _: &Endpoint,
    ) -> Result<(Box<dyn Stream>, Opened), ErrorKind> {
        Err(ErrorKind::Tls(TlsError::NotBuiltIn))
    }
}
