//! Sealed envelopes: opened, answered, sealed again.

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use winrm_wsman::encrypted::{self, Layout};
use winrm_wsman::{Body, EncodeError, Fault, Header, Message};

use crate::answer::{self, AnswerBody, SOAP};
use crate::authentication::Authentication;
use crate::config::{COMPUTER_NAME, OversizeReply};
use crate::connection::{Answer, Connection, Exchange, State, chain};
use crate::misbehaviour::{Misbehaviour, Occasion};
use crate::operations::{self, Caller};
use crate::tamper;

/// Bytes of the options of one request in the log.
const MAX_LOGGED_OPTIONS: usize = 4096;

impl Connection {
    /// Opens the body of a request of somebody who is logged on, and answers it.
    pub(crate) async fn envelope(
        &self,
        state: &mut State,
        mut exchange: Exchange,
        headers: &HeaderMap,
        body: BytesMut,
    ) -> Answer {
        if self.shared.clear_text && is_soap(headers) && state.authentication.user().is_some() {
            exchange.clear = true;
            return self.opened(state, exchange, &body).await;
        }
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
        let opened = match state.authentication.context() {
            Some(context) => {
                encrypted::open(content_type(headers).unwrap_or_default(), body, |header, sealed| {
                    context.unwrap(header, sealed)
                })
                .inspect_err(|error| {
                    tracing::info!(connection = self.number, error = chain(error), "sealed body refused");
                })
            }
            // The context was forgotten on purpose.
            None => return self.instead(&exchange).await.unwrap_or_else(|| Ok(self.unauthorized())),
        };
        let Ok(plaintext) = opened else {
            // The keystreams of the two sides are no longer in step.
            state.authentication = Authentication::Nobody;
            return Ok(answer::empty(StatusCode::BAD_REQUEST));
        };
        self.log(exchange.sequence, |entry| entry.sealed = true);
        self.opened(state, exchange, &plaintext).await
    }

    /// Answers an envelope that has been opened, or came in clear.
    async fn opened(&self, state: &mut State, mut exchange: Exchange, plaintext: &[u8]) -> Answer {
        let limit = self.shared.operations.limits.max_envelope_size;
        if plaintext.len() > limit && self.shared.oversize == OversizeReply::Status {
            return self.finish(answer::empty(StatusCode::PAYLOAD_TOO_LARGE), exchange).await;
        }
        let (header, message) = self.message(state, &mut exchange, plaintext, limit).await;
        if let Some(Misbehaviour::ForgetContext(_)) = exchange.misbehaviour {
            state.authentication = Authentication::Nobody;
        }
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
            entry.options = options(&request.header);
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
                let user = state.authentication.user().map(str::to_owned);
                let caller = Caller { user: user.as_deref(), address: self.address };
                self.shared.operations.answer(caller, request).await
            }
        };
        let sent = match &exchange.misbehaviour {
            Some(Misbehaviour::Fault(_)) | None => true,
            Some(misbehaviour) => !misbehaviour.prevents(),
        };
        if let Ok(answer) = &answer
            && sent
        {
            let code = answer.message.as_fault().and_then(Fault::wsman_code);
            self.log(exchange.sequence, |entry| entry.fault = code);
        }
        (header, answer)
    }

    /// Seals an answer, unless its request came in clear.
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
        if exchange.clear || misbehaviour == Some(&Misbehaviour::Unsealed) {
            let plaintext = Bytes::from(buffer).slice(encrypted::HEADROOM..);
            return answer::full(status, SOAP, plaintext);
        }
        let Some(context) = state.authentication.context() else { return self.unauthorized() };
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
}

/// Whether the body is an envelope in clear.
fn is_soap(headers: &HeaderMap) -> bool {
    let media_type = content_type(headers).and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/soap+xml")
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// What the log keeps of the options: a client must not fill it with them.
fn options(header: &Header) -> Vec<(String, String)> {
    let size: usize = header.options.iter().map(|option| option.name.len() + option.value.len()).sum();
    if size > MAX_LOGGED_OPTIONS {
        return Vec::new();
    }
    header.options.iter().map(|option| (option.name.clone(), option.value.clone())).collect()
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
