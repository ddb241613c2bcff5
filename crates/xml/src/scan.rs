//! The guard: one linear pass over the markup that counts what xml-rs would have to pay for.
//!
//! It is stricter than xml-rs wherever the two could disagree on where a tag, a value, a comment or a section ends: xml-rs
//! lexes without knowing whether it is inside an attribute value, so that it takes `<!--` there as text but
//! its `>` as the end of a comment. What remains is one reading, so what is counted here is what xml-rs will see;
//! characters, the spelling of names and the matching of tags are left to xml-rs.

use memchr::{memchr, memchr2, memchr3, memmem};

use crate::markup::{Kind, Markup, Span};
use crate::{Limit, Limits, ReadError};

/// What the reader needs to know about a document that passed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Summary {
    /// Texts may come in pieces: xml-rs ends one at each processing instruction.
    pub(crate) has_instructions: bool,
    /// Elements in the document.
    pub(crate) elements: usize,
    /// Most elements open at once.
    pub(crate) deepest: usize,
    /// Attributes in the document, namespace declarations not counted.
    pub(crate) attributes: usize,
}

/// Declarations made by one element, or in scope.
#[derive(Clone, Copy, Debug, Default)]
struct Declarations {
    count: usize,
    size: usize,
}

/// Judges `text` from byte `start` on.
pub(crate) fn scan(text: &str, start: usize, limits: &Limits) -> Result<(Summary, Markup), ReadError> {
    let mut scan = Scan {
        text: text.as_bytes(),
        at: start,
        limits,
        open: Vec::new(),
        scope: Declarations::default(),
        copies: 0,
        text_size: 0,
        summary: Summary::default(),
        markup: Markup::default(),
    };
    while scan.at < scan.text.len() {
        scan.content()?;
    }
    if !scan.open.is_empty() {
        return Err(scan.syntax("document ends inside an element"));
    }
    Ok((scan.summary, scan.markup))
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    limits: &'a Limits,
    /// What each open element declared.
    open: Vec<Declarations>,
    /// Sum of `open`.
    scope: Declarations,
    copies: usize,
    /// Since the last tag.
    text_size: usize,
    summary: Summary,
    /// Where everything is.
    markup: Markup,
}

impl<'a> Scan<'a> {
    /// Text up to the next markup or reference, and that.
    fn content(&mut self) -> Result<(), ReadError> {
        let run = memchr2(b'<', b'&', self.rest()).unwrap_or(self.text.len() - self.at);
        self.at += run;
        self.add_text(run)?;
        match self.rest() {
            [b'<', b'!', ..] => self.declaration(),
            [b'<', b'?', ..] => self.instruction(),
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', ..] => self.start_tag(),
            [b'&', ..] => {
                let size = self.reference()?;
                self.add_text(size)
            }
            _ => Ok(()),
        }
    }

