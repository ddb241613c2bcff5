//! The service: listening, accepting, stopping.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use winrm_ntlm::NegotiateFlags;
use winrm_ntlm::server::{self, ChannelBindingPolicy};
use winrm_transport::{Pin, Stream};

use crate::authentication::Directory;
use crate::builder::Builder;
use crate::config::{COMPUTER_NAME, OversizeReply};
use crate::connection::{Connection, State};
use crate::log::{Journal, Log};
use crate::misbehaviour::{Misbehaviour, Rule, Rules, Trigger};
use crate::operations::Operations;
use crate::tls::Tls;
use crate::wire::{Capture, MAX_HEAD, Tap, WireChunk};

/// Headers of a request, at most.
const MAX_HEADERS: usize = 64;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) accounts: Arc<Directory>,
    pub(crate) operations: Arc<Operations>,
    pub(crate) oversize: OversizeReply,
    pub(crate) journal: Mutex<Journal>,
    pub(crate) rules: Mutex<Rules>,
    pub(crate) tls: Option<Tls>,
    pub(crate) require_channel_binding: bool,
    /// Whether Basic is offered.
    pub(crate) basic: bool,
    /// Whether messages may come in clear, as they may inside TLS.
    pub(crate) clear_text: bool,
    pub(crate) capture: Option<Arc<Capture>>,
    /// Connections so far.
    pub(crate) connections: AtomicU64,
}

impl Shared {
    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        // A record is worth no panic of its own.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a log-on by NTLM must be like.
    pub(crate) fn ntlm(&self) -> server::Config {
        let config = server::Config::new(COMPUTER_NAME);
        let Some(tls) = &self.tls else { return config };
        let policy = if self.require_channel_binding {
            ChannelBindingPolicy::Require(tls.bindings)
        } else {
            ChannelBindingPolicy::WhenSent(tls.bindings)
        };
        // TLS protects messages, so that log-ons without signing and sealing are as good.
        config.require(NegotiateFlags::EXTENDED_SESSIONSECURITY).channel_bindings(policy)
    }

    pub(crate) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running service. It stops when this is dropped, and its commands end with it.
pub struct Service {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: JoinHandle<()>,
    /// Connections that did not come over the listener.
    others: Mutex<JoinSet<()>>,
}

impl Service {
    /// Begins a service on a free port of 127.0.0.1.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn start(shared: Shared, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(shared);
        let listener = tokio::spawn(accept(Arc::clone(&shared), listener));
        Ok(Self { shared, address, listener, others: Mutex::default() })
    }

    /// Serves a byte stream that somebody else has opened, in memory for instance, as if it had come over TCP. It ends with
    /// the service.
    pub fn serve_stream(&self, stream: impl Stream + 'static) {
        let number = self.shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let serving = serve(Arc::clone(&self.shared), Box::new(stream), self.address.ip(), number, None);
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        while others.try_join_next().is_some() {}
        others.spawn(serving);
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What clients are told: `http://127.0.0.1:PORT/wsman`, or `https`.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/wsman", self.address)
    }

    /// Its certificate, in DER; `None` without TLS.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.shared.tls.as_ref().map(|tls| tls.certificate.as_slice())
    }

    /// The pin of its certificate, for clients to accept it by.
    pub fn pin(&self) -> Option<Pin> {
        self.certificate().map(Pin::of_certificate)
    }

    /// What happened up to now.
    pub fn log(&self) -> Log {
        self.shared.journal().snapshot()
    }

    /// What crossed the wire up to now, at most 8 MiB of it; empty without
    /// [`Builder::capture_wire`](crate::Builder::capture_wire).
    pub fn wire(&self) -> Vec<WireChunk> {
        self.shared.capture.as_ref().map(|capture| capture.snapshot()).unwrap_or_default()
    }

    /// Shells that are open.
    pub fn open_shells(&self) -> usize {
        self.shared.operations.shells.count()
    }

    /// Commands that run.
    pub fn running_commands(&self) -> usize {
        self.shared.operations.shells.running()
    }

    /// From now on does this wrong, every time. Rules are looked at in the order they were given.
    pub fn misbehave(&self, trigger: Trigger, misbehaviour: Misbehaviour) {
        self.shared.rules().add(Rule { trigger, misbehaviour, times: None });
    }

    /// From now on does this wrong, so many times.
    pub fn misbehave_times(&self, trigger: Trigger, times: u64, misbehaviour: Misbehaviour) {
        if times > 0 {
            self.shared.rules().add(Rule { trigger, misbehaviour, times: Some(times) });
        }
    }

    /// From now on does everything right.
    pub fn behave(&self) {
        self.shared.rules().clear();
    }

    /// Closes all connections and shells, frees the port, and returns once all commands have ended, five seconds later at
    /// most.
    pub async fn shutdown(mut self) {
        self.listener.abort();
        // An error is the abort itself.
        let _ = (&mut self.listener).await;
        self.others.get_mut().unwrap_or_else(PoisonError::into_inner).abort_all();
        let shells = &self.shared.operations.shells;
        shells.close_all();
        if tokio::time::timeout(SHUTDOWN, shells.handlers_gone()).await.is_err() {
            tracing::warn!("a command's handler does not end");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Connections are aborted with the task that owns them.
        self.listener.abort();
        self.shared.operations.shells.close_all();
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A handler that does not let itself be dropped, because it blocks its thread, is not waited for longer than this.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Accepts connections until it is aborted.
async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(shared.operations.limits.max_connections));
    let mut connections = JoinSet::new();
    loop {
        // Reaped as they end, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // For instance no file descriptors left: they come back.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "too many connections");
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        connections.spawn(serve(Arc::clone(&shared), Box::new(stream), peer.ip(), number, Some(place)));
    }
}

/// Serves one connection until it ends.
async fn serve(
    shared: Arc<Shared>,
    stream: Box<dyn Stream>,
    address: IpAddr,
    number: u64,
    _place: Option<OwnedSemaphorePermit>,
) {
    let idle = shared.operations.limits.connection_idle;
    let mut certificate_user = None;
    let stream: Box<dyn Stream> = match &shared.tls {
        None => stream,
        Some(tls) => match tokio::time::timeout(idle, tls.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                certificate_user = tls.user(stream.get_ref().1);
                Box::new(stream)
            }
            Ok(Err(error)) => return tracing::debug!(%error, connection = number, "TLS handshake failed"),
            Err(_) => return tracing::debug!(connection = number, "TLS handshake took too long"),
        },
    };
    let (tap, heads) = Tap::new(stream, number, shared.capture.clone());
    let connection = Connection {
        shared,
        number,
        address,
        certificate_user,
        heads,
        state: tokio::sync::Mutex::new(State::default()),
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(tap), service_fn(|request| connection.serve(request)))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, connection = number, "connection ended");
    }
}
