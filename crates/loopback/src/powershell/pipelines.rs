//! Commands of a pool's shell: each is a pipeline, whose first fragments are its argument and the rest its input.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncReadExt;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;
use winrm_clixml::{Content, PsObject, PsValue};
use winrm_psrp::fragment::Header;
use winrm_psrp::message::{Command, CreatePipeline, GetCommandMetadata, PowerShell};
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::server::{Event, PipelineEvent};
use winrm_psrp::{ErrorCategory, PipelineState};

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
    io.stdout.keep_writes();
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
                "System.Management.Automation.PipelineStoppedException",
                "The pipeline has been stopped.",
                "PipelineStopped",
                ErrorCategory::OPERATION_STOPPED,
            );
            (PipelineState::Stopped, Some(error))
        }
        never = feed(&here, io.stdin) => match never {},
    };
    writer.send(|pool, id| pool.end_pipeline(id, state, error)).await;
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
        self.shell.pool().handle_command_ended(self.id);
    }
}

/// Waits for all of the message that makes it.
async fn begin(here: &Here, fragments: &[u8], stdin: &mut StdinReader) -> Option<CreatePipeline> {
    let mut block = fragments.to_vec();
    while !block.is_empty() {
        // One that cannot be read is passed over, and run by nobody: then nothing is left to wait for.
        let is_idle = ends_message(&block);
        for event in here.shell.events(Some(here.id), &block).ok()? {
            match event {
                Event::Pipeline { id, event: PipelineEvent::Create(pipeline) } if id == here.id => {
                    return Some(*pipeline);
                }
                Event::Pipeline { id, event: PipelineEvent::GetCommandMetadata(asked) } if id == here.id => {
                    return Some(get_command(asked));
                }
                other => here.shell.take(other).ok()?,
            }
        }
        if is_idle {
            return None;
        }
        block.clear();
        drop(stdin.read_buf(&mut block).await);
    }
    None
}

/// Whether the last of these fragments, which are whole, ends its message.
fn ends_message(fragments: &[u8]) -> bool {
    let mut rest = fragments;
    let mut ends = false;
    while let Some((header, behind)) = rest.split_first_chunk() {
        let header = Header::decode(header);
        ends = header.end;
        let size = usize::try_from(header.blob_length).unwrap_or(usize::MAX);
        rest = behind.get(size..).unwrap_or_default();
    }
    ends
}

/// What asks for commands, as a pipeline that does.
fn get_command(asked: GetCommandMetadata) -> CreatePipeline {
    let names = asked.names.unwrap_or_default().into_iter().map(PsValue::from).collect();
    let names = PsObject::new().with_content(Content::List(names));
    CreatePipeline::new(PowerShell::default().with(Command::named("Get-Command").parameter("Name", names)))
}

/// Hands on what comes for it, and never ends.
async fn feed(here: &Here, mut stdin: StdinReader) -> std::convert::Infallible {
    let mut block = Vec::new();
    loop {
        block.clear();
        if !stdin.read_buf(&mut block).await.is_ok_and(|read| read > 0) {
            return std::future::pending().await;
        }
        let events = here.shell.events(Some(here.id), &block);
        for event in events.unwrap_or_default() {
            match event {
                Event::Pipeline { id, event: PipelineEvent::Input(value) } => {
                    let sender = lock(&here.shell.inputs).get(&id).cloned();
                    if let Some(sender) = sender {
                        // A pipeline that reads no more has enough.
                        let _ = sender.send(value).await;
                    }
                }
                Event::Pipeline { id, event: PipelineEvent::EndOfInput } => {
                    lock(&here.shell.inputs).remove(&id);
                }
                other => drop(here.shell.take(other)),
            }
        }
    }
}
