//! PowerShell remoting: a shell that is a runspace pool, and commands that are pipelines in it (MS-PSRP over MS-WSMV).

mod builtin;
mod io;
mod pipelines;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;
use winrm_clixml::PsValue;
use winrm_psrp::Scope;
use winrm_psrp::key::SessionKey;
use winrm_psrp::message::{Availability, CreatePipeline, HostResponseMessage, primitive_dictionary};
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::server::{Carrier, Config, Event, PipelineEvent, RunspacePool};
use winrm_wsman::Send;

use crate::handler::{Handler, Invocation, Io, Running};

pub use self::builtin::Builtin;
pub use self::io::PipelineIo;
pub(crate) use self::pipelines::Pipelines;

/// The stream on which answers of the client's host come.
pub(crate) const PROMPT_RESPONSE: &str = "pr";
/// Bytes of an envelope that are not output.
const OVERHEAD: usize = 4 * 1024;
/// Bytes of fragments written at once, as Windows does.
const FRAGMENTS: usize = 32 * 1024;
/// Objects of a pipeline's input that it has not read yet.
const INPUT_AHEAD: usize = 64;

/// A pipeline on its way; ends as completed, or by the error that made it fail.
pub type PowerShellRunning =
    Pin<Box<dyn Future<Output = Result<(), ErrorRecord>> + std::marker::Send + 'static>>;

/// Does what pipelines say. [`Builtin`] knows a few commands.
///
/// The future is dropped when the pipeline is stopped or its pool deleted.
///
/// ```
/// use winrm_loopback::{PipelineIo, Service};
/// use winrm_psrp::message::CreatePipeline;
///
/// # async fn example() -> std::io::Result<()> {
/// let service = Service::builder()
///     .account("user", "password")
///     .powershell(|pipeline: CreatePipeline, mut io: PipelineIo| async move {
///         io.output(pipeline.powershell.statements.len() as i64).await;
///         Ok(())
///     })
///     .start()
///     .await?;
/// # drop(service);
/// # Ok(())
/// # }
/// ```
pub trait PowerShellHandler: std::marker::Send + Sync + 'static {
    /// Starts the pipeline.
    fn run(&self, pipeline: CreatePipeline, io: PipelineIo) -> PowerShellRunning;
}

impl<F, Fut> PowerShellHandler for F
where
    F: Fn(CreatePipeline, PipelineIo) -> Fut + std::marker::Send + Sync + 'static,
    Fut: Future<Output = Result<(), ErrorRecord>> + std::marker::Send + 'static,
{
    fn run(&self, pipeline: CreatePipeline, io: PipelineIo) -> PowerShellRunning {
        Box::pin(self(pipeline, io))
    }
}

/// A runspace pool. As a [`Handler`] it is the stream of the pool itself.
pub(crate) struct PowerShellShell {
    pool: Mutex<RunspacePool>,
    handler: Arc<dyn PowerShellHandler>,
    /// Bytes of fragments that an answer has room for.
    room: usize,
    /// Messages of the pool wait.
    changed: Notify,
    host_calls: Mutex<HashMap<i64, oneshot::Sender<HostResponseMessage>>>,
    inputs: Mutex<HashMap<Uuid, mpsc::Sender<PsValue>>>,
}

impl PowerShellShell {
    pub(crate) fn new(handler: Arc<dyn PowerShellHandler>, max_envelope_size: usize) -> Arc<Self> {
        Arc::new(Self {
            pool: Mutex::new(RunspacePool::new(Config::default())),
            handler,
            room: (max_envelope_size.saturating_sub(OVERHEAD) / 4 * 3).min(FRAGMENTS),
            changed: Notify::new(),
            host_calls: Mutex::default(),
            inputs: Mutex::default(),
        })
    }

