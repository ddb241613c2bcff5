//! A script by PowerShell remoting: each of its streams where a user expects it.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use winrm::Client;
use winrm::powershell::{self, ErrorRecord, PowerShell, Record, RunspacePool, clixml};

use super::host::{Console, WRITTEN, Written};
use super::json::json as json_of;
use super::progress::Progress;
use crate::control::{self, Wish};
use crate::fan::{Ended, Host, members, stopped};
use crate::output::{Closed, Format, Stream, StreamPrinter};
use crate::report::Failure;

/// The exit status of a script that an error ended.
const FAILED: u32 = 1;

/// What is to be run.
#[derive(Debug)]
pub(crate) struct What {
    pub(crate) script: String,
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) configuration: Option<String>,
    pub(crate) clixml: bool,
    pub(crate) is_alone: bool,
}

/// Runs it with all it gives printed.
pub(crate) async fn drive(
    host: &Host,
    client: &Client,
    what: &What,
    mut wishes: watch::Receiver<Wish>,
) -> Result<Ended, Failure> {
    let (sender, mut written) = mpsc::channel(WRITTEN);
    let console = Console::new(sender, what.is_alone);
    let pool = open(client, console.clone(), what.configuration.as_deref(), &mut wishes).await?;
    let mut printer = Records::new(host, what.clixml);
    let as_text = !what.clixml && host.printer.format() != Format::Json && what.configuration.is_none();
    let outcome = run(&mut printer, pipeline(&pool, what, as_text), &mut written, wishes).await;
    rest(&mut printer, &mut written).await;
    // The printer has told everybody if that failed.
    let _ = printer.end().await;
    let code = outcome?;
    Ok(Ended::Exited(console.exit().unwrap_or(code)))
}

/// Opens a pool on which scripts see `console` as their host.
pub(crate) async fn open(
    client: &Client,
    console: Console,
    configuration: Option<&str>,
    wishes: &mut watch::Receiver<Wish>,
) -> Result<RunspacePool, Failure> {
    let mut builder = client.runspace_pool().host(console);
    if let Some(configuration) = configuration {
        builder = builder.configuration(configuration);
    }
    tokio::select! {
        pool = Box::pin(builder.open()) => Ok(pool?),
        wish = control::wanted(wishes, |wish| *wish != Wish::Run) => Err(stopped(wish)),
    }
}

/// Prints what the host was told last.
pub(crate) async fn rest(printer: &mut Records<'_>, written: &mut mpsc::Receiver<Written>) {
    while let Ok(text) = written.try_recv() {
        printer.show(text).await;
    }
    printer.progress.clear();
}

/// Objects become text on the host, which knows how they look. Other configurations may not have the command for it.
fn pipeline(pool: &RunspacePool, what: &What, as_text: bool) -> PowerShell {
    let mut script = pool.script(what.script.as_str());
    for (name, value) in &what.arguments {
        script = script.parameter(name.as_str(), value.as_str());
    }
    if as_text { script.pipe("Out-String").switch("Stream") } else { script }
}

