//! What the user can do about a failure.

use http::StatusCode;
use winrm_wsman::{Fault, FaultCode};

use super::{Error, ErrorKind, Step};
use crate::proxy::ProxyFailure;
use crate::tls::TlsError;

impl Error {
    /// What the user can do about it, one sentence; `None` where the message says all we know.
    pub fn remedy(&self) -> Option<String> {
        let text = match &*self.kind {
            ErrorKind::Io(_) if self.step == Step::Connect => {
                return Some(format!(
                    "check that the name is right, that the WinRM service runs there (`winrm quickconfig`) and \
                     that the firewall lets port {} through",
                    self.endpoint.port()
                ));
            }
            ErrorKind::Deadline(_) if self.step == Step::Connect => {
                return Some(format!(
                    "the host is down or a firewall drops packets to port {}; a longer connect timeout helps only \
                     on a very slow network",
                    self.endpoint.port()
                ));
            }
            ErrorKind::Tls(error) => return tls_remedy(error),
            ErrorKind::Io(_) if self.step == Step::Tls => INCOMPATIBLE,
            ErrorKind::Deadline(_) if self.step == Step::Tls => {
                "something accepts connections on this port and does not speak TLS"
            }
            ErrorKind::ConnectionLost(_) | ErrorKind::Deadline(_) if self.step == Step::Exchange => {
                "look at the host before repeating the command: it may have run"
            }
            ErrorKind::SchemeNotOffered { offered, .. } if offered.is_empty() => {
                "is this a WinRM listener? `winrm identify` shows what answers there"
            }
            ErrorKind::SchemeNotOffered { wanted, .. } => {
                return Some(format!(
                    "enable it on the host: `winrm set winrm/config/service/auth @{{{wanted}=\"true\"}}`"
                ));
            }
            ErrorKind::Deadline(_) if self.step != Step::Exchange => {
                "something accepts connections there but does not answer: is it a WinRM service, and is it well?"
            }
            ErrorKind::TokenRefused => {
                "the service may not take NTLM: look at the host's policy \"Network security: Restrict NTLM\""
            }
            ErrorKind::ConnectionClosed(_) if self.step != Step::Exchange => {
                "the server, or a proxy in between, closes the connection between the steps of authentication; NTLM \
                 needs one connection throughout"
            }
            ErrorKind::Negotiation(_) => {
                "the service and this client do not understand each other's log-on: try bare NTLM (AuthMethod::Ntlm, \
                 --auth ntlm), and look at what is between them"
            }
            ErrorKind::CredentialsRefused { user } if user.is_empty() => {
                "give a user: anonymous log-on is refused by every WinRM service in its default state"
            }
            ErrorKind::CredentialsRefused { .. } if self.endpoint.is_tls() => {
                "check user and password, whether the account is locked, disabled or expired, and whether it may log on \
                 over the network; a host that insists on channel binding also refuses when something between decrypts \
                 TLS, and Basic is for local accounts alone; this client does not try them again, so as not to lock the \
                 account"
            }
            ErrorKind::CredentialsRefused { .. } => {
                "check user and password, whether the account is locked, disabled or expired, whether it may log \
                 on over the network, and whether the host still takes NTLM; this client does not try them again, so \
                 as not to lock the account"
            }
            ErrorKind::ClientCertificateNotMapped { .. } => {
                "the host needs: Certificate=\"true\" in winrm/config/service/auth; the certificate's issuer among its \
                 trusted roots; the user's name as UPN in the certificate (extended key usage: client authentication); and a \
                 mapping of both to a local account with its present password (WSMan:\\localhost\\ClientCertificate)"
            }
            ErrorKind::WeakContext { .. } => {
                "the host, or something between, asks for less than 128-bit sealing with extended session security: \
                 change its NTLM security policy; only if you accept that messages can be read or changed, allow it \
                 with `dangerous_allow_weak_security_context` (`--dangerous-allow-weak-security-context`)"
            }
            ErrorKind::RefusedWithoutReason => {
                "either another program holds this port, or a device in between changed the sealed message"
            }
            ErrorKind::Status { status, .. } if *status == StatusCode::NOT_FOUND => {
                "the listener has another path (WinRM's own is /wsman), or this is a web server"
            }
            ErrorKind::Status { .. } | ErrorKind::NotWinRm { .. } => {
                "is this a WinRM listener? `winrm identify` shows what answers there"
            }
            ErrorKind::ProxyAnswered => "name the proxy and its credentials (`--proxy`, `--proxy-user`)",
            ErrorKind::Proxy { failure, .. } => proxy_remedy(failure),
            ErrorKind::Deadline(_) if self.step == Step::Proxy => {
                "the proxy does not answer, or does not reach the host"
            }
            ErrorKind::RequestTooLarge { .. } => {
                "send less at once, or raise it on the host: `winrm set winrm/config @{MaxEnvelopeSizekb=\"500\"}`"
            }
            ErrorKind::TooLarge { .. } if self.step == Step::Exchange => {
                "raise the client's max_envelope_size"
            }
            ErrorKind::TooLarge { .. } => {
                "is this a WinRM listener? Its answers to a log-on are small; `winrm identify` shows what answers there"
            }
            ErrorKind::Busy { .. } => "try again in a few seconds",
            ErrorKind::Unseal(_) | ErrorKind::UnsealedAnswer => {
                "something between the client and the host may be changing messages"
            }
            ErrorKind::Fault(fault) => return fault_remedy(fault),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The quota, and what raises it.
fn quota_remedy(code: FaultCode) -> Option<String> {
    let quota = code.quota()?;
    let name = quota.name();
    Some(match quota.raise_command() {
        Some(command) => format!(
            "the host's quota {name} is used up: end what is left over there (another client's shells count too, until \
             they have been idle for long enough), or raise it on the host: `{command}`"
        ),
        None => format!("the host's limit is reached ({name}): ask for less at once, or try again later"),
    })
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
        ProxyFailure::ClosesConnections => {
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

/// What TLS has in common with few hosts, and which.
const INCOMPATIBLE: &str = "Windows Server 2012 R2 and older offer AES-GCM only with static RSA, which this client does not \
     speak: update the host, or use http, where messages are sealed too; where the listener wants client certificates, it \
     must ask for them in the first handshake (`clientcertnegotiation=enable` in `netsh http`)";

/// Windows asks for certificates only after the handshake, in its default state.
const CERTIFICATE_LATER: &str = "let the listener ask in the first handshake: on the host, delete and add its binding with \
     `netsh http add sslcert ... clientcertnegotiation=enable`";

/// What the user can do about a certificate or a handshake.
fn tls_remedy(error: &TlsError) -> Option<String> {
    Some(match error {
        TlsError::NotBuiltIn => "build with the feature `tls`".to_owned(),
        TlsError::ServerName { .. } => "use the host's name or address".to_owned(),
        TlsError::Untrusted { pin, .. } => format!(
            "name its certificate authority (`--ca-file`); or make sure on the host itself that this certificate is its \
             own, and accept exactly it: `--pin {pin}`"
        ),
        TlsError::HostName { pin, .. } => format!(
            "connect by a name that is in the certificate, or, when this certificate is surely the host's, accept \
             exactly it: `--pin {pin}`"
        ),
        TlsError::PinMismatch { .. } => {
            "either the host has a new certificate, which you can look up on the host itself, or something between \
             pretends to be the host"
                .to_owned()
        }
        TlsError::Incompatible(_) => INCOMPATIBLE.to_owned(),
        TlsError::NotTls(_) => {
            "WinRM speaks https on port 5986 and http on port 5985 unless it was reconfigured".to_owned()
        }
        TlsError::ClientCertificateNotAsked => CERTIFICATE_LATER.to_owned(),
        TlsError::ClientCertificateRefused(_) => {
            "the host must trust the certificate's issuer, and the certificate be meant for client authentication"
                .to_owned()
        }
        TlsError::Certificate(_) | TlsError::Handshake(_) => return None,
    })
}

/// What a fault's code asks of the user.
fn fault_remedy(fault: &Fault) -> Option<String> {
    let text = match fault.wsman_code()? {
        FaultCode::ACCESS_DENIED => {
            "the account is known but may not use WinRM: put it into Administrators or Remote Management Users; for \
             a local administrator who is not the built-in one, set the host's LocalAccountTokenFilterPolicy to 1"
        }
        code => return quota_remedy(code).or_else(|| code.meaning().map(str::to_owned)),
    };
    Some(text.to_owned())
}
