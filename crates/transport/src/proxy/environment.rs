//! The proxy that the environment asks for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use zeroize::Zeroizing;

use super::{Proxy, ProxyError};
use crate::endpoint::Endpoint;

/// The proxy of `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` (in upper or lower case) for `endpoint`, unless `NO_PROXY`
/// excepts it. Loopback addresses never go through one.
///
/// # Errors
/// When the variable names what is no proxy for us.
pub(crate) fn from_environment(endpoint: &Endpoint) -> Result<Option<Proxy>, ProxyError> {
    if is_loopback(endpoint.host()) {
        return Ok(None);
    }
    matched(&Matcher::from_env(), endpoint)
}

fn matched(matcher: &Matcher, endpoint: &Endpoint) -> Result<Option<Proxy>, ProxyError> {
    let Ok(uri) = endpoint.to_string().parse::<Uri>() else { return Ok(None) };
    let Some(found) = matcher.intercept(&uri) else { return Ok(None) };
    let scheme = found.uri().scheme_str().unwrap_or("http");
    let authority = found.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let proxy: Proxy = format!("{scheme}://{authority}").parse()?;
    let proxy = match (found.raw_auth(), found.basic_auth()) {
        (Some((user, password)), _) => proxy.credentials(user, password),
        (None, Some(basic)) => match basic_credentials(basic.as_bytes()) {
            Some(text) => match text.split_once(':') {
                Some((user, password)) => proxy.credentials(user, password),
                None => proxy.credentials(text.as_str(), ""),
            },
            None => proxy,
        },
        (None, None) => proxy,
    };
    Ok(Some(proxy))
}

fn basic_credentials(value: &[u8]) -> Option<Zeroizing<String>> {
    let encoded = value.strip_prefix(b"Basic ")?;
    String::from_utf8(BASE64.decode(encoded).ok()?).ok().map(Zeroizing::new)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched_by(matcher: &Matcher, target: &str) -> Option<Proxy> {
        matched(matcher, &target.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_variables_say_which_proxy_and_for_whom_not() {
        let matcher = Matcher::builder()
            .http("http://ops:se%3Acret@proxy:3128")
            .https("socks5h://user:pass@socks:1080")
            .no("intern.example, 10.0.0.0/8")
            .build();
        let http = matched_by(&matcher, "web01").unwrap();
        assert_eq!(http.to_string(), "http://proxy:3128");
        let (user, password) = http.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("ops", "se:cret"));
        let https = matched_by(&matcher, "https://web01").unwrap();
        assert_eq!(https.to_string(), "socks5h://socks:1080");
        assert_eq!(https.credentials.unwrap().0, "user");
        for excepted in ["a.intern.example", "10.1.2.3", "https://10.1.2.3"] {
            assert!(matched_by(&matcher, excepted).is_none(), "{excepted}");
        }
    }

    #[test]
    fn loopback_never_goes_through_one() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        assert!(!is_loopback("localhost.example") && !is_loopback("10.0.0.1"));
    }

    #[test]
    fn a_proxy_that_we_do_not_speak_to_is_an_error() {
        let matcher = Matcher::builder().all("https://proxy:443").build();
        assert!(matched(&matcher, &"web01".parse().unwrap()).is_err());
    }
}
