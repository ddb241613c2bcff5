//! A process from its start to its clean-up: a task polls for output until it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;
use winrm_transport::{Client, Place};
use winrm_wsman::{
    Body, CommandLine, CommandState, FaultCode, Message, Quota, Receive, ReceiveResponse, Signal, State,
    Stream, WsOption, guid, uri,
};

use crate::child::Child;
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::input::pump;
use crate::pipes::{self, ChildStderr, ChildStdout};
use crate::shell::{ShellInner, forget_if_gone};

/// How a process ended, or why nobody knows.
pub(crate) type Exit = Result<ExitStatus, Loss>;

/// Why nobody knows how a process ended.
#[derive(Clone, Debug)]
pub(crate) enum Loss {
    /// The way to it was lost.
    Transport(Arc<winrm_transport::Error>),
    /// It took longer than it may, and was told to end.
    TimedOut(Duration),
    /// Its shell was disconnected: it goes on.
    Disconnected,
}

/// Until when a process may run, and the time that this was counted from.
pub(crate) type Deadline = (Instant, Duration);

/// An answer with neither output nor an end should have been a time-out: do not ask again at once.
const EMPTY_ANSWER_PAUSE: Duration = Duration::from_millis(100);
/// A process that ends may refuse its remaining input in ways we do not know; so long may the news of its end take.
const REFUSED_INPUT_GRACE: Duration = Duration::from_secs(5);

/// Which streams the caller wants, and how the process is started.
#[expect(clippy::struct_excessive_bools, reason = "three streams, and an option of its own")]
#[derive(Clone)]
pub(crate) struct Streams {
    /// What is ours to say on standard input before it is the caller's, or ends.
    pub(crate) preamble: Bytes,
    /// Whether standard input is a console, if that is not as usual.
    pub(crate) console: Option<bool>,
    pub(crate) skip_cmd_shell: bool,
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// A process in a shell.
pub(crate) struct Remote {
    pub(crate) shell: Arc<ShellInner>,
    pub(crate) command_id: String,
    /// The shell is for this process alone.
    one_shot: bool,
    /// We ended it, so that an aborted Receive is its end.
    terminated: AtomicBool,
    /// Output that nobody reads no longer holds the process up.
    stop_delivery: Notify,
    /// Its owner is gone.
    abandoned: Notify,
    /// Nothing is left to clean.
    pub(crate) finished: AtomicBool,
    /// Among the client's commands and the shell's processes; given back with the process's place at the service.
    places: Mutex<Option<(Place, Place)>>,
}

/// Starts the process and its tasks.
pub(crate) async fn start(
    shell: Arc<ShellInner>,
    one_shot: bool,
    line: CommandLine,
    streams: Streams,
    deadline: Option<Deadline>,
) -> Result<Child, Error> {
    // Chosen here, so that a process whose CommandResponse is lost can still be ended.
    let mut remote = Remote::new(shell, guid(), one_shot);
    let line = CommandLine { command_id: Some(remote.command_id.clone()), ..line };
    // From here on dropping `remote` cleans up.
    let feeds = streams.stdin || !streams.preamble.is_empty();
    let console = if streams.console.unwrap_or(!feeds) { "TRUE" } else { "FALSE" };
    let mut options = vec![WsOption::new(uri::OPTION_CONSOLE_MODE_STDIN, console)];
    if streams.skip_cmd_shell {
        options.push(WsOption::new(uri::OPTION_SKIP_CMD_SHELL, "TRUE"));
    }
    let answer = remote.command(options, line).await.map_err(|error| Error::Spawn(Arc::new(error)))?;
    let Body::CommandResponse(response) = answer.body else {
        return Err(Error::Spawn(Arc::new(remote.shell.client().unexpected(&answer.header))));
    };
    remote.command_id = response.command_id;
    let remote = Arc::new(remote);

    Ok(drive(remote, streams, feeds, deadline))
}

/// Goes on with a process that was started before its shell was disconnected.
pub(crate) fn attach(shell: Arc<ShellInner>, command_id: String) -> Child {
    let remote = Remote::new(shell, command_id, false);
    let streams = Streams {
        preamble: Bytes::new(),
        console: None,
        skip_cmd_shell: false,
        stdin: false,
        stdout: true,
        stderr: true,
    };
    // Input may have been piped to it: nobody is to end that.
    drive(Arc::new(remote), streams, true, None)
}

/// Starts the tasks of a process. Where it `is_fed`, it is not told end-of-file for being silent.
fn drive(remote: Arc<Remote>, streams: Streams, is_fed: bool, deadline: Option<Deadline>) -> Child {
    let (exit, exited) = watch::channel(None);
    let (stdout, stdout_reader) = streams.stdout.then(|| pipes::output(&exited)).unzip();
    let (stderr, stderr_reader) = streams.stderr.then(|| pipes::output(&exited)).unzip();
    let (refused, input_refused) = oneshot::channel();
    let (source, stdin) = streams.stdin.then(pipes::input).unzip();
    if source.is_some() || !streams.preamble.is_empty() {
        let pump = pump(Arc::clone(&remote), streams.preamble, source, exited.clone(), refused);
        remote.shell.client().spawn_background(pump);
    } else {
        drop(refused);
    }
    let child = Child::new(
        Arc::clone(&remote),
        exited,
        stdin,
        stdout_reader.map(ChildStdout),
        stderr_reader.map(ChildStderr),
    );
    let client = remote.shell.client().clone();
    let driver = Driver { remote, stdout, stderr, nudge: !is_fed };
    client.spawn_background(driver.run(exit, input_refused, deadline));
    child
}

impl Remote {
    fn new(shell: Arc<ShellInner>, command_id: String, one_shot: bool) -> Self {
        Self {
            shell,
            command_id,
            one_shot,
            terminated: AtomicBool::new(false),
            stop_delivery: Notify::new(),
            abandoned: Notify::new(),
            finished: AtomicBool::new(false),
            places: Mutex::default(),
        }
    }

