//! Logging on.

use crate::error::{Error, ErrorKind, Step};

pub(super) fn remedy(error: &Error) -> Option<String> {
    let is_tls = error.endpoint.is_tls();
    let text = match &*error.kind {
        ErrorKind::SchemeNotOffered { offered, .. } if offered.is_empty() => {
            "is this a WinRM listener? `winrm identify` shows what answers there"
        }
        ErrorKind::SchemeNotOffered { offered, .. }
            if !is_tls && offered.iter().all(|scheme| scheme.eq_ignore_ascii_case("Basic")) =>
        {
            "Basic over http would send the password and every message readable, so it is not used by itself: enable \
             Negotiate on the host (`winrm set winrm/config/service/auth @{Negotiate=\"true\"}`), or use https; only if \
             everybody on the network may read all of it: `--auth basic --dangerous-allow-clear-text-basic`"
        }
        ErrorKind::SchemeNotOffered { wanted, .. } => {
            return Some(format!(
                "enable it on the host: `winrm set winrm/config/service/auth @{{{wanted}=\"true\"}}`"
            ));
        }
        ErrorKind::TokenRefused => {
            "the service may not take NTLM: look at the host's policy \"Network security: Restrict NTLM\""
        }
        ErrorKind::ConnectionClosed(_) if error.step != Step::Exchange => {
            "the server, or a proxy in between, closes the connection between the steps of authentication; NTLM needs one \
             connection throughout"
        }
        ErrorKind::Negotiation(_) => {
            "the service and this client do not understand each other's log-on: try bare NTLM (AuthMethod::Ntlm, --auth \
             ntlm), and look at what is between them"
        }
        ErrorKind::CredentialsRefused { user } if user.is_empty() => {
            "give a user: anonymous log-on is refused by every WinRM service in its default state"
        }
        ErrorKind::CredentialsRefused { .. } if is_tls => {
            "check user and password, whether the account is locked, disabled or expired, and whether it may log on over the \
             network; a host that insists on channel binding also refuses when something between decrypts TLS, and Basic is \
             for local accounts alone; this client does not try them again, so as not to lock the account"
        }
        ErrorKind::CredentialsRefused { .. } => {
            "check user and password, whether the account is locked, disabled or expired, whether it may log on over the \
             network, and whether the host still takes NTLM; a load balancer in between may have moved the log-on to another \
             connection; this client does not try them again, so as not to lock the account"
        }
        ErrorKind::LogOnWithheld { .. } => {
            "mend user or password first: the same wrong ones on one host after another lock the account"
        }
        ErrorKind::ClientCertificateNotMapped { .. } => {
            "the host needs: Certificate=\"true\" in winrm/config/service/auth; the certificate's issuer among its trusted \
             roots; the user's name as UPN in the certificate (extended key usage: client authentication); and a mapping of \
             both to a local account with its present password (WSMan:\\localhost\\ClientCertificate)"
        }
        ErrorKind::ContextLost => {
            "something between (a load balancer, a proxy) moves requests to other connections: NTLM needs one connection \
             throughout"
        }
        ErrorKind::WeakContext { .. } => {
            "the host, or something between, asks for less than 128-bit sealing with extended session security: change its \
             NTLM security policy; only if you accept that messages can be read or changed, allow it with \
             `dangerous_allow_weak_security_context` (`--dangerous-allow-weak-security-context`)"
        }
        _ => return None,
    };
    Some(text.to_owned())
}