/// Runs a script and prints what it gives; its exit status as far as its end tells.
pub(crate) async fn run(
    printer: &mut Records<'_>,
    script: PowerShell,
    written: &mut mpsc::Receiver<Written>,
    mut wishes: watch::Receiver<Wish>,
) -> Result<u32, Failure> {
    let mut running = script.start().await?;
    let stopper = running.stopper();
    let mut stopping: JoinSet<Result<(), powershell::Error>> = JoinSet::new();
    let mut stop_was_asked = false;
    let mut wish = *wishes.borrow_and_update();
    loop {
        match wish {
            Wish::Interrupt if !stop_was_asked => {
                stop_was_asked = true;
                let stopper = stopper.clone();
                stopping.spawn(async move { stopper.stop().await });
            }
            Wish::Run | Wish::Interrupt => {}
            // Dropping it ends it.
            Wish::Terminate(reason) => return Err(reason.into()),
        }
        tokio::select! {
            // What is wanted first; then in the order in which a script wrote, as far as that is known.
            biased;
            Ok(()) = wishes.changed() => wish = *wishes.borrow_and_update(),
            Some(done) = stopping.join_next() => {
                if let Ok(Err(error)) = done {
                    printer.failure(&Failure::from(error));
                }
            }
            Some(text) = written.recv() => printer.show(text).await,
            record = running.next() => match record {
                Some(Ok(record)) => {
                    let _ = printer.record(&record).await;
                }
                Some(Err(powershell::Error::Failed { error, .. })) => {
                    let _ = printer.error(&error).await;
                    return Ok(FAILED);
                }
                Some(Err(powershell::Error::Stopped { .. })) => {
                    return Err(Failure::new("interrupted: the script was stopped"));
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(0),
            },
        }
    }
}

/// Prints what a script gives.
pub(crate) struct Records<'a> {
    host: &'a Host,
    clixml: bool,
    progress: Progress,
    stdout: StreamPrinter<'a>,
    stderr: StreamPrinter<'a>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(host: &'a Host, clixml: bool) -> Self {
        let printer = |stream| StreamPrinter::new(&host.printer, &host.target.label, stream);
        let progress = Progress::new(host.printer.format() == Format::Raw);
        Self { host, clixml, progress, stdout: printer(Stream::Stdout), stderr: printer(Stream::Stderr) }
    }

    /// Tells of something that did not work.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.progress.clear();
        self.host.printer.failure(failure, self.host.shown());
    }

    async fn end(self) -> Result<(), Closed> {
        self.stdout.end().await?;
        self.stderr.end().await
    }

    /// Prints what a script wrote to its host.
    pub(crate) async fn show(&mut self, (stream, text): Written) {
        self.progress.clear();
        // The printer tells everybody if that fails.
        let _ = match stream {
            Stream::Stdout => self.stdout.block(text.as_bytes()).await,
            Stream::Stderr => self.stderr.block(text.as_bytes()).await,
        };
    }

    async fn record(&mut self, record: &Record) -> Result<(), Closed> {
        if let Record::Progress(record) = record {
            self.progress.show(record);
            return Ok(());
        }
        self.progress.clear();
        match record {
            Record::Output(value) => self.output(value).await,
            Record::Error(record) => self.error(record).await,
            Record::Warning(record) => self.message("warning", record.message()).await,
            Record::Verbose(record) => self.message("verbose", record.message()).await,
            Record::Debug(record) => self.message("debug", record.message()).await,
            Record::Information(record) => {
                // The host was told to write it already.
                if record.tags().any(|tag| *tag == "PSHOST") {
                    return Ok(());
                }
                let data = record.message_data().map_or(Value::Null, json_of);
                if self.is_json() {
                    return self.object([("stream", json!("information")), ("data", data)]).await;
                }
                let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
                self.stderr.block(format!("{text}\n").as_bytes()).await
            }
            _ => Ok(()),
        }
    }

    async fn output(&mut self, value: &clixml::PsValue) -> Result<(), Closed> {
        if self.clixml {
            let text = clixml::encode(value).unwrap_or_default();
            return self.stdout.block(&[&text[..], b"\n"].concat()).await;
        }
        if self.is_json() {
            return self.object([("output", json_of(value))]).await;
        }
        let text = match json_of(value) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.stdout.block(format!("{text}\n").as_bytes()).await
    }

    async fn message(&mut self, stream: &str, message: Option<&clixml::PsString>) -> Result<(), Closed> {
        let text = message.map(ToString::to_string).unwrap_or_default();
        if self.is_json() {
            return self.object([("stream", json!(stream)), ("data", json!(text))]).await;
        }
        self.stderr.block(format!("{}: {text}\n", stream.to_uppercase()).as_bytes()).await
    }

    /// As Windows PowerShell shows it.
    async fn error(&mut self, record: &ErrorRecord) -> Result<(), Closed> {
        let shown =
            |text: Option<&clixml::PsString>| text.map(ToString::to_string).filter(|text| !text.is_empty());
        let message =
            record.details_message().or_else(|| record.exception_message()).or_else(|| record.message());
        let message = shown(message).unwrap_or_default();
        let position = shown(record.position_message());
        let category = shown(record.category_message());
        let id = shown(record.fully_qualified_error_id());
        if self.is_json() {
            return self
                .object([
                    ("stream", json!("error")),
                    ("data", json!(message)),
                    ("position", json!(position)),
                    ("category", json!(category)),
                    ("id", json!(id)),
                ])
                .await;
        }
        let mut text = format!("{message}\n");
        // Writing to a string does not fail.
        if let Some(position) = position {
            let _ = writeln!(text, "{}", position.replace("\r\n", "\n"));
        }
        if let Some(category) = category {
            let _ = writeln!(text, "    + CategoryInfo          : {category}");
        }
        if let Some(id) = id {
            let _ = writeln!(text, "    + FullyQualifiedErrorId : {id}");
        }
        self.stderr.block(text.as_bytes()).await
    }

    fn is_json(&self) -> bool {
        self.host.printer.format() == Format::Json
    }

    async fn object<const N: usize>(&self, parts: [(&str, Value); N]) -> Result<(), Closed> {
        self.host.printer.object(&self.host.target.label, members(parts)).await
    }
}
