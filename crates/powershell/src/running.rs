//! A pipeline that runs: a task fetches what it gives until it is over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::sync::{Notify, mpsc, watch};
use uuid::Uuid;
use winrm_psrp::client::{Carrier, PipelineEvent};
use winrm_psrp::message::{CreatePipeline, PipelineStateMessage};
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::{PipelineState, RunspacePoolState};
use winrm_transport::Place;
use winrm_wsman::{FaultCode, State, uri};

use crate::error::Error;
use crate::output::{PsOutput, Record};
use crate::pool::{Handle, Inner, lock};
use crate::wire::EMPTY_ANSWER_PAUSE;

/// Records that a reader may be behind before the server has to wait.
const BEHIND: usize = 64;

/// A pipeline that runs, as a stream of its records. The last item is an error if the pipeline failed, was stopped or lost.
///
/// A reader that is behind makes the server wait. Dropping it stops the pipeline behind the caller's back.
#[derive(Debug)]
pub struct Running {
    pool: Arc<Handle>,
    id: Uuid,
    events: mpsc::Receiver<PipelineEvent>,
    loss: watch::Receiver<Option<Arc<winrm_transport::Error>>>,
    abandoned: Arc<Notify>,
    end: Option<Result<(), Error>>,
    had_errors: bool,
}

/// Starts a pipeline; its id.
pub(crate) async fn start(pool: &Arc<Handle>, pipeline: &CreatePipeline) -> Result<(Running, Uuid), Error> {
    let failed = |error| Error::Start(Arc::new(error));
    let place = pool.wire.client.commands().take().await.ok_or_else(|| failed(pool.wire.client.closed()))?;
    let (sender, events) = mpsc::channel(BEHIND);
    let id = Uuid::new_v4();
    let fragments = {
        let mut protocol = lock(&pool.protocol);
        protocol.create_pipeline(id, pipeline.clone())?;
        let sent = protocol.poll_transmit_of(pool.wire.room(), |carrier| carrier == Carrier::Command(id))?;
        sent.map(|sent| sent.payload).unwrap_or_default()
    };
    pool.register(id, sender);
    let mut starting = Starting { pool: Some(pool), id };
    pool.wire.command(id, &fragments).await.map_err(failed)?;
    place.granted();
    pool.flush(Some(id)).await.map_err(failed)?;
    starting.pool = None;
    Ok((drive(pool, id, events, place), id))
}

/// Takes up a pipeline that another client has started.
pub(crate) async fn attach(pool: &Arc<Handle>, id: Uuid) -> Result<Running, Error> {
    let failed = |error| Error::Start(Arc::new(error));
    let place = pool.wire.client.commands().take().await.ok_or_else(|| failed(pool.wire.client.closed()))?;
    lock(&pool.protocol).attach_pipeline(id)?;
    let (sender, events) = mpsc::channel(BEHIND);
    pool.register(id, sender);
    let mut attaching = Attaching { pool: Some(pool), id };
    pool.wire.connect_command(id).await.map_err(failed)?;
    attaching.pool = None;
    place.granted();
    Ok(drive(pool, id, events, place))
}

/// Fetches what a pipeline gives from now on.
fn drive(pool: &Arc<Handle>, id: Uuid, events: mpsc::Receiver<PipelineEvent>, place: Place) -> Running {
    let (reason, loss) = watch::channel(None);
    let abandoned = Arc::new(Notify::new());
    let driver = Driver { inner: Arc::clone(pool), id, reason, abandoned: Arc::clone(&abandoned), place };
    pool.wire.client.spawn_background(driver.run());
    Running { pool: Arc::clone(pool), id, events, loss, abandoned, end: None, had_errors: false }
}

/// An attempt to take up a pipeline: one that fails leaves it as it is.
struct Attaching<'a> {
    pool: Option<&'a Arc<Handle>>,
    id: Uuid,
}

impl Drop for Attaching<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.pool {
            pool.forget(self.id);
        }
    }
}

/// A Command under way. Its id is ours, so that it can be ended whatever became of it.
struct Starting<'a> {
    pool: Option<&'a Arc<Handle>>,
    id: Uuid,
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        let Some(pool) = self.pool else { return };
        pool.forget(self.id);
        let (wire, id) = (pool.wire.clone(), self.id);
        pool.wire.client.spawn_background(async move {
            if let Err(error) = wire.signal(id, uri::SIGNAL_TERMINATE).await {
                tracing::debug!(%error, "a pipeline that may be there could not be ended");
            }
        });
    }
}

