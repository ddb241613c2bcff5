//! The plain way: every character through xml-rs. What the other way is held equal to, and what reads where that gives up.

use std::borrow::Cow;
use std::io::{self, Read};
use std::mem;

use xml::reader::{EventReader, ParserConfig, XmlEvent};

use crate::{Event, Limits, ReadError, Start, error};

/// How xml-rs is to read, here and wherever it reads a part of a document.
pub(crate) fn config(limits: &Limits) -> ParserConfig {
    ParserConfig::new()
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
        .max_data_length(limits.document_size)
}

/// A document as xml-rs gives it.
pub(crate) struct Plain<'a> {
    parser: EventReader<Source<'a>>,
    /// Whether texts may come in pieces: xml-rs ends one at each processing instruction.
    joins: bool,
    /// What ended a text in pieces.
    pending: Option<Event>,
}

impl<'a> Plain<'a> {
    /// Of `text` from byte `at` on.
    pub(crate) fn new(text: Cow<'a, str>, at: usize, limits: &Limits, joins: bool) -> Self {
        let parser = EventReader::new_with_config(Source { text, at }, config(limits));
        Self { parser, joins, pending: None }
    }

    /// Bytes taken so far.
    pub(crate) fn offset(&self) -> usize {
        self.parser.source().at
    }

    /// One event of ours from as many of xml-rs as it takes.
    pub(crate) fn next(&mut self) -> Result<Event, ReadError> {
        if let Some(event) = self.pending.take() {
            return Ok(event);
        }
        let mut text = String::new();
        loop {
            // A text is complete at the next tag, and that is kept for the next call.
            let event = match self.next_raw()? {
                XmlEvent::Characters(piece) | XmlEvent::Whitespace(piece) | XmlEvent::CData(piece) => {
                    if !self.joins {
                        return Ok(Event::Text(piece));
                    }
                    text.push_str(&piece);
                    continue;
                }
                XmlEvent::StartElement { name, attributes, namespace } => {
                    Event::Start(Start::new(name, attributes, namespace))
                }
                XmlEvent::EndElement { name } => Event::End(name.into()),
                XmlEvent::EndDocument => Event::Eof,
                XmlEvent::Doctype { .. } => return Err(ReadError::Doctype { offset: self.offset() }),
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

    fn next_raw(&mut self) -> Result<XmlEvent, ReadError> {
        let next = self.parser.next();
        next.map_err(|error| ReadError::Syntax { reason: error::reason(&error), offset: self.offset() })
    }
}

/// The document as xml-rs reads it, one byte at a time and nothing ahead.
struct Source<'a> {
    text: Cow<'a, str>,
    at: usize,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.as_bytes().get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
