//! The bounded pull reader.

use std::borrow::Cow;
use std::{fmt, mem};

use crate::encoding::{self, Decoded};
use crate::markup::Markup;
use crate::plain::Plain;
use crate::scan;
use crate::walk::Walk;
use crate::{Limits, Name, ReadError, Start};

/// One step of a document.
#[derive(Clone, Eq, PartialEq)]
pub enum Event {
    /// A start tag, or the first half of an empty element.
    Start(Start),
    /// All text up to the next tag, never empty, white space and CDATA included, line ends as LF.
    /// White space outside the root is not reported.
    Text(String),
    /// The end of the innermost open element.
    End(Name),
    /// The root has ended and nothing but white space, comments and processing instructions followed. Comes again when asked again.
    Eof,
}

/// A document as events, names resolved, bounds checked before xml-rs runs.
///
/// Comments and processing instructions are skipped.
/// Two ways of use go together: [`next`](Self::next) gives every event, and the helpers read what belongs to the innermost open
/// element, whose start tag was the last one returned and not yet ended.
/// After an error every further call returns that error.
pub struct Reader<'a> {
    way: Way<'a>,
    /// Looked at but not taken.
    peeked: Option<Event>,
    /// Of the elements whose start was taken and whose end was not.
    depth: usize,
    failed: Option<ReadError>,
}

/// How a document is read.
enum Way<'a> {
    Quick(Box<Quick<'a>>),
    Plain(Box<Plain<'a>>),
}

struct Quick<'a> {
    document: Cow<'a, str>,
    /// Where the content starts.
    start: usize,
    walk: Walk,
    /// Events given out.
    events: usize,
    has_instructions: bool,
    limits: Limits,
}

impl<'a> Reader<'a> {
    /// A reader over UTF-8, or UTF-16 with a byte order mark or without, under the default [`Limits`].
    ///
    /// # Errors
    ///
    /// All of [`ReadError`] that can be told without resolving names: bounds, encoding, document type, entities,
    /// a second root and most malformed markup, wherever in the document they are.
    pub fn new(document: &'a [u8]) -> Result<Self, ReadError> {
        Self::with_limits(document, &Limits::default())
    }

