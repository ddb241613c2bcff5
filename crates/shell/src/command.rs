//! Building a remote process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use winrm_transport::Client;
use winrm_wsman::{CommandLine, Variable};

use crate::child::{Child, Output};
use crate::command_line::{self, Argument};
use crate::error::Error;
use crate::exit_status::ExitStatus;
use crate::powershell;
use crate::running::{Deadline, Streams, start};
use crate::shell::{Settings, ShellInner};
use crate::stdio::Stdio;

/// How long a shell made for one command outlives its client, should nobody delete it: short, for the service
/// allows each user few shells, but longer than a reader of output may reasonably pause.
pub(crate) const ONE_SHOT_IDLE: Duration = Duration::from_mins(15);

/// A remote process to be; mirrors [`tokio::process::Command`].
///
/// ```no_run
/// # async fn run(client: winrm_transport::Client) -> Result<(), winrm_shell::Error> {
/// let output = winrm_shell::Command::new(&client, "ipconfig").arg("/all").output().await?;
/// assert!(output.status.success());
/// # Ok(())
/// # }
/// ```
///
/// Differences: starting is asynchronous; there is nothing to inherit, so that streams are piped by
/// [`spawn`](Self::spawn) unless set otherwise; standard input is [`Stdio::null`] unless set.
#[derive(Clone)]
pub struct Command {
    origin: Origin,
    program: String,
    raw_line: bool,
    /// To be read from standard input before anything of the caller's.
    preamble: Bytes,
    arguments: Vec<Argument>,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    timeout: Option<Duration>,
    skip_cmd_shell: bool,
    console_mode_stdin: Option<bool>,
}

/// Where it runs.
#[derive(Clone)]
enum Origin {
    /// In a shell of its own.
    OneShot { client: Client, settings: Settings },
    /// In a shell that is open; the first setting that came too late.
    Shell { shell: Arc<ShellInner>, late: Option<&'static str> },
}

impl Command {
    /// `program` on `client`'s host, in a shell of its own that is deleted when it ends.
    pub fn new(client: &Client, program: impl Into<String>) -> Self {
        let settings = Settings { idle_timeout: Some(ONE_SHOT_IDLE), ..Settings::default() };
        Self::at(Origin::OneShot { client: client.clone(), settings }, program.into())
    }

    /// A whole line for the host's command interpreter, `cmd`, sent as it is: `dir | findstr x`.
    pub fn raw(client: &Client, line: impl Into<String>) -> Self {
        Self::new(client, line).into_raw_line()
    }

    /// A PowerShell script in a `powershell.exe` of its own, without PowerShell remoting. It may be of any length: one that is too
    /// long for a command line goes ahead of standard input.
    ///
    /// Its exit code is that of `exit`, 1 after a terminating error, else 0. Standard output is text in the console's code page,
    /// standard error CLIXML that begins with `#< CLIXML`. A script reads what is piped to it by `[Console]::In` or
    /// `[Console]::OpenStandardInput()`; `$input` has it only where the script is on the command line.
    pub fn powershell(client: &Client, script: impl AsRef<str>) -> Self {
        Self::new(client, String::new()).into_powershell(script.as_ref())
    }

    pub(crate) fn in_shell(shell: Arc<ShellInner>, program: String) -> Self {
        Self::at(Origin::Shell { shell, late: None }, program)
    }

    fn at(origin: Origin, program: String) -> Self {
        Self {
            origin,
            program,
            raw_line: false,
            preamble: Bytes::new(),
            arguments: Vec::new(),
            stdin: None,
            stdout: None,
            stderr: None,
            timeout: None,
            skip_cmd_shell: false,
            console_mode_stdin: None,
        }
    }

    pub(crate) fn into_powershell(self, script: &str) -> Self {
        const PROGRAM: &str = "powershell.exe";
        match powershell::line(PROGRAM, script) {
            Some(line) => Self { program: line, raw_line: true, ..self },
            None => Self {
                program: powershell::waiting_line(PROGRAM),
                raw_line: true,
                preamble: powershell::through_stdin(script).into(),
                ..self
            },
        }
    }