    pub(crate) fn command_id(&self) -> &str {
        &self.command_id
    }

    pub(crate) fn client(&self) -> &Client {
        self.shell.client()
    }

    /// Sends Command; where the service allows no more, waits until one of the client's own commands has ended.
    async fn command(
        &self,
        options: Vec<WsOption>,
        line: CommandLine,
    ) -> Result<Message, winrm_transport::Error> {
        let client = self.client();
        loop {
            let process = self.shell.processes().take().await.ok_or_else(|| client.closed())?;
            let command = client.commands().take().await.ok_or_else(|| client.closed())?;
            let body = Body::Command(line.clone());
            // With the process's clean-up, should nobody wait for the answer.
            *self.places() = Some((command, process));
            let error = match self.shell.request(uri::ACTION_COMMAND, options.clone(), body).await {
                Ok(answer) => {
                    if let Some((command, process)) = &*self.places() {
                        command.granted();
                        process.granted();
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let Some((command, process)) = self.places().take() else { return Err(error) };
            let waits = match error.quota() {
                Some(Quota::OperationsPerUser | Quota::PluginOperationsPerUser | Quota::PluginOperations) => {
                    command.refused()
                }
                Some(Quota::PluginCommandsPerShell | Quota::ProcessesOrMemoryPerShell) => process.refused(),
                _ => false,
            };
            if !waits {
                return Err(error);
            }
            tracing::debug!(endpoint = %client.endpoint(), %error, "waiting for a place among the commands");
        }
    }

    fn places(&self) -> MutexGuard<'_, Option<(Place, Place)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner is gone: the driver ends the process.
    pub(crate) fn abandon(&self) {
        self.abandoned.notify_one();
    }

    /// Signals a process; one that has ended needs no signal any more.
    pub(crate) async fn signal(&self, code: &str) -> Result<(), Error> {
        if self.finished.load(Ordering::Acquire) {
            return Ok(());
        }
        let answer = self.shell.request(uri::ACTION_SIGNAL, Vec::new(), self.signal_body(code)).await;
        forget_if_gone(answer).map_err(|error| Error::Signal(Arc::new(error)))
    }

    pub(crate) async fn terminate(&self) -> Result<(), Error> {
        self.terminated.store(true, Ordering::Release);
        self.stop_delivery.notify_one();
        self.signal(uri::SIGNAL_TERMINATE).await
    }

    fn signal_body(&self, code: &str) -> Body {
        Body::Signal(Signal { command_id: Some(self.command_id.clone()), code: code.to_owned() })
    }

    /// Frees the process's place behind the caller's back: the whole shell when it was made for it, for then no
    /// signal is needed.
    fn clean_up(&self) {
        if self.finished.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.shell.is_left() {
            drop(self.places().take());
            return;
        }
        if self.one_shot {
            return self.shell.delete_in_background(self.places().take());
        }
        let shell = Arc::clone(&self.shell);
        let body = self.signal_body(uri::SIGNAL_TERMINATE);
        let places = self.places().take();
        let client = self.shell.client().clone();
        client.spawn_background(async move {
            let answer = shell.request(uri::ACTION_SIGNAL, Vec::new(), body).await;
            if let Err(error) = forget_if_gone(answer) {
                tracing::debug!(endpoint = %shell.client().endpoint(), %error, "process was not cleaned up");
            }
            drop(places);
        });
    }

    async fn receive(&self) -> Result<ReceiveResponse, winrm_transport::Error> {
        let options = vec![WsOption::new(uri::OPTION_KEEP_ALIVE, "TRUE")];
        let body = Body::Receive(Receive {
            command_id: Some(self.command_id.clone()),
            desired_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        });
        let answer = self.shell.request(uri::ACTION_RECEIVE, options, body).await?;
        match answer.body {
            Body::ReceiveResponse(response) => Ok(response),
            _ => Err(self.shell.client().unexpected(&answer.header)),
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.clean_up();
    }
}

/// Polls for output until the process ends.
struct Driver {
    remote: Arc<Remote>,
    stdout: Option<mpsc::Sender<Bytes>>,
    stderr: Option<mpsc::Sender<Bytes>>,
    /// Nobody writes input: a process silent for a whole operation timeout is told so.
    nudge: bool,
}

impl Driver {
    async fn run(
        mut self,
        exit: watch::Sender<Option<Exit>>,
        input_refused: oneshot::Receiver<winrm_transport::Error>,
        deadline: Option<Deadline>,
    ) {
        let remote = Arc::clone(&self.remote);
        let client = remote.shell.client().clone();
        let result = tokio::select! {
            // The unfinished Receive goes, and its connection with it.
            () = remote.abandoned.notified() => Ok(ExitStatus::terminated()),
            () = remote.shell.closing() => Ok(ExitStatus::terminated()),
            error = failed_input(input_refused) => Err(Loss::Transport(Arc::new(error))),
            loss = overdue(deadline) => Err(loss),
            result = self.poll() => result.map_err(|error| match error.fault_code() {
                Some(code) if is_disconnection(code) => Loss::Disconnected,
                _ => Loss::Transport(Arc::new(error)),
            }),
        };
        if let Err(loss) = &result {
            tracing::debug!(endpoint = %client.endpoint(), ?loss, "process lost");
        }
        remote.clean_up();
        // Before the streams close, so that their readers can tell an end from a loss.
        exit.send_replace(Some(result));
    }

    async fn poll(&mut self) -> Result<ExitStatus, winrm_transport::Error> {
        loop {
            match self.remote.receive().await {
                Ok(answer) => {
                    if let Some(status) = self.take(answer).await {
                        return Ok(status);
                    }
                }
                Err(error) => match error.fault_code() {
                    Some(FaultCode::TIMED_OUT) => self.nudge(),
                    _ if self.remote.terminated.load(Ordering::Acquire) && error.is_shell_gone() => {
                        return Ok(ExitStatus::terminated());
                    }
                    _ => return Err(error),
                },
            }
        }
    }

    /// Delivers an answer's output; the status once the process has ended.
    async fn take(&mut self, answer: ReceiveResponse) -> Option<ExitStatus> {
        let ours = |id: &Option<String>| {
            id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&self.remote.command_id))
        };
        let empty = answer.streams.iter().all(|stream| stream.data.is_empty());
        for stream in answer.streams.into_iter().filter(|stream| ours(&stream.command_id)) {
            let target = match stream.name.as_str() {
                "stdout" => &mut self.stdout,
                "stderr" => &mut self.stderr,
                _ => continue,
            };
            deliver(target, stream, &self.remote).await;
        }
        match answer.command_state {
            Some(CommandState { state: State::Done, exit_code, command_id }) if ours(&command_id) => {
                Some(exit_code.map_or_else(ExitStatus::terminated, ExitStatus::exited))
            }
            _ => {
                if empty {
                    tokio::time::sleep(EMPTY_ANSWER_PAUSE).await;
                }
                None
            }
        }
    }

    /// Tells end-of-file, once, beside the next Receive. Whether the process takes it is its own affair.
    fn nudge(&mut self) {
        if !std::mem::take(&mut self.nudge) {
            return;
        }
        let remote = Arc::clone(&self.remote);
        self.remote.shell.client().spawn_background(async move {
            if let Err(error) = remote.send(Bytes::new(), true).await {
                tracing::debug!(%error, "end-of-file was not taken");
            }
        });
    }
}

/// Faults by which Receives end when the shell is disconnected.
fn is_disconnection(code: FaultCode) -> bool {
    matches!(code, FaultCode::SHELL_DISCONNECTED | FaultCode::STREAM_DISCONNECTED)
}

/// Waits for room. A reader that is gone no longer counts; nor does one that is behind when the process was
/// terminated.
async fn deliver(target: &mut Option<mpsc::Sender<Bytes>>, stream: Stream, remote: &Remote) {
    let Some(sender) = target else { return };
    if !stream.data.is_empty()
        && let Err(mpsc::error::TrySendError::Full(block)) = sender.try_send(stream.data)
        && !remote.terminated.load(Ordering::Acquire)
    {
        tokio::select! {
            _ = sender.send(block) => {}
            () = remote.stop_delivery.notified() => {}
        }
    }
    if stream.end {
        *target = None;
    }
}

/// Never returns before the deadline, if there is one.
async fn overdue(deadline: Option<Deadline>) -> Loss {
    match deadline {
        Some((end, timeout)) => {
            tokio::time::sleep_until(end).await;
            Loss::TimedOut(timeout)
        }
        None => std::future::pending().await,
    }
}

/// Never returns unless input was refused for a reason other than that nobody reads it.
async fn failed_input(refused: oneshot::Receiver<winrm_transport::Error>) -> winrm_transport::Error {
    match refused.await {
        Ok(error) => {
            // Of a process that ends at this moment the end is the better news.
            tokio::time::sleep(REFUSED_INPUT_GRACE).await;
            error
        }
        Err(_) => std::future::pending().await,
    }
}
