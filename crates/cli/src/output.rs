//! Remote output on its way to ours: as it is, with its host before each line, or as JSON.

use std::io;

use base64::Engine as _;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt, Stderr, Stdout};
use tokio::sync::Mutex;
use winrm::fleet::Summary;
use winrm::shell::clixml::stderr::{ErrorStream, Item, Record, RecordStream};

use crate::control::{Control, Reason};
use crate::report::{Failure, warn};

/// The longest line that is held back until its end has come, in bytes. The rest of a longer one is a line of its own.
const MAX_LINE: usize = 64 * 1024;

/// How remote output is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// As bytes, as they arrive.
    Raw,
    /// Whole lines, each with its host before it.
    Prefixed,
    /// One JSON object a line, all on standard output.
    Json,
}

/// One of the two streams of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Our standard output and error, shared by all hosts.
#[derive(Debug)]
pub(crate) struct Printer {
    format: Format,
    stdout: Mutex<Stdout>,
    stderr: Mutex<Stderr>,
    control: Control,
    /// The line at the foot of a terminal, out of whose way everything else goes.
    bar: Option<ProgressBar>,
}

/// No more can be printed; commands have been told to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Closed;

impl Printer {
    pub(crate) fn new(format: Format, control: Control, bar: Option<ProgressBar>) -> Self {
        let (stdout, stderr) = (Mutex::new(tokio::io::stdout()), Mutex::new(tokio::io::stderr()));
        Self { format, stdout, stderr, control, bar }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// One JSON object about `host`.
    pub(crate) async fn object(&self, host: &str, mut members: Map<String, Value>) -> Result<(), Closed> {
        members.insert("host".to_owned(), host.into());
        self.line(&Value::from(members).to_string()).await
    }

    /// A line on standard output.
    pub(crate) async fn line(&self, line: &str) -> Result<(), Closed> {
        self.write(Stream::Stdout, format!("{line}\n").as_bytes()).await
    }

    /// A message of ours on standard error.
    pub(crate) fn message(&self, message: &str) {
        self.out_of_the_way(|| warn(message));
    }

    /// A failure on standard error.
    pub(crate) fn failure(&self, failure: &Failure, host: Option<&str>) {
        self.out_of_the_way(|| failure.print(host));
    }

    /// Shows how many hosts are through.
    pub(crate) fn counted(&self, summary: &Summary) {
        if let Some(bar) = &self.bar {
            bar.set_position(u64::try_from(summary.total()).unwrap_or(u64::MAX));
            let failed = summary.failed() + summary.timed_out();
            bar.set_message(if failed > 0 { format!("{failed} failed") } else { String::new() });
        }
    }

    /// Takes the foot of the terminal away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn out_of_the_way<T>(&self, tell: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    /// Whole, and flushed: others may wait for it.
    async fn write(&self, stream: Stream, bytes: &[u8]) -> Result<(), Closed> {
        let written = match stream {
            // Written before the foot of the terminal comes back.
            Stream::Stdout if self.bar.is_some() => self.out_of_the_way(|| write_now(io::stdout(), bytes)),
            Stream::Stderr if self.bar.is_some() => self.out_of_the_way(|| write_now(io::stderr(), bytes)),
            Stream::Stdout => write_flushed(&mut *self.stdout.lock().await, bytes).await,
            Stream::Stderr => write_flushed(&mut *self.stderr.lock().await, bytes).await,
        };
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.control.terminate(Reason::OutputClosed);
            } else {
                warn(&format!("cannot write {}: {error}", stream.name()));
                self.control.terminate(Reason::LocalFailure);
            }
            Closed
        })
    }
}

fn write_now(mut target: impl io::Write, bytes: &[u8]) -> io::Result<()> {
    target.write_all(bytes)?;
    target.flush()
}

async fn write_flushed(target: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    target.write_all(bytes).await?;
    target.flush().await
}

/// One stream of one host's command.
pub(crate) struct StreamPrinter<'a> {
    printer: &'a Printer,
    host: &'a str,
    stream: Stream,
    /// Reads what PowerShell says.
    records: Option<ErrorStream>,
    /// What waits for its rest: of a line, or of a character.
    held: Vec<u8>,
}

impl<'a> StreamPrinter<'a> {
    pub(crate) fn new(printer: &'a Printer, host: &'a str, stream: Stream) -> Self {
        Self { printer, host, stream, records: None, held: Vec::new() }
    }

    /// CLIXML in it is printed as text.
    pub(crate) fn with_records(self) -> Self {
        Self { records: Some(ErrorStream::new()), ..self }
    }

    /// Prints what arrived.
    pub(crate) async fn block(&mut self, block: &[u8]) -> Result<(), Closed> {
        let Some(records) = &mut self.records else { return self.plain(block).await };
        let items = records.push(block);
        self.items(items).await
    }

    async fn items(&mut self, items: Vec<Item>) -> Result<(), Closed> {
        for item in items {
            match item {
                Item::Text(text) => self.plain(&text).await?,
                Item::Record(record) => self.record(&record).await?,
            }
        }
        Ok(())
    }

