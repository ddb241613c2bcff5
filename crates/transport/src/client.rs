//! WS-Management over authenticated connections.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tokio::task::JoinHandle;
use winrm_wsman::{Body, Header, IdentifyResponse, Message, XsDuration, encrypted};

use crate::auth::Security;
use crate::config::{ClientBuilder, Config};
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::{Error, ErrorKind, Step};
use crate::pool::{Lane, Pool};
use crate::session::{Failure, Retry, Session};

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
    /// Work that its starter did not wait for: clean-up, mostly.
    background: Mutex<Vec<JoinHandle<()>>>,
}

impl Client {
    /// A builder for `host`, `host:port` or an URL; see [`Endpoint`].
    ///
    /// # Errors
    /// [`EndpointError`] for anything else.
    pub fn builder(target: &str) -> Result<ClientBuilder, EndpointError> {
        ClientBuilder::new(target)
    }

    pub(crate) fn new(config: Config) -> Self {
        let pool = Pool::new(config.max_connections);
        Self { inner: Arc::new(Inner { config, pool, background: Mutex::default() }) }
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
        let lane = if matches!(message.body, Body::Receive(_)) { Lane::Poll } else { Lane::Control };
        let result = self.attempt(&message, lane).await;
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
        // Identify has no MessageID to relate to.
        if message.header.message_id.is_some() && !answer.header.relates_to(&message.header) {
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
    async fn attempt(&self, message: &Message, lane: Lane) -> Result<BytesMut, Error> {
        let Inner { config, pool, .. } = &*self.inner;
        let closed = || Error::new(&config.endpoint, Step::Exchange, ErrorKind::Closed);
        let _turn = pool.turn(lane).await.ok_or_else(closed)?;
        let mut session = pool.take();
        let mut empty_form = pool.wants_empty_form();
        loop {
            let reused = session.is_some();
            let mut current = match session.take() {
                Some(session) => session,
                None => Session::open(config, empty_form).await?,
            };
            match current.exchange(config, self.encode(message)?, config.read_deadline()).await {
                Ok(answer) => {
                    if !reused {
                        pool.negotiated(current.security(), empty_form);
                    }
                    pool.put(current);
                    return Ok(answer);
                }
                // Comes from the combined form only, so at most once.
                Err(Failure { retry: Retry::EmptyForm, error }) => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "trying AUTHENTICATE without a body");
                    empty_form = true;
                }
                Err(Failure { retry: Retry::Reauthenticate, error }) if reused => {
                    tracing::debug!(endpoint = %config.endpoint, %error, "logging on again");
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
    /// Outside of a runtime there is nobody to run it: it is dropped, and `false` returned.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return false };
        // Not under the lock: a runtime that is shutting down drops `work` at once, and with it perhaps the last
        // handle of something that spawns its own clean-up.
        let task = runtime.spawn(work);
        let mut background = self.background();
        background.retain(|task| !task.is_finished());
        background.push(task);
        true
    }

    fn background(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.inner.background.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for outstanding clean-up, 10 s at most, and closes the connections. Clones are closed with it.
    pub async fn close(&self) {
        let finish = async {
            // What is waited for may itself leave more to wait for.
            loop {
                let Some(task) = self.background().pop() else { break };
                // A panic in it has been reported by the runtime.
                drop(task.await);
            }
        };
        if tokio::time::timeout(CLOSE_DEADLINE, finish).await.is_err() {
            tracing::warn!(endpoint = %self.endpoint(), "clean-up did not finish in time");
        }
        self.inner.pool.close();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