    pub(crate) fn into_raw_line(self) -> Self {
        Self { raw_line: true, ..self }
    }

    /// Adds one argument. It reaches the program as given: quoted for CommandLineToArgvW and then for cmd. Line breaks
    /// and NUL cannot be passed and are refused when the process is started.
    ///
    /// A batch file (`.bat`, `.cmd`) gets the argument in quotes where it needs them, and reads it once more: what holds a
    /// double quote itself is not safe there.
    pub fn arg(&mut self, argument: impl Into<String>) -> &mut Self {
        self.arguments.push(Argument::Quoted(argument.into()));
        self
    }

    /// Adds several arguments, as [`arg`](Self::arg) does.
    pub fn args<I: IntoIterator<Item: Into<String>>>(&mut self, arguments: I) -> &mut Self {
        self.arguments.extend(arguments.into_iter().map(|argument| Argument::Quoted(argument.into())));
        self
    }

    /// Adds text to the command line as it is, after a blank; mirrors `CommandExt::raw_arg` of Windows.
    pub fn raw_arg(&mut self, text: impl Into<String>) -> &mut Self {
        self.arguments.push(Argument::Raw(text.into()));
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let variable = Variable::new(name, value);
        self.set("environment", |settings| settings.environment.push(variable))
    }

    /// Sets several environment variables.
    pub fn envs<N: Into<String>, V: Into<String>>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> &mut Self {
        for (name, value) in variables {
            self.env(name, value);
        }
        self
    }

    /// The directory to start in.
    pub fn current_dir(&mut self, directory: impl Into<String>) -> &mut Self {
        let directory = directory.into();
        self.set("directory", |settings| settings.current_dir = Some(directory))
    }

    /// The console's code page; 65001 (UTF-8) unless set.
    pub fn codepage(&mut self, codepage: u32) -> &mut Self {
        self.set("code page", |settings| settings.codepage = codepage)
    }

    /// Does not load the user's profile.
    pub fn no_profile(&mut self, no_profile: bool) -> &mut Self {
        self.set("profile", |settings| settings.no_profile = no_profile)
    }

    fn set(&mut self, name: &'static str, change: impl FnOnce(&mut Settings)) -> &mut Self {
        match &mut self.origin {
            Origin::OneShot { settings, .. } => change(settings),
            Origin::Shell { late, .. } => *late = late.or(Some(name)),
        }
        self
    }

    /// What standard input is tied to: [`Stdio::null`] unless set.
    pub fn stdin(&mut self, stdio: Stdio) -> &mut Self {
        self.stdin = Some(stdio);
        self
    }

    /// What standard output is tied to: [`Stdio::piped`] unless set, [`Stdio::null`] for [`status`](Self::status).
    pub fn stdout(&mut self, stdio: Stdio) -> &mut Self {
        self.stdout = Some(stdio);
        self
    }

    /// What standard error is tied to; as [`stdout`](Self::stdout).
    pub fn stderr(&mut self, stdio: Stdio) -> &mut Self {
        self.stderr = Some(stdio);
        self
    }

    /// How long it may take in all, from the opening of its shell to the end of its output; as long as it likes unless set. A
    /// process that runs longer is terminated, and what it had written is in [`Error::TimedOut`]. A host that does not
    /// answer within a second more may keep a shell until that has been idle for a while.
    pub fn timeout(&mut self, timeout: Duration) -> &mut Self {
        self.timeout = Some(timeout);
        self
    }

    /// Asks the host to start the program without cmd in between (`WINRS_SKIP_CMD_SHELL`). Windows has ignored that since Server 2012 R2,
    /// and does not say so; therefore only what arrives alike with cmd and without it is sent, and the rest refused: double quotes
    /// and percent signs in arguments, mostly. Of use for old hosts, and for lines that are too long for cmd there.
    pub fn skip_cmd_shell(&mut self, skip: bool) -> &mut Self {
        self.skip_cmd_shell = skip;
        self
    }

