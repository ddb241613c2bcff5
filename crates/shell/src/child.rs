//! A running remote process.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use winrm_wsman::uri;

use crate::error::{Error, PartialOutput};
use crate::exit_status::ExitStatus;
use crate::pipes::{ChildStderr, ChildStdin, ChildStdout};
use crate::running::{Exit, Loss, Remote};
#[cfg(feature = "files")]
use crate::shell::TIDYING;

/// A remote process; mirrors [`tokio::process::Child`].
///
/// Unlike a local one it ends with its owner: dropping a `Child` terminates the process and frees its place in the
/// shell, behind the caller's back.
pub struct Child {
    /// Present when [`Stdio::piped`](crate::Stdio::piped) was asked for.
    pub stdin: Option<ChildStdin>,
    /// Present when [`Stdio::piped`](crate::Stdio::piped) was asked for.
    pub stdout: Option<ChildStdout>,
    /// Present when [`Stdio::piped`](crate::Stdio::piped) was asked for.
    pub stderr: Option<ChildStderr>,
    remote: Arc<Remote>,
    exit: watch::Receiver<Option<Exit>>,
}

/// What a process wrote, and how it ended; mirrors [`std::process::Output`].
#[derive(Clone, Eq, PartialEq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, in the code page of its shell.
    pub stdout: Vec<u8>,
    /// Standard error, in the code page of its shell.
    pub stderr: Vec<u8>,
}

/// Lengths only: output may be anybody's secret.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("status", &self.status)
            .field("stdout_len", &self.stdout.len())
            .field("stderr_len", &self.stderr.len())
            .finish()
    }
}

impl Child {
    pub(crate) fn new(
        remote: Arc<Remote>,
        exit: watch::Receiver<Option<Exit>>,
        stdin: Option<ChildStdin>,
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
    ) -> Self {
        Self { stdin, stdout, stderr, remote, exit }
    }

    /// The CommandId by which the service knows it.
    pub fn id(&self) -> &str {
        self.remote.command_id()
    }

    /// Lets it end by itself, and terminates it if it takes too long.
    #[cfg(feature = "files")]
    pub(crate) fn end_tidily(mut self) {
        self.remote.shell.tidy();
        let client = self.remote.client().clone();
        client.spawn_background(async move {
            // However it ends: it is terminated with the child.
            drop(tokio::time::timeout(TIDYING, self.wait()).await);
        });
    }

    /// A handle that sends signals while this is borrowed elsewhere.
    pub fn signals(&self) -> Signals {
        Signals { remote: Arc::clone(&self.remote) }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// [`Error::Lost`] when the connection to it was lost.
    pub fn try_wait(&self) -> Result<Option<ExitStatus>, Error> {
        self.exit.borrow().clone().map(into_status).transpose()
    }

    /// Closes standard input and waits for the end. Output that was not taken out of `stdout` and `stderr` is kept there
    /// in memory meanwhile, so that the process is not held up; output that was taken must be read meanwhile.
    ///
    /// # Errors
    /// [`Error::Lost`] when the connection to it was lost.
    pub async fn wait(&mut self) -> Result<ExitStatus, Error> {
        drop(self.stdin.take());
        let Self { stdout, stderr, exit, .. } = self;
        let soak_stdout = async {
            if let Some(stdout) = stdout {
                stdout.0.soak().await;
            }
        };
        let soak_stderr = async {
            if let Some(stderr) = stderr {
                stderr.0.soak().await;
            }
        };
        // The guard that `wait_for` returns must not be held across the other two.
        let ended = async { exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone()) };
        let ((), (), exit) = tokio::join!(soak_stdout, soak_stderr, ended);
        // Nothing: the runtime has dropped the driver, and it can only be shutting down.
        exit.map_or_else(|| Ok(ExitStatus::terminated()), into_status)
    }

    /// Closes standard input, gathers what is left of the output, however much it is, and waits for the end.
    ///
    /// # Errors
    /// [`Error::Lost`] with what had arrived.
    pub async fn wait_with_output(mut self) -> Result<Output, Error> {
        let status = self.wait().await;
        let stdout = self.stdout.take().map(|stream| stream.0.into_vec()).unwrap_or_default();
        let stderr = self.stderr.take().map(|stream| stream.0.into_vec()).unwrap_or_default();
        match status {
            Ok(status) => Ok(Output { status, stdout, stderr }),
            Err(Error::Lost { source, .. }) => {
                Err(Error::Lost { output: Box::new(PartialOutput { stdout, stderr }), source })
            }
            Err(Error::TimedOut { timeout, .. }) => {
                Err(Error::TimedOut { timeout, output: Box::new(PartialOutput { stdout, stderr }) })
            }
            Err(error) => Err(error),
        }
    }

    /// Terminates it behind the caller's back; [`wait`](Self::wait) tells when it has ended.
    pub fn start_kill(&mut self) {
        let signals = self.signals();
        let client = self.remote.client().clone();
        client.spawn_background(async move {
            if let Err(error) = signals.terminate().await {
                tracing::warn!(%error, "process could not be terminated");
            }
        });
    }

    /// Terminates it and waits for the end. Output that nobody reads is thrown away.
    ///
    /// # Errors
    /// [`Error::Signal`] when the service could not be told, [`Error::Lost`] when the connection was lost.
    pub async fn kill(&mut self) -> Result<(), Error> {
        self.signals().terminate().await?;
        self.wait().await.map(|_| ())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.remote.abandon();
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("id", &self.id()).finish_non_exhaustive()
    }
}

fn into_status(exit: Exit) -> Result<ExitStatus, Error> {
    exit.map_err(|loss| match loss {
        Loss::Transport(source) => Error::Lost { output: Box::default(), source },
        Loss::TimedOut(timeout) => Error::TimedOut { timeout, output: Box::default() },
        Loss::Disconnected => Error::Disconnected,
    })
}

/// Sends signals to a remote process. They never wait for output: they have connections of their own.
#[derive(Clone)]
pub struct Signals {
    remote: Arc<Remote>,
}

impl Signals {
    /// Ctrl-C: most programs end, and say so by exit code `0xC000013A`.
    ///
    /// # Errors
    /// [`Error::Signal`].
    pub async fn ctrl_c(&self) -> Result<(), Error> {
        self.remote.signal(uri::SIGNAL_CTRL_C).await
    }

    /// Ctrl-Break.
    ///
    /// # Errors
    /// [`Error::Signal`].
    pub async fn ctrl_break(&self) -> Result<(), Error> {
        self.remote.signal(uri::SIGNAL_CTRL_BREAK).await
    }

    /// Ends the process without asking it.
    ///
    /// # Errors
    /// [`Error::Signal`].
    pub async fn terminate(&self) -> Result<(), Error> {
        self.remote.terminate().await
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.remote.command_id()).finish()
    }
}
