//! `winrm run`: one command on one host or many.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use winrm::{Child, Client, CommandError, ExitStatus, Stdio};

use crate::args::RunArgs;
use crate::connect::{self, Proof};
use crate::control::{self, Control, Wish};
use crate::exit;
use crate::input::{self, Input};
use crate::output::{Format, Printer, Stream, StreamPrinter};
use crate::report::{Failure, warn};
use crate::settings::Settings;
use crate::target::{self, Target};
use crate::waiting;
use crate::wire_file::WireFile;

/// How long a terminated command may take to end.
const END_GRACE: Duration = Duration::from_secs(5);
/// How long clean-up may take once commands are to end.
const CLOSE_GRACE: Duration = Duration::from_secs(3);
/// How long clean-up may take on a host that went away: it may have been the connection alone.
const GONE_GRACE: Duration = Duration::from_secs(1);
/// Output read at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// Runs it everywhere at once; the exit status.
pub(crate) async fn run(args: RunArgs) -> Result<i32, Failure> {
    input::read_once(&args.targets, &args.connection, args.stdin)?;
    let settings = Settings::read(&args.connection)?;
    let targets = target::resolve(&args.targets.targets, &settings)?;
    let control = Control::start()?;
    let proofs = connect::proofs(&args.connection, &targets, &control).await?;
    let proofs = proofs.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| {
        Failure::new("no user to log on as")
            .with_remedy("give --user, set WINRM_USER, or name one in the config file")
    })?;
    let trace = connect::wire_file(&args.connection)?;
    connect::warn_of_clear_text(&args.connection, &targets);
    control.end_after(args.connection.timeout);
    let format = match (args.targets.json, targets.len()) {
        (true, _) => Format::Json,
        (false, 1) => Format::Raw,
        (false, _) => Format::Prefixed,
    };
    let inputs = if args.stdin { input::read(targets.len(), control.clone()) } else { Vec::new() };
    let mut inputs = inputs.into_iter();
    let shared = Arc::new(Shared { printer: Printer::new(format, control.clone()), args, control, trace });

    let mut commands = JoinSet::new();
    for (target, proof) in targets.into_iter().zip(proofs) {
        let (shared, input) = (Arc::clone(&shared), inputs.next());
        commands.spawn(async move { shared.run_on(&target, &proof, input).await });
    }
    let mut codes = Vec::new();
    while let Some(ended) = commands.join_next().await {
        codes.push(ended.map_err(|error| Failure::caused_by("a task failed", &error))?);
    }
    Ok(exit::of_all(codes))
}

/// What the commands have in common.
struct Shared {
    args: RunArgs,
    trace: Option<Arc<WireFile>>,
    printer: Printer,
    control: Control,
}

impl Shared {
    /// The remote exit code; `None` when the client failed, which has been told by then.
    async fn run_on(&self, target: &Target, proof: &Proof, input: Option<Input>) -> Option<u32> {
        let ended = self.attempt(target, proof, input).await;
        let (members, code) = match ended {
            Ok(Ended::Exited(raw)) => (exit_event(raw), Some(raw)),
            Ok(Ended::Disconnected(reason)) => {
                if self.printer.format() != Format::Json {
                    let host = self.host(&target.label).map(|host| format!("{host}: ")).unwrap_or_default();
                    warn(&format!("{host}disconnected, as expected: {reason}"));
                }
                (disconnect_event(&reason), Some(0))
            }
            Err(failure) => {
                if self.printer.format() != Format::Json {
                    failure.print(self.host(&target.label));
                }
                (failure.json(), None)
            }
        };
        if self.printer.format() == Format::Json {
            // That nobody reads any more has ended the command already.
            return self.printer.object(&target.label, members).await.ok().and(code);
        }
        if let Some(note) = code.and_then(exit::note) {
            let host = self.host(&target.label).map(|host| format!("{host}: ")).unwrap_or_default();
            warn(&format!("{host}{note}"));
        }
        code
    }

