//! One authenticated connection: tokens first, then sealed bodies, one at a time.

use std::future::Future;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode};
use tokio::time::Instant;
use winrm_ntlm::{NegotiateFlags, client};
use winrm_spnego::{Initiator, Progress};
use winrm_wsman::encrypted::{self, Layout};
use zeroize::Zeroizing;

use crate::auth::{NtlmInitiator, Security};
use crate::config::{AuthMethod, Config};
use crate::error::{Error, ErrorKind, Step};
use crate::http::{HttpConnection, Reply, Request, challenges, find};
use crate::tls::{Opened, TlsError};

/// The scheme of RFC 7617.
const BASIC: &str = "Basic";
/// The scheme of RFC 4559, which carries SPNEGO and, at Windows, bare NTLM too.
const NEGOTIATE: &str = "Negotiate";
/// Tokens and error pages: what an answer without an envelope may have at most.
const SMALL_ANSWER: usize = 64 * 1024;
/// Room for the multipart framing around an envelope.
const FRAMING: usize = 4096;
/// Rounds of tokens after which a server is only wasting our time; NTLM takes two.
const MAX_ROUNDS: usize = 8;
/// The MIME type of a bare envelope (DSP0227 6.1).
pub(crate) const SOAP: HeaderValue = HeaderValue::from_static("application/soap+xml;charset=UTF-8");

/// A failed exchange, and whether another connection may try it again: the server has surely not run it then.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) retry: Retry,
}

/// What may be done about a [`Failure`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Retry {
    /// Nothing.
    No,
    /// The server does not take AUTHENTICATE and body in one request: send AUTHENTICATE alone.
    EmptyForm,
    /// The connection or its context is gone, and the request was not taken: log on again.
    Reauthenticate,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, retry: Retry::No }
    }
}

/// How a connection proves who we are.
enum Proof {
    /// The connection is authenticated once.
    Context(Box<Initiator<NtlmInitiator>>),
    /// Every request is, by this `Authorization`.
    Basic(HeaderValue),
}

/// A connection that has proved who we are, or does so with its first request.
pub(crate) struct Session {
    http: HttpConnection,
    proof: Proof,
    layout: Layout,
    /// The last token, to travel with the first request.
    authenticate: Option<Vec<u8>>,
    security: Security,
    idle_since: Instant,
}

impl Session {
    /// Connects and exchanges tokens until requests can be sealed. With `empty_form`, AUTHENTICATE goes ahead in a
    /// request of its own.
    pub(crate) async fn open(config: &Config, empty_form: bool) -> Result<Self, Error> {
        let (mut http, tls) = connect(config).await?;
        if config.method == AuthMethod::Basic {
            return Ok(Self::basic(config, http, tls.as_ref()));
        }
        let mut context = initiator(config, tls.as_ref());
        let mut token = start(config, &mut context)?;
        for _ in 0..MAX_ROUNDS {
            let reply = send_token(config, &mut http, &token, Step::Negotiate).await?;
            let answer = continuation(config, &reply)?;
            match context.step(Some(&answer)).map_err(|error| negotiation(config, error))? {
                // Rounds that NTLM alone does not have, but SPNEGO may.
                Progress::Continue(next) if !context.can_wrap() => token = next,
                Progress::Continue(last) | Progress::Established(Some(last)) => {
                    let security = security(config, &context, tls.as_ref())?;
                    let mut session = Self {
                        http,
                        proof: Proof::Context(Box::new(context)),
                        layout: Layout::spnego(),
                        authenticate: Some(last),
                        security,
                        idle_since: Instant::now(),
                    };
                    if empty_form {
                        session.authenticate_alone(config).await?;
                    }
                    return Ok(session);
                }
                Progress::Established(None) => {
                    return Err(negotiation(config, winrm_spnego::Error::EndedEarly));
                }
            }
        }
        Err(negotiation(config, winrm_spnego::Error::NotEstablished))
    }

