//! PowerShell remoting: a shell that is a runspace pool, and commands that are pipelines in it (MS-PSRP over MS-WSMV).

mod builtin;
mod io;
mod pipelines;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;
use winrm_psrp::clixml::{Content, PsObject, PsValue};
use winrm_psrp::host::HostResponse;
use winrm_psrp::message::Availability;
use winrm_psrp::pipeline::Pipeline;
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::server::{Event, Pool, Request};
use winrm_wsman::Send;

use crate::handler::{Handler, Invocation, Io, Running};

pub use self::builtin::Builtin;
pub use self::io::PipelineIo;
pub(crate) use self::pipelines::Pipelines;

/// The stream on which answers of the client's host come.
pub(crate) const PROMPT_RESPONSE: &str = "pr";
/// Bytes of an envelope that are not output.
const OVERHEAD: usize = 4 * 1024;
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
/// use winrm_psrp::pipeline::Pipeline;
///
/// # async fn example() -> std::io::Result<()> {
/// let service = Service::builder()
///     .account("user", "password")
///     .powershell(|pipeline: Pipeline, mut io: PipelineIo| async move {
///         io.output(pipeline.statements.len() as i64).await;
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
    fn run(&self, pipeline: Pipeline, io: PipelineIo) -> PowerShellRunning;
}

impl<F, Fut> PowerShellHandler for F
where
    F: Fn(Pipeline, PipelineIo) -> Fut + std::marker::Send + Sync + 'static,
    Fut: Future<Output = Result<(), ErrorRecord>> + std::marker::Send + 'static,
{
    fn run(&self, pipeline: Pipeline, io: PipelineIo) -> PowerShellRunning {
        Box::pin(self(pipeline, io))
    }
}

/// A runspace pool. As a [`Handler`] it is the stream of the pool itself.
pub(crate) struct PowerShellShell {
    pool: Mutex<Pool>,
    handler: Arc<dyn PowerShellHandler>,
    /// Bytes of fragments that an answer has room for.
    room: usize,
    /// Messages of the pool wait.
    changed: Notify,
    host_calls: Mutex<HashMap<i64, oneshot::Sender<HostResponse>>>,
    inputs: Mutex<HashMap<Uuid, mpsc::Sender<PsValue>>>,
    bounds: Mutex<(i32, i32)>,
}

impl PowerShellShell {
    pub(crate) fn new(handler: Arc<dyn PowerShellHandler>, max_envelope_size: usize) -> Arc<Self> {
        Arc::new(Self {
            pool: Mutex::default(),
            handler,
            room: max_envelope_size.saturating_sub(OVERHEAD) / 4 * 3,
            changed: Notify::new(),
            host_calls: Mutex::default(),
            inputs: Mutex::default(),
            bounds: Mutex::new((1, 1)),
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// Takes what came for the pool itself.
    pub(crate) fn receive(&self, fragments: &[u8]) -> Result<(), winrm_psrp::Error> {
        let events = self.pool().receive(None, fragments)?;
        for event in events {
            self.take(event)?;
        }
        self.changed.notify_one();
        Ok(())
    }

    fn take(&self, event: Event) -> Result<(), winrm_psrp::Error> {
        match event {
            Event::Init(init) => {
                *lock(&self.bounds) = (init.min_runspaces, init.max_runspaces);
                self.pool().opened(private_data())?;
            }
            Event::Call { call, request } => {
                let availability = self.change(request);
                self.pool().availability(call, availability)?;
            }
            Event::HostResponse { response, .. } => self.host_response(response),
            Event::Rejected(rejected) => tracing::debug!(%rejected, "a message was passed over"),
            _ => {}
        }
        Ok(())
    }

    fn change(&self, request: Request) -> Availability {
        let mut bounds = lock(&self.bounds);
        let (min, max) = *bounds;
        match request {
            Request::SetMax(runspaces) if runspaces >= min && runspaces != max => bounds.1 = runspaces,
            Request::SetMin(runspaces) if (1..=max).contains(&runspaces) && runspaces != min => {
                bounds.0 = runspaces
            }
            Request::SetMax(_) | Request::SetMin(_) => return Availability::Done(false),
            Request::Available => {
                let running = i64::try_from(lock(&self.inputs).len()).unwrap_or(i64::MAX);
                return Availability::Available((i64::from(max) - running).max(0));
            }
            Request::Reset => {}
        }
        Availability::Done(true)
    }

    fn host_response(&self, response: HostResponse) {
        if let Some(waiting) = lock(&self.host_calls).remove(&response.call) {
            // Who asked may be gone.
            let _ = waiting.send(response);
        }
    }
}

/// The stream of the pool: everything it has to say, as it comes.
impl Handler for Arc<PowerShellShell> {
    fn run(&self, _: Invocation, mut io: Io) -> Running {
        let shell = Arc::clone(self);
        Box::pin(async move {
            loop {
                let mut fragments = BytesMut::new();
                shell.pool().take_output(None, &mut fragments, shell.room);
                if !fragments.is_empty() {
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
fn version_table() -> PsObject {
    let entry = |name: &str, value: PsValue| (name.into(), value);
    let version = |version: [u16; 4]| PsValue::Version(version.into());
    dictionary(vec![
        entry("PSVersion", version([5, 1, 0, 0])),
        entry("PSEdition", "Desktop".into()),
        entry("PSRemotingProtocolVersion", PsValue::Version([2, 3].into())),
        entry("SerializationVersion", version([1, 1, 0, 1])),
        entry("WSManStackVersion", PsValue::Version([3, 0].into())),
        entry("Product", crate::config::PRODUCT.into()),
    ])
}

fn private_data() -> PsValue {
    dictionary(vec![("PSVersionTable".into(), version_table().into())]).into()
}

fn dictionary(entries: Vec<(PsValue, PsValue)>) -> PsObject {
    PsObject::new()
        .with_type_names([
            "System.Management.Automation.PSPrimitiveDictionary",
            "System.Collections.Hashtable",
            "System.Object",
        ])
        .with_content(Content::Dictionary(entries))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one statement, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
