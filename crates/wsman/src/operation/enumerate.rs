//! Enumerate: lists resources (WS-Enumeration, DSP0226 section 8.2).

use winrm_xml::{Element, Event, Reader, Start};

use crate::codec::{
    Xml, attribute, bounds, invalid, limit, number, optional, optional_value, push, set, text, trim,
};
use crate::error::{DecodeError, EncodeError};
use crate::header::Selector;
use crate::operation::get::Resource;
use crate::uri;

/// `n:Enumerate`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Enumerate {
    /// `n:Expires`, as sent.
    pub expires: Option<String>,
    /// `w:OptimizeEnumeration`: the first items may come in the answer at once.
    pub optimize: bool,
    /// `w:MaxElements` of an optimized enumeration.
    pub max_elements: Option<u32>,
    /// `w:EnumerationMode`, for instance `EnumerateEPR`.
    pub mode: Option<String>,
    /// `w:Filter`.
    pub filter: Option<Filter>,
}

/// `w:Filter` of DSP0226.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter {
    /// The attribute `Dialect`, for instance [`DIALECT_WQL`](crate::uri::DIALECT_WQL).
    pub dialect: Option<String>,
    /// What passes.
    pub condition: Condition,
}

/// The content of a filter.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// A query.
    Text(String),
    /// A `w:SelectorSet`.
    Selectors(Vec<Selector>),
    /// Another element.
    Element(Element),
}

/// `n:EnumerateResponse` and `n:PullResponse`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// `n:Expires`, as sent.
    pub expires: Option<String>,
    /// `n:EnumerationContext`, for the next Pull; Windows sends an empty one at the end.
    pub context: Option<String>,
    /// The items, in order.
    pub items: Vec<Resource>,
    /// Nothing more will come.
    pub end_of_sequence: bool,
}

impl Enumerate {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut enumerate = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_ENUMERATION, "Expires") => set(&mut enumerate.expires, text(r)?, r, "n:Expires")?,
                (uri::NS_WSMAN, "OptimizeEnumeration") => {
                    enumerate.optimize = true;
                    r.skip_element()?;
                }
                (uri::NS_WSMAN, "MaxElements") => {
                    let maximum = number(r, "w:MaxElements")?;
                    set(&mut enumerate.max_elements, maximum, r, "w:MaxElements")?;
                }
                (uri::NS_WSMAN, "EnumerationMode") => {
                    set(&mut enumerate.mode, text(r)?, r, "w:EnumerationMode")?;
                }
                (uri::NS_WSMAN | uri::NS_ENUMERATION, "Filter") => {
                    let filter = Filter::read(r, &start)?;
                    set(&mut enumerate.filter, filter, r, "w:Filter")?;
                }
                _ => r.skip_element()?,
            }
        }
        Ok(enumerate)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("n", "Enumerate").open()?;
        optional(w, "n", "Expires", self.expires.as_deref())?;
        if self.optimize {
            w.start("w", "OptimizeEnumeration").empty()?;
        }
        optional_value(w, "w", "MaxElements", self.max_elements)?;
        optional(w, "w", "EnumerationMode", self.mode.as_deref())?;
        if let Some(filter) = &self.filter {
            filter.write(w)?;
        }
        Ok(w.end()?)
    }
}

impl Filter {
    fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let dialect = attribute(start, "Dialect");
        let (mut query, mut condition) = (String::new(), None);
        loop {
            match r.next()? {
                Event::Text(text) => query.push_str(&text),
                Event::Start(start) if start.is(uri::NS_WSMAN, "SelectorSet") => {
                    let selectors = Selector::read_set(r)?;
                    set(&mut condition, Condition::Selectors(selectors), r, "content of w:Filter")?;
                }
                Event::Start(start) => {
                    let element = r.read_element(start)?;
                    set(&mut condition, Condition::Element(element), r, "content of w:Filter")?;
                }
                Event::End(_) | Event::Eof => break,
            }
        }
        let condition = match condition {
            Some(condition) if trim(&query).is_empty() => condition,
            Some(_) => return Err(invalid(r, "w:Filter", "either text or an element")),
            None => Condition::Text(trim(&query).to_owned()),
        };
        Ok(Self { dialect, condition })
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("w", "Filter");
        if let Some(dialect) = &self.dialect {
            tag = tag.attribute("", "Dialect", dialect);
        }
        tag.open()?;
        match &self.condition {
            Condition::Text(text) => w.text(text)?,
            // Written even when empty: it is what makes this a filter by selectors.
            Condition::Selectors(selectors) if selectors.is_empty() => w.start("w", "SelectorSet").empty()?,
            Condition::Selectors(selectors) => Selector::write_set(w, selectors)?,
            Condition::Element(element) => w.element(element)?,
        }
        Ok(w.end()?)
    }
}

impl Batch {
    /// Reads the children of either answer. Items of an optimized enumeration are in the namespace of WS-Management,
    /// those of Pull in that of WS-Enumeration (DSP0226, section 8.2.3).
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (mut batch, mut has_items) = (Self::default(), None);
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_ENUMERATION, "Expires") => set(&mut batch.expires, text(r)?, r, "n:Expires")?,
                (uri::NS_ENUMERATION, "EnumerationContext") => {
                    set(&mut batch.context, text(r)?, r, "n:EnumerationContext")?;
                }
                (uri::NS_WSMAN | uri::NS_ENUMERATION, "Items") => {
                    set(&mut has_items, (), r, "n:Items")?;
                    while let Some(start) = r.next_child()? {
                        let item = Resource::read(r, start)?;
                        push(&mut batch.items, item, bounds::ITEMS, r, "item")?;
                    }
                }
                (uri::NS_WSMAN | uri::NS_ENUMERATION, "EndOfSequence") => {
                    batch.end_of_sequence = true;
                    r.skip_element()?;
                }
                _ => r.skip_element()?,
            }
        }
        Ok(batch)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>, local: &str, prefix: &str) -> Result<(), EncodeError> {
        limit(self.items.len(), bounds::ITEMS, "item")?;
        w.start("n", local).open()?;
        optional(w, "n", "Expires", self.expires.as_deref())?;
        optional(w, "n", "EnumerationContext", self.context.as_deref())?;
        if !self.items.is_empty() {
            w.start(prefix, "Items").open()?;
            for item in &self.items {
                item.write(w)?;
            }
            w.end()?;
        }
        if self.end_of_sequence {
            w.start(prefix, "EndOfSequence").empty()?;
        }
        Ok(w.end()?)
    }
}