    fn basic(config: &Config, http: HttpConnection, tls: Option<&Opened>) -> Self {
        let security = Security {
            scheme: BASIC,
            spnego: false,
            ntlm: None,
            tls: tls.map(|opened| opened.channel),
            sealed: false,
            channel_bound: false,
        };
        Self {
            http,
            proof: Proof::Basic(basic_authorization(config)),
            layout: Layout::spnego(),
            authenticate: None,
            security,
            idle_since: Instant::now(),
        }
    }

    /// What was negotiated.
    pub(crate) fn security(&self) -> Security {
        self.security
    }

    /// Whether it can carry another request: still open, and not idle for so long that the server may be about to
    /// close it.
    pub(crate) fn is_usable(&self, max_idle: Duration) -> bool {
        self.http.is_open() && self.idle_since.elapsed() < max_idle
    }

    /// Seals `envelope`, written after [`encrypted::HEADROOM`] bytes of room, where that is called for, sends it and opens
    /// the answer. After an error the connection must not be used again.
    pub(crate) async fn exchange(
        &mut self,
        config: &Config,
        envelope: BytesMut,
        deadline: Duration,
    ) -> Result<BytesMut, Failure> {
        let fail = |kind| Error::new(&config.endpoint, Step::Exchange, kind);
        let (body, content_type) = self.protect(envelope).map_err(fail)?;
        let size = body.len();
        let max_envelope_size = usize::try_from(config.max_envelope_size).unwrap_or(usize::MAX);
        let first = self.authenticate.take();
        let authorization = match &self.proof {
            Proof::Context(_) => first.as_deref().map(authorization),
            Proof::Basic(value) => Some(value.clone()),
        };
        let request = Request {
            authorization,
            content_type,
            extra: None,
            body,
            limit: max_envelope_size.saturating_add(FRAMING),
        };
        let reply = match within(deadline, self.http.exchange(request)).await {
            Ok(reply) => reply,
            // Nothing of it was written: as if this connection had never been picked.
            Err(kind @ ErrorKind::ConnectionClosed(_)) => {
                let retry = if first.is_none() { Retry::Reauthenticate } else { Retry::No };
                return Err(Failure { error: fail(kind), retry });
            }
            Err(kind) => return Err(fail(kind).into()),
        };
        let first = first.is_some();
        let sealed = self.security.sealed;
        if !(if sealed { is_sealed(&reply) } else { is_clear(&reply) }) {
            return Err(match &self.proof {
                Proof::Context(_) => refusal(config, &reply, first, size),
                Proof::Basic(_) => basic_refusal(config, &reply, size).into(),
            });
        }
        if first {
            // Before anything of the answer is believed.
            self.finish(config, &reply, Step::Exchange)?;
        }
        let content_type = reply.content_type().to_owned();
        let envelope = match &mut self.proof {
            Proof::Context(context) if sealed => {
                encrypted::open(&content_type, reply.body, |header, message| context.unwrap(header, message))
                    .map_err(|error| fail(ErrorKind::Unseal(Box::new(error))))?
            }
            // TLS has brought it as it was sent.
            _ => reply.body,
        };
        if envelope.len() > max_envelope_size {
            return Err(fail(ErrorKind::TooLarge { limit: max_envelope_size }).into());
        }
        self.idle_since = Instant::now();
        Ok(envelope)
    }

    /// The body and its type: sealed, or as it is where TLS protects it.
    fn protect(&mut self, mut envelope: BytesMut) -> Result<(Bytes, HeaderValue), ErrorKind> {
        match &mut self.proof {
            Proof::Context(context) if self.security.sealed => {
                let content_type = HeaderValue::try_from(self.layout.content_type())
                    .map_err(|error| ErrorKind::Encode(Box::new(error)))?;
                let body = encrypted::seal(&self.layout, envelope, |message| context.wrap(message))
                    .map_err(|error| ErrorKind::Seal(Box::new(error)))?;
                Ok((body, content_type))
            }
            _ => Ok((envelope.split_off(encrypted::HEADROOM.min(envelope.len())).freeze(), SOAP)),
        }
    }

