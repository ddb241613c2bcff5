//! WS-Management over authenticated connections.

use std::fmt;
use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument;
use winrm_wsman::{
    Body, FaultCode, Header, IdentifyResponse, Message, ServiceConfig, XsDuration, message_id, uri,
};

use crate::auth::Security;
use crate::config::{ClientBuilder, Config};
use crate::endpoint::{Endpoint, EndpointError};
use crate::error::{Error, ErrorKind, Step};
use crate::limiter::Places;
use crate::pool::Pool;
use crate::request_size::RequestSize;

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

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    /// What the service takes.
    request_size: RequestSize,
    shells: Places,
    commands: Places,
    /// Exchanges begun so far.
    pub(crate) exchanges: AtomicU64,
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
            request_size: RequestSize::default(),
            shells: Places::new(),
            commands: Places::new(),
            exchanges: AtomicU64::new(0),
            outstanding: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            runtime: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.config.endpoint
    }

    /// How long the service may hold a request.
    pub fn operation_timeout(&self) -> Duration {
        self.inner.config.operation_timeout
    }

    /// The longest envelope that the service is believed to take, in bytes: 512 000 at first. When it refuses one for its
    /// size (HTTP 413, faults 2150859025 and the like, see [`Error::is_request_too_large`]) half of that is remembered.
    /// Whoever divides data over requests asks again before each.
    pub fn max_request_size(&self) -> usize {
        self.inner.request_size.get()
    }

    /// Places for shells, bounded by what the service was seen to allow (MaxShellsPerUser).
    pub fn shells(&self) -> &Places {
        &self.inner.shells
    }

    /// Places for commands of all shells, bounded by what the service was seen to allow (MaxConcurrentOperationsPerUser).
    pub fn commands(&self) -> &Places {
        &self.inner.commands
    }

    /// The error of who waits for a place of a client that is closed.
    pub fn closed(&self) -> Error {
        Error::new(self.endpoint(), Step::Exchange, ErrorKind::Closed)
    }

    /// Reads the service's settings (`winrm/config`), and goes by its MaxEnvelopeSizekb from then on. By default only
    /// administrators may: for others it is `None`.
    ///
    /// # Errors
    /// As [`request`](Self::request), but for the refusal of access.
    pub async fn service_config(&self) -> Result<Option<ServiceConfig>, Error> {
        let header = self.header(uri::RESOURCE_URI_CONFIG, uri::ACTION_GET);
        match self.request(Message::new(header, Body::Get)).await {
            Ok(Message { body: Body::GetResponse(resource), .. }) => {
                let config = ServiceConfig::of(&resource);
                let size = config.and_then(|config| config.max_envelope_size_kb);
                if let Some(size) = size.and_then(|size| usize::try_from(size).ok()) {
                    self.inner.request_size.told(size.saturating_mul(1024));
                }
                Ok(config)
            }
            Ok(answer) => Err(self.unexpected(&answer.header)),
            Err(error) if error.fault_code() == Some(FaultCode::ACCESS_DENIED) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the last log-on negotiated; `None` before the first.
    pub fn security(&self) -> Option<Security> {
        self.inner.pool.security()
    }

    /// What the server called itself at the last log-on, in its `Server` header: `Microsoft-HTTPAPI/2.0` for Windows. `None`
    /// before the first, and where it said nothing.
    pub fn server(&self) -> Option<Arc<str>> {
        self.inner.pool.server()
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

    /// As [`header`](Self::header), for a robust connection (MS-WSMV 3.1.4.1.39): with a new OperationID and SequenceId 1.
    ///
    /// Where the service repeats the OperationID in an answer it keeps answers for a while: a request for the same resource
    /// that is cut off is then sent again as it was, within the [`RetryPolicy`](crate::RetryPolicy), and gets the answer
    /// kept for it. Meant for PowerShell and CIM; services of remote processes (`shell/cmd`) keep no answers.
    pub fn robust_header(&self, resource_uri: &str, action: &str) -> Header {
        Header { operation_id: Some(message_id()), sequence_id: Some(1), ..self.header(resource_uri, action) }
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
        if let Ok(runtime) = Handle::try_current() {
            self.inner.runtime.get_or_init(|| runtime);
        }
        let span = exchange_span(&config.endpoint, &message.header);
        let result = self.dispatch(&message).instrument(span).await;
        let document = result.inspect_err(|error| self.learn_size(error, &message))?;
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
        self.note_echo(&message.header, &answer.header);
        match answer.body {
            Body::Fault(fault) => {
                let error = fail(ErrorKind::Fault(fault));
                self.learn_size(&error, &message);
                Err(error)
            }
            _ => Ok(answer),
        }
    }

    /// Remembers that a request was refused for its size.
    fn learn_size(&self, error: &Error, message: &Message) {
        if error.is_request_too_large()
            && let Ok(envelope) = message.encode()
        {
            self.inner.request_size.refused(envelope.len());
            tracing::debug!(
                endpoint = %self.endpoint(),
                refused = envelope.len(),
                believed = self.max_request_size(),
                "request was too large"
            );
        }
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
        self.inner.shells.close();
        self.inner.commands.close();
        let mut outstanding = self.inner.outstanding.subscribe();
        // What is waited for may itself leave more to wait for: the count tells.
        if tokio::time::timeout(CLOSE_DEADLINE, outstanding.wait_for(|count| *count == 0)).await.is_err() {
            tracing::warn!(endpoint = %self.endpoint(), "clean-up did not finish in time");
        }
        self.inner.pool.close();
    }
}

/// One exchange, from its first attempt to its last. What is in the messages stays out.
fn exchange_span(endpoint: &Endpoint, header: &Header) -> tracing::Span {
    let action = header.action().rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("Identify");
    tracing::debug_span!(
        "exchange",
        %endpoint,
        action,
        message_id = header.message_id,
        operation_id = header.operation_id,
        connection = tracing::field::Empty,
        request_bytes = tracing::field::Empty,
        response_bytes = tracing::field::Empty,
        attempts = tracing::field::Empty,
        milliseconds = tracing::field::Empty,
    )
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
