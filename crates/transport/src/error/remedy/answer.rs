//! What the service answered.

use http::StatusCode;
use winrm_wsman::{Fault, FaultCode, Quota};

use crate::error::{Error, ErrorKind, Step};

pub(super) fn remedy(error: &Error) -> Option<String> {
    let text = match &*error.kind {
        ErrorKind::RefusedWithoutReason => {
            "either another program holds this port, or a device in between changed the sealed message"
        }
        ErrorKind::Status { status, .. } => to_status(*status),
        ErrorKind::NotWinRm { .. } => "is this a WinRM listener? `winrm identify` shows what answers there",
        ErrorKind::RequestTooLarge { .. } => {
            "send less at once, or raise it on the host: `winrm set winrm/config @{MaxEnvelopeSizekb=\"500\"}`"
        }
        ErrorKind::TooLarge { .. } if error.step == Step::Exchange => "raise the client's max_envelope_size",
        ErrorKind::TooLarge { .. } => {
            "is this a WinRM listener? Its answers to a log-on are small; `winrm identify` shows what answers there"
        }
        ErrorKind::Busy { .. } => {
            "try again in a few seconds; `--wait` waits for a host that is starting; a host that stays busy may have reached \
             MaxConnections or MaxConcurrentOperationsPerUser"
        }
        ErrorKind::Unseal(_) | ErrorKind::UnsealedAnswer => {
            "something between the client and the host may be changing messages"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// What a status without an envelope means, as other clients' users found out.
fn to_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => {
            "the host could not make sense of the sealed message: something between (a proxy, a load balancer, an inspecting \
             firewall) has changed it or moved it to another connection"
        }
        StatusCode::FORBIDDEN => {
            "something in front of the service forbids it (WinRM itself answers 401): a proxy, a web application firewall, or \
             IIS on this port"
        }
        StatusCode::NOT_FOUND => {
            "the listener has another path (WinRM's own is /wsman), or this is a web server"
        }
        StatusCode::METHOD_NOT_ALLOWED => "this is a web server, not a WinRM listener: check port and path",
        StatusCode::LENGTH_REQUIRED => {
            "something between has taken the length out of the request: WinRM needs Content-Length"
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "the service does not take messages sealed under SPNEGO (application/HTTP-SPNEGO-session-encrypted): is it WinRM, \
             and does it take Negotiate?"
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            "a gateway in between does not reach the host, or gave up waiting: a shorter `--operation-timeout` helps where it \
             gives up too early"
        }
        status if status.is_redirection() => {
            "the server sends clients elsewhere, and this client does not follow: name the listener itself"
        }
        _ => "is this a WinRM listener? `winrm identify` shows what answers there",
    }
}

/// What a fault's code asks of the user.
pub(super) fn to_fault(fault: &Fault) -> Option<String> {
    let text = match fault.wsman_code()? {
        FaultCode::ACCESS_DENIED => {
            "the account is known but may not use WinRM: put it into Administrators or Remote Management Users; for \
             a local administrator who is not the built-in one, set the host's LocalAccountTokenFilterPolicy to 1"
        }
        code => return fault.quota().map(quota_remedy).or_else(|| code.meaning().map(str::to_owned)),
    };
    Some(text.to_owned())
}

/// The quota, and what raises it.
fn quota_remedy(quota: Quota) -> String {
    let name = quota.name();
    let hint = match quota {
        // On some hosts commands that have ended count until their shell is gone.
        Quota::OperationsPerUser => "open a new shell, since commands may count until theirs is deleted, ",
        Quota::ShellsPerUser | Quota::PluginShellsPerUser | Quota::PluginShells => {
            "end what is left over there (another client's shells count too, until they have been idle for long enough), "
        }
        _ => "end what is left over there, ",
    };
    match quota.raise_command() {
        Some(command) => {
            format!("the host's quota {name} is used up: {hint}or raise it on the host: `{command}`")
        }
        None => format!("the host's limit is reached ({name}): ask for less at once, or try again later"),
    }
}