    /// AUTHENTICATE in a request without a body.
    async fn authenticate_alone(&mut self, config: &Config) -> Result<(), Error> {
        let Some(token) = self.authenticate.take() else { return Ok(()) };
        let reply = send_token(config, &mut self.http, &token, Step::Authenticate).await?;
        if reply.status.is_success() {
            return self.finish(config, &reply, Step::Authenticate);
        }
        Err(refusal(config, &reply, true, 0).error)
    }

    /// Judges the acceptor's closing token, or its absence.
    fn finish(&mut self, config: &Config, reply: &Reply, step: Step) -> Result<(), Error> {
        let fail = |error| Error::new(&config.endpoint, step, ErrorKind::Negotiation(Box::new(error)));
        let Proof::Context(context) = &mut self.proof else { return Ok(()) };
        if context.is_established() {
            // Bare NTLM has no closing token.
            return Ok(());
        }
        let token = reply_token(config, reply, step)?;
        match context.step(token.as_deref()).map_err(fail)? {
            Progress::Established(_) => Ok(()),
            Progress::Continue(_) => Err(fail(winrm_spnego::Error::NotEstablished)),
        }
    }
}

/// Opens a connection, with TLS where the endpoint asks for it, within one time for both.
pub(crate) async fn connect(config: &Config) -> Result<(HttpConnection, Option<Opened>), Error> {
    let mut step = Step::Connect;
    let connecting = async {
        let mut stream = config.connector.connect(&config.endpoint).await.map_err(ErrorKind::Io)?;
        let mut opened = None;
        if config.endpoint.is_tls() {
            step = Step::Tls;
            // Only a builder without TLS leaves it out.
            let tls = config.tls.as_ref().ok_or(ErrorKind::Tls(TlsError::NotBuiltIn))?;
            let (inner, channel) = tls.handshake(stream, &config.endpoint).await?;
            (stream, opened) = (inner, Some(channel));
        }
        Ok((HttpConnection::new(stream, &config.endpoint).await?, opened))
    };
    let connected = tokio::time::timeout(config.connect_timeout, connecting)
        .await
        .unwrap_or(Err(ErrorKind::Deadline(config.connect_timeout)));
    connected.map_err(|kind| Error::new(&config.endpoint, step, kind))
}

/// Bounds an exchange in time.
pub(crate) async fn within(
    deadline: Duration,
    exchange: impl Future<Output = Result<Reply, crate::http::HttpError>>,
) -> Result<Reply, ErrorKind> {
    match tokio::time::timeout(deadline, exchange).await {
        Ok(reply) => Ok(reply?),
        Err(_) => Err(ErrorKind::Deadline(deadline)),
    }
}

