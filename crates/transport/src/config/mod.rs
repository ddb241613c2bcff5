//! What a client is told once and keeps.

mod builder;
mod error;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use winrm_ntlm::Credentials;

pub use self::builder::ClientBuilder;
pub use self::error::ConfigError;
use crate::endpoint::Endpoint;
use crate::http::Connector;
use crate::log_on_guard::LogOnGuard;
use crate::proxy::Route;
use crate::retry::RetryPolicy;
use crate::tls;
use crate::wire_trace::Tracer;

/// How to log on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// SPNEGO in the `Negotiate` scheme, offering NTLM; the choice of mechanism is protected by mechListMIC.
    #[default]
    Negotiate,
    /// NTLM tokens without SPNEGO in the `Negotiate` scheme, for services that do not speak SPNEGO.
    Ntlm,
    /// User and password in every request, over TLS only: the host learns the password.
    Basic,
    /// The client's own certificate, over TLS: the host maps it to an account (`winrm/service/certmapping`). Nothing secret
    /// leaves the client.
    Certificate,
}

/// Whether messages are sealed by NTLM where TLS protects them already. Over http they always are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MessageEncryption {
    /// Where TLS does not protect them.
    #[default]
    Auto,
    /// Inside TLS too.
    Always,
    /// Never; a client for an http endpoint cannot be built so.
    Never,
}

/// The default [`ClientBuilder::connect_timeout`].
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The default [`ClientBuilder::operation_timeout`].
pub const DEFAULT_OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// The shortest [`ClientBuilder::operation_timeout`]: MinTimeoutms of a WinRM service is 500.
pub const MIN_OPERATION_TIMEOUT: Duration = Duration::from_millis(500);
/// The longest [`ClientBuilder::operation_timeout`]: MaxTimeoutms of a WinRM service in its default state.
pub const MAX_OPERATION_TIMEOUT: Duration = Duration::from_mins(1);
/// The default [`ClientBuilder::max_envelope_size`]: MaxEnvelopeSizekb of every WinRM service since 2012.
pub const DEFAULT_MAX_ENVELOPE_SIZE: u32 = 512_000;
/// The smallest MaxEnvelopeSize that WS-Management allows (DSP0226 6.2).
pub const MIN_MAX_ENVELOPE_SIZE: u32 = 8192;

/// A service that holds a request for the whole operation timeout must still have time to answer.
pub(crate) const READ_SLACK: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) method: AuthMethod,
    pub(crate) message_encryption: MessageEncryption,
    pub(crate) service_principal_name: Option<String>,
    pub(crate) connect_timeout: Duration,
    pub(crate) operation_timeout: Duration,
    pub(crate) max_envelope_size: u32,
    pub(crate) allow_weak: bool,
    pub(crate) max_connections: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) log_on_guard: LogOnGuard,
    /// Copies of envelopes go there.
    pub(crate) tracer: Option<Tracer>,
    /// Basic and clear messages over http were asked for.
    pub(crate) allow_clear_text: bool,
    /// The proxy on the way, if any.
    pub(crate) route: Option<Arc<Route>>,
    /// Where to connect to in place of the endpoint's host and port.
    pub(crate) connect_to: Option<Endpoint>,
    pub(crate) connector: Arc<dyn Connector>,
    /// Made of the builder's options for an https endpoint.
    pub(crate) tls: Option<tls::Client>,
}

impl Config {
    /// How long to wait for the answer to a request that the service may hold.
    pub(crate) fn read_deadline(&self) -> Duration {
        self.operation_timeout + READ_SLACK
    }

    /// Whether messages are sealed by the mechanism that logs on.
    pub(crate) fn seals(&self) -> bool {
        match self.method {
            AuthMethod::Basic | AuthMethod::Certificate => false,
            AuthMethod::Negotiate | AuthMethod::Ntlm => {
                !self.endpoint.is_tls() || self.message_encryption == MessageEncryption::Always
            }
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Credentials print their user alone.
        f.debug_struct("Config")
            .field("endpoint", &self.endpoint)
            .field("credentials", &self.credentials)
            .field("method", &self.method)
            .field("connect_timeout", &self.connect_timeout)
            .field("operation_timeout", &self.operation_timeout)
            .finish_non_exhaustive()
    }
}
