//! What `powershell.exe` writes to standard error when that is not a console: plain bytes and CLIXML documents in turn.
//!
//! A line `#< CLIXML` begins a document, `<Objs ...>` and on, with an element for each line of an error, each warning
//! and each bit of progress. Programs that PowerShell starts write to the same stream whenever they please, between
//! two elements too, and a process that is killed ends its document anywhere. So everything that is not an element of
//! a document passes through.

mod record;
mod scan;

use std::fmt;

use crate::Limits;
use crate::decode::{self, Tables};

pub use record::{Record, RecordStream};
use scan::{Element, HEADER, MAX_PROLOGUE, Progress};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Ends what a [`Document`]'s root began.
const END: &[u8] = b"</Objs>";

/// What came out of the stream. `Debug` shows the length of texts, not their bytes.
#[derive(Clone, PartialEq)]
pub enum Item {
    /// Bytes that are no CLIXML, unchanged, never empty. A text may come in any number of pieces.
    Text(Vec<u8>),
    /// An element of a document, complete.
    Record(Record),
}

/// Decodes such a stream, in pieces of any size, cut anywhere.
///
/// Records come out as soon as their element ends. Other bytes come out at once, except those that may be the
/// beginning of `#< CLIXML` at the start of a line or of an element. An element that is malformed or too large comes
/// out as text, as it came: nothing is lost but the frame of documents, which is the header, the tags of the root,
/// and white space between elements. No more is kept than one element, and as much for objects and type names that
/// later elements may refer to.
///
/// ```
/// use winrm_clixml::stderr::{ErrorStream, Item};
///
/// let mut stream = ErrorStream::new();
/// let mut text = String::new();
/// let pieces = ["#< CLI", "XML\r\n<Objs><S S=\"Err", "or\">no such thing_x000D__x000A_</S>", "</Objs>"];
/// for piece in pieces {
///     for item in stream.push(piece.as_bytes()) {
///         match item {
///             Item::Text(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
///             Item::Record(record) => text.push_str(&record.to_text()),
///         }
///     }
/// }
/// assert!(stream.finish().is_empty());
/// assert_eq!(text, "no such thing\r\n");
/// ```
pub struct ErrorStream {
    limits: Limits,
    /// Not yet handed out.
    buffer: Vec<u8>,
    state: State,
    /// The document around, if its root is open.
    document: Option<Document>,
}

#[derive(Clone, Debug)]
enum State {
    /// Plain bytes or, in a document, the space between elements, where a header or an element may begin.
    LineStart,
    /// Plain bytes inside a line.
    Line,
    /// At a header.
    Prologue,
    /// In an element; with `true`, one that was too large, whose bytes are passed through.
    Element(Element, bool),
}

struct Document {
    /// The start tag of its root, which declares what its elements rely on.
    root: Vec<u8>,
    tables: Tables,
}

/// What one step found at the start of the buffer.
enum Step {
    /// So many bytes are text; then go on as this.
    Text(usize, State),
    /// So many bytes are part of a document's frame; then go on as this.
    Frame(usize, State),
    /// An element ends after so many bytes.
    Record(usize),
    /// The document ends after so many bytes.
    End(usize),
    /// Nothing is decided without more bytes.
    Wait,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Record(record) => record.fmt(f),
        }
    }
}