impl Running {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The next record; `None` once it has completed.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Stopped`], [`Error::Lost`] and others that end it, once; then `None`.
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        std::future::poll_fn(|cx| self.poll_record(cx)).await
    }

    /// Whether it has given errors so far, or failed.
    pub fn had_errors(&self) -> bool {
        self.had_errors
    }

    /// Asks it to stop; it ends as [`Error::Stopped`], with what it gave until then.
    ///
    /// # Errors
    /// [`Error::Stop`].
    pub async fn stop(&self) -> Result<(), Error> {
        self.stopper().stop().await
    }

    /// What stops it while somebody else reads it.
    pub fn stopper(&self) -> Stopper {
        Stopper { inner: Arc::clone(&self.pool), id: self.id }
    }

    /// Reads it to its end.
    ///
    /// # Errors
    /// As [`next`](Self::next), with what came before as [`Error::partial_output`].
    pub async fn collect(mut self) -> Result<PsOutput, Error> {
        let mut output = PsOutput::default();
        while let Some(record) = self.next().await {
            match record {
                Ok(record) => output.push(record),
                Err(error) => return Err(error.with_output(output)),
            }
        }
        Ok(output)
    }

    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Record, Error>>> {
        loop {
            if let Some(end) = &mut self.end {
                return Poll::Ready(std::mem::replace(end, Ok(())).err().map(Err));
            }
            let record = match ready!(self.events.poll_recv(cx)) {
                Some(PipelineEvent::Output(value)) => Record::Output(value),
                Some(PipelineEvent::Error(record)) => {
                    self.had_errors = true;
                    Record::Error(record)
                }
                Some(PipelineEvent::Warning(record)) => Record::Warning(record),
                Some(PipelineEvent::Verbose(record)) => Record::Verbose(record),
                Some(PipelineEvent::Debug(record)) => Record::Debug(record),
                Some(PipelineEvent::Progress(record)) => Record::Progress(record),
                Some(PipelineEvent::Information(record)) => Record::Information(record),
                Some(PipelineEvent::State(told)) if told.state.is_final() => {
                    self.end = Some(ended(told.state, told.error));
                    continue;
                }
                Some(_) => continue,
                None => {
                    let loss = self.loss.borrow().clone();
                    let is_open = lock(&self.pool.protocol).state() == RunspacePoolState::Opened;
                    self.end = Some(Err(match loss {
                        Some(source) => Error::Lost { source, output: Box::default() },
                        None if is_open => Error::Untold { output: Box::default() },
                        None => self.pool.lost(),
                    }));
                    continue;
                }
            };
            return Poll::Ready(Some(Ok(record)));
        }
    }
}

fn ended(state: PipelineState, error: Option<ErrorRecord>) -> Result<(), Error> {
    match (state, error) {
        (PipelineState::Completed, _) => Ok(()),
        (PipelineState::Stopped, _) => Err(Error::Stopped { output: Box::default() }),
        (_, Some(error)) => Err(Error::Failed { error: Box::new(error), output: Box::default() }),
        (state, None) => Err(Error::Ended { state, output: Box::default() }),
    }
}

impl Stream for Running {
    type Item = Result<Record, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_record(cx)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.abandoned.notify_one();
    }
}

/// Stops a pipeline.
#[derive(Clone, Debug)]
pub struct Stopper {
    inner: Arc<Handle>,
    id: Uuid,
}

impl Stopper {
    /// Asks the pipeline to stop. One that is over needs no stop any more.
    ///
    /// # Errors
    /// [`Error::Stop`].
    pub async fn stop(&self) -> Result<(), Error> {
        if lock(&self.inner.protocol).stop_pipeline(self.id).is_err() {
            return Ok(());
        }
        let stopped = self.inner.wire.signal(self.id, uri::SIGNAL_POWERSHELL_STOP).await;
        stopped.map_err(|error| Error::Stop(Arc::new(error)))
    }
}

/// Fetches what a pipeline gives.
struct Driver {
    inner: Arc<Inner>,
    id: Uuid,
    reason: watch::Sender<Option<Arc<winrm_transport::Error>>>,
    abandoned: Arc<Notify>,
    place: Place,
}

impl Driver {
    async fn run(self) {
        let client = self.inner.wire.client.clone();
        let mut state = self.inner.state();
        tokio::select! {
            () = self.fetch() => {}
            () = self.abandoned.notified() => {}
            () = client.closing() => {}
            _ = state.wait_for(|(state, _)| state.is_final()) => {}
        }
        // Its reader hears of a loss, or that there is no more.
        self.inner.forget(self.id);
        let (gone, disconnected) = {
            let state = self.inner.state();
            let state = state.borrow().0;
            (state.is_final(), state == RunspacePoolState::Disconnected)
        };
        if !gone && !disconnected {
            // Beside the next pipeline: the place at the service is free after it.
            if let Err(error) = self.inner.wire.signal(self.id, uri::SIGNAL_TERMINATE).await {
                tracing::debug!(%error, "pipeline was not cleaned up");
            }
        }
        drop(self.place);
    }

    async fn fetch(&self) {
        loop {
            match self.inner.wire.receive(Some(self.id)).await {
                Ok(answer) => {
                    let is_done = answer.command_state.is_some_and(|state| state.state == State::Done);
                    let mut is_empty = true;
                    for stream in answer.streams {
                        is_empty &= stream.data.is_empty();
                        if self.inner.take(Some(self.id), &stream.data).await.is_err() {
                            return;
                        }
                    }
                    if is_done || lock(&self.inner.protocol).pipeline_state(self.id).is_none() {
                        return;
                    }
                    if is_empty {
                        tokio::time::sleep(EMPTY_ANSWER_PAUSE).await;
                    }
                }
                Err(error) => match error.fault_code() {
                    Some(FaultCode::TIMED_OUT) => {}
                    Some(FaultCode::SHELL_DISCONNECTED | FaultCode::STREAM_DISCONNECTED)
                        if self.inner.is_disconnected() =>
                    {
                        let mut state = self.inner.state();
                        drop(state.wait_for(|(state, _)| *state != RunspacePoolState::Disconnected).await);
                    }
                    // After a stop some servers forget the pipeline before they tell its end.
                    _ if error.is_shell_gone()
                        && lock(&self.inner.protocol).pipeline_state(self.id)
                            == Some(PipelineState::Stopping) =>
                    {
                        let stopped = PipelineEvent::State(PipelineStateMessage {
                            state: PipelineState::Stopped,
                            error: None,
                        });
                        self.inner.deliver(self.id, stopped).await;
                        return;
                    }
                    _ => {
                        tracing::debug!(%error, "pipeline lost");
                        self.reason.send_replace(Some(Arc::new(error)));
                        return;
                    }
                },
            }
        }
    }
}
