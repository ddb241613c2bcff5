//! What went wrong, at which host, in which step, and what the user can do.

mod kind;
mod remedy;

use std::error::Error as StdError;
use std::fmt;

use winrm_wsman::{Fault, FaultCode, Quota};

pub use self::kind::ErrorKind;
use crate::Endpoint;
use crate::proxy::ProxyFailure;

/// A failed exchange with a WinRM service.
///
/// `Display` names the host and the step; `source()` goes down to the cause. [`Error::kind`] is for code,
/// [`Error::remedy`] for people.
#[derive(Debug)]
pub struct Error {
    endpoint: Box<Endpoint>,
    step: Step,
    kind: Box<ErrorKind>,
}

/// The part of an exchange in which it failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Resolving the name and opening the TCP connection.
    Connect,
    /// Reaching the server through a proxy.
    Proxy,
    /// Opening the TLS channel.
    Tls,
    /// Sending the first token and reading what the server offers.
    Negotiate,
    /// Proving who we are.
    Authenticate,
    /// Sending the request and reading its answer.
    Exchange,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Proxy => "going through the proxy",
            Self::Tls => "opening a TLS channel",
            Self::Negotiate => "negotiating authentication",
            Self::Authenticate => "authenticating",
            Self::Exchange => "exchanging messages",
        })
    }
}

impl Error {
    pub(crate) fn new(endpoint: &Endpoint, step: Step, kind: ErrorKind) -> Self {
        Self { endpoint: Box::new(endpoint.clone()), step, kind: Box::new(kind) }
    }

    /// The listener that was asked.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the exchange was when it failed.
    pub fn step(&self) -> Step {
        self.step
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The SOAP fault, when the server sent one.
    pub fn fault(&self) -> Option<&Fault> {
        match &*self.kind {
            ErrorKind::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// The service's number for its fault, where one was the answer.
    pub fn fault_code(&self) -> Option<FaultCode> {
        self.fault()?.wsman_code()
    }

    /// True when the service knows nothing of the shell or the command any more: what is to be ended has ended.
    pub fn is_shell_gone(&self) -> bool {
        self.fault_code().is_some_and(FaultCode::is_shell_gone)
    }

    /// True when the server refused to log the user on. A client does not try the same credentials again.
    pub fn is_logon_refused(&self) -> bool {
        matches!(
            &*self.kind,
            ErrorKind::CredentialsRefused { .. }
                | ErrorKind::Proxy { failure: ProxyFailure::LogonRefused { .. }, .. }
        )
    }

    /// True when the host, or the way to it, went away: connections that break or cannot be opened, silence, and the faults
    /// by which a service that shuts down ends what it holds, or says after its return that it knows nothing of it. What a
    /// host that is told to restart does to the command that told it.
    pub fn is_disconnect(&self) -> bool {
        match &*self.kind {
            ErrorKind::Io(_)
            | ErrorKind::ConnectionLost(_)
            | ErrorKind::ConnectionClosed(_)
            | ErrorKind::Deadline(_) => true,
            ErrorKind::Status { status, .. } => matches!(status.as_u16(), 502 | 504),
            ErrorKind::Proxy { failure, .. } => {
                failure.is_absence() || matches!(failure, ProxyFailure::ClosesConnections)
            }
            ErrorKind::Fault(_) => self.is_shell_gone(),
            _ => false,
        }
    }

    /// The quota of the server that is used up, where that is why it refused.
    pub fn quota(&self) -> Option<Quota> {
        self.fault()?.quota()
    }

    /// True when the server refused the request for its size, and has not carried it out.
    pub fn is_request_too_large(&self) -> bool {
        match &*self.kind {
            ErrorKind::RequestTooLarge { .. } => true,
            ErrorKind::Fault(fault) => matches!(
                fault.wsman_code(),
                Some(
                    FaultCode::HTTP_REQUEST_TOO_LARGE
                        | FaultCode::SERVER_ENVELOPE_LIMIT
                        | FaultCode::ENVELOPE_TOO_LARGE
                )
            ),
            _ => false,
        }
    }

    /// True when the server may have carried out the request although no answer came that can be trusted: repeating it
    /// may do it twice. An answer in clear could be anybody's, so it counts as none, but for the statuses by which a
    /// service says that it is too busy or the request too large.
    pub fn is_outcome_unknown(&self) -> bool {
        self.step == Step::Exchange
            && matches!(
                &*self.kind,
                ErrorKind::Io(_)
                    | ErrorKind::ConnectionLost(_)
                    | ErrorKind::Deadline(_)
                    | ErrorKind::UnsealedAnswer
                    | ErrorKind::RefusedWithoutReason
                    | ErrorKind::NotWinRm { .. }
                    | ErrorKind::ContextLost
                    | ErrorKind::Status { .. }
                    | ErrorKind::TooLarge { .. }
                    | ErrorKind::Unseal(_)
                    | ErrorKind::Negotiation(_)
                    | ErrorKind::Decode(_)
                    | ErrorKind::WrongRelatesTo { .. }
                    | ErrorKind::UnexpectedAnswer { .. }
                    | ErrorKind::Proxy {
                        failure: ProxyFailure::Gateway { .. }
                            | ProxyFailure::ClosesConnections
                            | ProxyFailure::MovesRequests,
                        ..
                    }
            )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = match &*self.kind {
            ErrorKind::ConnectionLost(_) if self.is_outcome_unknown() => ", outcome unknown",
            ErrorKind::Io(_) | ErrorKind::Deadline(_) if self.is_outcome_unknown() => {
                ": connection lost, outcome unknown"
            }
            _ => "",
        };
        write!(f, "{} ({}): {}{unknown}", self.endpoint, self.step, self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}
