//! Where a WinRM service listens.

use std::fmt;
use std::str::FromStr;

/// WinRM's port for HTTP (MS-WSMV 2.1).
pub const DEFAULT_HTTP_PORT: u16 = 5985;
/// WinRM's port for HTTPS (MS-WSMV 2.1).
pub const DEFAULT_HTTPS_PORT: u16 = 5986;
/// The path every WinRM listener answers on unless it was reconfigured.
pub const DEFAULT_PATH: &str = "/wsman";

/// A WinRM listener: scheme, host, port and path of `http://HOST:PORT/PATH` or `https://HOST:PORT/PATH`.
///
/// Parsed from `host`, `host:port`, `[v6]`, `[v6]:port`, a bare IPv6 address, or an `http://` or `https://` URL. What is
/// left out becomes `http`, port 5985 or, for `https`, 5986, and path `/wsman`.
///
/// ```
/// use winrm_transport::Endpoint;
///
/// let endpoint: Endpoint = "web01".parse()?;
/// assert_eq!(endpoint.to_string(), "http://web01:5985/wsman");
/// let endpoint: Endpoint = "[::1]:8080".parse()?;
/// assert_eq!(endpoint.to_string(), "http://[::1]:8080/wsman");
/// let endpoint: Endpoint = "https://web01".parse()?;
/// assert_eq!(endpoint.to_string(), "https://web01:5986/wsman");
/// # Ok::<(), winrm_transport::EndpointError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Endpoint {
    /// `https`.
    tls: bool,
    /// Name or address, IPv6 without brackets.
    host: String,
    port: u16,
    /// Begins with `/`; with the query, if there is one.
    path: String,
}

/// Why a text does not name an [`Endpoint`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No host in it.
    #[error("target {target:?} names no host")]
    NoHost {
        /// What was to be parsed.
        target: String,
    },
    /// The port is not a number from 1 to 65535.
    #[error("target {target:?} has the port {port:?}, which is not a number from 1 to 65535")]
    Port {
        /// What was to be parsed.
        target: String,
        /// The part that should be a port.
        port: String,
    },
    /// An URL with a scheme other than `http` and `https`.
    #[error("target {target:?} has the scheme {scheme}: only http and https are spoken")]
    Scheme {
        /// What was to be parsed.
        target: String,
        /// The scheme found.
        scheme: String,
    },
    /// A user or password inside the URL, where logs and process lists would show it.
    #[error("target carries a user or password in the URL: give them as credentials instead")]
    UserInfo,
    /// An IPv6 address with a zone, which URLs and certificates do not know.
    #[error(
        "target {target:?} has an IPv6 zone, which is not supported: use an address without one, or a name"
    )]
    Zone {
        /// What was to be parsed.
        target: String,
    },
    /// Not an URL, or a host name with characters that cannot be in one.
    #[error("target {target:?} is not a host, host:port or URL")]
    Malformed {
        /// What was to be parsed.
        target: String,
        /// What the URL parser objected to.
        #[source]
        source: url::ParseError,
    },
}

impl Endpoint {
    /// This endpoint at another's host and port.
    pub(crate) fn with_address_of(&self, other: &Self) -> Self {
        Self { host: other.host.clone(), port: other.port, ..self.clone() }
    }

    /// An address for a byte stream, `host`, `host:port` or `[v6]:port`; the rest means nothing.
    pub(crate) fn at(authority: &str, default_port: u16) -> Result<Self, EndpointError> {
        let parsed: Self = format!("http://{authority}").parse()?;
        let (_, port) = split_authority(authority);
        Ok(Self { port: if port.is_some() { parsed.port } else { default_port }, ..parsed })
    }

