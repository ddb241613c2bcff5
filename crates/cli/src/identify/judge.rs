//! What a host offers, which of it we would choose, and why not the others.

use super::Found;
use crate::args::{Auth, Encryption};
use crate::report::Failure;

/// The scheme we log on by unless told otherwise.
const NEGOTIATE: &str = "Negotiate";
/// The other one that we speak.
const BASIC: &str = "Basic";
/// What stands for a log-on by a client certificate.
const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
/// What can be done about a host with Basic over http.
const CLEAR_TEXT: &str = "enable Negotiate on the host, or use https; only if everybody on the network may read all of it: \
     `--auth basic --dangerous-allow-clear-text-basic`";

impl Found {
    /// The scheme we are to log on by.
    pub(super) fn scheme(&self) -> &'static str {
        match self.auth {
            Auth::Negotiate | Auth::Ntlm => NEGOTIATE,
            Auth::Basic => BASIC,
            Auth::Certificate => MUTUAL,
        }
    }

    /// How we would log on; `None` when we cannot.
    pub(super) fn choice(&self) -> Option<&'static str> {
        let offered = self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(self.scheme()));
        match self.auth {
            // Windows does not list it among its schemes.
            Auth::Certificate => self.probe.tls.map(|_| "a client certificate"),
            _ if !offered => None,
            Auth::Negotiate => Some("SPNEGO with NTLM"),
            Auth::Ntlm => Some("NTLM without SPNEGO"),
            Auth::Basic if self.probe.tls.is_none() && !self.clear_text => None,
            Auth::Basic => Some("user and password as they are"),
        }
    }

    /// Whether messages would be sealed.
    pub(super) fn seals(&self) -> bool {
        matches!(self.auth, Auth::Negotiate | Auth::Ntlm)
            && (self.probe.tls.is_none() || self.encryption == Encryption::Always)
    }

    /// Why so: what the choice protects.
    pub(super) fn reason(&self) -> &'static str {
        match (self.auth, self.probe.tls.is_some(), self.seals()) {
            (Auth::Certificate, ..) => "asked for; nothing secret leaves this side",
            (Auth::Basic, false, _) => {
                "asked for; everybody on the network reads the password and every message"
            }
            (Auth::Basic, ..) => "asked for; TLS protects the password on its way, and the host learns it",
            (_, false, _) => "every message sealed",
            (_, true, false) => "bound to the TLS channel, which protects messages",
            (_, true, true) => "bound to the TLS channel, every message sealed inside it",
        }
    }

    /// Other ways to log on that the host offers, and why we do not take them.
    pub(super) fn not_chosen(&self) -> Vec<(String, &'static str)> {
        let offers = |name: &str| self.probe.schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(name));
        let mut others: Vec<(String, &'static str)> = self
            .probe
            .schemes
            .iter()
            .filter(|scheme| !scheme.eq_ignore_ascii_case(self.scheme()))
            .map(|scheme| (scheme.clone(), why_not(scheme, self.probe.tls.is_some())))
            .collect();
        if offers(NEGOTIATE) && !offers("Kerberos") {
            others.push(("Kerberos in Negotiate".to_owned(), why_not("Kerberos", false)));
        }
        others
    }

    /// Why we would not get anywhere here.
    pub(super) fn problem(&self) -> Option<Failure> {
        if let Some(untrusted) = &self.untrusted {
            return Some(untrusted.clone());
        }
        match &self.logon {
            Some(Ok(_)) => None,
            Some(Err(failure)) => Some(failure.clone()),
            None if self.choice().is_some() => None,
            None if self.probe.identity.is_none() && self.probe.schemes.is_empty() => Some(
                Failure::new(format!("no WinRM service answers there (HTTP {})", self.probe.status))
                    .with_remedy("check host, port and path: WinRM's own are port 5985 and /wsman"),
            ),
            None if self.auth == Auth::Certificate => {
                Some(Failure::new("client certificates are for https only"))
            }
            None if self.auth == Auth::Basic && self.probe.tls.is_none() && !self.clear_text => Some(
                Failure::new("Basic sends the password readable, so it is used over https only")
                    .with_remedy(CLEAR_TEXT),
            ),
            None if self.auth == Auth::Basic => Some(
                Failure::new("the service does not offer Basic").with_remedy("use Negotiate, which is safer"),
            ),
            None if self.probe.tls.is_none()
                && self.probe.schemes.iter().all(|scheme| scheme.eq_ignore_ascii_case(BASIC)) =>
            {
                let refusal = "the service offers Basic alone, which over http would send the password and every message readable";
                Some(Failure::new(refusal).with_remedy(CLEAR_TEXT))
            }
            None => Some(Failure::new("the service offers no scheme that this build speaks").with_remedy(
                "enable Negotiate on the host: `winrm set winrm/config/service/auth @{Negotiate=\"true\"}`",
            )),
        }
    }
}

fn why_not(scheme: &str, is_tls: bool) -> &'static str {
    match scheme.to_ascii_lowercase().as_str() {
        "kerberos" => "this build does not speak Kerberos",
        "basic" if is_tls => "it hands the password to the host; --auth basic takes it",
        "basic" => "it would send the password readable over http",
        "negotiate" => "another scheme was asked for",
        "credssp" => "it hands the password to the host; this build does not speak it",
        "digest" => "it cannot seal messages; this build does not speak it",
        "ntlm" => "the same mechanism goes into Negotiate, which WinRM services take",
        _ => "this build does not speak it",
    }
}
