//! The bounded pull reader.

use std::borrow::Cow;
use std::{fmt, mem};

use xml::reader::{EventReader, ParserConfig, XmlEvent};

use crate::encoding::{self, Decoded};
use crate::error;
use crate::lift::{Runs, Source};
use crate::scan::{self, Summary};
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
    parser: EventReader<Source<'a>>,
    summary: Summary,
    /// Looked at but not taken.
    peeked: Option<Event>,
    /// What ended a text in pieces.
    pending: Option<Event>,
    /// Of the elements whose start was taken and whose end was not.
    depth: usize,
    failed: Option<ReadError>,
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

    fn reading(document: &'a [u8], limits: &Limits, lifts: bool) -> Result<Self, ReadError> {
        let Decoded { text, start } = encoding::decode(document, limits)?;
        let (summary, runs) = scan::scan(&text, start, limits)?;
        let runs = if lifts { runs } else { Runs::default() };
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let config = ParserConfig::new()
            .whitespace_to_characters(true)
            .cdata_to_characters(true)
            .ignore_comments(true)
            .coalesce_characters(true)
            .ignore_root_level_whitespace(true)
            .allow_multiple_root_elements(false)
            .override_encoding(Some(xml::Encoding::Utf8))
            .max_entity_expansion_depth(0)
            .max_entity_expansion_length(0)
            .max_name_length(limits.name_size)
            .max_attributes(limits.attributes)
            .max_attribute_length(limits.attribute_size)
            .max_data_length(limits.document_size);
        let parser = EventReader::new_with_config(Source::new(text, start, runs), config);
        Ok(Self { parser, summary, peeked: None, pending: None, depth: 0, failed: None })
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
        self.parser.source().at
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

    /// The plain event loop: one event of ours from as many of xml-rs as it takes.
    fn pull(&mut self) -> Result<Event, ReadError> {
        if let Some(event) = self.pending.take() {
            return Ok(event);
        }
        let mut text = String::new();
        loop {
            // A text is complete at the next tag, and that is kept for the next call.
            let event = match self.pull_raw()? {
                XmlEvent::Characters(piece) | XmlEvent::Whitespace(piece) | XmlEvent::CData(piece) => {
                    let piece = self.parser.source_mut().restore(piece);
                    if !self.summary.has_instructions {
                        return Ok(Event::Text(piece));
                    }
                    text.push_str(&piece);
                    continue;
                }
                XmlEvent::StartElement { name, attributes, namespace } => Event::Start(Start {
                    name: name.into(),
                    attributes: attributes.into_iter().map(Into::into).collect(),
                    scope: namespace,
                }),
                XmlEvent::EndElement { name } => Event::End(name.into()),
                XmlEvent::EndDocument => Event::Eof,
                XmlEvent::Doctype { .. } => {
                    return Err(self.fail(ReadError::Doctype { offset: self.offset() }));
                }
                XmlEvent::StartDocument { .. }
                | XmlEvent::ProcessingInstruction { .. }
                | XmlEvent::Comment(_) => continue,
            };
            if text.is_empty() {
                return Ok(event);
            }
            self.pending = Some(event);
            return Ok(Event::Text(mem::take(&mut text)));
        }
    }

    fn pull_raw(&mut self) -> Result<XmlEvent, ReadError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.parser.next() {
            Ok(event) => Ok(event),
            Err(error) => {
                let reason = error::reason(&error);
                Err(self.fail(ReadError::Syntax { reason, offset: self.offset() }))
            }
        }
    }

    /// Remembers the first error, so that a caller who goes on gets no events from a broken document.
    fn fail(&mut self, error: ReadError) -> ReadError {
        self.peeked = None;
        self.pending = None;
        self.failed.get_or_insert(error).clone()
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
