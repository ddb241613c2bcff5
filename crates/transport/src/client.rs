//! WS-Management over authenticated connections.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::runtime::Handle;
use tokio::sync::watch;
use winrm_wsman::{Body, Header, IdentifyResponse, Message, XsDuration, encrypted};

use crate::auth::Security;
use crate::config::{ClientBuilder, Config};
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::{Error, ErrorKind, Step};
use crate::pool::{Lane, MayLogOn, Pool};
use crate::session::{self, Failure, Retry, Session};

/// How long [`Client::close`] waits for what is outstanding.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// A WinRM endpoint, with authenticated connections opened on demand and used again.
///
/// Cheap to clone; clones share the connections. A request is sent once: it is repeated on a new connection only
/// where the server has surely not taken it.
///
/// ```no_run
/// use winrm_transport::{Client, Credentials};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder("web01.example.com")?
///     .credentials(Credentials::password("EXAMPLE\\ops", "secret"))
///     .build()?;
/// println!("{:?}", client.identify().await?.product_version);
/// client.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    pool: Pool,
    /// How much work is under way that its starter does not wait for: clean-up, mostly.
    outstanding: watch::Sender<usize>,
    /// Set by the first [`Client::close`].
    closing: watch::Sender<bool>,
    /// The runtime of the first request.
    runtime: OnceLock<Handle>,
}

impl Client {
    /// A builder for `host`, `host:port` or an URL; see [`Endpoint`].
    ///
    /// # Errors
    /// [`EndpointError`] for anything else.
    pub fn builder(target: impl AsRef<str>) -> Result<ClientBuilder, EndpointError> {
        ClientBuilder::new(target)
    }

    pub(crate) fn new(config: Config) -> Self {
        let pool = Pool::new(config.max_connections);
        let inner = Inner {
            config,
            pool,
            outstanding: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            runtime: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.config.endpoint
    }

    /// How long the service may hold a request.
    pub fn operation_timeout(&self) -> Duration {
        self.inner.config.operation_timeout
    }

    /// What the last log-on negotiated; `None` before the first.
    pub fn security(&self) -> Option<Security> {
        self.inner.pool.security()
    }

    /// The header of a request for this endpoint: addressing, a new MessageID, MaxEnvelopeSize, OperationTimeout and
    /// locales (MS-WSMV 3.1.4.1).
    pub fn header(&self, resource_uri: &str, action: &str) -> Header {
        let config = &self.inner.config;
        Header {
            max_envelope_size: Some(config.max_envelope_size),
            operation_timeout: XsDuration::try_from(config.operation_timeout).ok(),
            locale: Some("en-US".to_owned()),
            data_locale: Some("en-US".to_owned()),
            ..Header::request(config.endpoint.to_string(), resource_uri, action)
        }
    }

    /// Asks the service who it is (DSP0226 section 11). With log-on, so it tells its operating system's version.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn identify(&self) -> Result<IdentifyResponse, Error> {
        let answer = self.request(Message::new(Header::default(), Body::Identify)).await?;
        match answer.body {
            Body::IdentifyResponse(response) => Ok(response),
            _ => Err(self.unexpected(&answer.header)),
        }
    }

    /// The error for an answer that is well-formed but not what the request asks for.
    pub fn unexpected(&self, answer: &Header) -> Error {
        let action = answer.action().to_owned();
        Error::new(self.endpoint(), Step::Exchange, ErrorKind::UnexpectedAnswer { action })
    }

    /// Sends a request and returns its answer. A fault is an error, with the fault in [`Error::fault`].
    ///
    /// Dropping the future drops the connection that carries the exchange; the server may still have taken the
    /// request.
    ///
    /// # Errors
    /// See [`ErrorKind`]; [`Error::is_outcome_unknown`] tells whether the server may have acted.
    pub async fn request(&self, message: Message) -> Result<Message, Error> {
        let config = &self.inner.config;
        let started = Instant::now();
        if let Ok(runtime) = Handle::try_current() {
            self.inner.runtime.get_or_init(|| runtime);
        }
        let result = self.attempt(&message).await;
        tracing::debug!(
            endpoint = %config.endpoint,
            action = message.header.action(),
            milliseconds = started.elapsed().as_millis(),
            error = result.as_ref().err().map(tracing::field::display),
            "exchange"
        );
        let document = result?;
        let fail = |kind| Error::new(&config.endpoint, Step::Exchange, kind);
        let answer = Message::decode(&document).map_err(|error| fail(ErrorKind::Decode(error)))?;
        // Identify has no MessageID to relate to. Faults that WMI makes come without RelatesTo; the sealed connection,
        // which carries one exchange at a time, binds them.
        let needs_relation = message.header.message_id.is_some()
            && !(matches!(answer.body, Body::Fault(_)) && answer.header.relates_to.is_none());
        if needs_relation && !answer.header.relates_to(&message.header) {
            return Err(fail(ErrorKind::WrongRelatesTo {
                expected: message.header.message_id.unwrap_or_default(),
                found: answer.header.relates_to.unwrap_or_default(),
            }));
        }
        match answer.body {
            Body::Fault(fault) => Err(fail(ErrorKind::Fault(fault))),
            _ => Ok(answer),
        }
    }