    /// Whether standard input is a console (`WINRS_CONSOLEMODE_STDIN`): unless set, it is where nothing is piped to it, and a pipe where
    /// something is.
    pub fn console_mode_stdin(&mut self, console: bool) -> &mut Self {
        self.console_mode_stdin = Some(console);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`Error::CommandLine`] for what no command line can carry, [`Error::ShellIsOpen`] for settings that come too
    /// late, [`Error::Open`] and [`Error::Spawn`] for what the service or the network refuse.
    pub async fn spawn(&mut self) -> Result<Child, Error> {
        self.spawn_with(Stdio::piped()).await
    }

    /// Starts it, waits for its end and gathers its output, however much it is. Its standard input is [`Stdio::null`] unless set; what is
    /// piped gets end-of-file at once.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn), and [`Error::Lost`] with what had arrived.
    pub async fn output(&mut self) -> Result<Output, Error> {
        self.spawn().await?.wait_with_output().await
    }

    /// Starts it, waits for its end, and throws away output that was not asked for.
    ///
    /// # Errors
    /// As [`spawn`](Self::spawn), and [`Error::Lost`].
    pub async fn status(&mut self) -> Result<ExitStatus, Error> {
        self.spawn_with(Stdio::null()).await?.wait().await
    }

    async fn spawn_with(&mut self, output: Stdio) -> Result<Child, Error> {
        // Before anything is asked of the host.
        let line = self.command_line()?;
        let streams = Streams {
            preamble: self.preamble.clone(),
            console: self.console_mode_stdin,
            skip_cmd_shell: self.skip_cmd_shell,
            stdin: self.stdin.unwrap_or(Stdio::null()).is_piped(),
            stdout: self.stdout.unwrap_or(output).is_piped(),
            stderr: self.stderr.unwrap_or(output).is_piped(),
        };
        let deadline = self.timeout.map(|timeout| (Instant::now() + timeout, timeout));
        let starting = self.start(line, streams, deadline);
        match deadline {
            None => starting.await,
            Some((end, timeout)) => tokio::time::timeout_at(end, starting)
                .await
                .unwrap_or_else(|_| Err(Error::TimedOut { timeout, output: Box::default() })),
        }
    }

    async fn start(
        &self,
        line: CommandLine,
        streams: Streams,
        deadline: Option<Deadline>,
    ) -> Result<Child, Error> {
        match &self.origin {
            Origin::OneShot { client, settings } => {
                let shell = ShellInner::open(client, settings).await?;
                start(shell, true, line, streams, deadline).await
            }
            Origin::Shell { late: Some(setting), .. } => Err(Error::ShellIsOpen { setting }),
            Origin::Shell { shell, late: None } => {
                start(Arc::clone(shell), false, line, streams, deadline).await
            }
        }
    }

    fn command_line(&self) -> Result<CommandLine, Error> {
        let (command, arguments) = if self.raw_line {
            let mut line = command_line::raw_line(&self.program)?;
            // The line is cmd's; what is added to it is for the program in it.
            let (_, arguments) = command_line::encode("x", &self.arguments)?;
            for argument in arguments {
                line.push(' ');
                line.push_str(&argument);
            }
            (line, Vec::new())
        } else if self.skip_cmd_shell {
            command_line::encode_for_both(&self.program, &self.arguments)?
        } else {
            command_line::encode(&self.program, &self.arguments)?
        };
        Ok(CommandLine { command, arguments, command_id: None })
    }
}

/// The program alone: arguments and environment may hold secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = if self.raw_line { "(raw line)" } else { &self.program };
        f.debug_struct("Command").field("program", &program).finish_non_exhaustive()
    }
}
