//! Proxies between us and the service: HTTP, by CONNECT or in absolute form, and SOCKS5.
//!
//! NTLM logs a connection on, so a proxy must keep one connection to the service for each of ours. A tunnel is one by its
//! nature; a proxy that forwards requests has to mean it.

mod environment;
mod error;
mod tunnel;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, StatusCode};
use zeroize::Zeroizing;

pub(crate) use self::environment::from_environment;
pub use self::error::{ProxyError, ProxyFailure};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind};
use crate::http::{Connector, Stream};

/// A proxy: `http://host:port`, `socks5://host:port` (names are resolved here) or `socks5h://host:port` (at the proxy).
///
/// Without a scheme it is HTTP; the port is 80, or 1080 for SOCKS, unless given.
///
/// ```
/// use winrm_transport::Proxy;
///
/// let proxy: Proxy = "http://proxy.example.com:3128".parse()?;
/// assert_eq!(proxy.credentials("ops", "secret").to_string(), "http://proxy.example.com:3128");
/// # Ok::<(), winrm_transport::ProxyError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    kind: Kind,
    /// Where it listens; of this, host and port count.
    address: Endpoint,
    credentials: Option<(String, Arc<Zeroizing<String>>)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Http,
    Socks5,
    Socks5h,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }
}

/// How an HTTP proxy is used for `http://` endpoints. Others go through a tunnel in any case.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProxyMode {
    /// A tunnel; where the proxy refuses that (HTTP 403, 405 or 501, as many do for other ports than 443), forwarding.
    #[default]
    Auto,
    /// A tunnel by CONNECT (RFC 9110 section 9.3.6).
    Tunnel,
    /// Requests in absolute form (RFC 9112 section 3.2.2), which the proxy forwards.
    Forward,
}

impl Proxy {
    /// Who to log on to the proxy as: by Basic to an HTTP proxy, by RFC 1929 to one of SOCKS5. Both send the password
    /// readable on the way to the proxy.
    pub fn credentials(self, user: impl Into<String>, password: &str) -> Self {
        let password = Arc::new(Zeroizing::new(password.to_owned()));
        Self { credentials: Some((user.into(), password)), ..self }
    }

    /// Basic of RFC 7617, for `Proxy-Authorization`.
    fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.credentials.as_ref()?;
        let text = Zeroizing::new(format!("{user}:{}", password.as_str()));
        let encoded = Zeroizing::new(format!("Basic {}", BASE64.encode(text.as_bytes())));
        let mut value = HeaderValue::try_from(encoded.as_str()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.kind.name(), self.address.authority())
    }
}

/// Without the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.credentials.as_ref().map(|(user, _)| user);
        f.debug_struct("Proxy").field("url", &self.to_string()).field("user", &user).finish_non_exhaustive()
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        // Before anything that echoes the text: an error would show the password.
        if text.contains('@') {
            return Err(ProxyError::UserInfo);
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let (kind, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 80),
            "socks5" => (Kind::Socks5, 1080),
            "socks5h" => (Kind::Socks5h, 1080),
            _ => return Err(ProxyError::Scheme { proxy: text.to_owned(), scheme: scheme.to_owned() }),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let malformed = |source| ProxyError::Malformed { proxy: text.to_owned(), source };
        if authority.contains(['/', '?', '#']) {
            return Err(ProxyError::Path { proxy: text.to_owned() });
        }
        let address = Endpoint::at(authority, port).map_err(malformed)?;
        Ok(Self { kind, address, credentials: None })
    }
}

/// The way to the service through a proxy.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) proxy: Proxy,
    pub(crate) mode: ProxyMode,
    /// The proxy has refused a tunnel, and forwards.
    forwards: AtomicBool,
}

/// A stream through a proxy.
pub(crate) struct Through {
    pub(crate) stream: Box<dyn Stream>,
    /// Requests are forwarded: they name the service, and log on to the proxy by this.
    pub(crate) forwarding: Option<Forwarding>,
}

/// What requests carry that a proxy forwards.
#[derive(Clone, Debug)]
pub(crate) struct Forwarding {
    /// The URL that requests name (RFC 9112 section 3.2.2).
    pub(crate) target: String,
    /// `Proxy-Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Route {
    pub(crate) fn new(proxy: Proxy, mode: ProxyMode) -> Self {
        Self { proxy, mode, forwards: AtomicBool::new(false) }
    }

