//! Commands of a pool's shell: each is a pipeline, whose first fragments are its argument and the rest its input.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncReadExt;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;
use winrm_psrp::PipelineState;
use winrm_psrp::pipeline::Pipeline;
use winrm_psrp::record::{ErrorCategory, ErrorRecord};
use winrm_psrp::server::Event;

use super::io::Writer;
use super::{INPUT_AHEAD, PipelineIo, PowerShellShell, lock};
use crate::handler::{Handler, Invocation, Io, Running, SignalCode};
use crate::stdin::StdinReader;

/// Exit code of what is no pipeline.
const NO_PIPELINE: u32 = 1;

pub(crate) struct Pipelines(pub(crate) Arc<PowerShellShell>);

impl Handler for Pipelines {
    fn run(&self, invocation: Invocation, io: Io) -> Running {
        Box::pin(run(Arc::clone(&self.0), invocation, io))
    }
}

async fn run(shell: Arc<PowerShellShell>, invocation: Invocation, mut io: Io) -> u32 {
    let id = invocation.command_id.parse::<Uuid>();
    let fragments = STANDARD.decode(invocation.arguments.concat());
    let (Ok(id), Ok(fragments)) = (id, fragments) else { return NO_PIPELINE };
    let here = Here { shell: Arc::clone(&shell), id };
    let Some(pipeline) = begin(&here, &fragments, &mut io.stdin).await else { return NO_PIPELINE };
    let stdout = Arc::new(Mutex::new(io.stdout));
    let writer = Writer { shell: Arc::clone(&shell), id, stdout };
    let (sender, input) = mpsc::channel(INPUT_AHEAD);
    lock(&shell.inputs).insert(id, sender);
    let work = shell.handler.run(pipeline, PipelineIo { writer: writer.clone(), input });
    let stopped = async {
        loop {
            match io.signals.recv().await {
                SignalCode::CtrlC => return true,
                SignalCode::CtrlBreak => {}
                SignalCode::Terminate => return false,
            }
        }
    };
    let (state, error) = tokio::select! {
        result = work => match result {
            Ok(()) => (PipelineState::Completed, None),
            Err(error) => (PipelineState::Failed, Some(error)),
        },
        stopped = stopped => {
            if !stopped {
                return 0;
            }
            let error = ErrorRecord::new(
                "The pipeline has been stopped.",
                "PipelineStopped",
                ErrorCategory::OperationStopped,
                "System.Management.Automation.PipelineStoppedException",
            );
            (PipelineState::Stopped, Some(error))
        }
        never = feed(&here, io.stdin) => match never {},
    };
    writer.send(|pool, id| pool.pipeline_state(id, state, error)).await;
    0
}

/// A pipeline that is known as long as this lives.
struct Here {
    shell: Arc<PowerShellShell>,
    id: Uuid,
}

impl Drop for Here {
    fn drop(&mut self) {
        lock(&self.shell.inputs).remove(&self.id);
        self.shell.pool().forget(self.id);
    }
}

/// Waits for all of the message that makes it.
async fn begin(here: &Here, fragments: &[u8], stdin: &mut StdinReader) -> Option<Pipeline> {
    let mut block = fragments.to_vec();
    loop {
        let events = here.shell.pool().receive(Some(here.id), &block).ok()?;
        for event in events {
            match event {
                Event::Start { id, pipeline } if id == here.id => return Some(*pipeline),
                Event::Metadata { id, metadata } if id == here.id => return Some(get_command(&metadata)),
                // What cannot be read is run by nobody.
                Event::Rejected(rejected) => {
                    tracing::debug!(%rejected, "a pipeline could not be read");
                    return None;
                }
                other => here.shell.take(other).ok()?,
            }
        }
        block.clear();
        if stdin.read_buf(&mut block).await.is_ok_and(|read| read == 0) {
            return None;
        }
    }
}

/// What asks for commands, as a pipeline that does.
fn get_command(metadata: &winrm_psrp::message::GetCommandMetadata) -> Pipeline {
    let names = metadata.names.iter().cloned().map(Into::into).collect();
    let names = winrm_psrp::clixml::PsObject::new().with_content(winrm_psrp::clixml::Content::List(names));
    Pipeline::command(winrm_psrp::pipeline::Command::new("Get-Command").parameter("Name", names))
}

/// Hands on what comes for it, and never ends.
async fn feed(here: &Here, mut stdin: StdinReader) -> std::convert::Infallible {
    let mut block = Vec::new();
    loop {
        block.clear();
        if !stdin.read_buf(&mut block).await.is_ok_and(|read| read > 0) {
            return std::future::pending().await;
        }
        let events = here.shell.pool().receive(Some(here.id), &block);
        for event in events.unwrap_or_default() {
            match event {
                Event::Input { id, value } => {
                    let sender = lock(&here.shell.inputs).get(&id).cloned();
                    if let Some(sender) = sender {
                        // A pipeline that reads no more has enough.
                        let _ = sender.send(value).await;
                    }
                }
                Event::EndOfInput { id } => {
                    // Another sender in its place, so that it counts as running.
                    if let Some(sender) = lock(&here.shell.inputs).get_mut(&id) {
                        *sender = mpsc::channel(1).0;
                    }
                }
                other => drop(here.shell.take(other)),
            }
        }
    }
}
