//! Which connection an exchange goes over, and when it goes again.

use std::sync::atomic::Ordering;

use bytes::BytesMut;
use tokio::time::Instant;
use winrm_wsman::{Header, Message, encrypted};

use crate::client::{Client, Inner};
use crate::error::{Error, ErrorKind, Step};
use crate::log_on_guard::MayLogOn;
use crate::pool::Lane;
use crate::retry::{self, Repeat};
use crate::session::{self, Failure, Retry, Session};

impl Client {
    /// The answer's envelope, after further attempts where these cannot hurt.
    pub(crate) async fn dispatch(&self, message: &Message) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = self.inner();
        let robust = robust_resource(&message.header).is_some_and(|resource| pool.is_robust(resource));
        let repeat = Repeat::of(message, robust);
        let mut marked: Option<Message> = None;
        let started = Instant::now();
        let mut made = 0_u32;
        loop {
            let error = match self.attempt(marked.as_ref().unwrap_or(message)).await {
                Ok(envelope) => {
                    finished(made.saturating_add(1), started);
                    tracing::debug!("answered");
                    return Ok(envelope);
                }
                Err(error) => error,
            };
            made = made.saturating_add(1);
            let proved = pool.has_logged_on();
            // A client that has logged on before knows that log-ons work here: one that breaks off is worth another.
            let again = repeat.allows(&error, proved) || (proved && retry::is_before_log_on(&error));
            let pause = config.retry.pause(made, started.elapsed(), retry::random());
            let Some(pause) = pause.filter(|_| again) else {
                finished(made, started);
                tracing::debug!(%error, "failed");
                return Err(error);
            };
            tracing::debug!(
                made,
                milliseconds = pause.as_millis(),
                %error,
                "trying again after a pause"
            );
            tokio::time::sleep(pause).await;
            if repeat == Repeat::Robust && error.is_outcome_unknown() && marked.is_none() {
                let mut again = message.clone();
                again.header.retransmission = true;
                marked = Some(again);
            }
        }
    }

    /// Remembers that the server keeps answers, which it shows by repeating OperationID (MS-WSMV 3.1.4.1.39).
    pub(crate) fn note_echo(&self, request: &Header, answer: &Header) {
        let Some(resource) = robust_resource(request) else { return };
        let same = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            _ => false,
        };
        if same(&request.operation_id, &answer.operation_id) {
            self.inner().pool.keeps_answers(resource);
        }
    }

    /// One exchange, and another only where the server has surely not taken the first.
    async fn attempt(&self, message: &Message) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = self.inner();
        let fail = |step, kind| Error::new(&config.endpoint, step, kind);
        let turn = pool.turn(Lane::of(&message.body)).await;
        let _turn = turn.ok_or_else(|| fail(Step::Exchange, ErrorKind::Closed))?;
        if let Some(mut session) = pool.take() {
            match self.exchange_on(&mut session, message, "reused").await {
                Ok(answer) => {
                    pool.put(session);
                    return Ok(answer);
                }
                Err(Failure { retry: Retry::Reauthenticate, error }) => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "logging on again");
                }
                Err(Failure { error, .. }) => {
                    if error.is_logon_refused() {
                        config.log_on_guard.refused(&config.endpoint.authority());
                    }
                    return Err(error);
                }
            }
        }
        if let Some(host) = config.log_on_guard.refused_by() {
            return Err(self.withheld(host));
        }
        // Apart: it is large, and most exchanges do without.
        Box::pin(self.log_on_and_exchange(message)).await
    }

    /// An exchange on a new connection; on a second one where the server wants AUTHENTICATE without a body.
    async fn log_on_and_exchange(&self, message: &Message) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = self.inner();
        let mut empty_form = pool.wants_empty_form();
        loop {
            // Before it is our turn to log on: hosts that do not answer hold nobody up.
            let mut session = Session::open(config).await?;
            // Held until the log-on is judged, which it is with the first exchange.
            let may_log_on = config.log_on_guard.may_log_on().await;
            if let MayLogOn::Refused(host) = may_log_on {
                return Err(self.withheld(host));
            }
            let exchanged = if empty_form {
                match session.authenticate_alone(config).await {
                    Ok(()) => self.exchange_on(&mut session, message, "new").await,
                    Err(error) => Err(error.into()),
                }
            } else {
                self.exchange_on(&mut session, message, "new").await
            };
            match exchanged {
                Ok(answer) => {
                    config.log_on_guard.proved();
                    pool.negotiated(&session, empty_form);
                    pool.put(session);
                    return Ok(answer);
                }
                // Comes from the combined form only, so at most once; and not where that has worked before, for then the service
                // may well have acted on it.
                Err(Failure { retry: Retry::EmptyForm, error }) if !empty_form && !pool.has_logged_on() => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "trying AUTHENTICATE without a body");
                    empty_form = true;
                }
                Err(Failure { error, .. }) => {
                    if error.is_logon_refused() {
                        config.log_on_guard.refused(&config.endpoint.authority());
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The error for credentials that `host` refused.
    fn withheld(&self, host: &str) -> Error {
        let user = session::user_name(&self.inner().config);
        let kind = if host == self.endpoint().authority() {
            ErrorKind::CredentialsRefused { user }
        } else {
            ErrorKind::LogOnWithheld { user, host: host.to_owned() }
        };
        Error::new(self.endpoint(), Step::Authenticate, kind)
    }

    /// One exchange on one connection.
    async fn exchange_on(
        &self,
        session: &mut Session,
        message: &Message,
        connection: &'static str,
    ) -> Result<BytesMut, Failure> {
        let Inner { config, exchanges, .. } = self.inner();
        let envelope = self.encode(message)?;
        let number = exchanges.fetch_add(1, Ordering::Relaxed) + 1;
        let plain = envelope.get(encrypted::HEADROOM..).unwrap_or_default();
        tracing::Span::current().record("connection", connection).record("request_bytes", plain.len());
        if let Some(tracer) = &config.tracer {
            tracer.envelope(&config.endpoint, true, number, plain);
        }
        let answer = session.exchange(config, envelope, config.read_deadline()).await?;
        tracing::Span::current().record("response_bytes", answer.len());
        if let Some(tracer) = &config.tracer {
            tracer.envelope(&config.endpoint, false, number, &answer);
        }
        Ok(answer)
    }

    fn encode(&self, message: &Message) -> Result<BytesMut, Error> {
        let mut envelope = encrypted::buffer(message.encoded_len());
        message.encode_into(&mut envelope).map_err(|error| {
            Error::new(self.endpoint(), Step::Exchange, ErrorKind::Encode(Box::new(error)))
        })?;
        Ok(envelope)
    }
}

/// Completes the span of an exchange.
fn finished(attempts: u32, started: Instant) {
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::Span::current().record("attempts", attempts).record("milliseconds", milliseconds);
}

/// The resource of a request that asks for a robust connection. Never the one of remote processes: their services keep
/// no answers, whatever they echo.
fn robust_resource(header: &Header) -> Option<&str> {
    header.operation_id.as_ref()?;
    header.sequence_id?;
    header.resource_uri.as_deref().filter(|uri| !uri.eq_ignore_ascii_case(winrm_wsman::uri::RESOURCE_URI_CMD))
}
