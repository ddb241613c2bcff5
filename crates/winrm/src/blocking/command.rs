//! A remote process that is waited for.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use winrm_shell::{Child, ChildStdin, Error, ExitStatus, Output, Stdio};

use super::Client;

/// A remote process to be, as [`std::process::Command`]; [`winrm_shell::Command`] says more of each setting.
#[derive(Clone, Debug)]
pub struct Command {
    client: Client,
    asynchronous: winrm_shell::Command,
    input: Option<Input>,
}

/// What goes to standard input; it may hold secrets.
#[derive(Clone)]
struct Input(Vec<u8>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Command {
    pub(super) fn new(client: Client, command: winrm_shell::Command) -> Self {
        Self { client, asynchronous: command, input: None }
    }

    /// Adds one argument, which reaches the program as given.
    pub fn arg(&mut self, argument: impl Into<String>) -> &mut Self {
        self.with(|command| command.arg(argument))
    }

    /// Adds several arguments, as [`arg`](Self::arg) does.
    pub fn args<I: IntoIterator<Item: Into<String>>>(&mut self, arguments: I) -> &mut Self {
        self.with(|command| command.args(arguments))
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.with(|command| command.env(name, value))
    }

    /// The directory to start in.
    pub fn current_dir(&mut self, directory: impl Into<String>) -> &mut Self {
        self.with(|command| command.current_dir(directory))
    }

    /// The console's code page; 65001 (UTF-8) unless set.
    pub fn codepage(&mut self, codepage: u32) -> &mut Self {
        self.with(|command| command.codepage(codepage))
    }

    /// How long it may take in all; see [`winrm_shell::Command::timeout`].
    pub fn timeout(&mut self, timeout: Duration) -> &mut Self {
        self.with(|command| command.timeout(timeout))
    }

    /// Sets anything else that [`winrm_shell::Command`] can.
    ///
    /// ```no_run
    /// # fn run(client: winrm::blocking::Client) -> Result<(), winrm::CommandError> {
    /// client.command("app.exe").with(|command| command.raw_arg("/x:\"1\"").no_profile(true)).output()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(
        &mut self,
        set: impl FnOnce(&mut winrm_shell::Command) -> &mut winrm_shell::Command,
    ) -> &mut Self {
        set(&mut self.asynchronous);
        self
    }

    /// What the process reads from standard input, then end-of-file. A process that ends without having read it all is no
    /// error.
    pub fn input(&mut self, input: impl Into<Vec<u8>>) -> &mut Self {
        self.input = Some(Input(input.into()));
        self.with(|command| command.stdin(Stdio::piped()))
    }

    /// Runs it and gathers its output, however much it is.
    ///
    /// # Errors
    /// As [`winrm_shell::Command::output`].
    pub fn output(&mut self) -> Result<Output, Error> {
        let Self { client, asynchronous: command, input } = self;
        client.block_on(async |_| match input {
            None => command.output().await,
            Some(Input(input)) => {
                let mut child = command.spawn().await?;
                let stdin = child.stdin.take();
                fed(stdin, input, child.wait_with_output()).await
            }
        })
    }

    /// Runs it, and throws away output that was not asked for.
    ///
    /// # Errors
    /// As [`winrm_shell::Command::status`].
    pub fn status(&mut self) -> Result<ExitStatus, Error> {
        let Self { client, asynchronous: command, input } = self;
        client.block_on(async |_| match input {
            None => command.status().await,
            Some(Input(input)) => {
                // Of nobody's use here, whatever was set.
                let mut command = command.clone();
                let mut child: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().await?;
                let stdin = child.stdin.take();
                fed(stdin, input, child.wait()).await
            }
        })
    }
}

/// What comes of `end`, while the process is given its input.
async fn fed<T>(stdin: Option<ChildStdin>, input: &[u8], end: impl Future<Output = T>) -> T {
    let feed = async {
        if let Some(mut stdin) = stdin {
            // Why it takes no more, its end tells.
            drop(stdin.write_all(input).await);
        }
        pending::<Infallible>().await
    };
    tokio::select! {
        ended = end => ended,
        never = feed => match never {},
    }
}