    fn pool(&self) -> MutexGuard<'_, RunspacePool> {
        lock(&self.pool)
    }

    /// Takes what came for the pool itself.
    pub(crate) fn receive(&self, fragments: &[u8]) -> Result<(), winrm_psrp::Error> {
        for event in self.events(None, fragments)? {
            self.take(event)?;
        }
        self.changed.notify_one();
        Ok(())
    }

    /// Another client asks for the pool; what it is answered.
    pub(crate) fn connect(&self, fragments: &[u8]) -> Result<Bytes, winrm_psrp::Error> {
        let answer = {
            let mut pool = self.pool();
            pool.handle_disconnected()?;
            let mut rest = fragments;
            while let Some(event) = pool.handle_data(None, &mut rest)? {
                if let Event::Connecting(_) = event {
                    pool.accept(private_data())?;
                }
            }
            // Nothing of it may get lost: what the pool has to say itself comes after it.
            let sent = pool.poll_transmit_of(usize::MAX, |carrier| carrier == Carrier::ConnectResponse)?;
            sent.map(|sent| sent.payload).unwrap_or_default()
        };
        self.changed.notify_one();
        Ok(answer.into())
    }

    /// What came on a stream, but for messages that are no good.
    fn events(&self, stream: Option<Uuid>, fragments: &[u8]) -> Result<Vec<Event>, winrm_psrp::Error> {
        let mut rest = fragments;
        let mut events = Vec::new();
        loop {
            let handled = self.pool().handle_data(stream, &mut rest);
            match handled {
                Ok(Some(event)) => events.push(event),
                Ok(None) => return Ok(events),
                Err(error) if error.scope() == Scope::Pool => return Err(error),
                Err(error) => tracing::debug!(%error, "a message was passed over"),
            }
        }
    }

    fn take(&self, event: Event) -> Result<(), winrm_psrp::Error> {
        let mut pool = self.pool();
        let (min, max) = (pool.min_runspaces(), pool.max_runspaces());
        match event {
            Event::Opening(_) | Event::Connecting(_) => pool.accept(private_data())?,
            Event::SetMaxRunspaces { max_runspaces, call_id } => {
                let done = max_runspaces >= min && max_runspaces != max;
                pool.answer(call_id, Availability::Done(done))?;
            }
            Event::SetMinRunspaces { min_runspaces, call_id } => {
                let done = (1..=max).contains(&min_runspaces) && min_runspaces != min;
                pool.answer(call_id, Availability::Done(done))?;
            }
            Event::GetAvailableRunspaces { call_id } => {
                let running = i64::try_from(pool.pipelines().count()).unwrap_or(i64::MAX);
                pool.answer(call_id, Availability::Available((i64::from(max) - running).max(0)))?;
            }
            Event::ResetRunspaceState { call_id } => pool.answer(call_id, Availability::Done(true))?,
            Event::PublicKey(key) => {
                let session_key = SessionKey::generate()?;
                pool.send_session_key(&key, session_key, &mut getrandom::SysRng)?;
            }
            Event::HostResponse(response)
            | Event::Pipeline { event: PipelineEvent::HostResponse(response), .. } => {
                drop(pool);
                self.host_response(response);
            }
            _ => {}
        }
        Ok(())
    }

    fn host_response(&self, response: HostResponseMessage) {
        if let Some(waiting) = lock(&self.host_calls).remove(&response.call_id) {
            // Who asked may be gone.
            let _ = waiting.send(response);
        }
    }

    /// What waits for one of the streams, as much as an answer has room for.
    fn transmit(&self, carrier: Carrier) -> Option<Vec<u8>> {
        let polled = self.pool().poll_transmit_of(self.room, |waiting| waiting == carrier);
        // There is always room for a fragment.
        polled.ok().flatten().map(|sent| sent.payload)
    }
}

/// The stream of the pool: everything it has to say, as it comes.
impl Handler for Arc<PowerShellShell> {
    fn run(&self, _: Invocation, mut io: Io) -> Running {
        let shell = Arc::clone(self);
        Box::pin(async move {
            io.stdout.keep_writes();
            loop {
                if let Some(fragments) = shell.transmit(Carrier::Output) {
                    if io.stdout.write_all(&fragments).await.is_err() {
                        return 0;
                    }
                    continue;
                }
                tokio::select! {
                    () = shell.changed.notified() => {}
                    () = io.signals.terminated() => return 0,
                }
            }
        })
    }
}

/// What a Send has for the pool itself, if it is for that.
pub(crate) fn of_pool(send: &Send) -> Option<Bytes> {
    let is_of_pool = send.streams.iter().all(|stream| stream.command_id.is_none());
    is_of_pool.then(|| send.streams.iter().flat_map(|stream| stream.data.iter().copied()).collect())
}

/// `$PSVersionTable`, as far as it is one.
fn version_table() -> PsValue {
    let version = |version: &str| winrm_clixml::Version::new(version).map_or(PsValue::Nil, PsValue::Version);
    primitive_dictionary([
        ("PSVersion", version("5.1.0.0")),
        ("PSEdition", "Desktop".into()),
        ("PSRemotingProtocolVersion", version("2.3")),
        ("SerializationVersion", version("1.1.0.1")),
        ("WSManStackVersion", version("3.0")),
        ("Product", crate::config::PRODUCT.into()),
    ])
}

fn private_data() -> PsValue {
    primitive_dictionary([("PSVersionTable", version_table())])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one statement, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
