//! `winrm shell`: an interactive PowerShell session with one host, in a runspace that stays.

mod complete;
mod editor;
mod lines;

use tokio::sync::{mpsc, watch};
use winrm::Client;
use winrm::powershell::psrp::RunspacePoolState;
use winrm::powershell::{Error, PowerShell, RunspacePool};

use self::editor::{Editor, Read};
use crate::args::{FanArgs, ShellArgs, Targets};
use crate::control::{self, Control, Wish};
use crate::fan::{Ended, Host, Hosts, stopped};
use crate::input;
use crate::ps::host::{Console, WRITTEN, Written};
use crate::ps::remoting::{self, Records};
use crate::report::Failure;
use crate::terminal::Terminal;

/// What stands before a line where the host has no `prompt`.
const PROMPT: &str = "PS> ";

/// Holds a session; the exit status is that of `exit`, else 0.
pub(crate) async fn shell(args: ShellArgs) -> Result<i32, Failure> {
    let targets = Targets { targets: vec![args.target], json: false };
    input::read_once(&targets, &args.connection, Some("the lines of the session"))?;
    let control = Control::start()?;
    let hosts = Hosts::read(&targets, FanArgs::single(), args.connection, control.clone()).await?;
    if hosts.labels().len() != 1 {
        return Err(Failure::new("a session is held with one host").with_remedy("name one, or use winrm ps"));
    }
    control.interrupts_pipelines();
    // The editor may be at work when the session is ended from elsewhere.
    let terminal = Terminal::now();
    let configuration = args.configuration;
    let ended = hosts
        .act(move |host, client, mut wishes| {
            let (configuration, control) = (configuration.clone(), control.clone());
            async move {
                let session = Session::open(&host, &client, configuration, &mut wishes).await?;
                let wish = wishes.clone();
                tokio::select! {
                    ended = session.hold(&control, wish) => ended,
                    wish = control::wanted(&mut wishes, |wish| matches!(wish, Wish::Terminate(_))) => {
                        Err(stopped(wish))
                    }
                }
            }
        })
        .await;
    terminal.restore();
    ended
}

/// A pool of one runspace, and what shows its output.
struct Session<'a> {
    pool: RunspacePool,
    console: Console,
    written: mpsc::Receiver<Written>,
    records: Records<'a>,
    label: &'a str,
    /// Other configurations may not have the command that makes objects text.
    as_text: bool,
    /// Until the host turns out to have none.
    has_prompt: bool,
}

impl<'a> Session<'a> {
    async fn open(
        host: &'a Host,
        client: &Client,
        configuration: Option<String>,
        wishes: &mut watch::Receiver<Wish>,
    ) -> Result<Self, Failure> {
        let (sender, written) = mpsc::channel(WRITTEN);
        let console = Console::new(sender, true);
        let as_text = configuration.is_none();
        let pool = remoting::open(client, console.clone(), configuration.as_deref(), wishes).await?;
        let records = Records::new(host, false);
        let label = host.target.label.as_str();
        Ok(Self { pool, console, written, records, label, as_text, has_prompt: true })
    }

    /// Reads a line, runs it, shows what it gives, until there are no more.
    async fn hold(mut self, control: &Control, wishes: watch::Receiver<Wish>) -> Result<Ended, Failure> {
        let editor = Editor::start(&self.pool)?;
        loop {
            // What was meant for the line before is no wish any more.
            control.calm();
            let prompt =
                if editor.is_terminal() { self.prompt(wishes.clone()).await? } else { String::new() };
            let (line, columns) = match editor.read(prompt).await {
                Read::Line { text, columns } => (text, columns),
                Read::Interrupted => continue,
                Read::End => break,
                Read::Failed(failure) => return Err(failure),
            };
            if let Some(code) = lines::exit(&line) {
                return Ok(Ended::Exited(code));
            }
            if line.trim().is_empty() {
                continue;
            }
            control.calm();
            let script = self.pipeline(&line, columns);
            let ran = remoting::run(&mut self.records, script, &mut self.written, wishes.clone()).await;
            remoting::rest(&mut self.records, &mut self.written).await;
            if let Some(code) = self.console.exit() {
                return Ok(Ended::Exited(code));
            }
            if let Err(failure) = ran {
                if self.pool.state() != RunspacePoolState::Opened {
                    return Err(failure);
                }
                self.records.failure(&failure);
            }
        }
        Ok(Ended::Exited(0))
    }

    fn pipeline(&self, line: &str, columns: Option<usize>) -> PowerShell {
        let script = self.pool.script(line).add_to_history();
        if !self.as_text {
            return script;
        }
        let script = script.pipe("Out-String").switch("Stream");
        match columns.and_then(|columns| i32::try_from(columns).ok()) {
            Some(columns) => script.parameter("Width", columns),
            None => script,
        }
    }

    /// What the host's `prompt` says, behind its name; Ctrl-C is for one that takes too long.
    async fn prompt(&mut self, mut wishes: watch::Receiver<Wish>) -> Result<String, Failure> {
        let mut shown = None;
        if self.has_prompt {
            let mut saying = std::pin::pin!(self.pool.command("prompt").invoke());
            let said = loop {
                tokio::select! {
                    said = &mut saying => break Some(said),
                    // Some write to the host as well.
                    Some(text) = self.written.recv() => self.records.show(text).await,
                    _ = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => break None,
                }
            };
            let was_interrupted = said.is_none();
            match said {
                Some(Ok(output)) => {
                    shown = output.output.first().and_then(|value| value.as_str()).map(str::to_owned);
                }
                None | Some(Err(Error::Failed { .. } | Error::Stopped { .. })) => {}
                Some(Err(error)) => return Err(error.into()),
            }
            self.has_prompt = shown.is_some() || was_interrupted;
        }
        remoting::rest(&mut self.records, &mut self.written).await;
        // A prompt may come with colours, which the editor would count as room.
        let shown = shown.filter(|prompt| !prompt.contains('\u{1b}'));
        Ok(format!("[{}]: {}", self.label, shown.as_deref().unwrap_or(PROMPT)))
    }
}