fn initiator(config: &Config, tls: Option<&Opened>) -> Initiator<NtlmInitiator> {
    let spn =
        config.service_principal_name.clone().unwrap_or_else(|| format!("HTTP/{}", config.endpoint.host()));
    // Unless told otherwise it gives up before AUTHENTICATE where messages could not be protected.
    let mut ntlm = client::Config::default().target_name(spn);
    if !config.seals() {
        // Signing is offered all the same: SPNEGO's mechListMIC is made with it, and acceptors differ in what they take
        // for one where only ALWAYS_SIGN was agreed.
        ntlm = ntlm.require(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    }
    if let Some(opened) = tls {
        ntlm = ntlm.channel_bindings(opened.bindings);
    }
    if config.allow_weak {
        ntlm = ntlm.require(NegotiateFlags::NONE);
    }
    let ntlm = NtlmInitiator::new(config.credentials.clone(), ntlm);
    match config.method {
        AuthMethod::Ntlm => Initiator::bare(ntlm),
        _ => Initiator::new(vec![ntlm]),
    }
}

fn start(config: &Config, context: &mut Initiator<NtlmInitiator>) -> Result<Vec<u8>, Error> {
    match context.step(None).map_err(|error| negotiation(config, error))? {
        Progress::Continue(token) => Ok(token),
        Progress::Established(_) => Err(negotiation(config, winrm_spnego::Error::EndedEarly)),
    }
}

fn negotiation(config: &Config, error: winrm_spnego::Error) -> Error {
    let missing = match &error {
        winrm_spnego::Error::Mechanism { source, .. } => match source.downcast_ref() {
            Some(winrm_ntlm::Error::NotNegotiated { missing }) => Some(*missing),
            _ => None,
        },
        _ => None,
    };
    let kind = match missing {
        Some(missing) => ErrorKind::WeakContext { missing },
        None => ErrorKind::Negotiation(Box::new(error)),
    };
    Error::new(&config.endpoint, Step::Negotiate, kind)
}

/// What the context came to.
fn security(
    config: &Config,
    context: &Initiator<NtlmInitiator>,
    tls: Option<&Opened>,
) -> Result<Security, Error> {
    let session = context
        .mechanism()
        .and_then(NtlmInitiator::session)
        .ok_or_else(|| negotiation(config, winrm_spnego::Error::NotEstablished))?;
    let ntlm = *session.negotiated();
    let sealed = config.seals();
    if sealed && !ntlm.flags.contains(NegotiateFlags::STRONG) {
        tracing::warn!(endpoint = %config.endpoint, %ntlm, "weak security context allowed by option");
    }
    Ok(Security {
        scheme: NEGOTIATE,
        spnego: config.method == AuthMethod::Negotiate,
        ntlm: Some(ntlm),
        tls: tls.map(|opened| opened.channel),
        sealed,
        channel_bound: tls.is_some(),
    })
}

fn authorization(token: &[u8]) -> HeaderValue {
    let mut value = HeaderValue::try_from(format!("{NEGOTIATE} {}", BASE64.encode(token)))
        .unwrap_or_else(|_| HeaderValue::from_static(NEGOTIATE));
    value.set_sensitive(true);
    value
}

/// User and password (RFC 7617 section 2), in UTF-8.
fn basic_authorization(config: &Config) -> HeaderValue {
    let password = config.credentials.password_text().unwrap_or_default();
    // A local account is known to the service without a domain.
    let user = user_name(config);
    let user = user.strip_prefix(".\\").unwrap_or(&user);
    let text = Zeroizing::new(format!("{user}:{password}"));
    let encoded = Zeroizing::new(format!("{BASIC} {}", BASE64.encode(text.as_bytes())));
    let mut value =
        HeaderValue::try_from(encoded.as_str()).unwrap_or_else(|_| HeaderValue::from_static(BASIC));
    value.set_sensitive(true);
    value
}

/// A token in a request without a body.
async fn send_token(
    config: &Config,
    http: &mut HttpConnection,
    token: &[u8],
    step: Step,
) -> Result<Reply, Error> {
    let request = Request {
        authorization: Some(authorization(token)),
        content_type: SOAP,
        extra: None,
        body: Bytes::new(),
        limit: SMALL_ANSWER,
    };
    within(config.read_deadline(), http.exchange(request))
        .await
        .map_err(|kind| Error::new(&config.endpoint, step, kind))
}

/// The server's token in a 401, which is how it asks for the next one of ours.
fn continuation(config: &Config, reply: &Reply) -> Result<Vec<u8>, Error> {
    let fail = |kind| Error::new(&config.endpoint, Step::Negotiate, kind);
    if reply.status != StatusCode::UNAUTHORIZED {
        return Err(fail(unexpected_status(reply, 0)));
    }
    if let Some(token) = reply_token(config, reply, Step::Negotiate)? {
        return Ok(token);
    }
    let offered = offered(reply);
    Err(fail(if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case(NEGOTIATE)) {
        ErrorKind::TokenRefused
    } else {
        ErrorKind::SchemeNotOffered { wanted: NEGOTIATE, offered }
    }))
}

/// The token after our scheme in `WWW-Authenticate`; a bare scheme is no token.
fn reply_token(config: &Config, reply: &Reply, step: Step) -> Result<Option<Vec<u8>>, Error> {
    let found = challenges(&reply.headers);
    let Some(text) = find(&found, NEGOTIATE).filter(|text| !text.is_empty()) else { return Ok(None) };
    BASE64
        .decode(text)
        .map(Some)
        .map_err(|error| Error::new(&config.endpoint, step, ErrorKind::Negotiation(Box::new(error))))
}