    /// The host, where messages must name it.
    fn host<'a>(&self, host: &'a str) -> Option<&'a str> {
        (self.printer.format() == Format::Prefixed).then_some(host)
    }

    async fn attempt(&self, target: &Target, proof: &Proof, input: Option<Input>) -> Result<Ended, Failure> {
        let builder = proof.given_to(connect::builder(&self.args.connection, target, self.trace.as_ref())?);
        let mut wishes = self.control.subscribe();
        if let Some(limit) = self.args.connection.wait {
            let quiet = self.printer.format() == Format::Json;
            tokio::select! {
                waited = waiting::wait(&builder, target, limit, quiet) => waited?,
                wish = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => return Err(stopped(wish)),
            }
        }
        let client = builder.build()?;
        let ended = self.drive(&client, &target.label, input, &mut wishes).await;
        // The host keeps no shell of ours, unless it does not answer and we are to end.
        let gone = match &ended {
            Ok(Ended::Disconnected(_)) => true,
            Ok(Ended::Exited(_)) => false,
            Err(failure) => failure.is_lost(),
        };
        let impatient = async {
            if gone {
                return tokio::time::sleep(GONE_GRACE).await;
            }
            control::wanted(&mut wishes, |wish| matches!(wish, Wish::Terminate(_))).await;
            tokio::time::sleep(CLOSE_GRACE).await;
        };
        tokio::select! {
            () = client.close() => {}
            () = impatient => {}
        }
        ended
    }

    async fn drive(
        &self,
        client: &Client,
        host: &str,
        input: Option<Input>,
        wishes: &mut watch::Receiver<Wish>,
    ) -> Result<Ended, Failure> {
        let mut child = self.start(client, wishes).await?;
        let signals = child.signals();
        let feeding = input::feed(child.stdin.take(), input);
        let printed = async {
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let stdout = print(stdout, StreamPrinter::new(&self.printer, host, Stream::Stdout));
            let stderr = print(stderr, StreamPrinter::new(&self.printer, host, Stream::Stderr));
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
                        Failure::from(error).print(self.host(host));
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
            (Err(error), _) if self.args.expect_disconnect && is_disconnect(&error) => {
                Ok(Ended::Disconnected(Failure::from(error).into_message()))
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn start(&self, client: &Client, wishes: &mut watch::Receiver<Wish>) -> Result<Child, Failure> {
        let args = &self.args;
        let mut command = match args.command.split_first() {
            Some((line, [])) => client.raw_command(line),
            Some((program, arguments)) => {
                let mut command = client.command(program);
                command.args(arguments);
                command
            }
            None => return Err(Failure::new("no command")),
        };
        command.envs(args.environment.iter().cloned());
        if let Some(directory) = &args.cwd {
            command.current_dir(directory);
        }
        if let Some(codepage) = args.codepage {
            command.codepage(codepage);
        }
        command.stdin(if args.stdin { Stdio::piped() } else { Stdio::null() });
        // What is dropped half-way cleans up after itself.
        let interrupted = control::wanted(wishes, |wish| *wish != Wish::Run);
        tokio::select! {
            child = command.spawn() => Ok(child?),
            wish = interrupted => Err(stopped(wish)),
        }
    }
}

/// How a command that was started ended.
enum Ended {
    /// With this raw exit code.
    Exited(u32),
    /// Its host went away, which was expected; how.
    Disconnected(String),
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

/// Why a command was given up.
fn stopped(wish: Wish) -> Failure {
    match wish {
        Wish::Terminate(reason) => reason.into(),
        Wish::Interrupt | Wish::Run => Failure::new("interrupted before the command was started"),
    }
}

fn exit_code(status: ExitStatus) -> Result<u32, Failure> {
    status.raw().ok_or_else(|| Failure::new("the remote process was terminated and told no exit code"))
}

/// Prints a stream until its end. Why it ended too early is what waiting for the process tells.
async fn print(stream: Option<impl AsyncRead + Unpin>, mut printer: StreamPrinter<'_>) {
    let Some(mut stream) = stream else { return };
    let mut block = Vec::new();
    loop {
        block.clear();
        block.reserve(BLOCK);
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

fn disconnect_event(reason: &str) -> Map<String, serde_json::Value> {
    [("disconnected", json!(true)), ("reason", json!(reason))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn exit_event(raw: u32) -> Map<String, serde_json::Value> {
    [("exit_code", json!(exit::shown(raw))), ("raw_exit_code", json!(raw))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