    /// As [`new`](Self::new), under other bounds.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_limits(document: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        Self::reading(document, limits, true)
    }

    /// As [`with_limits`](Self::with_limits), but with every character through xml-rs: what the faster way is held equal to.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(hidden)]
    pub fn plainly(document: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        Self::reading(document, limits, false)
    }

    fn reading(document: &'a [u8], limits: &Limits, is_quick: bool) -> Result<Self, ReadError> {
        let Decoded { text: document, start } = encoding::decode(document, limits)?;
        let (scan::Summary { has_instructions, .. }, markup) = scan::scan(&document, start, limits)?;
        let way = if is_quick && Markup::holds(document.len()) {
            let walk = Walk::new(markup, start, document.len(), limits.clone());
            let limits = limits.clone();
            Way::Quick(Box::new(Quick { document, start, walk, events: 0, has_instructions, limits }))
        } else {
            Way::Plain(Box::new(Plain::new(document, start, limits, has_instructions)))
        };
        Ok(Self { way, peeked: None, depth: 0, failed: None })
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// The document is not well-formed, or uses a prefix it does not declare.
    #[expect(
        clippy::should_implement_trait,
        reason = "a reader ends with an event, not with None, and borrows nothing"
    )]
    pub fn next(&mut self) -> Result<Event, ReadError> {
        let event = match self.peeked.take() {
            Some(event) => event,
            None => self.pull()?,
        };
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::Text(_) | Event::Eof => {}
        }
        Ok(event)
    }

    /// The event that [`next`](Self::next) will return.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn peek(&mut self) -> Result<&Event, ReadError> {
        let event = match self.peeked.take() {
            Some(event) => event,
            None => self.pull()?,
        };
        Ok(self.peeked.insert(event))
    }

    /// Elements open now.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Bytes consumed so far, counted as [`ReadError`] does; at least up to the end of the last event.
    pub fn offset(&self) -> usize {
        match &self.way {
            Way::Quick(quick) => quick.walk.offset(),
            Way::Plain(plain) => plain.offset(),
        }
    }

    /// The next child of the innermost open element, or of the document; `None` when that ends, its end taken.
    ///
    /// White space between children is skipped. The child is then the innermost open element: read all of it by
    /// [`read_text`](Self::read_text), [`skip_element`](Self::skip_element), [`read_element`](Self::read_element) or by
    /// `next_child` until `None`.
    ///
    /// # Errors
    ///
    /// [`ReadError::UnexpectedText`] for other text, and as [`next`](Self::next).
    pub fn next_child(&mut self) -> Result<Option<Start>, ReadError> {
        loop {
            match self.next()? {
                Event::Start(start) => return Ok(Some(start)),
                Event::End(_) | Event::Eof => return Ok(None),
                Event::Text(text) if is_white_space(&text) => {}
                Event::Text(_) => return Err(self.fail(ReadError::UnexpectedText { offset: self.offset() })),
            }
        }
    }

    /// The root element, at the start of the document.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next); a document without root is malformed.
    pub fn root(&mut self) -> Result<Start, ReadError> {
        match self.next_child()? {
            Some(start) => Ok(start),
            None => Err(self.fail(ReadError::NoOpenElement { offset: self.offset() })),
        }
    }

    /// The text of the innermost open element, up to and with its end; empty for an empty element. Nothing is trimmed.
    ///
    /// # Errors
    ///
    /// [`ReadError::UnexpectedElement`] for a child, and as [`next`](Self::next).
    pub fn read_text(&mut self) -> Result<String, ReadError> {
        self.require_open()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                Event::Text(piece) if text.is_empty() => text = piece,
                Event::Text(piece) => text.push_str(&piece),
                Event::Start(_) => {
                    return Err(self.fail(ReadError::UnexpectedElement { offset: self.offset() }));
                }
                Event::End(_) | Event::Eof => return Ok(text),
            }
        }
    }

    /// As [`read_text`](Self::read_text), borrowed where the document has the text as it is.
    ///
    /// # Errors
    ///
    /// As [`read_text`](Self::read_text).
    pub fn read_text_borrowed(&mut self) -> Result<Cow<'a, str>, ReadError> {
        if self.peeked.is_none()
            && self.failed.is_none()
            && let Way::Quick(quick) = &mut self.way
            && let Quick { document: Cow::Borrowed(document), walk, events, .. } = &mut **quick
            && let Some(text) = walk.whole_text(document)
        {
            // An empty text is no event.
            *events += 1 + usize::from(!text.is_empty());
            self.depth = self.depth.saturating_sub(1);
            return Ok(Cow::Borrowed(text));
        }
        self.read_text().map(Cow::Owned)
    }

    /// Passes over the rest of the innermost open element, its end included.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next): what is skipped is still judged.
    pub fn skip_element(&mut self) -> Result<(), ReadError> {
        self.require_open()?;
        let outer = self.depth.saturating_sub(1);
        while self.depth > outer {
            self.next()?;
        }
        Ok(())
    }

    /// Reads what follows the root: nothing, or this fails. Call it last, so that a whole document has been judged.
    ///
    /// # Errors
    ///
    /// [`ReadError::UnexpectedElement`] or [`ReadError::UnexpectedText`] if the root was not read to its end, and as [`next`](Self::next).
    pub fn finish(mut self) -> Result<(), ReadError> {
        loop {
            match self.next()? {
                Event::Eof => return Ok(()),
                Event::Start(_) => return Err(ReadError::UnexpectedElement { offset: self.offset() }),
                Event::Text(text) if !is_white_space(&text) => {
                    return Err(ReadError::UnexpectedText { offset: self.offset() });
                }
                Event::Text(_) | Event::End(_) => {}
            }
        }
    }

    /// Fails unless an element is open.
    pub(crate) fn require_open(&mut self) -> Result<(), ReadError> {
        if self.depth > 0 {
            return Ok(());
        }
        let offset = self.offset();
        Err(self.failed.clone().unwrap_or(ReadError::NoOpenElement { offset }))
    }

    fn pull(&mut self) -> Result<Event, ReadError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let event = match &mut self.way {
            Way::Quick(quick) => {
                if let Some(event) = quick.walk.next(&quick.document) {
                    quick.events += 1;
                    Ok(event)
                } else {
                    let mut plain = quick.turn_plain();
                    let passed = (0..quick.events).try_for_each(|_| plain.next().map(drop));
                    let event = passed.and_then(|()| plain.next());
                    self.way = Way::Plain(Box::new(plain));
                    event
                }
            }
            Way::Plain(plain) => plain.next(),
        };
        event.map_err(|error| self.fail(error))
    }

    /// Remembers the first error, so that a caller who goes on gets no events from a broken document.
    fn fail(&mut self, error: ReadError) -> ReadError {
        self.peeked = None;
        self.failed.get_or_insert(error).clone()
    }
}

impl<'a> Quick<'a> {
    /// The document in the plain way, from its start.
    fn turn_plain(&mut self) -> Plain<'a> {
        Plain::new(mem::take(&mut self.document), self.start, &self.limits, self.has_instructions)
    }
}

/// Text as its length: it may be a secret.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(start) => start.fmt(f),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::End(name) => f.debug_tuple("End").field(name).finish(),
            Self::Eof => f.write_str("Eof"),
        }
    }
}

/// Without the document.
impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("offset", &self.offset())
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

/// Whether a text is only white space as XML means it (XML 1.0, production 3).
pub(crate) fn is_white_space(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