    /// Opens a stream to `endpoint`. The caller bounds the time.
    pub(crate) async fn connect(
        &self,
        connector: &dyn Connector,
        endpoint: &Endpoint,
    ) -> Result<Through, ErrorKind> {
        let Proxy { kind, address, credentials } = &self.proxy;
        if *kind != Kind::Http {
            let credentials = credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
            // That a name is not found here is not the proxy's fault.
            let mut targets =
                tunnel::targets(endpoint, *kind == Kind::Socks5).await.map_err(ErrorKind::Io)?;
            loop {
                let target = targets.remove(0);
                let stream = connector.connect(address).await.map_err(|error| self.unreachable(error))?;
                match tunnel::socks5(stream, target, credentials).await {
                    Ok(stream) => return Ok(Through { stream, forwarding: None }),
                    Err(error) if targets.is_empty() => return Err(self.fail(ProxyFailure::Socks(error))),
                    Err(error) => tracing::debug!(proxy = %self.proxy, %error, "trying another address"),
                }
            }
        }
        let may_forward = !endpoint.is_tls() && self.mode != ProxyMode::Tunnel;
        let must_forward = self.mode == ProxyMode::Forward || self.forwards.load(Ordering::Relaxed);
        if !(may_forward && must_forward) {
            let stream = connector.connect(address).await.map_err(|error| self.unreachable(error))?;
            match tunnel::connect(stream, endpoint, self.proxy.authorization()).await {
                Ok(stream) => return Ok(Through { stream, forwarding: None }),
                // Nothing has been sent to the service yet.
                Err(ProxyFailure::Refused { status }) if may_forward && matches!(status, 403 | 405 | 501) => {
                    tracing::debug!(proxy = %self.proxy, status, "no tunnel: requests are forwarded");
                    self.forwards.store(true, Ordering::Relaxed);
                }
                Err(failure) => return Err(self.fail(failure)),
            }
        }
        let stream = connector.connect(address).await.map_err(|error| self.unreachable(error))?;
        let forwarding =
            Forwarding { target: endpoint.to_string(), authorization: self.proxy.authorization() };
        Ok(Through { stream, forwarding: Some(forwarding) })
    }

    /// The proxy is the cause.
    pub(crate) fn fail(&self, failure: ProxyFailure) -> ErrorKind {
        let failure = match failure {
            ProxyFailure::Authentication { .. } => {
                ProxyFailure::Authentication { credentials_given: self.proxy.credentials.is_some() }
            }
            other => other,
        };
        ErrorKind::Proxy { proxy: self.proxy.to_string(), failure }
    }

    /// What an error means that came by way of the proxy; `forwarded`: it saw the requests, and the log-on was not done.
    pub(crate) fn explain(&self, error: Error, forwarded: bool) -> Error {
        let failure = match error.kind() {
            ErrorKind::ProxyAnswered => ProxyFailure::Authentication { credentials_given: false },
            ErrorKind::Status { status, .. }
                if forwarded && matches!(*status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) =>
            {
                ProxyFailure::Gateway { status: status.as_u16() }
            }
            ErrorKind::ContextLost if forwarded => ProxyFailure::MovesRequests,
            ErrorKind::CredentialsRefused { user } if forwarded => {
                ProxyFailure::LogonRefused { user: user.clone() }
            }
            ErrorKind::ConnectionClosed(_) | ErrorKind::ConnectionLost(_) if forwarded => {
                ProxyFailure::ClosesConnections
            }
            _ => return error,
        };
        Error::new(error.endpoint(), error.step(), self.fail(failure))
    }

    fn unreachable(&self, error: std::io::Error) -> ErrorKind {
        self.fail(ProxyFailure::Unreachable(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read() {
        let read = |text: &str| text.parse::<Proxy>().unwrap().to_string();
        assert_eq!(read("proxy:3128"), "http://proxy:3128");
        assert_eq!(read("HTTP://Proxy"), "http://proxy:80");
        assert_eq!(read("socks5://[::1]:9"), "socks5://[::1]:9");
        assert_eq!(read("socks5h://proxy/"), "socks5h://proxy:1080");
    }

    #[test]
    fn mistakes_are_told_and_passwords_are_not() {
        let error = |text: &str| text.parse::<Proxy>().unwrap_err();
        assert!(matches!(error("ftp://x"), ProxyError::Scheme { .. }));
        assert!(matches!(error("http://x/y"), ProxyError::Path { .. }));
        assert!(matches!(error("http://:1"), ProxyError::Malformed { .. }));
        assert!(matches!(error("http://x:99999"), ProxyError::Malformed { .. }));
        assert!(matches!(error(""), ProxyError::Malformed { .. }));
        for text in ["http://user:hunter2@proxy", "user:hunter2@http://proxy", "ftp://user:hunter2@proxy"] {
            let secret = error(text);
            assert!(!format!("{secret} {secret:?}").contains("hunter2"));
        }
        let proxy = "proxy".parse::<Proxy>().unwrap().credentials("user", "hunter2");
        assert!(!format!("{proxy} {proxy:?}").contains("hunter2"));
        assert!(proxy.authorization().unwrap().is_sensitive());
    }
}
