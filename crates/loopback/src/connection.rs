//! One TCP connection: its log-on, its requests one after the other.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::Mutex;
use winrm_wsman::{Body, Fault, Header, Message};

use crate::answer::{self, AnswerBody, Hangup, SOAP, Then};
use crate::authentication::{Authentication, Judgement, Presented, challenge};
use crate::config::{COMPUTER_NAME, OversizeReply};
use crate::log::{AuthStep, LogEntry, Logon};
use crate::misbehaviour::{Misbehaviour, Occasion};
use crate::operations::Caller;
use crate::service::Shared;
use crate::tamper;
use crate::wire::Heads;

/// The only path there is.
const PATH: &str = "/wsman";
/// Asks for an Identify without log-on.
const WSMANIDENTIFY: &str = "wsmanidentify";
/// What framing and token header may add to an envelope.
const FRAMING: usize = 4096;

/// A body too large is read up to this and dropped, or the client might still be sending and never see the answer.
const MAX_DISCARD: usize = 8 * 1024 * 1024;

/// An answer, or none.
pub(crate) type Answer = Result<Response<AnswerBody>, Hangup>;

/// One connection.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: u64,
    pub(crate) address: IpAddr,
    /// Whose certificate opened the channel.
    pub(crate) certificate_user: Option<String>,
    pub(crate) heads: Arc<Heads>,
    pub(crate) state: Mutex<State>,
}

/// What a connection remembers between requests.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) authentication: Authentication,
    /// Requests with an envelope so far.
    envelopes: u64,
}

/// A request on its way to its answer.
pub(crate) struct Exchange {
    pub(crate) sequence: u64,
    pub(crate) misbehaviour: Option<Misbehaviour>,
    /// To go with the answer.
    pub(crate) token: Option<Vec<u8>>,
    /// The request came in clear, as over TLS it may, and so does its answer.
    pub(crate) clear: bool,
}

impl Connection {
    /// Answers one request.
    pub(crate) async fn serve(&self, request: Request<Incoming>) -> Answer {
        // HTTP/1.1 has one request at a time, so nobody waits here.
        let mut state = self.state.lock().await;
        let sequence = self.shared.journal().open(LogEntry {
            connection: self.number,
            time: Some(std::time::SystemTime::now()),
            head: self.heads.next(),
            ..LogEntry::default()
        });
        let answer = self.answer(&mut state, sequence, request).await;
        self.heads.request_ended();
        if let Ok(answer) = &answer {
            self.log(sequence, |entry| {
                entry.status = Some(answer.status().as_u16());
                entry.response_body = answer::body_len(answer);
            });
        }
        answer
    }