/// Without the bytes held back.
impl fmt::Debug for ErrorStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorStream")
            .field("held", &self.buffer.len())
            .field("state", &self.state)
            .field("in_document", &self.document.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for ErrorStream {
    fn default() -> Self {
        Self::new()
    }
}

impl ErrorStream {
    /// A stream of which nothing was read, under the default [`Limits`]: elements up to 16 MiB.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// As [`new`](Self::new), under other bounds, of which each holds for one element and `document_size` also for
    /// what is kept for references.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, buffer: Vec::new(), state: State::LineStart, document: None }
    }

    /// Takes the next bytes and gives what is complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        self.buffer.extend_from_slice(bytes);
        let mut items = Items::default();
        let mut at = 0;
        while at < self.buffer.len() {
            let (size, is_text) = match self.step(at) {
                Step::Wait => break,
                Step::Text(size, state) => {
                    self.state = state;
                    (size, true)
                }
                Step::Frame(size, state) => {
                    self.state = state;
                    (size, false)
                }
                Step::Record(size) => {
                    self.state = State::LineStart;
                    let record = self.decode(at, size);
                    let is_text = record.is_none();
                    items.0.extend(record.map(Item::Record));
                    (size, is_text)
                }
                Step::End(size) => {
                    self.state = State::LineStart;
                    self.document = None;
                    (size, false)
                }
            };
            if is_text {
                items.text(self.buffer.get(at..at + size).unwrap_or_default());
            }
            at += size;
        }
        self.buffer.drain(..at);
        items.0
    }

    /// Gives what was held back, after the last bytes.
    pub fn finish(self) -> Vec<Item> {
        let mut items = Items::default();
        items.text(&self.buffer);
        items.0
    }

    /// Looks at the bytes from `at` on, of which there is at least one.
    fn step(&mut self, at: usize) -> Step {
        let rest = self.buffer.get(at..).unwrap_or_default();
        match &mut self.state {
            State::LineStart if self.document.is_some() => between_elements(rest),
            State::LineStart => line_start(rest),
            State::Line => line(rest, self.document.is_some()),
            State::Prologue => match scan::prologue(rest) {
                Progress::Incomplete => Step::Wait,
                Progress::Malformed(_) => Step::Text(HEADER.len(), State::Line),
                Progress::Complete(size) => {
                    let tag = rest.get(HEADER.len()..size).unwrap_or_default();
                    let Some(root) = root(tag) else { return Step::Text(HEADER.len(), State::Line) };
                    let is_open = !root.ends_with(b"/>");
                    self.document =
                        is_open.then(|| Document { root: root.to_vec(), tables: Tables::default() });
                    Step::Frame(size, State::LineStart)
                }
            },
            State::Element(element, is_raw) => {
                let maximum = if *is_raw { usize::MAX } else { self.limits.document_size };
                match element.advance(rest, maximum) {
                    Progress::Complete(size) if *is_raw => Step::Text(size, State::LineStart),
                    Progress::Complete(size) => Step::Record(size),
                    // Of an element passed through, what came before may be gone already.
                    Progress::Malformed(size) if *is_raw => Step::Text(size, State::Line),
                    Progress::Malformed(size) => match scan::before_header(rest, size) {
                        Some(size) => Step::Text(size, State::LineStart),
                        None => Step::Text(size, State::Line),
                    },
                    Progress::Incomplete if *is_raw || element.scanned() >= maximum => {
                        Step::Text(element.scanned(), State::Element(element.pass(), true))
                    }
                    Progress::Incomplete => Step::Wait,
                }
            }
        }
    }

    /// The record in a complete element, if it is one.
    fn decode(&mut self, at: usize, size: usize) -> Option<Record> {
        let element = self.buffer.get(at..at + size)?;
        let document = self.document.as_mut()?;
        let mut whole = Vec::with_capacity(document.root.len() + size + END.len());
        whole.extend_from_slice(&document.root);
        whole.extend_from_slice(element);
        whole.extend_from_slice(END);
        let mut limits = self.limits.clone();
        limits.document_size = limits.document_size.saturating_add(MAX_PROLOGUE);
        let entries = decode::read(&whole, &limits, &mut document.tables);
        document.tables.trim(self.limits.document_size);
        let entry = entries.ok()?.into_iter().next()?;
        // Those without a stream are output, as Export-Clixml writes them.
        let stream = entry.stream.map_or(RecordStream::Output, |name| RecordStream::from_name(&name));
        Some(Record { stream, value: entry.value })
    }
}

/// A root's start tag without the white space before it, if it is one of ours.
fn root(tag: &[u8]) -> Option<&[u8]> {
    let start = tag.iter().position(|byte| *byte == b'<')?;
    let root = tag.get(start..)?;
    let end = if root.ends_with(b"/>") { b"" } else { END };
    let whole = [root, end].concat();
    decode::read(&whole, &Limits::default(), &mut Tables::default()).ok().map(|_| root)
}

/// At the start of a line outside of documents.
fn line_start(rest: &[u8]) -> Step {
    if rest.starts_with(HEADER) {
        return Step::Frame(0, State::Prologue);
    }
    // Some versions write one first when the code page is UTF-8.
    if rest.starts_with(BYTE_ORDER_MARK) {
        return Step::Text(BYTE_ORDER_MARK.len(), State::LineStart);
    }
    if HEADER.starts_with(rest) || BYTE_ORDER_MARK.starts_with(rest) {
        return Step::Wait;
    }
    line(rest, false)
}

/// Inside a line: up to its end or, in a document, to what may be an element.
fn line(rest: &[u8], in_document: bool) -> Step {
    match rest.iter().position(|byte| *byte == b'\n' || in_document && *byte == b'<') {
        Some(end) if rest.get(end) == Some(&b'\n') => Step::Text(end + 1, State::LineStart),
        Some(end) => Step::Text(end, State::LineStart),
        None => Step::Text(rest.len(), State::Line),
    }
}

/// In a document, where an element may begin.
fn between_elements(rest: &[u8]) -> Step {
    let space = scan::white_space(rest);
    if space >= scan::MAX_SPACE {
        return Step::Text(space, State::LineStart);
    }
    match scan::markup(rest.get(space..).unwrap_or_default()) {
        scan::Markup::Undecided => Step::Wait,
        // The document before has no end, and never will.
        scan::Markup::Header => Step::Frame(space, State::Prologue),
        scan::Markup::Element => Step::Frame(space, State::Element(Element::new(), false)),
        scan::Markup::RootEnd(size) => Step::End(space + size),
        scan::Markup::None => Step::Text(space + 1, State::Line),
    }
}

/// Neighbouring texts are put together.
#[derive(Default)]
struct Items(Vec<Item>);

impl Items {
    fn text(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Item::Text(text)) => text.extend_from_slice(bytes),
            _ => self.0.push(Item::Text(bytes.to_vec())),
        }
    }
}
