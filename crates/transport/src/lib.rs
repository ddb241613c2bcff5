//! One authenticated, encrypted SOAP exchange with a WinRM service, over HTTP.
//!
//! [`Client`] opens connections on demand, proves who we are by SPNEGO and NTLM, seals every message, and uses the
//! connections again. It speaks [`winrm_wsman`] messages and knows nothing of shells: `winrm-shell` is built on it.
//!
//! Left out: TLS, proxies, Kerberos, CredSSP, Basic. Messages always travel sealed; there is no switch for clear
//! text.
//!
//! | module | knows |
//! |---|---|
//! | `http` | HTTP/1.1 on connections of our own, opaque bodies |
//! | [`auth`] | what makes NTLM a SPNEGO mechanism, both sides |
//! | `session` | one connection: tokens, then sealed bodies |
//! | `pool` | which connection carries what |
//! | `client` | WS-Management: encode, exchange, decode, retry where that is safe |
//! | `probe` | what answers at an endpoint, without log-on |

pub mod auth;
mod client;
mod config;
mod endpoint;
mod error;
mod http;
mod pool;
mod probe;
mod session;

pub use client::Client;
pub use config::{
    AuthMethod, ClientBuilder, ConfigError, DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_ENVELOPE_SIZE,
    DEFAULT_OPERATION_TIMEOUT, MAX_OPERATION_TIMEOUT, MIN_MAX_ENVELOPE_SIZE, MIN_OPERATION_TIMEOUT,
};
pub use endpoint::{DEFAULT_HTTP_PORT, DEFAULT_PATH, Endpoint, EndpointError};
pub use error::{Error, ErrorKind, Step};
pub use http::{Connecting, Connector, Stream, TcpConnector};
pub use probe::{Probe, probe};
pub use winrm_ntlm::Credentials;