    /// A record is shown where a console shows it: progress nowhere.
    async fn record(&mut self, record: &Record) -> Result<(), Closed> {
        let text = record.to_text();
        if text.is_empty() {
            return Ok(());
        }
        if self.printer.format != Format::Json {
            return self.plain(text.as_bytes()).await;
        }
        // In order with what came before it.
        let held = std::mem::take(&mut self.held);
        self.data(&held).await?;
        let mut members = event(self.stream, text.as_bytes());
        members.insert("record".to_owned(), record_name(&record.stream).into());
        self.printer.object(self.host, members).await
    }

    async fn plain(&mut self, block: &[u8]) -> Result<(), Closed> {
        match self.printer.format {
            Format::Raw => self.printer.write(self.stream, block).await,
            Format::Prefixed => {
                self.held.extend_from_slice(block);
                let len = whole_lines(&self.held);
                let rest = self.held.split_off(len);
                let lines = prefixed(self.host, &std::mem::replace(&mut self.held, rest));
                if lines.is_empty() { Ok(()) } else { self.printer.write(self.stream, &lines).await }
            }
            Format::Json => {
                self.held.extend_from_slice(block);
                let rest = self.held.split_off(whole_characters(&self.held));
                let data = std::mem::replace(&mut self.held, rest);
                self.data(&data).await
            }
        }
    }

    /// Prints what was held back.
    pub(crate) async fn end(mut self) -> Result<(), Closed> {
        if let Some(records) = self.records.take() {
            let items = records.finish();
            self.items(items).await?;
        }
        let held = std::mem::take(&mut self.held);
        match self.printer.format {
            Format::Prefixed if !held.is_empty() => {
                self.printer.write(self.stream, &prefixed(self.host, &held)).await
            }
            Format::Json => self.data(&held).await,
            _ => Ok(()),
        }
    }

    async fn data(&self, data: &[u8]) -> Result<(), Closed> {
        if data.is_empty() {
            return Ok(());
        }
        self.printer.object(self.host, event(self.stream, data)).await
    }
}

/// As PowerShell names it, in lower case.
fn record_name(stream: &RecordStream) -> String {
    match stream {
        RecordStream::Other(name) => name.to_lowercase(),
        known => format!("{known:?}").to_lowercase(),
    }
}

/// Output as JSON: `data` where it is text, `data_base64` where it is not UTF-8.
fn event(stream: Stream, data: &[u8]) -> Map<String, Value> {
    let (name, text) = match std::str::from_utf8(data) {
        Ok(text) => ("data", text.to_owned()),
        Err(_) => ("data_base64", base64::engine::general_purpose::STANDARD.encode(data)),
    };
    [("stream", json!(stream.name())), (name, json!(text))]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// How many bytes at the beginning are lines that are complete, or too long to wait for.
fn whole_lines(bytes: &[u8]) -> usize {
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if bytes.len() - complete > MAX_LINE { bytes.len() } else { complete }
}

/// The host before each line; a last one without an end gets one.
fn prefixed(host: &str, lines: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.len() + 64);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(host.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(line);
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text
}

/// How many bytes at the beginning are not a UTF-8 character that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let mut checked = 0;
    loop {
        match std::str::from_utf8(bytes.get(checked..).unwrap_or_default()) {
            Ok(_) => return bytes.len(),
            Err(error) => match error.error_len() {
                Some(wrong) => checked += error.valid_up_to() + wrong,
                None => return checked + error.valid_up_to(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wait_for_their_end_unless_they_grow_too_long() {
        assert_eq!(whole_lines(b"one\ntwo\nthr"), 8);
        assert_eq!(whole_lines(b"one"), 0);
        assert_eq!(whole_lines(&vec![b'x'; MAX_LINE + 1]), MAX_LINE + 1);
    }

    #[test]
    fn every_line_has_its_host() {
        assert_eq!(prefixed("a", b"one\r\n\ntwo"), b"a: one\r\na: \na: two\n");
        assert_eq!(prefixed("a", b""), b"");
    }

    #[test]
    fn characters_wait_for_their_rest() {
        let euro = "€".as_bytes();
        assert_eq!(whole_characters(b"x\xe2\x82"), 1);
        assert_eq!(whole_characters(euro), 3);
        // Not a character at all: nothing to wait for.
        assert_eq!(whole_characters(b"\xffx"), 2);
        assert_eq!(whole_characters(b"\xff\xe2\x82"), 1);
        assert_eq!(whole_characters(b""), 0);
    }

    #[test]
    fn bytes_that_are_not_text_survive_json() {
        let text = Value::from(event(Stream::Stdout, "a\n€".as_bytes())).to_string();
        assert_eq!(text, r#"{"data":"a\n€","stream":"stdout"}"#);
        let bytes = Value::from(event(Stream::Stderr, b"\xff\x00")).to_string();
        assert_eq!(bytes, r#"{"data_base64":"/wA=","stream":"stderr"}"#);
    }
}