    /// Whether it is `https`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// Host name or address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, beginning with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `host:port` as the `Host` header and [`tokio::net::lookup_host`] take it, IPv6 in brackets.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.path)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(target: &str) -> Result<Self, EndpointError> {
        let target = target.trim();
        // Before anything that echoes the text: an error would show the password.
        let (before, authority) = target.split_once("://").unwrap_or(("", target));
        if before.contains('@')
            || authority.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
        {
            return Err(EndpointError::UserInfo);
        }
        let (scheme, rest) = match target.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), target),
        };
        let (tls, default_port) = match scheme.as_str() {
            "http" => (false, DEFAULT_HTTP_PORT),
            "https" => (true, DEFAULT_HTTPS_PORT),
            _ => return Err(EndpointError::Scheme { target: target.to_owned(), scheme }),
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = split_authority(authority);
        let port = match port {
            None => default_port,
            Some(port) => match port.parse() {
                Ok(number) if number != 0 => number,
                _ => return Err(EndpointError::Port { target: target.to_owned(), port: port.to_owned() }),
            },
        };
        if host.contains('%') && host.contains(':') {
            return Err(EndpointError::Zone { target: target.to_owned() });
        }
        if host.is_empty() {
            return Err(EndpointError::NoHost { target: target.to_owned() });
        }
        let malformed = |source| EndpointError::Malformed { target: target.to_owned(), source };
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        // The URL parser knows IDNA, percent-encoding and which characters a host may have.
        let url = url::Url::parse(&format!("http://{bracketed}:{port}{path}")).map_err(malformed)?;
        let host = url.host_str().ok_or_else(|| EndpointError::NoHost { target: target.to_owned() })?;
        let path = match (url.path(), url.query()) {
            ("/", None) => DEFAULT_PATH.to_owned(),
            (path, None) => path.to_owned(),
            (path, Some(query)) => format!("{path}?{query}"),
        };
        Ok(Self { tls, host: host.trim_matches(['[', ']']).to_owned(), port, path })
    }
}

/// Host without brackets, and the text after the colon that ends it.
fn split_authority(authority: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').or(if rest.is_empty() { None } else { Some(rest) }));
    }
    // Two colons and no brackets: an IPv6 address without a port.
    match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(target: &str) -> String {
        target.parse::<Endpoint>().unwrap().to_string()
    }

    #[test]
    fn defaults_fill_what_is_left_out() {
        assert_eq!(parsed("web01"), "http://web01:5985/wsman");
        assert_eq!(parsed("web01:80"), "http://web01:80/wsman");
        assert_eq!(parsed("http://web01"), "http://web01:5985/wsman");
        assert_eq!(parsed("HTTP://Web01:80/x/y?PSVersion=7.4"), "http://web01:80/x/y?PSVersion=7.4");
        assert_eq!(parsed("10.0.0.1:1"), "http://10.0.0.1:1/wsman");
        assert_eq!(parsed("::1"), "http://[::1]:5985/wsman");
        assert_eq!(parsed("[fe80::1]"), "http://[fe80::1]:5985/wsman");
        assert_eq!(parsed("http://[::1]:99/wsman"), "http://[::1]:99/wsman");
        assert_eq!(parsed("https://web01"), "https://web01:5986/wsman");
        assert_eq!(parsed("HTTPS://[::1]:1/x"), "https://[::1]:1/x");
        assert_eq!(parsed("bücher.example"), "http://xn--bcher-kva.example:5985/wsman");
    }

    proptest::proptest! {
        #[test]
        fn what_is_parsed_is_written_the_same_way(target in "(http://)?[a-z0-9:./?#@%\\[\\]é -]{0,30}") {
            if let Ok(endpoint) = target.parse::<Endpoint>() {
                proptest::prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
            }
        }
    }

    #[test]
    fn each_mistake_has_its_error() {
        let error = |target: &str| target.parse::<Endpoint>().unwrap_err();
        assert!(matches!(error(""), EndpointError::NoHost { .. }));
        assert!(matches!(error("http://:5985/"), EndpointError::NoHost { .. }));
        assert!(matches!(error("host:0"), EndpointError::Port { .. }));
        assert!(matches!(error("host:65536"), EndpointError::Port { .. }));
        assert!(matches!(error("host:http"), EndpointError::Port { .. }));
        assert!(matches!(error("[::1]x"), EndpointError::Port { .. }));
        assert!(matches!(error("ftp://host"), EndpointError::Scheme { .. }));
        assert!(matches!(error("a b"), EndpointError::Malformed { .. }));
        assert!(matches!(error("[::g]:1"), EndpointError::Malformed { .. }));
        assert!(matches!(error("[fe80::1%eth0]:1"), EndpointError::Zone { .. }));
        for text in ["http://user:hunter2@host", "user:hunter2@http://host", "user:hunter2@host"] {
            let secret = error(text);
            assert_eq!(secret, EndpointError::UserInfo);
            assert!(!secret.to_string().contains("hunter2"));
        }
    }
}
