//! The quick way: from tag to tag as the guard found them, with xml-rs asked only about what is new.
//!
//! It gives up where xml-rs would find fault, or would have to be asked about too much; then the plain way reads the
//! document from its start and passes over what was given out already. So there is one judge of what is well-formed.

use std::borrow::Cow;

use xml::reader::{EventReader, XmlEvent};

use crate::known::{self, Scope};
use crate::markup::{Kind, Markup, Span, Tag};
use crate::reader::is_white_space;
use crate::{Event, Limits, Name, plain, verbatim};

/// Bytes that xml-rs may be asked about beside twice the document.
const ALLOWANCE: usize = 16 * 1024;
/// What asking costs, in the bytes it could have read meanwhile.
const ASKING: usize = 64;

/// A place in a document.
pub(crate) struct Walk {
    markup: Markup,
    limits: Limits,
    /// Of the next tag.
    index: usize,
    /// Bytes passed.
    at: usize,
    open: Vec<Open>,
    scope: Scope,
    /// Of the element whose end is next: it was empty.
    ended: Option<Name>,
    /// Bytes that xml-rs may still be asked about.
    budget: usize,
}

/// An element whose end is yet to come.
struct Open {
    written: Span,
    name: Name,
    /// Around it.
    scope: Scope,
}

impl Walk {
    pub(crate) fn new(markup: Markup, start: usize, size: usize, limits: Limits) -> Self {
        Self {
            markup,
            limits,
            index: 0,
            at: start,
            open: Vec::new(),
            scope: Scope::outermost(),
            ended: None,
            budget: size.saturating_mul(2).saturating_add(ALLOWANCE),
        }
    }

    /// Bytes passed so far.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The next event; `None` to give up.
    pub(crate) fn next(&mut self, document: &str) -> Option<Event> {
        if let Some(name) = self.ended.take() {
            return Some(Event::End(name));
        }
        let tag = self.markup.get(self.index);
        let start = tag.map_or(document.len(), |tag| tag.span.range().start);
        let between = document.get(self.at..start)?;
        if !between.is_empty() {
            let text = self.text(between)?;
            self.at = start;
            if !text.is_empty() {
                return Some(Event::Text(text.into_owned()));
            }
        }
        let Some(tag) = tag else {
            // xml-rs wants a root.
            return (self.index > 0).then_some(Event::Eof);
        };
        let event = self.tag(document, tag)?;
        self.index += 1;
        self.at = tag.span.range().end;
        Some(event)
    }

    /// The text of the innermost element and its end, if that is all there is of it and it can be had as it stands; nothing is taken
    /// otherwise.
    pub(crate) fn whole_text<'t>(&mut self, document: &'t str) -> Option<&'t str> {
        let tag = self.markup.get(self.index)?;
        if self.ended.is_some() || tag.kind != Kind::End || !self.ends_innermost(document, tag) {
            return None;
        }
        let text = document.get(self.at..tag.span.range().start)?;
        if !verbatim::is_text(text) {
            return None;
        }
        self.tag(document, tag)?;
        self.index += 1;
        self.at = tag.span.range().end;
        Some(text)
    }

    fn tag(&mut self, document: &str, tag: Tag) -> Option<Event> {
        if tag.kind == Kind::End {
            if !self.ends_innermost(document, tag) {
                return None;
            }
            let Open { name, scope, .. } = self.open.pop()?;
            self.scope = scope;
            return Some(Event::End(name));
        }
        let Self { markup, limits, index, scope, budget, .. } = self;
        let values = markup.values(*index);
        let (start, inner) = known::start(document, tag.span, values, scope, |size| {
            spend(budget, size).then(|| plain::config(limits))
        })?;
        if tag.kind == Kind::Empty {
            self.ended = Some(start.name.clone());
        } else {
            let scope = std::mem::replace(&mut self.scope, inner);
            self.open.push(Open { written: tag.name, name: start.name.clone(), scope });
        }
        Some(Event::Start(start))
    }

    fn ends_innermost(&self, document: &str, tag: Tag) -> bool {
        self.open.last().is_some_and(|open| open.written.of(document) == tag.name.of(document))
    }

    /// What xml-rs makes of what is between two tags.
    fn text<'t>(&mut self, between: &'t str) -> Option<Cow<'t, str>> {
        if self.open.is_empty() {
            return is_white_space(between).then_some(Cow::Borrowed(""));
        }
        if verbatim::is_text(between) {
            return Some(Cow::Borrowed(between));
        }
        if !spend(&mut self.budget, between.len()) {
            return None;
        }
        let document = format!("<w>{between}</w>");
        let mut parser = EventReader::new_with_config(document.as_bytes(), plain::config(&self.limits));
        let mut text = String::new();
        let mut depth = 0;
        loop {
            match parser.next().ok()? {
                XmlEvent::Characters(piece) | XmlEvent::Whitespace(piece) | XmlEvent::CData(piece) => {
                    if text.is_empty() {
                        text = piece;
                    } else {
                        text.push_str(&piece);
                    }
                }
                XmlEvent::StartElement { .. } if depth == 0 => depth = 1,
                XmlEvent::EndElement { .. } if depth == 1 => depth = 2,
                XmlEvent::EndDocument => return Some(Cow::Owned(text)),
                XmlEvent::StartDocument { .. }
                | XmlEvent::ProcessingInstruction { .. }
                | XmlEvent::Comment(_) => {}
                _ => return None,
            }
        }
    }
}

/// Takes from what may be asked; false if it is not left.
fn spend(budget: &mut usize, size: usize) -> bool {
    let left = budget.checked_sub(size.saturating_add(ASKING));
    *budget = left.unwrap_or(*budget);
    left.is_some()
}

#[cfg(test)]
mod tests;