/// The schemes of an answer's challenges.
pub(crate) fn offered(reply: &Reply) -> Vec<String> {
    challenges(&reply.headers).iter().map(|challenge| challenge.scheme.to_owned()).collect()
}

/// An envelope in clear, a fault perhaps. What comes with 401 is none.
fn is_clear(reply: &Reply) -> bool {
    reply.status != StatusCode::UNAUTHORIZED && is_kind(reply.content_type(), "application/soap+xml")
}

fn is_sealed(reply: &Reply) -> bool {
    let content_type = reply.content_type();
    is_kind(content_type, "multipart/encrypted") || is_kind(content_type, "multipart/x-multi-encrypted")
}

/// Whether a `Content-Type` is of this media type, whatever its case and parameters.
fn is_kind(content_type: &str, media_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|found| found.trim().eq_ignore_ascii_case(media_type))
}

/// What an answer in clear to a sealed request means. `first`: it travelled with AUTHENTICATE.
fn refusal(config: &Config, reply: &Reply, first: bool, size: usize) -> Failure {
    let status = reply.status;
    if status == StatusCode::UNAUTHORIZED && first {
        let user = user_name(config);
        let error = Error::new(&config.endpoint, Step::Authenticate, ErrorKind::CredentialsRefused { user });
        return error.into();
    }
    let combined_refused = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::LENGTH_REQUIRED | StatusCode::UNSUPPORTED_MEDIA_TYPE
    ) || (status == StatusCode::INTERNAL_SERVER_ERROR && clear_fault(reply).is_none());
    let retry = match status {
        _ if first && size > 0 && combined_refused => Retry::EmptyForm,
        // The context is lost; the server could not read the request.
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST if !first => Retry::Reauthenticate,
        _ => Retry::No,
    };
    Failure { error: Error::new(&config.endpoint, Step::Exchange, unexpected_status(reply, size)), retry }
}

/// What an answer without an envelope means where every request carries the password: a 401 is final, also later on.
fn basic_refusal(config: &Config, reply: &Reply, size: usize) -> Error {
    if reply.status != StatusCode::UNAUTHORIZED {
        return Error::new(&config.endpoint, Step::Exchange, unexpected_status(reply, size));
    }
    let offered = offered(reply);
    let kind = if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case(BASIC)) {
        ErrorKind::CredentialsRefused { user: user_name(config) }
    } else {
        ErrorKind::SchemeNotOffered { wanted: BASIC, offered }
    };
    Error::new(&config.endpoint, Step::Authenticate, kind)
}

/// `DOMAIN\user`, or what there is of it.
pub(crate) fn user_name(config: &Config) -> String {
    match config.credentials.domain_name() {
        "" => config.credentials.user_name().to_owned(),
        domain => format!("{domain}\\{}", config.credentials.user_name()),
    }
}

/// A fault in an envelope that nobody sealed: not to be believed, but a sign that the server did read the request.
fn clear_fault(reply: &Reply) -> Option<Box<winrm_wsman::Fault>> {
    match winrm_wsman::Message::decode(&reply.body).ok()?.body {
        winrm_wsman::Body::Fault(fault) => Some(fault),
        _ => None,
    }
}

fn unexpected_status(reply: &Reply, size: usize) -> ErrorKind {
    let content_type = reply.content_type().to_owned();
    match reply.status {
        StatusCode::UNAUTHORIZED => ErrorKind::ContextLost,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => ErrorKind::ProxyAnswered,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::RequestTooLarge { size },
        status
        @ (StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            ErrorKind::Busy { status }
        }
        StatusCode::INTERNAL_SERVER_ERROR if reply.body.is_empty() => ErrorKind::RefusedWithoutReason,
        _ if is_kind(&content_type, "application/soap+xml") => ErrorKind::UnsealedAnswer,
        status if status.is_success() => ErrorKind::NotWinRm { status, content_type },
        status => ErrorKind::Status { status, content_type },
    }
}
