//! One authenticated connection: tokens first, then sealed bodies, one at a time.

mod answer;
mod tokens;

use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::SERVER;
use tokio::time::Instant;
use winrm_spnego::{Initiator, Progress};
use winrm_wsman::encrypted::{self, Layout};

pub(crate) use self::answer::user_name;
use self::answer::{is_clear, is_sealed, refusal, request_refusal};
pub(crate) use self::tokens::offered;
use self::tokens::{
    BASIC, MUTUAL, authorization, basic_authorization, continuation, initiator, negotiation, reply_token,
    security, send_token, start,
};
use crate::auth::{NtlmInitiator, Security};
use crate::config::{AuthMethod, Config};
use crate::error::{Error, ErrorKind, Step};
use crate::http::{HttpConnection, Reply, Request};
use crate::tls::{self, Opened, TlsError};

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
    EachRequest(HeaderValue),
}

/// A connection that has proved who we are, or does so with its first request.
pub(crate) struct Session {
    http: HttpConnection,
    proof: Proof,
    layout: Layout,
    /// The last token, to travel with the first request.
    authenticate: Option<Vec<u8>>,
    security: Security,
    /// The `Server` header of the first answer.
    server: Option<String>,
    idle_since: Instant,
}

impl Session {
    /// Connects, and exchanges tokens until requests can be sealed. Nothing is proved by then: the last token goes with the first
    /// request, or ahead of it by [`authenticate_alone`](Self::authenticate_alone).
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let (http, tls) = connect(config).await?;
        let forwarded = http.is_forwarded();
        Self::negotiate(config, http, tls).await.map_err(|error| explain(config, error, forwarded))
    }

    async fn negotiate(
        config: &Config,
        mut http: HttpConnection,
        tls: Option<Opened>,
    ) -> Result<Self, Error> {
        match config.method {
            AuthMethod::Basic => {
                return Ok(Self::each_request(http, tls.as_ref(), BASIC, basic_authorization(config)));
            }
            AuthMethod::Certificate => {
                let authorization = HeaderValue::from_static(MUTUAL);
                return Ok(Self::each_request(http, tls.as_ref(), MUTUAL, authorization));
            }
            AuthMethod::Negotiate | AuthMethod::Ntlm => {}
        }
        let mut context = initiator(config, tls.as_ref());
        let mut token = start(config, &mut context)?;
        for _ in 0..MAX_ROUNDS {
            let reply = send_token(config, &mut http, &token, Step::Negotiate).await?;
            tracing::trace!(endpoint = %config.endpoint, status = reply.status.as_u16(), "token exchanged");
            let answer = continuation(config, &reply)?;
            match context.step(Some(&answer)).map_err(|error| negotiation(config, error))? {
                // Rounds that NTLM alone does not have, but SPNEGO may.
                Progress::Continue(next) if !context.can_wrap() => token = next,
                Progress::Continue(last) | Progress::Established(Some(last)) => {
                    let security = security(config, &context, tls.as_ref())?;
                    return Ok(Self {
                        http,
                        proof: Proof::Context(Box::new(context)),
                        layout: Layout::spnego(),
                        authenticate: Some(last),
                        security,
                        server: server_of(&reply),
                        idle_since: Instant::now(),
                    });
                }
                Progress::Established(None) => {
                    return Err(negotiation(config, winrm_spnego::Error::EndedEarly));
                }
            }
        }
        Err(negotiation(config, winrm_spnego::Error::NotEstablished))
    }

    fn each_request(
        http: HttpConnection,
        tls: Option<&Opened>,
        scheme: &'static str,
        authorization: HeaderValue,
    ) -> Self {
        let security = Security {
            scheme,
            spnego: false,
            ntlm: None,
            tls: tls.map(|opened| opened.channel),
            sealed: false,
            channel_bound: false,
        };
        Self {
            http,
            proof: Proof::EachRequest(authorization),
            layout: Layout::spnego(),
            authenticate: None,
            security,
            server: None,
            idle_since: Instant::now(),
        }
    }

    /// What was negotiated.
    pub(crate) fn security(&self) -> Security {
        self.security
    }

    /// What the server calls itself.
    pub(crate) fn server(&self) -> Option<&str> {
        self.server.as_deref()
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
        let (forwarded, first) = (self.http.is_forwarded(), self.authenticate.is_some());
        self.send(config, envelope, deadline).await.map_err(|failure| {
            // Later on a connection may be closed any time, and that is nobody's fault.
            let at_fault = first || matches!(failure.error.kind(), ErrorKind::ContextLost);
            Failure { error: explain(config, failure.error, forwarded && at_fault), ..failure }
        })
    }

    async fn send(
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
            Proof::EachRequest(value) => Some(value.clone()),
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
            Err(kind) => return Err(over_certificate(config, kind).unwrap_or_else(fail).into()),
        };
        if self.server.is_none() {
            self.server = server_of(&reply);
        }
        let first = first.is_some();
        let sealed = self.security.sealed;
        if !(if sealed { is_sealed(&reply) } else { is_clear(&reply) }) {
            return Err(match &self.proof {
                Proof::Context(_) => refusal(config, &reply, first, size),
                Proof::EachRequest(_) => request_refusal(config, &reply, size).into(),
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
    pub(crate) async fn authenticate_alone(&mut self, config: &Config) -> Result<(), Error> {
        let forwarded = self.http.is_forwarded();
        let Some(token) = self.authenticate.take() else { return Ok(()) };
        let judged = match send_token(config, &mut self.http, &token, Step::Authenticate).await {
            Ok(reply) if reply.status.is_success() => self.finish(config, &reply, Step::Authenticate),
            Ok(reply) => Err(refusal(config, &reply, true, 0).error),
            Err(error) => Err(error),
        };
        judged.map_err(|error| explain(config, error, forwarded))
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

fn server_of(reply: &Reply) -> Option<String> {
    Some(reply.headers.get(SERVER)?.to_str().ok()?.to_owned())
}

/// What a lost connection means that the server ended over a client certificate, which it may do when a request is on its way.
fn over_certificate(config: &Config, kind: ErrorKind) -> Result<Error, ErrorKind> {
    let alert = match &kind {
        ErrorKind::ConnectionLost(error) | ErrorKind::ConnectionClosed(error) if config.endpoint.is_tls() => {
            tls::certificate_alert(error)
        }
        _ => None,
    };
    let Some(alert) = alert else { return Err(kind) };
    let error = match config.method {
        AuthMethod::Certificate => TlsError::ClientCertificateRefused(alert),
        _ => TlsError::ClientCertificateWanted(alert),
    };
    Ok(Error::new(&config.endpoint, Step::Tls, ErrorKind::Tls(error)))
}

/// What an error means where there is a proxy on the way.
fn explain(config: &Config, error: Error, forwarded: bool) -> Error {
    match &config.route {
        Some(route) => route.explain(error, forwarded),
        None => error,
    }
}

/// Opens a connection, with TLS where the endpoint asks for it, within one time for both.
pub(crate) async fn connect(config: &Config) -> Result<(HttpConnection, Option<Opened>), Error> {
    let mut step = Step::Connect;
    let connecting = async {
        let address = config.connect_to.as_ref().unwrap_or(&config.endpoint);
        let mut forwarding = None;
        let mut stream = match &config.route {
            None => config.connector.connect(address).await.map_err(ErrorKind::Io)?,
            Some(route) => {
                step = Step::Proxy;
                // What the proxy is to reach keeps its path and scheme.
                let reached = config.endpoint.with_address_of(address);
                let through = route.connect(&*config.connector, &reached).await?;
                forwarding = through.forwarding;
                through.stream
            }
        };
        let mut opened = None;
        if config.endpoint.is_tls() {
            step = Step::Tls;
            // Only a builder without TLS leaves it out.
            let tls = config.tls.as_ref().ok_or(ErrorKind::Tls(TlsError::NotBuiltIn))?;
            let (inner, channel) = tls.handshake(stream, &config.endpoint).await?;
            (stream, opened) = (inner, Some(channel));
        }
        Ok((HttpConnection::new(stream, &config.endpoint, forwarding).await?, opened))
    };
    tracing::trace!(endpoint = %config.endpoint, "connecting");
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
