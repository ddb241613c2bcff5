//! What can be wrong with a proxy.

use crate::endpoint::EndpointError;

/// Why a text does not name a [`Proxy`](super::Proxy).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// A user or password inside the URL, where logs and process lists would show it.
    #[error("the proxy's URL carries a user or password: give them as the proxy's credentials instead")]
    UserInfo,
    /// Another scheme than those spoken.
    #[error("proxy {proxy:?} has the scheme {scheme}: only http, socks5 and socks5h are spoken")]
    Scheme {
        /// What was to be parsed.
        proxy: String,
        /// The scheme found.
        scheme: String,
    },
    /// More than an address.
    #[error("proxy {proxy:?} has a path: only host and port belong there")]
    Path {
        /// What was to be parsed.
        proxy: String,
    },
    /// A variable of the environment whose value is no proxy. The value may hold a password, and is not shown.
    #[error("{variable} holds what is no proxy: http://host:port, socks5://host:port or socks5h://host:port")]
    Variable {
        /// The variable.
        variable: &'static str,
    },
    /// No host or no port in it.
    #[error("proxy {proxy:?} is not host:port or an URL")]
    Malformed {
        /// What was to be parsed.
        proxy: String,
        /// What is wrong.
        #[source]
        source: EndpointError,
    },
}

impl ProxyFailure {
    /// Whether it says that the service is not there, at this moment at least.
    pub(crate) fn is_absence(&self) -> bool {
        use tokio_socks::Error as Socks;
        match self {
            Self::Gateway { .. } | Self::Unreachable(_) => true,
            Self::Socks(error) => matches!(
                error,
                Socks::GeneralSocksServerFailure
                    | Socks::HostUnreachable
                    | Socks::NetworkUnreachable
                    | Socks::ConnectionRefused
                    | Socks::TtlExpired
            ),
            _ => false,
        }
    }
}

/// What a proxy did not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyFailure {
    /// It cannot be reached.
    #[error("cannot be reached")]
    Unreachable(#[source] std::io::Error),
    /// It wants a log-on, or another one: HTTP 407, or 401 in answer to CONNECT.
    #[error("{}", if *.credentials_given { "refused its credentials" } else { "wants a log-on" })]
    Authentication {
        /// Whether it had been given credentials.
        credentials_given: bool,
    },
    /// It refused a tunnel to the service.
    #[error("refused a tunnel to the service (HTTP {status})")]
    Refused {
        /// The status.
        status: u16,
    },
    /// It broke the connection off, or does not speak HTTP.
    #[error("broke off")]
    Broken(#[source] hyper::Error),
    /// What SOCKS5 says.
    #[error("did not connect")]
    Socks(#[source] tokio_socks::Error),
    /// It does not reach the service (HTTP 502, 503 or 504).
    #[error("does not reach the service (HTTP {status})")]
    Gateway {
        /// The status.
        status: u16,
    },
    /// It closed a connection between the requests of a log-on.
    #[error("closes connections between requests, so that no log-on can be finished")]
    ClosesConnections,
    /// It sent a request over another connection than its log-on.
    #[error("moves requests to other connections, which have no log-on")]
    MovesRequests,
    /// The service did not accept the log-on of a request that was forwarded.
    #[error("forwarded the log-on of {user:?}, which the service refused")]
    LogonRefused {
        /// The user name, with its domain when there was one.
        user: String,
    },
}
