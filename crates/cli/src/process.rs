//! A remote process from its start to its end, with our streams, signals and deadlines.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use winrm::{Child, Command, CommandError, ExitStatus};

use crate::args::ProcessArgs;
use crate::control::{self, Wish};
use crate::fan::{Ended, Host, stopped};
use crate::input::{self, Input};
use crate::output::{Stream, StreamPrinter};
use crate::report::Failure;

/// How long a terminated command may take to end.
const END_GRACE: Duration = Duration::from_secs(5);
/// Output read at once, in bytes.
const BLOCK: usize = 4 * 1024;
/// The same of a process that writes a lot.
const MAX_BLOCK: usize = 64 * 1024;

/// Starts a command as the options say.
pub(crate) fn prepare(command: &mut Command, args: &ProcessArgs) {
    command.envs(args.environment.iter().cloned());
    if let Some(directory) = &args.cwd {
        command.current_dir(directory);
    }
}

/// What is expected of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// The host goes away under it.
    pub(crate) expect_disconnect: bool,
    /// Standard error is printed as it comes, CLIXML too.
    pub(crate) raw: bool,
}

/// Runs it with its output printed.
pub(crate) async fn drive(
    host: &Host,
    mut command: Command,
    input: Option<Input>,
    how: How,
    mut wishes: watch::Receiver<Wish>,
) -> Result<Ended, Failure> {
    let mut child = start(&mut command, &mut wishes).await?;
    let signals = child.signals();
    let feeding = input::feed(child.stdin.take(), input);
    let label = &host.target.label;
    let printed = async {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let stdout = print(stdout, StreamPrinter::new(&host.printer, label, Stream::Stdout));
        let printer = StreamPrinter::new(&host.printer, label, Stream::Stderr);
        let stderr = print(stderr, if how.raw { printer } else { printer.with_records() });
        let ((), (), ended) = tokio::join!(stdout, stderr, child.wait());
        ended
    };
    tokio::pin!(feeding, printed);
    let mut is_feeding = true;
    // They must not hold up what comes after them.
    let mut signalling: JoinSet<Result<(), CommandError>> = JoinSet::new();
    let mut last_wish = *wishes.borrow_and_update();
    let mut news = last_wish != Wish::Run;
    let mut deadline = None;
    let ended = loop {
        if std::mem::take(&mut news) {
            let signals = signals.clone();
            match last_wish {
                Wish::Run => {}
                Wish::Interrupt => drop(signalling.spawn(async move { signals.ctrl_c().await })),
                Wish::Terminate(_) => {
                    signalling.spawn(async move { signals.terminate().await });
                    deadline = Some(Instant::now() + END_GRACE);
                }
            }
        }
        tokio::select! {
            ended = &mut printed => break ended,
            () = &mut feeding, if is_feeding => is_feeding = false,
            Ok(()) = wishes.changed() => {
                last_wish = *wishes.borrow_and_update();
                news = true;
            }
            Some(sent) = signalling.join_next() => {
                if let Ok(Err(error)) = sent {
                    host.printer.failure(&Failure::from(error), host.shown());
                }
            }
            () = reached(deadline) => return Err(stopped(last_wish)),
        }
    };
    // The output may have failed in the same breath in which the process ended: that came with no change to wait for.
    let last_wish = *wishes.borrow();
    match (ended, last_wish) {
        // Whatever code a process leaves that we ended: it is not its own.
        (_, Wish::Terminate(reason)) => Err(reason.into()),
        (Ok(status), _) => exit_code(status).map(Ended::Exited),
        (Err(error), _) if how.expect_disconnect && is_disconnect(&error) => {
            Ok(Ended::Disconnected(Failure::from(error).into_message()))
        }
        (Err(error), _) => Err(error.into()),
    }
}

async fn start(command: &mut Command, wishes: &mut watch::Receiver<Wish>) -> Result<Child, Failure> {
    // What is dropped half-way cleans up after itself.
    let interrupted = control::wanted(wishes, |wish| *wish != Wish::Run);
    tokio::select! {
        // Apart, as it is large and soon over, while a fleet holds many that wait for an end.
        child = Box::pin(command.spawn()) => Ok(child?),
        wish = interrupted => Err(stopped(wish)),
    }
}

/// Whether a started command was lost with its host.
fn is_disconnect(error: &CommandError) -> bool {
    matches!(error, CommandError::Lost { source, .. } if source.is_disconnect())
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn exit_code(status: ExitStatus) -> Result<u32, Failure> {
    status.raw().ok_or_else(|| Failure::new("the remote process was terminated and told no exit code"))
}

/// Prints a stream until its end. Why it ended too early is what waiting for the process tells.
async fn print(stream: Option<impl AsyncRead + Unpin>, mut printer: StreamPrinter<'_>) {
    let Some(mut stream) = stream else { return };
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        if block.len() == block.capacity() && block.len() < MAX_BLOCK {
            block.reserve_exact(block.len());
        }
        block.clear();
        match stream.read_buf(&mut block).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                if printer.block(&block).await.is_err() {
                    return;
                }
            }
        }
    }
    // The printer has told everybody if that failed.
    let _ = printer.end().await;
}
