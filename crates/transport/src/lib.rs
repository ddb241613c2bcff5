//! One authenticated, encrypted SOAP exchange with a WinRM service, over HTTP or HTTPS.
//!
//! [`Client`] opens connections on demand, proves who we are by SPNEGO and NTLM, and uses the connections again. Over HTTP every message is
//! sealed; over HTTPS certificates are verified or pinned, and the log-on is bound to the channel. It speaks [`winrm_wsman`] messages and knows nothing of shells: `winrm-shell` is built on it.
//!
//! Left out: Kerberos, CredSSP. Clear text over HTTP takes an option that is named so.
//!
//! The feature `tls`, on by default, brings HTTPS by rustls with ring.
//!
//! | module | knows |
//! |---|---|
//! | `http` | HTTP/1.1 on connections of our own, opaque bodies |
//! | [`auth`] | what makes NTLM a SPNEGO mechanism, both sides |
//! | `proxy` | HTTP and SOCKS5 proxies on the way |
//! | `tls` | which certificates are accepted, channel binding |
//! | `session` | one connection: tokens, then bodies |
//! | `pool` | which connection carries what |
//! | `client` | WS-Management: encode, exchange, decode |
//! | `dispatch`, `retry` | which connection an exchange goes over, and when it goes again |
//! | `limiter` | how much of a kind the service allows at once |
//! | `log_on_guard` | one log-on first, none after a refusal |
//! | `request_size` | how large a request may be |
//! | `wire_trace` | copies of envelopes, for who debugs |
//! | `probe`, `wait` | what answers at an endpoint, without log-on |

pub mod auth;
mod client;
mod config;
mod dispatch;
mod endpoint;
mod enumerate;
mod error;
mod http;
mod limiter;
mod log_on_guard;
mod pool;
mod probe;
mod proxy;
mod request_size;
mod retry;
mod session;
mod tls;
mod wait;
mod wire_trace;

pub use client::Client;
pub use config::{
    AuthMethod, ClientBuilder, ConfigError, DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_ENVELOPE_SIZE,
    DEFAULT_OPERATION_TIMEOUT, MAX_OPERATION_TIMEOUT, MIN_MAX_ENVELOPE_SIZE, MIN_OPERATION_TIMEOUT,
    MessageEncryption,
};
pub use endpoint::{DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT, DEFAULT_PATH, Endpoint, EndpointError};
pub use error::{Error, ErrorKind, Step};
pub use http::{Connecting, Connector, Stream, TcpConnector};
pub use limiter::{Place, Places};
pub use log_on_guard::LogOnGuard;
pub use probe::{Probe, probe};
pub use proxy::{Proxy, ProxyError, ProxyFailure, ProxyMode};
pub use retry::RetryPolicy;
#[cfg(feature = "tls")]
pub use tls::{
    ClientCertificate, ClientCertificateError, ClientCertificateProblem, MalformedCertificate,
    tls_server_end_point,
};
pub use tls::{Pin, PinError, TlsBackend, TlsChannel, TlsError, TlsVersion, Trust};
pub use wait::wait_until_ready;
pub use winrm_ntlm::Credentials;
pub use wire_trace::{TracedEnvelope, WireTrace};
