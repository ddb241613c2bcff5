//! One TCP connection: its log-on, its requests one after the other.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::Mutex;
use winrm_wsman::encrypted::{self, Layout};
use winrm_wsman::{Body, EncodeError, Fault, Header, Message};

use crate::answer::{self, AnswerBody, Hangup, SOAP, Then};
use crate::authentication::{Authentication, Judgement, Presented, challenge};
use crate::config::{COMPUTER_NAME, OversizeReply};
use crate::log::{AuthStep, LogEntry, Logon};
use crate::misbehaviour::{Misbehaviour, Occasion};
use crate::operations::{self, Caller};
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
type Answer = Result<Response<AnswerBody>, Hangup>;

/// One connection.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) number: u64,
    pub(crate) address: IpAddr,
    pub(crate) heads: Arc<Heads>,
    pub(crate) state: Mutex<State>,
}

/// What a connection remembers between requests.
#[derive(Default)]
pub(crate) struct State {
    authentication: Authentication,
    /// Requests with an envelope so far.
    envelopes: u64,
}

/// A request on its way to its answer.
struct Exchange {
    sequence: u64,
    misbehaviour: Option<Misbehaviour>,
    /// To go with the answer.
    token: Option<Vec<u8>>,
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
        let exchange = Exchange { sequence, misbehaviour: None, token: None };
        match Presented::read(&head.headers) {
            Presented::Nothing if is_identify(&head.headers) => self.identify(exchange, &body).await,
            Presented::Nothing => self.without_token(state, exchange, &head.headers, body).await,
            Presented::Token(token) => self.with_token(state, exchange, &head.headers, &token, body).await,
            Presented::Unusable => {
                state.authentication = Authentication::Nobody;
                Ok(answer::unauthorized())
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
            return Ok(answer::unauthorized());
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
        let user = state.authentication.established().map(|(_, user)| user.to_owned());
        let auth = if user.is_some() { AuthStep::Authenticated } else { AuthStep::None };
        let logged_on = user.is_some();
        self.log(exchange.sequence, |entry| {
            entry.auth = auth;
            entry.user = user;
        });
        state.envelopes += u64::from(logged_on);
        let envelope = if logged_on { state.envelopes } else { 0 };
        let occasion = Occasion { first_token: false, last_token: false, envelope, action: None };
        exchange.misbehaviour = self.shared.rules().strike(occasion);
        if let Some(Misbehaviour::ForgetContext(_)) = exchange.misbehaviour {
            state.authentication = Authentication::Nobody;
        }
        if !logged_on {
            if let Some(answer) = self.instead(&exchange).await {
                return answer;
            }
            return Ok(answer::unauthorized());
        }
        self.envelope(state, exchange, headers, body).await
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
        match state.authentication.step(token, &self.shared.accounts) {
            Judgement::Continue(mut token) => {
                tamper::token(&mut token, exchange.misbehaviour.as_ref());
                let mut answer = answer::unauthorized();
                authenticate(&mut answer, &token);
                self.finish(answer, exchange).await
            }
            Judgement::Accepted(token) => {
                let user =
                    state.authentication.established().map(|(_, user)| user.to_owned()).unwrap_or_default();
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
                Ok(answer::unauthorized())
            }
        }
    }

    /// Opens the body of a request of somebody who is logged on, and answers it.
    async fn envelope(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        body: BytesMut,
    ) -> Answer {
        let Some(layout) = content_type(headers).and_then(Layout::from_content_type) else {
            if let Some(answer) = self.instead(&exchange).await {
                return answer;
            }
            // What Windows does with AllowUnencrypted=false.
            return self.finish(answer::empty(StatusCode::INTERNAL_SERVER_ERROR), exchange).await;
        };
        if !layout.protocol.eq_ignore_ascii_case(encrypted::PROTOCOL_SPNEGO) {
            return self.finish(answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE), exchange).await;
        }
        let opened = match state.authentication.established() {
            Some((context, _)) => {
                encrypted::open(content_type(headers).unwrap_or_default(), body, |header, sealed| {
                    context.unwrap(header, sealed)
                })
                .inspect_err(|error| {
                    tracing::info!(connection = self.number, error = chain(error), "sealed body refused");
                })
            }
            // The context was forgotten on purpose.
            None => return self.instead(&exchange).await.unwrap_or_else(|| Ok(answer::unauthorized())),
        };
        let Ok(plaintext) = opened else {
            // The keystreams of the two sides are no longer in step.
            state.authentication = Authentication::Nobody;
            return Ok(answer::empty(StatusCode::BAD_REQUEST));
        };
        self.log(exchange.sequence, |entry| entry.sealed = true);
        let limit = self.shared.operations.limits.max_envelope_size;
        if plaintext.len() > limit && self.shared.oversize == OversizeReply::Status {
            return self.finish(answer::empty(StatusCode::PAYLOAD_TOO_LARGE), exchange).await;
        }
        let (header, message) = self.message(state, &mut exchange, &plaintext, limit).await;
        if let Some(answer) = self.instead(&exchange).await {
            return answer;
        }
        let answer = match message {
            Ok(answer) => self.seal(state, &exchange, &header, answer),
            Err(error) => {
                tracing::error!(connection = self.number, error = chain(&error), "answer cannot be written");
                answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        self.finish(answer, exchange).await
    }

    /// Reads the envelope and does what it asks, unless a misbehaviour stands against it.
    async fn message(
        &self,
        state: &mut State,
        exchange: &mut Exchange,
        plaintext: &[u8],
        limit: usize,
    ) -> (Header, Result<operations::Answer, EncodeError>) {
        let fault = |header: &Header, fault| operations::Answer::write(Message::fault(header, fault));
        let request = match Message::decode(plaintext) {
            Ok(request) => request,
            Err(error) => {
                tracing::info!(connection = self.number, error = chain(&error), "envelope refused");
                let validation = Fault::schema_validation(COMPUTER_NAME, &chain(&error));
                self.log(exchange.sequence, |entry| entry.fault = validation.wsman_code());
                let header = Header::default();
                let answer = fault(&header, validation);
                return (header, answer);
            }
        };
        self.log(exchange.sequence, |entry| {
            entry.action.clone_from(&request.header.action);
            entry.command_id = command_id(&request.body);
        });
        if exchange.misbehaviour.is_none() {
            let action = request.header.action.as_deref();
            let occasion = Occasion { first_token: false, last_token: false, envelope: 0, action };
            exchange.misbehaviour = self.shared.rules().strike(occasion);
        }
        let header = request.header.clone();
        let answer = match &exchange.misbehaviour {
            Some(Misbehaviour::Fault(code)) => {
                let text = code.meaning().unwrap_or("a fault that was asked for");
                fault(&header, Fault::internal_error(COMPUTER_NAME, *code, text))
            }
            // What it is does not matter: it is not sent.
            Some(misbehaviour) if misbehaviour.prevents() => {
                fault(&header, Fault::access_denied(COMPUTER_NAME))
            }
            _ if plaintext.len() > limit => {
                let maximum = u32::try_from(limit).unwrap_or(u32::MAX);
                fault(&header, Fault::envelope_too_large(COMPUTER_NAME, maximum))
            }
            _ => {
                let user = state.authentication.established().map(|(_, user)| user.to_owned());
                let caller = Caller { user: user.as_deref(), address: self.address };
                self.shared.operations.answer(caller, request).await
            }
        };
        if let Ok(answer) = &answer {
            let code = answer.message.as_fault().and_then(Fault::wsman_code);
            self.log(exchange.sequence, |entry| entry.fault = code);
        }
        (header, answer)
    }

    /// Seals an answer.
    fn seal(
        &self,
        state: &mut State,
        exchange: &Exchange,
        request: &Header,
        answer: operations::Answer,
    ) -> Response<AnswerBody> {
        let misbehaviour = exchange.misbehaviour.as_ref();
        let max_envelope_size = self.shared.operations.max_envelope_size(request);
        let status = match answer.message.body {
            Body::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::OK,
        };
        let buffer = tamper::plaintext(answer, misbehaviour, max_envelope_size);
        if misbehaviour == Some(&Misbehaviour::Unsealed) {
            let plaintext = Bytes::from(buffer).slice(encrypted::HEADROOM..);
            return answer::full(status, SOAP, plaintext);
        }
        let Some((context, _)) = state.authentication.established() else { return answer::unauthorized() };
        // With TABs before the part headers, as recorded Windows answers; some clients read nothing else.
        let layout = Layout::spnego().indented();
        match encrypted::seal(&layout, buffer, |message| context.wrap(message)) {
            Ok(body) => {
                let body = tamper::sealed_body(body, &layout.content_type(), misbehaviour);
                answer::full(status, &layout.content_type(), body)
            }
            Err(error) => {
                tracing::error!(connection = self.number, error = chain(&error), "answer cannot be sealed");
                answer::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The answer in place of the proper one, where a misbehaviour says so before or instead of doing anything.
    async fn instead(&self, exchange: &Exchange) -> Option<Answer> {
        match exchange.misbehaviour.as_ref()? {
            Misbehaviour::Status(code) | Misbehaviour::ForgetContext(code) => {
                Some(Ok(if *code == 401 { answer::unauthorized() } else { answer::status(*code) }))
            }
            Misbehaviour::Html(code) => {
                let page = Bytes::from_static(
                    b"<html><head><title>Sign in</title></head><body><p>Proxy</body></html>",
                );
                let status = answer::status(*code).status();
                Some(Ok(answer::full(status, "text/html; charset=utf-8", page)))
            }
            Misbehaviour::CloseBefore => Some(Err(Hangup)),
            Misbehaviour::Stall => match std::future::pending::<Infallible>().await {},
            _ => None,
        }
    }

    /// Adds the last token, and spoils the way the answer is sent.
    async fn finish(&self, mut answer: Response<AnswerBody>, exchange: Exchange) -> Answer {
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

    fn log(&self, sequence: u64, change: impl FnOnce(&mut LogEntry)) {
        self.shared.journal().update(sequence, change);
    }
}

fn is_identify(headers: &HeaderMap) -> bool {
    headers.get(WSMANIDENTIFY).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"unauthenticated"))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

fn authenticate(answer: &mut Response<AnswerBody>, token: &[u8]) {
    if let Ok(value) = HeaderValue::try_from(challenge(token)) {
        answer.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
}

fn command_id(body: &Body) -> Option<String> {
    match body {
        Body::Receive(receive) => receive.command_id.clone(),
        Body::Signal(signal) => signal.command_id.clone(),
        Body::Send(send) => send.streams.first()?.command_id.clone(),
        Body::Command(command) => command.command_id.clone(),
        _ => None,
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