    /// Comment or CDATA section; a document type is refused.
    fn declaration(&mut self) -> Result<(), ReadError> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            let at = self.at + 4;
            // `--` may stand nowhere else (XML 1.0, production 15).
            let dashes = self.find(at, b"--").ok_or_else(|| self.syntax("comment has no end"))?;
            if self.text.get(dashes + 2) != Some(&b'>') {
                return Err(ReadError::Syntax { reason: "double hyphen inside a comment", offset: dashes });
            }
            self.at = dashes + 3;
            Ok(())
        } else if rest.starts_with(b"<![CDATA[") {
            let at = self.at + 9;
            let end = self.find(at, b"]]>").ok_or_else(|| self.syntax("CDATA section has no end"))?;
            self.at = end + 3;
            self.add_text(end - at)
        } else if rest.starts_with(b"<!DOCTYPE") {
            Err(ReadError::Doctype { offset: self.at })
        } else {
            Err(self.syntax("unknown markup declaration"))
        }
    }

    /// A processing instruction, which is skipped; a misplaced XML declaration is refused.
    fn instruction(&mut self) -> Result<(), ReadError> {
        let at = self.at + 2;
        let end = self.find(at, b"?>").ok_or_else(|| self.syntax("processing instruction has no end"))?;
        let body = self.text.get(at..end).unwrap_or_default();
        let size = body.iter().position(|byte| is_white_space(*byte)).unwrap_or(body.len());
        let target = body.get(..size).unwrap_or_default();
        if target.is_empty() {
            return Err(self.syntax("processing instruction has no name"));
        }
        if target.eq_ignore_ascii_case(b"xml") {
            return Err(self.syntax("XML declaration is not at the start"));
        }
        self.check(Limit::NameSize, size, self.limits.name_size)?;
        self.summary.has_instructions = true;
        self.at = end + 2;
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        self.at += 2;
        let name = self.name()?;
        let name = Span::new(start + 2, start + 2 + name.len());
        self.white_space();
        if self.peek() != Some(b'>') {
            return Err(self.syntax("malformed end tag"));
        }
        self.at += 1;
        self.markup.tag(Kind::End, Span::new(start, self.at), name);
        let Some(declared) = self.open.pop() else {
            return Err(ReadError::Syntax { reason: "end tag without start tag", offset: start });
        };
        self.leave(declared);
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        let limits = self.limits;
        if self.open.is_empty() && self.summary.elements > 0 {
            return Err(ReadError::SecondRoot { offset: start });
        }
        let depth = self.open.len() + 1;
        self.check(Limit::Depth, depth, limits.depth)?;
        self.check(Limit::Elements, self.summary.elements + 1, limits.elements)?;
        self.summary.elements += 1;
        self.summary.deepest = self.summary.deepest.max(depth);
        self.at += 1;
        let name = self.name()?;
        let element = Span::new(start + 1, start + 1 + name.len());

        let mut attributes = 0;
        let mut declared = Vec::new();
        let mut size = 0;
        let empty = loop {
            let spaced = self.white_space();
            match self.rest() {
                [b'>', ..] => {
                    self.at += 1;
                    break false;
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    break true;
                }
                [] => return Err(self.syntax("document ends inside a tag")),
                _ if !spaced => return Err(self.syntax("no white space before an attribute")),
                _ => {}
            }
            let at = self.at;
            let name = self.name()?;
            let value = self.attribute_value()?;
            let value_size = value.len();
            let Some(prefix) = declared_prefix(name) else {
                self.markup.value(value);
                attributes += 1;
                self.check_at(Limit::Attributes, attributes, limits.attributes, at)?;
                continue;
            };
            // xml-rs lets the first of two win.
            if declared.contains(&prefix) {
                return Err(ReadError::Syntax { reason: "prefix declared twice in a tag", offset: at });
            }
            declared.push(prefix);
            size += prefix.len() + value_size;
            self.check_at(Limit::Namespaces, self.scope.count + declared.len(), limits.namespaces, at)?;
            self.check_at(Limit::NamespacesSize, self.scope.size + size, limits.namespaces_size, at)?;
        };
        let kind = if empty { Kind::Empty } else { Kind::Start };
        self.markup.tag(kind, Span::new(start, self.at), element);
        self.summary.attributes += attributes;
        let declared = Declarations { count: declared.len(), size };
        self.scope.count += declared.count;
        self.scope.size += declared.size;
        self.copies = self.copies.saturating_add(self.scope.count);
        self.check_at(Limit::NamespaceCopies, self.copies, limits.namespace_copies, start)?;
        self.text_size = 0;
        if empty {
            self.leave(declared);
        } else {
            self.open.push(declared);
        }
        Ok(())
    }

    /// Ends an element that made these declarations.
    fn leave(&mut self, declared: Declarations) {
        self.scope.count -= declared.count;
        self.scope.size -= declared.size;
        self.text_size = 0;
    }

    /// A name up to what must follow one in a tag. Its characters are xml-rs' business.
    fn name(&mut self) -> Result<&'a [u8], ReadError> {
        let rest = self.rest();
        let ends = |byte: &u8| is_white_space(*byte) || matches!(*byte, b'>' | b'/' | b'=');
        let size = rest.iter().position(ends).unwrap_or(rest.len());
        let name = rest.get(..size).unwrap_or_default();
        if name.is_empty() || name.iter().any(|byte| matches!(*byte, b'<' | b'&' | b'"' | b'\'')) {
            return Err(self.syntax("malformed name"));
        }
        self.check(Limit::NameSize, size, self.limits.name_size)?;
        self.at += size;
        Ok(name)
    }

    /// `= "value"`; returns where the value is.
    fn attribute_value(&mut self) -> Result<Span, ReadError> {
        self.white_space();
        if self.peek() != Some(b'=') {
            return Err(self.syntax("attribute has no value"));
        }
        self.at += 1;
        self.white_space();
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            return Err(self.syntax("attribute value is not quoted"));
        };
        self.at += 1;
        let start = self.at;
        loop {
            let run = memchr3(quote, b'<', b'&', self.rest());
            self.at += run.ok_or_else(|| self.syntax("attribute value has no end"))?;
            match self.peek() {
                Some(b'&') => {
                    self.reference()?;
                }
                // Well-formedness constraint "No < in Attribute Values", XML 1.0 section 3.1.
                Some(b'<') => return Err(self.syntax("'<' in an attribute value")),
                _ => break,
            }
        }
        let size = self.at - start;
        let value = Span::new(start, self.at);
        self.at += 1;
        self.check_at(Limit::AttributeSize, size, self.limits.attribute_size, start)?;
        Ok(value)
    }

    /// A reference that starts here; returns its size. The number of a character reference is left to xml-rs.
    fn reference(&mut self) -> Result<usize, ReadError> {
        const PREDEFINED: [&[u8]; 5] = [b"&lt;", b"&gt;", b"&amp;", b"&quot;", b"&apos;"];
        let rest = self.rest();
        let size = if rest.starts_with(b"&#") {
            memchr(b';', rest.get(..self.limits.name_size.min(rest.len())).unwrap_or_default())
                .map(|semicolon| semicolon + 1)
                .ok_or_else(|| self.syntax("character reference has no end"))?
        } else {
            PREDEFINED
                .iter()
                .find(|entity| rest.starts_with(entity))
                .map(|entity| entity.len())
                .ok_or(ReadError::UnknownEntity { offset: self.at })?
        };
        self.at += size;
        Ok(size)
    }

    fn add_text(&mut self, size: usize) -> Result<(), ReadError> {
        self.text_size += size;
        self.check(Limit::TextSize, self.text_size, self.limits.text_size)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn find(&self, at: usize, needle: &[u8]) -> Option<usize> {
        memmem::find(self.text.get(at..)?, needle).map(|found| at + found)
    }

    fn white_space(&mut self) -> bool {
        let rest = self.rest();
        let skipped = rest.iter().position(|byte| !is_white_space(*byte)).unwrap_or(rest.len());
        self.at += skipped;
        skipped > 0
    }

    fn check(&self, limit: Limit, value: usize, maximum: usize) -> Result<(), ReadError> {
        self.check_at(limit, value, maximum, self.at)
    }

    #[expect(clippy::unused_self, reason = "reads like `check`, which it serves")]
    fn check_at(&self, limit: Limit, value: usize, maximum: usize, offset: usize) -> Result<(), ReadError> {
        if value <= maximum { Ok(()) } else { Err(ReadError::LimitExceeded { limit, maximum, offset }) }
    }

    fn syntax(&self, reason: &'static str) -> ReadError {
        ReadError::Syntax { reason, offset: self.at }
    }
}

/// The prefix that an attribute of this name declares; empty for the default namespace.
fn declared_prefix(name: &[u8]) -> Option<&[u8]> {
    let rest = name.strip_prefix(b"xmlns")?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b":") }
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests;