    async fn answer(&self, state: &mut State, sequence: u64, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        if head.uri.path() != PATH {
            return Ok(answer::empty(StatusCode::NOT_FOUND));
        }
        if head.method != Method::POST {
            return Ok(answer::empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        // HTTP.sys wants to know, even of an empty body.
        if !head.headers.contains_key(CONTENT_LENGTH) && !head.headers.contains_key(TRANSFER_ENCODING) {
            return Ok(answer::empty(StatusCode::LENGTH_REQUIRED));
        }
        let body = match self.gather(body).await {
            Ok(body) => body,
            Err(status) => return Ok(answer::last(status)),
        };
        self.log(sequence, |entry| entry.request_body = body.len());
        let exchange = Exchange { sequence, misbehaviour: None, token: None, clear: false };
        match Presented::read(&head.headers) {
            Presented::Nothing if is_identify(&head.headers) => self.identify(exchange, &body).await,
            Presented::Nothing => self.without_token(state, exchange, &head.headers, body).await,
            Presented::Token(token) => self.with_token(state, exchange, &head.headers, &token, body).await,
            Presented::Basic(user, password) if self.shared.basic => {
                let answer =
                    self.with_password(state, exchange, &head.headers, (&user, &password), body).await;
                // Every request brings its own.
                state.authentication = Authentication::Nobody;
                answer
            }
            Presented::Certificate if self.certificate_user.is_some() => {
                let answer = self.with_certificate(state, exchange, &head.headers, body).await;
                state.authentication = Authentication::Nobody;
                answer
            }
            Presented::Basic(..) | Presented::Certificate | Presented::Unusable => {
                state.authentication = Authentication::Nobody;
                Ok(self.unauthorized())
            }
        }
    }

    /// Reads the body whole, up to what any envelope may need.
    async fn gather(&self, mut body: Incoming) -> Result<BytesMut, StatusCode> {
        let envelope = self.shared.operations.limits.max_envelope_size;
        let most = match self.shared.oversize {
            OversizeReply::Status => envelope,
            // To see what the envelope is about it has to be read.
            OversizeReply::Fault => envelope.saturating_mul(2),
        };
        let most = most.saturating_add(FRAMING);
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > MAX_DISCARD {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let mut gathered = BytesMut::with_capacity(announced.min(most));
        let mut total = 0_usize;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
            total = total.saturating_add(data.len());
            if total <= most {
                gathered.extend_from_slice(&data);
            } else if total > MAX_DISCARD {
                break;
            }
        }
        if total > most { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(gathered) }
    }

    /// Identify without log-on, in clear.
    async fn identify(&self, mut exchange: Exchange, body: &[u8]) -> Answer {
        let occasion = Occasion { first_token: false, last_token: false, envelope: 0, action: None };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        if let Some(answer) = self.instead(&exchange).await {
            return answer;
        }
        let Ok(request) = Message::decode(body) else { return Ok(answer::empty(StatusCode::BAD_REQUEST)) };
        if !matches!(request.body, Body::Identify) {
            return Ok(self.unauthorized());
        }
        let caller = Caller { user: None, address: self.address };
        let Ok(answer) = self.shared.operations.answer(caller, request).await else {
            return Ok(answer::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let plaintext = Bytes::copy_from_slice(answer.plaintext());
        self.finish(answer::full(StatusCode::OK, SOAP, plaintext), exchange).await
    }

    /// A request that belongs to whoever is logged on.
    async fn without_token(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        body: BytesMut,
    ) -> Answer {
        let user = state.authentication.user().map(str::to_owned);
        let auth = if user.is_some() { AuthStep::Authenticated } else { AuthStep::None };
        let logged_on = user.is_some();
        self.log(exchange.sequence, |entry| {
            entry.auth = auth;
            entry.user = user;
        });
        let has_envelope = logged_on && !body.is_empty();
        state.envelopes += u64::from(has_envelope);
        let envelope = if has_envelope { state.envelopes } else { 0 };
        let occasion = Occasion { first_token: false, last_token: false, envelope, action: None };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        if let Some(Misbehaviour::ForgetContext(_)) = exchange.misbehaviour {
            state.authentication = Authentication::Nobody;
        }
        if !logged_on {
            if let Some(answer) = self.instead(&exchange).await {
                return answer;
            }
            return Ok(self.unauthorized());
        }
        self.envelope(state, exchange, headers, body).await
    }

    /// A request that brings user and password.
    async fn with_password(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        (user, password): (&str, &str),
        body: BytesMut,
    ) -> Answer {
        let known = self.shared.accounts.knows(user, password);
        self.log(exchange.sequence, |entry| {
            entry.auth = AuthStep::Basic;
            entry.user = known.then(|| user.to_owned());
        });
        let failure = (!known).then(|| "wrong user or password".to_owned());
        self.shared.journal().logon(Logon { connection: self.number, user: user.to_owned(), failure });
        let has_envelope = known && !body.is_empty();
        state.envelopes += u64::from(has_envelope);
        let envelope = if has_envelope { state.envelopes } else { 0 };
        let occasion = Occasion { first_token: false, last_token: false, envelope, action: None };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        if !known {
            tracing::info!(connection = self.number, user, "log-on refused");
            return Ok(self.unauthorized());
        }
        state.authentication = Authentication::Basic(user.to_owned());
        self.envelope(state, exchange, headers, body).await
    }

    /// A request of whose certificate opened the channel.
    async fn with_certificate(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        body: BytesMut,
    ) -> Answer {
        let user = self.certificate_user.clone().unwrap_or_default();
        self.log(exchange.sequence, |entry| {
            entry.auth = AuthStep::Certificate;
            entry.user = Some(user.clone());
        });
        let has_envelope = !body.is_empty();
        state.envelopes += u64::from(has_envelope);
        let envelope = if has_envelope { state.envelopes } else { 0 };
        let occasion = Occasion { first_token: false, last_token: false, envelope, action: None };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        state.authentication = Authentication::Certificate(user);
        self.envelope(state, exchange, headers, body).await
    }

    /// Tells the client to log on.
    pub(crate) fn unauthorized(&self) -> Response<AnswerBody> {
        answer::unauthorized(self.shared.basic)
    }

    /// A request that brings a token, and perhaps an envelope with the last one.
    async fn with_token(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        token: &[u8],
        body: BytesMut,
    ) -> Answer {
        let number = state.authentication.number(token);
        self.log(exchange.sequence, |entry| entry.auth = AuthStep::Token(number));
        let combined = number > 1 && !body.is_empty();
        state.envelopes += u64::from(combined);
        let occasion = Occasion {
            first_token: number == 1,
            last_token: number > 1,
            envelope: if combined { state.envelopes } else { 0 },
            action: None,
        };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        if let Some(answer) = self.instead(&exchange).await {
            // The token was not even looked at, and its log-on is void.
            state.authentication = Authentication::Nobody;
            return answer;
        }
        match state.authentication.step(token, &self.shared.accounts, self.shared.ntlm()) {
            Judgement::Continue(mut token) => {
                tamper::token(&mut token, exchange.misbehaviour.as_ref());
                let mut answer = self.unauthorized();
                authenticate(&mut answer, &token);
                self.finish(answer, exchange).await
            }
            Judgement::Accepted(token) => {
                let user = state.authentication.user().unwrap_or_default().to_owned();
                tracing::debug!(connection = self.number, user, "logged on");
                self.shared.journal().logon(Logon {
                    connection: self.number,
                    user: user.clone(),
                    failure: None,
                });
                self.log(exchange.sequence, |entry| entry.user = Some(user));
                exchange.token = token.filter(|_| exchange.misbehaviour != Some(Misbehaviour::OmitLastToken));
                if let Some(token) = &mut exchange.token {
                    tamper::token(token, exchange.misbehaviour.as_ref());
                }
                if body.is_empty() {
                    return self.finish(answer::empty(StatusCode::OK), exchange).await;
                }
                self.envelope(state, exchange, headers, body).await
            }
            Judgement::Refused(failure) => {
                let error = chain(&failure.error);
                tracing::info!(connection = self.number, user = failure.user, error, "log-on refused");
                // Whoever sent but one token has not tried a password yet.
                if number > 1 {
                    self.shared.journal().logon(Logon {
                        connection: self.number,
                        user: failure.user,
                        failure: Some(error),
                    });
                }
                Ok(self.unauthorized())
            }
        }
    }

    /// The answer in place of the proper one, where a misbehaviour says so before or instead of doing anything.
    pub(crate) async fn instead(&self, exchange: &Exchange) -> Option<Answer> {
        match exchange.misbehaviour.as_ref()? {
            Misbehaviour::Status(code) | Misbehaviour::ForgetContext(code) => {
                Some(Ok(if *code == 401 { self.unauthorized() } else { answer::status(*code) }))
            }
            Misbehaviour::Html(code) => {
                let page = Bytes::from_static(
                    b"<html><head><title>Sign in</title></head><body><p>Proxy</body></html>",
                );
                let status = answer::status(*code).status();
                Some(Ok(answer::full(status, "text/html; charset=utf-8", page)))
            }
            Misbehaviour::ClearFault(code) => {
                let fault = Fault::access_denied(COMPUTER_NAME);
                self.log(exchange.sequence, |entry| entry.fault = fault.wsman_code());
                let status = answer::status(*code);
                let Ok(envelope) = Message::fault(&Header::default(), fault).encode() else {
                    return Some(Ok(status));
                };
                Some(Ok(answer::full(status.status(), SOAP, envelope.into())))
            }
            Misbehaviour::CloseBefore => Some(Err(Hangup)),
            Misbehaviour::Stall => match std::future::pending::<Infallible>().await {},
            _ => None,
        }
    }

    /// Adds the last token, and spoils the way the answer is sent.
    pub(crate) async fn finish(&self, mut answer: Response<AnswerBody>, exchange: Exchange) -> Answer {
        if let Some(token) = &exchange.token {
            authenticate(&mut answer, token);
        }
        match exchange.misbehaviour {
            Some(Misbehaviour::CloseAfter) => return Err(Hangup),
            Some(Misbehaviour::Delay(time)) => tokio::time::sleep(time).await,
            Some(Misbehaviour::Truncate(len)) => answer::cut(&mut answer, len, Then::Hangup),
            Some(Misbehaviour::StallInBody(len)) => answer::cut(&mut answer, len, Then::Nothing),
            _ => {}
        }
        Ok(answer)
    }

    pub(crate) fn log(&self, sequence: u64, change: impl FnOnce(&mut LogEntry)) {
        self.shared.journal().update(sequence, change);
    }
}

fn is_identify(headers: &HeaderMap) -> bool {
    headers.get(WSMANIDENTIFY).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"unauthenticated"))
}

fn authenticate(answer: &mut Response<AnswerBody>, token: &[u8]) {
    if let Ok(value) = HeaderValue::try_from(challenge(token)) {
        answer.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
