//! The proxy that the environment asks for.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use zeroize::Zeroizing;

use super::{Proxy, ProxyError};
use crate::endpoint::Endpoint;

/// The proxy of `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` (in upper or lower case) for `endpoint`, unless `NO_PROXY`
/// excepts it. Loopback addresses never go through one. In a CGI program `HTTP_PROXY` is what a client sent as header `Proxy`,
/// and does not count.
///
/// # Errors
/// When the variable names what is no proxy for us.
pub(crate) fn from_environment(endpoint: &Endpoint) -> Result<Option<Proxy>, ProxyError> {
    if is_loopback(endpoint.host()) {
        return Ok(None);
    }
    let value = |name: &str| std::env::var(name).ok();
    chosen(endpoint, value)
}

fn chosen(endpoint: &Endpoint, value: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, ProxyError> {
    let value = |name: &str| value(name).filter(|value| !value.is_empty());
    let names: &[&'static str] = if endpoint.is_tls() {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else if value("REQUEST_METHOD").is_some() {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    };
    let Some((variable, proxy)) = names.iter().find_map(|name| Some((*name, value(name)?))) else {
        return Ok(None);
    };
    let excepted = value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default();
    let Ok(uri) = endpoint.to_string().parse::<Uri>() else { return Ok(None) };
    let unusable = || ProxyError::Variable { variable };
    // Passed over in silence by the matcher, and so found out first.
    let found = Matcher::builder().all(proxy.as_str()).build().intercept(&uri).ok_or_else(unusable)?;
    if Matcher::builder().all(proxy).no(excepted).build().intercept(&uri).is_none() {
        return Ok(None);
    }
    read(&found).map(Some).map_err(|_| unusable())
}

fn read(found: &Intercept) -> Result<Proxy, ProxyError> {
    let scheme = found.uri().scheme_str().unwrap_or("http");
    let authority = found.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let proxy: Proxy = format!("{scheme}://{authority}").parse()?;
    Ok(match (found.raw_auth(), found.basic_auth()) {
        (Some((user, password)), _) => proxy.credentials(user, password),
        (None, Some(basic)) => match basic_credentials(basic.as_bytes()) {
            Some(text) => match text.split_once(':') {
                Some((user, password)) => proxy.credentials(user, password),
                None => proxy.credentials(text.as_str(), ""),
            },
            None => proxy,
        },
        (None, None) => proxy,
    })
}

fn basic_credentials(value: &[u8]) -> Option<Zeroizing<String>> {
    let encoded = value.strip_prefix(b"Basic ")?;
    String::from_utf8(BASE64.decode(encoded).ok()?).ok().map(Zeroizing::new)
}

fn is_loopback(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen_of(variables: &[(&str, &str)], target: &str) -> Result<Option<Proxy>, ProxyError> {
        let value = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        chosen(&target.parse().unwrap(), value)
    }

    #[test]
    fn the_variables_say_which_proxy_and_for_whom_not() {
        let variables = [
            ("HTTP_PROXY", "http://ops:se%3Acret@proxy:3128"),
            ("https_proxy", "socks5h://user:pass@socks:1080"),
            ("NO_PROXY", "intern.example, 10.0.0.0/8"),
        ];
        let chosen = |target: &str| chosen_of(&variables, target).unwrap();
        let http = chosen("web01").unwrap();
        assert_eq!(http.to_string(), "http://proxy:3128");
        let (user, password) = http.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("ops", "se:cret"));
        let https = chosen("https://web01").unwrap();
        assert_eq!(https.to_string(), "socks5h://socks:1080");
        assert_eq!(https.credentials.unwrap().0, "user");
        for excepted in ["a.intern.example", "10.1.2.3", "https://10.1.2.3"] {
            assert!(chosen(excepted).is_none(), "{excepted}");
        }
    }

    #[test]
    fn lower_case_comes_first_and_a_cgi_programs_header_does_not_count() {
        let variables =
            [("HTTP_PROXY", "http://upper:1"), ("http_proxy", "http://lower:1"), ("ALL_PROXY", "all:1")];
        let name =
            |variables: &[_], target| chosen_of(variables, target).unwrap().map(|proxy| proxy.to_string());
        assert_eq!(name(&variables, "web01").as_deref(), Some("http://lower:1"));
        assert_eq!(name(&variables, "https://web01").as_deref(), Some("http://all:1"));
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://forged:1")];
        assert_eq!(name(&cgi, "web01"), None);
        let cgi = [("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", "http://real:1")];
        assert_eq!(name(&cgi, "https://web01").as_deref(), Some("http://real:1"));
        assert_eq!(name(&[("HTTP_PROXY", "")], "web01"), None);
    }

    #[test]
    fn loopback_never_goes_through_one() {
        for host in
            ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
        {
            assert!(is_loopback(host), "{host}");
        }
        assert!(!is_loopback("localhost.example") && !is_loopback("10.0.0.1"));
    }

    #[test]
    fn a_proxy_that_we_do_not_speak_to_is_an_error_without_its_password() {
        for value in ["https://u:hunter2@proxy:443", "ftp://u:hunter2@proxy", "http://u:hunter2@pro xy:1"] {
            let error = chosen_of(&[("ALL_PROXY", value)], "web01").unwrap_err();
            assert_eq!(error, ProxyError::Variable { variable: "ALL_PROXY" }, "{value}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