    /// One exchange, and another only where the server has surely not taken the first.
    async fn attempt(&self, message: &Message) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = &*self.inner;
        let fail = |step, kind| Error::new(&config.endpoint, step, kind);
        let turn = pool.turn(Lane::of(&message.body)).await;
        let _turn = turn.ok_or_else(|| fail(Step::Exchange, ErrorKind::Closed))?;
        if let Some(mut session) = pool.take() {
            match session.exchange(config, self.encode(message)?, config.read_deadline()).await {
                Ok(answer) => {
                    pool.put(session);
                    return Ok(answer);
                }
                Err(Failure { retry: Retry::Reauthenticate, error }) => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "logging on again");
                }
                Err(Failure { error, .. }) => {
                    if let ErrorKind::CredentialsRefused { .. } = error.kind() {
                        pool.refused();
                    }
                    return Err(error);
                }
            }
        }
        // Held until the log-on is judged, which it is with the first exchange.
        let may_log_on = pool.may_log_on().await;
        if matches!(may_log_on, MayLogOn::Refused) {
            let user = session::user_name(config);
            return Err(fail(Step::Authenticate, ErrorKind::CredentialsRefused { user }));
        }
        let result = self.log_on_and_exchange(message).await;
        if let Err(ErrorKind::CredentialsRefused { .. }) = result.as_ref().map_err(Error::kind) {
            pool.refused();
        }
        result
    }

    /// An exchange on a new connection; on a second one where the server wants AUTHENTICATE without a body.
    async fn log_on_and_exchange(&self, message: &Message) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = &*self.inner;
        let mut empty_form = pool.wants_empty_form();
        loop {
            let mut session = Session::open(config, empty_form).await?;
            match session.exchange(config, self.encode(message)?, config.read_deadline()).await {
                Ok(answer) => {
                    pool.negotiated(session.security(), empty_form);
                    pool.put(session);
                    return Ok(answer);
                }
                // Comes from the combined form only, so at most once.
                Err(Failure { retry: Retry::EmptyForm, error }) if !empty_form => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "trying AUTHENTICATE without a body");
                    empty_form = true;
                }
                Err(Failure { error, .. }) => return Err(error),
            }
        }
    }

    fn encode(&self, message: &Message) -> Result<BytesMut, Error> {
        let mut envelope = encrypted::buffer(message.encoded_len());
        message.encode_into(&mut envelope).map_err(|error| {
            Error::new(self.endpoint(), Step::Exchange, ErrorKind::Encode(Box::new(error)))
        })?;
        Ok(envelope)
    }

    /// Runs `work` behind the caller's back, while the runtime lives; [`close`](Self::close) waits for it.
    ///
    /// It runs on the runtime that this is called on, else on the one that made the first request. Without either there
    /// is nobody to run it: it is dropped, and `false` returned.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let current = Handle::try_current().ok();
        let Some(runtime) = current.or_else(|| self.inner.runtime.get().cloned()) else { return false };
        let outstanding = Outstanding::new(&self.inner);
        // Dropped with the work, also when the runtime drops that unfinished.
        runtime.spawn(async move {
            work.await;
            drop(outstanding);
        });
        true
    }

    /// Ends once somebody calls [`close`](Self::close): what runs in the background without an end of its own shall
    /// clean up then.
    pub async fn closing(&self) {
        // The sender lives as long as `self`.
        drop(self.inner.closing.subscribe().wait_for(|closing| *closing).await);
    }

    /// Ends running processes, waits for outstanding clean-up, 10 s at most, and closes the connections. Clones are
    /// closed with it.
    pub async fn close(&self) {
        self.inner.closing.send_replace(true);
        let mut outstanding = self.inner.outstanding.subscribe();
        // What is waited for may itself leave more to wait for: the count tells.
        if tokio::time::timeout(CLOSE_DEADLINE, outstanding.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!(endpoint = %self.endpoint(), "clean-up did not finish in time");
        }
        self.inner.pool.close();
    }
}

/// One piece of background work, counted while it is there.
struct Outstanding(Arc<Inner>);

impl Outstanding {
    fn new(inner: &Arc<Inner>) -> Self {
        inner.outstanding.send_modify(|count| *count += 1);
        Self(Arc::clone(inner))
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        self.0.outstanding.send_modify(|count| *count -= 1);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
