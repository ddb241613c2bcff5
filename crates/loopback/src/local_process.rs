//! The default handler: commands run on this machine.

use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

#[cfg(unix)]
use tokio::io::Interest;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
#[cfg(unix)]
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

#[cfg(not(windows))]
use crate::command_line;
use crate::handler::{Handler, Invocation, Io, Running, SignalCode};
use crate::stdin::StdinReader;
use crate::stdout::OutputWriter;

/// What `cmd /C` returns for a program that cannot be started.
const CANNOT_START: u32 = 1;
/// STATUS_CONTROL_C_EXIT: what a program ended by Ctrl-C or Ctrl-Break leaves behind on Windows.
const CONTROL_C_EXIT: u32 = 0xc000_013a;
/// What TerminateProcess is usually given.
const TERMINATED: u32 = 1;
/// A process that has ended may have left others behind that hold its output open: after so long without any, nobody
/// waits for them.
const DRAIN: Duration = Duration::from_millis(500);
/// Bytes that go through a pipe at once: as many as one holds on Linux.
const PIPE: usize = 64 * 1024;

/// Runs commands on this machine, as the user that runs the service.
///
/// A command without arguments is a line for the local shell: `sh -c LINE`, or `cmd /C LINE` on Windows. A command with
/// arguments is a program: the line that Windows would build from it is read as Windows reads it (see
/// [`Invocation::argv`]), and the program is run directly. Of cmd's own commands only `exit` is known then.
///
/// Processes get the environment of the service and that of the shell, a process group of their own on Unix, and
/// Ctrl-C as SIGINT, Ctrl-Break as SIGQUIT; to terminate is to kill the group. On Windows signals only end the process
/// itself. Code page and profile mean nothing here.
///
/// A process that a signal ended reports STATUS_CONTROL_C_EXIT when the client had sent one, else 128 and the signal, as
/// shells do.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LocalProcess;

impl LocalProcess {
    /// The handler.
    pub fn new() -> Self {
        Self
    }
}

impl Handler for LocalProcess {
    fn run(&self, invocation: Invocation, io: Io) -> Running {
        Box::pin(run(invocation, io))
    }
}

async fn run(invocation: Invocation, io: Io) -> u32 {
    if let Some(code) = exit_of_cmd(&invocation) {
        return code;
    }
    let Io { stdin, mut stdout, mut stderr, mut signals } = io;
    let mut process = match Process::start(&invocation) {
        Ok(process) => process,
        Err(error) => {
            // Nobody may be listening; the exit code tells it as well.
            let _ = stderr.write_all(format!("{}: {error}\r\n", invocation.command).as_bytes()).await;
            return CANNOT_START;
        }
    };
    let (ended, has_ended) = watch::channel(false);
    let to = process.child.stdin.take();
    let (from_stdout, from_stderr) = (process.child.stdout.take(), process.child.stderr.take());
    let pumps = async {
        tokio::join!(
            pump(from_stdout, &mut stdout, has_ended.clone()),
            pump(from_stderr, &mut stderr, has_ended.clone()),
        );
    };
    tokio::pin!(pumps);
    let (mut pumping, mut feeding, mut interrupted) = (true, true, false);
    let status = {
        // Dropped with the process's end, so that no more input is taken while its output is drained.
        let mut feed = pin!(feed(stdin, to));
        loop {
            tokio::select! {
                status = process.child.wait() => break status.ok(),
                () = &mut pumps, if pumping => pumping = false,
                () = &mut feed, if feeding => feeding = false,
                signal = signals.recv() => match signal {
                    // Dropping the process kills its group.
                    SignalCode::Terminate => return TERMINATED,
                    interrupt => {
                        interrupted = true;
                        process.interrupt(interrupt);
                    }
                },
            }
        }
    };
    // Without anybody to tell, the pumps have ended already.
    let _ = ended.send(true);
    if pumping {
        tokio::select! {
            () = &mut pumps => {}
            () = signals.terminated() => {}
        }
    }
    status.map_or(TERMINATED, |status| exit_code(status, interrupted))
}

/// `exit [/b] [CODE]` with its arguments apart. It is no program anywhere: cmd itself does it, so that
/// `winrm run HOST -- exit 3` ends with 3 on Windows, and it shall here.
fn exit_of_cmd(invocation: &Invocation) -> Option<u32> {
    if invocation.arguments.is_empty() || !invocation.command.eq_ignore_ascii_case("exit") {
        return None;
    }
    let argv = invocation.argv().ok()?;
    let code = argv.iter().skip(1).find(|argument| !argument.eq_ignore_ascii_case("/b"));
    // cmd reads what is not a number as 0.
    Some(code.and_then(|code| code.parse::<i32>().ok()).unwrap_or_default().cast_unsigned())
}

