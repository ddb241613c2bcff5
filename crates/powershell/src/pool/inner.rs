//! What the handles of a pool share, and the requests that it makes of its own.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;
use winrm_clixml::{PsString, PsValue, SecureString};
use winrm_psrp::client::{Carrier, Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::key::KeyPair;
use winrm_psrp::message::Availability;
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::{RunspacePoolState, Scope};
use winrm_transport::Place;

use super::host_calls::{HostCalls, Served};
use super::news::{self, News};
use crate::error::Error;
use crate::host::PsHost;
use crate::wire::{PROMPT_RESPONSE, STDIN, Wire};

/// For an answer about the pool.
const CALL_LIMIT: Duration = Duration::from_mins(3);
/// For the other half of a key exchange (MS-PSRP 3.1.2, the session key transfer timer).
const KEY_LIMIT: Duration = Duration::from_mins(1);

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
    /// The pool's state, and why it is no more.
    state: watch::Sender<(RunspacePoolState, Option<Error>)>,
    /// The key, as far as it is there.
    key: watch::Sender<bool>,
    /// Held by whoever sends the public key.
    offering_key: tokio::sync::Mutex<()>,
    pub(super) news: News,
    pub(super) gone: AtomicBool,
    place: Mutex<Option<Place>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pool_lost(
    state: RunspacePoolState,
    error: Option<ErrorRecord>,
    source: Option<Arc<winrm_transport::Error>>,
) -> Error {
    Error::PoolLost { state, error, source, output: Box::default() }
}

/// Waits for so long and no longer.
async fn within<T>(after: Duration, step: &'static str, work: impl Future<Output = T>) -> Result<T, Error> {
    tokio::time::timeout(after, work).await.map_err(|_| Error::TimedOut { step, after })
}

/// A call whose answer nobody waits for any more is forgotten.
struct Asked<'a> {
    calls: &'a Mutex<Waiting>,
    number: i64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        lock(self.calls).remove(&self.number);
    }
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
            offering_key: tokio::sync::Mutex::default(),
            news: News::new(),
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
        client.spawn_background(news::fetch(Arc::clone(&inner)));
        let served = lock(&inner.served).take();
        if let Some(served) = served {
            client.spawn_background(served.serve(Arc::clone(&inner)));
        }
        Arc::new(Handle(inner))
    }

    /// Waits until it is open.
    pub(super) async fn opened(&self, limit: Duration) -> Result<(), Error> {
        let opened = self.news_until(|| self.state.borrow().0 == RunspacePoolState::Opened);
        within(limit, "opening the runspace pool", opened).await?;
        match self.state.borrow().clone() {
            (RunspacePoolState::Opened, _) => Ok(()),
            (_, Some(Error::PoolLost { source: Some(source), .. })) => Err(Error::Open(source)),
            (_, Some(Error::PoolLost { error, .. })) => Err(Error::Refused(error)),
            (_, reason) => Err(reason.unwrap_or(Error::Refused(None))),
        }
    }

    /// Asks something about the pool, and waits for the answer.
    pub(super) async fn call(
        &self,
        call: impl FnOnce(&mut RunspacePool) -> Result<i64, winrm_psrp::Error>,
    ) -> Result<Availability, Error> {
        let (sender, mut answer) = oneshot::channel();
        let number = call(&mut lock(&self.protocol))?;
        lock(&self.calls).insert(number, sender);
        let _asked = Asked { calls: &self.calls, number };
        self.flush(None).await.map_err(|error| Error::Call(Arc::new(error)))?;
        let answered = self.news_until(|| !lock(&self.calls).contains_key(&number));
        within(CALL_LIMIT, "an answer of the runspace pool", answered).await?;
        answer.try_recv().map_err(|_| self.lost())
    }

    /// Why the pool is no more.
    pub(crate) fn lost(&self) -> Error {
        let (state, reason) = self.state.borrow().clone();
        reason.unwrap_or_else(|| pool_lost(state, None, None))
    }

    /// Exchanges keys, unless that was done.
    pub(crate) async fn exchange_key(self: &Arc<Self>) -> Result<(), Error> {
        if *self.key.borrow() {
            return Ok(());
        }
        let this = Arc::clone(self);
        // In a task of its own: a key is asked for once, so that this must not end with its caller.
        let offered = tokio::spawn(async move { this.offer_key().await }).await;
        offered.unwrap_or_else(|_| Err(self.lost()))?;
        let exchanged = self.news_until(|| *self.key.borrow());
        within(KEY_LIMIT, "the exchange of keys", exchanged).await?;
        if *self.key.borrow() { Ok(()) } else { Err(self.lost()) }
    }

    /// Sends our public key, once.
    async fn offer_key(&self) -> Result<(), Error> {
        let _offering = self.offering_key.lock().await;
        if lock(&self.protocol).is_key_asked() {
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
        self.news.used();
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
                    let reason = Error::NotUnderstood { source: Arc::new(error), output: Box::default() };
                    self.end(RunspacePoolState::Broken, Some(reason.clone()));
                    return Err(reason);
                }
                Err(error) => tracing::warn!(%error, "a message of the server's was passed over"),
            }
        }
    }

    async fn dispatch(self: &Arc<Self>, event: Event) {
        match event {
            Event::Opened => self.set_open(),
            Event::Ended { state, error } => self.end(state, Some(pool_lost(state, error, None))),
            Event::PrivateData(data) => *lock(&self.private_data) = Some(data.data),
            Event::Availability { call_id, response } => {
                if let Some(waiting) = lock(&self.calls).remove(&call_id) {
                    // Who asked may have given up.
                    let _ = waiting.send(response);
                    self.news.came();
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
            Event::KeyExchanged => {
                self.key.send_replace(true);
                self.news.came();
            }
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
        self.news.came();
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

    /// Notes that the pool is no more, and why.
    pub(super) fn end(&self, state: RunspacePoolState, reason: Option<Error>) {
        if state == RunspacePoolState::Broken {
            lock(&self.protocol).handle_broken();
        } else {
            lock(&self.protocol).handle_closed();
        }
        self.state.send_replace((state, reason));
        lock(&self.calls).clear();
        lock(&self.pipelines).clear();
        self.news.came();
    }

    pub(crate) fn state(&self) -> watch::Receiver<(RunspacePoolState, Option<Error>)> {
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

    /// The last handle is gone.
    pub(super) fn abandon(self: &Arc<Self>) {
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
