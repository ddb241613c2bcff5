//! What went wrong, at which host, in which step, and what the user can do.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use winrm_ntlm::NegotiateFlags;
use winrm_wsman::Fault;

use crate::Endpoint;
use crate::config::ConfigError;
use crate::http::HttpError;
use crate::tls::TlsError;

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
            Self::Tls => "opening a TLS channel",
            Self::Negotiate => "negotiating authentication",
            Self::Authenticate => "authenticating",
            Self::Exchange => "exchanging messages",
        })
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection could not be opened, or broke.
    #[error("network failure")]
    Io(#[source] std::io::Error),
    /// The options given cannot work.
    #[error(transparent)]
    Config(ConfigError),
    /// The TLS channel could not be opened.
    #[error(transparent)]
    Tls(TlsError),
    /// The connection was closed or broken in mid-exchange: the server may have run the request.
    #[error("connection lost, outcome unknown")]
    ConnectionLost(#[source] hyper::Error),
    /// The server closed the connection before the request was written.
    #[error("the server closed the connection before the request was sent")]
    ConnectionClosed(#[source] hyper::Error),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Deadline(Duration),
    /// The server does not offer the authentication scheme we were told to use.
    #[error("the server offers {} and not {wanted}", list(.offered))]
    SchemeNotOffered {
        /// The scheme we speak.
        wanted: &'static str,
        /// The schemes of its `WWW-Authenticate` headers.
        offered: Vec<String>,
    },
    /// HTTP 401 after the last token: user, password or channel binding are wrong, or the account is barred.
    #[error("the server refused the credentials of {user:?}")]
    CredentialsRefused {
        /// The user name, with its domain when there was one.
        user: String,
    },
    /// The server offers the scheme but answered our token with no token of its own.
    #[error("the server broke the authentication off")]
    TokenRefused,
    /// HTTP 401 on a connection that had been authenticated, and again on a new one.
    #[error("the server no longer knows this connection's authentication (HTTP 401)")]
    ContextLost,
    /// The security context would not protect what we send.
    #[error("the server negotiated a security context without {}", names(*.missing))]
    WeakContext {
        /// What it lacks.
        missing: NegotiateFlags,
    },
    /// A token from the server made no sense, or proved nothing.
    #[error("authentication exchange failed")]
    Negotiation(#[source] winrm_spnego::MechanismError),
    /// HTTP 500 with an empty body, which is how WinRM refuses a message that it cannot read.
    #[error("the server refused the message with HTTP 500 and no explanation")]
    RefusedWithoutReason,
    /// An HTTP status that no WinRM service gives here.
    #[error("HTTP status {status}{}", content(.content_type))]
    Status {
        /// The status.
        status: StatusCode,
        /// `Content-Type` of the answer, empty when there was none.
        content_type: String,
    },
    /// HTTP 407: something between us and the server wants to be paid first.
    #[error("a proxy answered instead of the server: it wants authentication (HTTP 407)")]
    ProxyAnswered,
    /// An answer in clear to a sealed request.
    #[error("the server answered a sealed request in clear")]
    UnsealedAnswer,
    /// The answer is not WS-Management at all.
    #[error("the answer is not from a WinRM service (HTTP {status}{})", content(.content_type))]
    NotWinRm {
        /// The status.
        status: StatusCode,
        /// `Content-Type` of the answer, empty when there was none.
        content_type: String,
    },
    /// The answer passes the MaxEnvelopeSize that we sent.
    #[error("the answer is larger than the {limit} bytes we allow")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// HTTP 413: our message passes the server's MaxEnvelopeSize.
    #[error("the message of {size} bytes is larger than the server's MaxEnvelopeSize")]
    RequestTooLarge {
        /// In bytes, sealed and framed.
        size: usize,
    },
    /// HTTP 429 or 503: starting, or too busy.
    #[error("the service is starting or too busy (HTTP {status})")]
    Busy {
        /// The status.
        status: StatusCode,
    },
    /// The sealed answer is damaged: framing, length or MAC.
    #[error("the sealed answer cannot be trusted")]
    Unseal(#[source] Box<dyn StdError + Send + Sync>),
    /// The request could not be sealed.
    #[error("the request cannot be sealed")]
    Seal(#[source] Box<dyn StdError + Send + Sync>),
    /// The request could not be written as SOAP or HTTP.
    #[error("the request cannot be written")]
    Encode(#[source] Box<dyn StdError + Send + Sync>),
    /// The unsealed answer is not a WS-Management message.
    #[error("the answer cannot be read as WS-Management")]
    Decode(#[source] winrm_wsman::DecodeError),
    /// The answer belongs to another request.
    #[error("the answer relates to {found:?} instead of {expected:?}")]
    WrongRelatesTo {
        /// MessageID of the request.
        expected: String,
        /// RelatesTo of the answer, empty when there was none.
        found: String,
    },
    /// An answer of another kind than the request asks for.
    #[error("the server answered with the action {action:?}")]
    UnexpectedAnswer {
        /// Action of the answer.
        action: String,
    },
    /// The server understood and refused.
    #[error("{}", describe(.0))]
    Fault(Box<Fault>),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no scheme at all".to_owned() } else { format!("only {}", names.join(", ")) }
}

fn names(flags: NegotiateFlags) -> String {
    flags.names().collect::<Vec<_>>().join(", ")
}

/// What the service says, and the number to search for.
fn describe(fault: &Fault) -> String {
    // Windows breaks its lines.
    let text = fault.message().split_whitespace().collect::<Vec<_>>().join(" ");
    match fault.wsman_code() {
        Some(code) => format!("the service refused: {text} [{code}]"),
        None => format!("the service refused: {text}"),
    }
}

fn content(content_type: &str) -> String {
    if content_type.is_empty() { String::new() } else { format!(", {content_type}") }
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
            )
    }

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
            ErrorKind::ProxyAnswered => {
                "connect without the proxy: WinRM's sealing needs a direct connection"
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

/// What TLS has in common with few hosts, and which.
const INCOMPATIBLE: &str = "Windows Server 2012 R2 and older offer AES-GCM only with static RSA, which this client does not \
     speak: update the host, or use http, where messages are sealed too; where the listener wants client certificates, it \
     must ask for them in the first handshake (`clientcertnegotiation=enable` in `netsh http`)";

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
        TlsError::Certificate(_) | TlsError::Handshake(_) => return None,
    })
}

/// What a fault's code asks of the user.
fn fault_remedy(fault: &Fault) -> Option<String> {
    use winrm_wsman::FaultCode;
    let text = match fault.wsman_code()? {
        FaultCode::ACCESS_DENIED => {
            "the account is known but may not use WinRM: put it into Administrators or Remote Management Users; for \
             a local administrator who is not the built-in one, set the host's LocalAccountTokenFilterPolicy to 1"
        }
        code => code.meaning()?,
    };
    Some(text.to_owned())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.endpoint, self.step, self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}

impl From<HttpError> for ErrorKind {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::NotSent(error) => Self::ConnectionClosed(error),
            HttpError::Receive(error) => Self::ConnectionLost(error),
            HttpError::TooLarge { limit } => Self::TooLarge { limit },
            HttpError::Request(error) => Self::Encode(Box::new(error)),
        }
    }
}
