//! What a command does: the service knows shells and streams, a [`Handler`] knows what happens in them.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::command_line::{self, CommandLineError};
use crate::stdin::StdinReader;
use crate::stdout::OutputWriter;

/// A command on its way; ends with the exit code.
pub type Running = Pin<Box<dyn Future<Output = u32> + Send + 'static>>;

/// Does what a command says.
///
/// The future runs in a task of its own. It is dropped when the command is terminated and does not end by itself
/// within [`Limits::termination_grace`](crate::Limits::termination_grace), when its shell is deleted, and when the
/// service stops: whatever it started must end with it.
///
/// Closures that return a future are handlers:
///
/// ```
/// use tokio::io::AsyncWriteExt;
/// use winrm_loopback::{Invocation, Io, Service};
///
/// # async fn example() -> std::io::Result<()> {
/// let service = Service::builder()
///     .account("user", "password")
///     .handler(|invocation: Invocation, mut io: Io| async move {
///         let text = format!("you said {}\r\n", invocation.command_line());
///         if io.stdout.write_all(text.as_bytes()).await.is_ok() { 0 } else { 1 }
///     })
///     .start()
///     .await?;
/// # drop(service);
/// # Ok(())
/// # }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Starts the command. Output ends when `io` is dropped, the command when the future is done.
    fn run(&self, invocation: Invocation, io: Io) -> Running;
}

impl<F, Fut> Handler for F
where
    F: Fn(Invocation, Io) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = u32> + Send + 'static,
{
    fn run(&self, invocation: Invocation, io: Io) -> Running {
        Box::pin(self(invocation, io))
    }
}

/// A command as the client sent it, and the shell around it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Invocation {
    /// `rsp:Command`: a program, or a whole command line.
    pub command: String,
    /// `rsp:Arguments`, one each, as written for `cmd`.
    pub arguments: Vec<String>,
    /// Environment variables of the shell, in order.
    pub environment: Vec<(String, String)>,
    /// Working directory of the shell.
    pub working_directory: Option<String>,
    /// `WINRS_CODEPAGE` of the shell.
    pub codepage: Option<u32>,
    /// `WINRS_NOPROFILE` of the shell.
    pub no_profile: bool,
    /// `WINRS_CONSOLEMODE_STDIN`: standard input is a console, as it is when the client says nothing.
    pub console_mode_stdin: bool,
    /// `WINRS_SKIP_CMD_SHELL`: the client wants no `cmd` in between. Windows ignores it since 2012 R2.
    pub skip_cmd_shell: bool,
    /// Who logged on, as `DOMAIN\user` or `user`.
    pub user: String,
    /// `rsp:IdleTimeOut` of the shell, as the client asked for it.
    pub idle_timeout: Option<Duration>,
    /// `SessionId` that the shell was created with.
    pub session_id: Option<String>,
    /// Id of the shell.
    pub shell_id: String,
    /// Id of the command.
    pub command_id: String,
}

impl Invocation {
    /// Command and arguments with blanks between them: the line that Windows gives to `cmd /C`.
    pub fn command_line(&self) -> String {
        let mut line = self.command.clone();
        for argument in &self.arguments {
            line.push(' ');
            line.push_str(argument);
        }
        line
    }

    /// The line as a program gets it on Windows: `cmd` undone, then cut by the rules of `CommandLineToArgvW`.
    ///
    /// # Errors
    /// When the line uses what only `cmd` can do, such as pipes and variables.
    pub fn argv(&self) -> Result<Vec<String>, CommandLineError> {
        let passed = command_line::through_cmd(&self.command_line())?;
        command_line::split(&passed)
    }
}

/// The streams of a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct Io {
    /// What the client sends; ends when it says so, or when nobody can send any more.
    ///
    /// Once it is dropped, or the command has ended, input is answered with a fault 109 (broken pipe), and once the command
    /// was terminated with 2150858843. That Windows gives the first of them is assumed, not recorded.
    pub stdin: StdinReader,
    /// To the client, with back-pressure: writing waits until the client has fetched enough.
    pub stdout: OutputWriter,
    /// To the client, as `stdout`.
    pub stderr: OutputWriter,
    /// What the client wants to happen to the command.
    pub signals: Signals,
}

/// A signal from the client (MS-WSMV 3.1.4.12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignalCode {
    /// Ctrl-C.
    CtrlC,
    /// Ctrl-Break.
    CtrlBreak,
    /// End now, or be ended soon.
    Terminate,
}

/// Signals in the order they came, except that [`SignalCode::Terminate`] overtakes.
#[derive(Debug)]
pub struct Signals {
    pub(crate) interrupts: tokio::sync::mpsc::Receiver<SignalCode>,
    pub(crate) terminate: tokio::sync::watch::Receiver<bool>,
}

impl Signals {
    /// The next signal. Once terminated, always [`SignalCode::Terminate`]. Cancel-safe.
    pub async fn recv(&mut self) -> SignalCode {
        tokio::select! {
            biased;
            () = terminated(&mut self.terminate) => SignalCode::Terminate,
            Some(code) = self.interrupts.recv() => code,
        }
    }

    /// Waits until the command is terminated; other signals stay in line. Cancel-safe.
    pub async fn terminated(&mut self) {
        terminated(&mut self.terminate).await;
    }
}

async fn terminated(terminate: &mut tokio::sync::watch::Receiver<bool>) {
    // An error means that the service is gone: nobody waits for the command any more.
    let _ = terminate.wait_for(|terminate| *terminate).await;
}