/// Copies output until it ends, or until the process has ended and nothing more comes.
async fn pump(
    from: Option<impl AsyncRead + Unpin>,
    to: &mut OutputWriter,
    mut has_ended: watch::Receiver<bool>,
) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; PIPE];
    loop {
        let drained = async {
            // An error is an end as well.
            let _ = has_ended.wait_for(|ended| *ended).await;
            tokio::time::sleep(DRAIN).await;
        };
        let len = tokio::select! {
            len = from.read(&mut buffer) => len.unwrap_or(0),
            () = drained => 0,
        };
        let block = buffer.get(..len).unwrap_or_default();
        // A client that fetches no more ends the command by other means.
        if block.is_empty() || to.write_all(block).await.is_err() {
            // Ends the stream.
            let _ = to.shutdown().await;
            return;
        }
    }
}

/// Copies input until it ends or the process has closed its end, then closes the pipe.
#[cfg(unix)]
async fn feed(mut from: StdinReader, to: Option<ChildStdin>) {
    let sender = to.and_then(|to| to.into_owned_fd().ok()).map(pipe::Sender::from_owned_fd);
    let Some(Ok(mut to)) = sender else { return };
    let mut buffer = vec![0; PIPE];
    loop {
        let len = tokio::select! {
            // Before anything is written in vain. Where the system does not tell, writing does.
            _ = to.ready(Interest::ERROR) => return,
            len = from.read(&mut buffer) => len.unwrap_or(0),
        };
        let block = buffer.get(..len).unwrap_or_default();
        // A process that reads no more is no failure.
        if block.is_empty() || to.write_all(block).await.is_err() {
            return;
        }
    }
}

/// Copies input until it ends, then closes the pipe.
#[cfg(not(unix))]
async fn feed(mut from: StdinReader, to: Option<ChildStdin>) {
    if let Some(mut to) = to {
        // A process that reads no more is no failure.
        let _ = tokio::io::copy(&mut from, &mut to).await;
    }
}

/// A process that is killed with everything it started when this is dropped.
struct Process {
    child: Child,
    #[cfg(unix)]
    group: Option<rustix::process::Pid>,
}

impl Process {
    fn start(invocation: &Invocation) -> io::Result<Self> {
        let mut command = command(invocation)?;
        command.envs(invocation.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &invocation.working_directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        Ok(Self {
            #[cfg(unix)]
            group: child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw),
            child,
        })
    }

    #[cfg(unix)]
    fn interrupt(&self, signal: SignalCode) {
        let signal = match signal {
            SignalCode::CtrlBreak => rustix::process::Signal::QUIT,
            _ => rustix::process::Signal::INT,
        };
        if let Some(group) = self.group {
            // It may have ended in this moment.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }

    #[cfg(not(unix))]
    fn interrupt(&mut self, _: SignalCode) {
        // It may have ended in this moment.
        let _ = self.child.start_kill();
    }
}

#[cfg(unix)]
impl Drop for Process {
    fn drop(&mut self) {
        // Also after the process itself has ended: what it left behind ends with it, as in the job object of Windows.
        if let Some(group) = self.group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

fn command(invocation: &Invocation) -> io::Result<Command> {
    if invocation.arguments.is_empty() {
        return Ok(shell(&invocation.command));
    }
    let argv = invocation.argv().map_err(io::Error::other)?;
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

/// A whole line for the local shell.
#[cfg(not(windows))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    // The pair of quotes that a client puts around a line for `cmd` to take away says nothing to `sh`.
    let unwrapped = line.trim_start().starts_with("\"\"").then(|| command_line::strip_outer_quotes(line));
    command.arg("-c").arg(unwrapped.as_deref().unwrap_or(line));
    command
}

/// A whole line for the local shell.
#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").raw_arg(line);
    command
}

fn exit_code(status: ExitStatus, interrupted: bool) -> u32 {
    if let Some(code) = status.code() {
        return code.cast_unsigned();
    }
    if interrupted {
        return CONTROL_C_EXIT;
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128_u32.wrapping_add_signed(signal);
    }
    TERMINATED
}
