//! Reaching the service, perhaps through a proxy.

use super::tls::INCOMPATIBLE;
use crate::error::{Error, ErrorKind, Step};
use crate::proxy::ProxyFailure;

pub(super) fn remedy(error: &Error) -> Option<String> {
    let port = error.endpoint.port();
    let text = match (&*error.kind, error.step) {
        (ErrorKind::Io(_), Step::Connect) => {
            return Some(format!(
                "check that the name is right, that the WinRM service runs there (`winrm quickconfig`) and that the \
                 firewall lets port {port} through"
            ));
        }
        (ErrorKind::Deadline(_), Step::Connect) => {
            return Some(format!(
                "the host is down or a firewall drops packets to port {port}; a longer connect timeout helps only on a \
                 very slow network"
            ));
        }
        (ErrorKind::Io(_), Step::Proxy) => {
            "check the host's name: it cannot be resolved here; socks5h:// lets the proxy resolve it"
        }
        (ErrorKind::Deadline(_), Step::Proxy) => "the proxy does not answer, or does not reach the host",
        (ErrorKind::Io(_), Step::Tls) => INCOMPATIBLE,
        (ErrorKind::Deadline(_), Step::Tls) => {
            "something accepts connections on this port and does not speak TLS"
        }
        (ErrorKind::ConnectionLost(_) | ErrorKind::Deadline(_), Step::Exchange) => {
            "look at the host before repeating the command: it may have run"
        }
        (ErrorKind::Deadline(_), _) => {
            "something accepts connections there but does not answer: is it a WinRM service, and is it well?"
        }
        (ErrorKind::ProxyAnswered, _) => "name the proxy and its credentials (`--proxy`, `--proxy-user`)",
        (ErrorKind::Proxy { failure, .. }, _) => proxy_remedy(failure),
        _ => return None,
    };
    Some(text.to_owned())
}

/// What the user can do about a proxy.
fn proxy_remedy(failure: &ProxyFailure) -> &'static str {
    match failure {
        ProxyFailure::Unreachable(_) => "check the proxy's name and port, or go without it (`--no-proxy`)",
        ProxyFailure::Authentication { credentials_given: true } => {
            "check the proxy's user and password (`--proxy-user`, WINRM_PROXY_PASSWORD)"
        }
        ProxyFailure::Authentication { credentials_given: false } => {
            "give the proxy's user (`--proxy-user`) and password (WINRM_PROXY_PASSWORD); only Basic is spoken to proxies"
        }
        ProxyFailure::Refused { .. } => {
            "the proxy's rules must allow CONNECT to the WinRM port; over http, `--proxy-mode forward` may do without"
        }
        ProxyFailure::Broken(_) => "is this an HTTP proxy? One of SOCKS is written socks5://host:port",
        ProxyFailure::Socks(_) => {
            "the proxy's rules must allow the host and port; the first message above says what it objects to"
        }
        ProxyFailure::Gateway { .. } => {
            "check from the proxy's side whether the host answers on the WinRM port"
        }
        ProxyFailure::ClosesConnections | ProxyFailure::MovesRequests => {
            "NTLM needs one connection throughout: use a tunnel (`--proxy-mode tunnel`), for which the proxy must allow \
             CONNECT to the WinRM port"
        }
        ProxyFailure::LogonRefused { .. } => {
            "either user and password are wrong, or the proxy has moved the log-on to another connection, which NTLM does \
             not survive: try a tunnel (`--proxy-mode tunnel`) before another password; this client does not try them \
             again, so as not to lock the account"
        }
    }
}
