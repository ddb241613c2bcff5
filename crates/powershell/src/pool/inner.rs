//! What the handles of a pool share, and the requests that it makes of its own.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;
use winrm_clixml::{PsString, PsValue, SecureString};
use winrm_psrp::client::{Carrier, Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::key::KeyPair;
use winrm_psrp::message::Availability;
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::{RunspacePoolState, Scope};
use winrm_transport::Place;
use winrm_wsman::FaultCode;

use super::host_calls::{HostCalls, Served};
use crate::error::Error;
use crate::host::PsHost;
use crate::wire::{EMPTY_ANSWER_PAUSE, PROMPT_RESPONSE, STDIN, Wire};

/// A pool that nobody has used for so long is asked for its news, so that its server does not take it for abandoned.
const IDLE: Duration = Duration::from_secs(20);

type Waiting = HashMap<i64, oneshot::Sender<Availability>>;

pub(crate) struct Inner {
    pub(crate) wire: Wire,
    pub(crate) protocol: Mutex<RunspacePool>,
    pub(crate) private_data: Mutex<Option<PsValue>>,
    host_calls: HostCalls,
    /// Until somebody serves them.
    served: Mutex<Option<Served>>,
    /// Where what comes for pipelines goes.
    pipelines: Mutex<HashMap<Uuid, mpsc::Sender<PipelineEvent>>>,
    calls: Mutex<Waiting>,
    /// The pool's state, and the error that is its reason.
    state: watch::Sender<(RunspacePoolState, Option<ErrorRecord>)>,
    /// The key, as far as it is there.
    key: watch::Sender<bool>,
    key_asked: AtomicBool,
    /// Held by whoever fetches news of the pool itself.
    fetching: tokio::sync::Mutex<()>,
    last_used: Mutex<Instant>,
    gone: AtomicBool,
    place: Mutex<Option<Place>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl Inner {
    pub(super) fn new(wire: Wire, id: Uuid, config: Config, host: Arc<dyn PsHost>) -> Self {
        let (host_calls, calls) = HostCalls::new();
        Self {
            wire,
            protocol: Mutex::new(RunspacePool::new(id, config)),
            private_data: Mutex::default(),
            host_calls,
            served: Mutex::new(Some(Served { host, calls })),
            pipelines: Mutex::default(),
            calls: Mutex::default(),
            state: watch::Sender::new((RunspacePoolState::BeforeOpen, None)),
            key: watch::Sender::new(false),
            key_asked: AtomicBool::new(false),
            fetching: tokio::sync::Mutex::default(),
            last_used: Mutex::new(Instant::now()),
            gone: AtomicBool::new(false),
            place: Mutex::default(),
        }
    }

    /// Creates the shell with as much of the first messages as fits, and sends the rest.
    pub(super) async fn create(
        mut self,
        name: Option<&str>,
        idle_timeout: Option<Duration>,
    ) -> Result<Arc<Handle>, Error> {
        let failed = |error| Error::Open(Arc::new(error));
        let place = self.wire.client.shells().take().await;
        let place = place.ok_or_else(|| failed(self.wire.client.closed()))?;
        let room = self.wire.room();
        let sent = lock(&self.protocol).poll_transmit_of(room, |carrier| carrier == Carrier::Create)?;
        let fragments = sent.map(|sent| Bytes::from(sent.payload)).unwrap_or_default();
        let creating = Creating(Some(self.wire.clone()));
        self.wire.create(name, idle_timeout, fragments).await.map_err(failed)?;
        creating.done();
        place.granted();
        *lock(&self.place) = Some(place);
        let handle = self.share();
        handle.flush(None).await.map_err(failed)?;
        Ok(handle)
    }

    /// From now on its news are fetched, and it is deleted with its last handle.
    pub(super) fn share(self) -> Arc<Handle> {
        let inner = Arc::new(self);
        let client = inner.wire.client.clone();
        client.spawn_background(poll(Arc::clone(&inner)));
        let served = lock(&inner.served).take();
        if let Some(served) = served {
            client.spawn_background(served.serve(Arc::clone(&inner)));
        }
        Arc::new(Handle(inner))
    }

    /// Waits until it is open.
    pub(super) async fn opened(self: &Arc<Self>) -> Result<(), Error> {
        self.news_until(|| self.state.borrow().0 == RunspacePoolState::Opened).await;
        match self.state.borrow().clone() {
            (RunspacePoolState::Opened, _) => Ok(()),
            (_, error) => Err(Error::Refused(error)),
        }
    }

    /// Asks something about the pool, and waits for the answer.
    pub(super) async fn call(
        self: &Arc<Self>,
        call: impl FnOnce(&mut RunspacePool) -> Result<i64, winrm_psrp::Error>,
    ) -> Result<Availability, Error> {
        let (sender, mut answer) = oneshot::channel();
        let number = call(&mut lock(&self.protocol))?;
        lock(&self.calls).insert(number, sender);
        self.flush(None).await.map_err(|error| Error::Call(Arc::new(error)))?;
        self.news_until(|| !lock(&self.calls).contains_key(&number)).await;
        answer.try_recv().map_err(|_| self.lost())
    }

    /// Fetches news of the pool until something is so, or the pool is no more.
    async fn news_until(self: &Arc<Self>, is_so: impl Fn() -> bool) {
        let is_over = || is_so() || self.state.borrow().0.is_final();
        while !is_over() {
            // Somebody else may be fetching what is waited for.
            let _fetching = self.fetching.lock().await;
            if is_over() || !receive(self).await {
                return;
            }
        }
    }

    /// Why the pool is no more.
    pub(crate) fn lost(&self) -> Error {
        let (state, error) = self.state.borrow().clone();
        Error::PoolLost { state, error }
    }

    /// Exchanges keys, unless that was done.
    pub(crate) async fn exchange_key(self: &Arc<Self>) -> Result<(), Error> {
        if *self.key.borrow() {
            return Ok(());
        }
        self.offer_key().await?;
        self.news_until(|| *self.key.borrow()).await;
        if *self.key.borrow() { Ok(()) } else { Err(self.lost()) }
    }

    /// Sends our public key, once.
    async fn offer_key(&self) -> Result<(), Error> {
        if self.key_asked.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // It takes a while to make one.
        let pair = tokio::task::spawn_blocking(KeyPair::generate).await;
        let pair = pair.unwrap_or(Err(winrm_psrp::key::KeyError::Random))?;
        lock(&self.protocol).exchange_key(pair)?;
        self.flush(None).await.map_err(|error| Error::Send(Arc::new(error)))
    }

    /// Sends what waits for the pool or for a pipeline.
    pub(crate) async fn flush(&self, target: Option<Uuid>) -> Result<(), winrm_transport::Error> {
        *lock(&self.last_used) = Instant::now();
        let carrier = target.map_or(Carrier::Input, Carrier::CommandInput);
        self.send(carrier, STDIN).await
    }

    /// Sends answers of the host.
    pub(super) async fn flush_responses(&self, target: Option<Uuid>) -> Result<(), winrm_transport::Error> {
        let carrier = target.map_or(Carrier::PromptResponse, Carrier::CommandPromptResponse);
        self.send(carrier, PROMPT_RESPONSE).await
    }

    async fn send(&self, wanted: Carrier, stream: &str) -> Result<(), winrm_transport::Error> {
        loop {
            let room = self.wire.room();
            let polled = lock(&self.protocol).poll_transmit_of(room, |carrier| carrier == wanted);
            // Rooms are never too small for a fragment.
            let Some(sent) = polled.ok().flatten() else { return Ok(()) };
            self.wire.send(wanted.pipeline(), stream, sent.payload.into()).await?;
        }
    }

    /// Takes what came on the pool's stream or on a pipeline's. Waits while a pipeline's reader is behind.
    pub(crate) async fn take(self: &Arc<Self>, stream: Option<Uuid>, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        loop {
            let handled = lock(&self.protocol).handle_data(stream, &mut rest);
            match handled {
                Ok(Some(event)) => self.dispatch(event).await,
                Ok(None) => return Ok(()),
                Err(error) if error.scope() == Scope::Pool => {
                    self.end(RunspacePoolState::Broken, None);
                    return Err(Error::NotUnderstood(Arc::new(error)));
                }
                Err(error) => tracing::warn!(%error, "a message of the server's was passed over"),
            }
        }
    }

    async fn dispatch(self: &Arc<Self>, event: Event) {
        match event {
            Event::Opened => self.set_open(),
            Event::Ended { state, error } => self.end(state, error),
            Event::PrivateData(data) => *lock(&self.private_data) = Some(data.data),
            Event::Availability { call_id, response } => {
                if let Some(waiting) = lock(&self.calls).remove(&call_id) {
                    // Who asked may have given up.
                    let _ = waiting.send(response);
                }
            }
            Event::HostCall(call) => self.host_calls.push(None, call).await,
            Event::Pipeline { id, event: PipelineEvent::HostCall(call) } => {
                self.host_calls.push(Some(id), call).await;
            }
            Event::Pipeline { id, event } => self.deliver(id, event).await,
            Event::KeyRequested => {
                let this = Arc::clone(self);
                self.wire.client.spawn_background(async move {
                    if let Err(error) = this.offer_key().await {
                        tracing::warn!(%error, "the server wants a key, and cannot have it");
                    }
                });
            }
            Event::KeyExchanged => drop(self.key.send_replace(true)),
            _ => {}
        }
    }

    /// Hands something to a pipeline's reader; one that is gone wants no more.
    pub(crate) async fn deliver(&self, id: Uuid, event: PipelineEvent) {
        let sender = lock(&self.pipelines).get(&id).cloned();
        if let Some(sender) = sender {
            let _ = sender.send(event).await;
        }
    }

    /// Encrypts what a host returns as a secret.
    pub(crate) async fn encrypt(self: &Arc<Self>, text: &str) -> Result<SecureString, Error> {
        self.exchange_key().await?;
        let pool = lock(&self.protocol);
        let key = pool.session_key().ok_or_else(|| self.lost())?;
        Ok(key.encrypt(&PsString::from(text)))
    }

    /// Notes that pipelines can run.
    pub(super) fn set_open(&self) {
        self.state.send_replace((RunspacePoolState::Opened, None));
    }

    /// What comes for a pipeline goes there from now on.
    pub(crate) fn register(&self, id: Uuid, sender: mpsc::Sender<PipelineEvent>) {
        lock(&self.pipelines).insert(id, sender);
    }

    /// Forgets a pipeline.
    pub(crate) fn forget(&self, id: Uuid) {
        lock(&self.pipelines).remove(&id);
        lock(&self.protocol).handle_command_ended(id);
    }

    /// Notes that the pool is no more.
    fn end(&self, state: RunspacePoolState, error: Option<ErrorRecord>) {
        if state == RunspacePoolState::Broken {
            lock(&self.protocol).handle_broken();
        } else {
            lock(&self.protocol).handle_closed();
        }
        self.state.send_replace((state, error));
        lock(&self.calls).clear();
        lock(&self.pipelines).clear();
    }

    pub(crate) fn state(&self) -> watch::Receiver<(RunspacePoolState, Option<ErrorRecord>)> {
        self.state.subscribe()
    }

    pub(crate) fn is_disconnected(&self) -> bool {
        self.state.borrow().0 == RunspacePoolState::Disconnected
    }

    pub(super) async fn disconnect(&self) -> Result<(), Error> {
        // Before the server tells everybody who waits.
        lock(&self.protocol).handle_disconnected()?;
        self.state.send_replace((RunspacePoolState::Disconnected, None));
        let disconnected = self.wire.disconnect().await;
        if let Err(error) = disconnected {
            // The state that it was in.
            drop(lock(&self.protocol).handle_reconnected());
            self.state.send_replace((RunspacePoolState::Opened, None));
            return Err(Error::Call(Arc::new(error)));
        }
        Ok(())
    }

    pub(super) async fn reconnect(&self) -> Result<(), Error> {
        self.wire.reconnect().await.map_err(|error| Error::Call(Arc::new(error)))?;
        lock(&self.protocol).handle_reconnected()?;
        self.state.send_replace((RunspacePoolState::Opened, None));
        Ok(())
    }

    /// Deletes it, once.
    pub(super) async fn close(&self) -> Result<(), Error> {
        if self.gone.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // One that was not opened, or is broken, is deleted as well.
        drop(lock(&self.protocol).close());
        let deleted = self.wire.delete().await;
        self.end(RunspacePoolState::Closed, None);
        drop(lock(&self.place).take());
        deleted.map_err(|error| Error::Close(Arc::new(error)))
    }

    /// Waits until nobody has used it for long.
    async fn idle(&self) {
        loop {
            let idle_at = *lock(&self.last_used) + IDLE;
            if idle_at <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(idle_at).await;
        }
    }

    /// The last handle is gone.
    fn abandon(self: &Arc<Self>) {
        if self.gone.load(Ordering::Acquire) || self.is_disconnected() {
            return;
        }
        let this = Arc::clone(self);
        self.wire.client.spawn_background(async move {
            if let Err(error) = this.close().await {
                tracing::warn!(endpoint = %this.wire.client.endpoint(), %error, "runspace pool was left behind");
            }
        });
    }
}

/// What callers hold: the pool is deleted with the last one.
#[derive(Debug)]
pub(crate) struct Handle(Arc<Inner>);

impl Deref for Handle {
    type Target = Arc<Inner>;

    fn deref(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// A Create under way: when nobody waits for it any more, or nobody knows what came of it, its shell is deleted.
struct Creating(Option<Wire>);

impl Creating {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Creating {
    fn drop(&mut self) {
        let Some(wire) = self.0.take() else { return };
        let client = wire.client.clone();
        client.spawn_background(async move {
            if let Err(error) = wire.delete().await {
                tracing::debug!(%error, "a shell that may be there could not be deleted");
            }
        });
    }
}

/// Asks an idle pool for its news, so that its server does not take it for abandoned.
async fn poll(inner: Arc<Inner>) {
    let mut state = inner.state();
    let client = inner.wire.client.clone();
    let work = async {
        loop {
            inner.idle().await;
            if inner.is_disconnected() {
                // Until it is reconnected there is nothing to ask for.
                let mut state = inner.state();
                drop(state.wait_for(|(state, _)| *state != RunspacePoolState::Disconnected).await);
                *lock(&inner.last_used) = Instant::now();
            } else {
                let _fetching = inner.fetching.lock().await;
                if !receive(&inner).await {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = state.wait_for(|(state, _)| state.is_final()) => {}
        () = client.closing() => inner.abandon(),
    }
}

/// One Receive of the pool's stream; false when there will be no more.
async fn receive(inner: &Arc<Inner>) -> bool {
    match inner.wire.receive(None).await {
        Ok(answer) => {
            *lock(&inner.last_used) = Instant::now();
            let mut is_empty = true;
            for stream in answer.streams {
                is_empty &= stream.data.is_empty();
                if let Err(error) = inner.take(None, &stream.data).await {
                    tracing::warn!(%error, "the runspace pool is broken");
                    return false;
                }
            }
            if is_empty {
                tokio::time::sleep(EMPTY_ANSWER_PAUSE).await;
            }
            true
        }
        Err(error) => match error.fault_code() {
            Some(FaultCode::TIMED_OUT) => true,
            Some(FaultCode::SHELL_DISCONNECTED | FaultCode::STREAM_DISCONNECTED)
                if inner.is_disconnected() =>
            {
                true
            }
            _ => {
                if !inner.gone.load(Ordering::Acquire) {
                    tracing::debug!(%error, "the runspace pool is lost");
                    inner.end(RunspacePoolState::Broken, None);
                }
                false
            }
        },
    }
}
