//! What went wrong.

use std::error::Error as StdError;
use std::time::Duration;

use http::StatusCode;
use winrm_ntlm::NegotiateFlags;
use winrm_wsman::Fault;

use crate::config::ConfigError;
use crate::http::HttpError;
use crate::proxy::ProxyFailure;
use crate::tls::TlsError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection could not be opened, or broke.
    #[error("network failure")]
    Io(#[source] std::io::Error),
    /// The options given cannot work.
    #[error(transparent)]
    Config(ConfigError),
    /// The TLS channel could not be opened.
    #[error(transparent)]
    Tls(TlsError),
    /// The connection was closed or broken in mid-exchange: the server may have run the request.
    #[error("connection lost")]
    ConnectionLost(#[source] hyper::Error),
    /// The server closed the connection before the request was written.
    #[error("the server closed the connection before the request was sent")]
    ConnectionClosed(#[source] hyper::Error),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Deadline(Duration),
    /// The server does not offer the authentication scheme we were told to use.
    #[error("the server offers {} and not {wanted}", list(.offered))]
    SchemeNotOffered {
        /// The scheme we speak.
        wanted: &'static str,
        /// The schemes of its `WWW-Authenticate` headers.
        offered: Vec<String>,
    },
    /// HTTP 401 after the last token: user, password or channel binding are wrong, or the account is barred.
    #[error("the server refused the credentials of {user:?}")]
    CredentialsRefused {
        /// The user name, with its domain when there was one.
        user: String,
    },
    /// Another host has refused the credentials, and the [`LogOnGuard`](crate::LogOnGuard) is shared with it: this host was not
    /// asked.
    #[error("not tried: {host} refused the credentials of {user:?}")]
    LogOnWithheld {
        /// The user name, with its domain when there was one.
        user: String,
        /// The host that refused.
        host: String,
    },
    /// HTTP 401 or 403 to who logs on by a client certificate.
    #[error("the server maps the client certificate to no account (HTTP {status})")]
    ClientCertificateNotMapped {
        /// The status.
        status: StatusCode,
    },
    /// The server offers the scheme but answered our token with no token of its own.
    #[error("the server broke the authentication off")]
    TokenRefused,
    /// HTTP 401 on a connection that had been authenticated, and again on a new one.
    #[error("the server no longer knows this connection's authentication (HTTP 401)")]
    ContextLost,
    /// The security context would not protect what we send.
    #[error("the server negotiated a security context without {}", names(*.missing))]
    WeakContext {
        /// What it lacks.
        missing: NegotiateFlags,
    },
    /// A token from the server made no sense, or proved nothing.
    #[error("authentication exchange failed")]
    Negotiation(#[source] winrm_spnego::MechanismError),
    /// HTTP 500 with an empty body, which is how WinRM refuses a message that it cannot read.
    #[error("the server refused the message with HTTP 500 and no explanation")]
    RefusedWithoutReason,
    /// An HTTP status that no WinRM service gives here.
    #[error("HTTP status {status}{}", content(.content_type))]
    Status {
        /// The status.
        status: StatusCode,
        /// `Content-Type` of the answer, empty when there was none.
        content_type: String,
    },
    /// The proxy on the way to the server failed.
    #[error("the proxy {proxy} {failure}")]
    Proxy {
        /// The proxy, as an URL without credentials.
        proxy: String,
        /// What it did not do.
        #[source]
        failure: ProxyFailure,
    },
    /// HTTP 407, and we were told of no proxy: something between us and the server wants a log-on.
    #[error("a proxy that nobody named answered instead of the server: it wants authentication (HTTP 407)")]
    ProxyAnswered,
    /// An answer in clear to a sealed request.
    #[error("the server answered a sealed request in clear")]
    UnsealedAnswer,
    /// The answer is not WS-Management at all.
    #[error("the answer is not from a WinRM service (HTTP {status}{})", content(.content_type))]
    NotWinRm {
        /// The status.
        status: StatusCode,
        /// `Content-Type` of the answer, empty when there was none.
        content_type: String,
    },
    /// The answer passes the MaxEnvelopeSize that we sent.
    #[error("the answer is larger than the {limit} bytes we allow")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// HTTP 413: our message passes the server's MaxEnvelopeSize.
    #[error("the message of {size} bytes is larger than the server's MaxEnvelopeSize")]
    RequestTooLarge {
        /// In bytes, sealed and framed.
        size: usize,
    },
    /// HTTP 429 or 503: starting, or too busy.
    #[error("the service is starting or too busy (HTTP {status})")]
    Busy {
        /// The status.
        status: StatusCode,
    },
    /// The sealed answer is damaged: framing, length or MAC.
    #[error("the sealed answer cannot be trusted")]
    Unseal(#[source] Box<dyn StdError + Send + Sync>),
    /// The request could not be sealed.
    #[error("the request cannot be sealed")]
    Seal(#[source] Box<dyn StdError + Send + Sync>),
    /// The request could not be written as SOAP or HTTP.
    #[error("the request cannot be written")]
    Encode(#[source] Box<dyn StdError + Send + Sync>),
    /// The unsealed answer is not a WS-Management message.
    #[error("the answer cannot be read as WS-Management")]
    Decode(#[source] winrm_wsman::DecodeError),
    /// The answer belongs to another request.
    #[error("the answer relates to {found:?} instead of {expected:?}")]
    WrongRelatesTo {
        /// MessageID of the request.
        expected: String,
        /// RelatesTo of the answer, empty when there was none.
        found: String,
    },
    /// An answer of another kind than the request asks for.
    #[error("the server answered with the action {action:?}")]
    UnexpectedAnswer {
        /// Action of the answer.
        action: String,
    },
    /// The server understood and refused.
    #[error("{}", describe(.0))]
    Fault(Box<Fault>),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no scheme at all".to_owned() } else { format!("only {}", names.join(", ")) }
}

fn names(flags: NegotiateFlags) -> String {
    flags.names().collect::<Vec<_>>().join(", ")
}

/// What the service says, and the number to search for.
fn describe(fault: &Fault) -> String {
    // Windows breaks its lines.
    let text = fault.message().split_whitespace().collect::<Vec<_>>().join(" ");
    match fault.wsman_code() {
        Some(code) => format!("the service refused: {text} [{code}]"),
        None => format!("the service refused: {text}"),
    }
}

fn content(content_type: &str) -> String {
    if content_type.is_empty() { String::new() } else { format!(", {content_type}") }
}

impl From<HttpError> for ErrorKind {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NotSent(error) => Self::ConnectionClosed(error),
            HttpError::Receive(error) => Self::ConnectionLost(error),
            HttpError::TooLarge { limit } => Self::TooLarge { limit },
            HttpError::Request(error) => Self::Encode(Box::new(error)),
        }
    }
}
