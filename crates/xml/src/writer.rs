//! The checking writer.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use xml::attribute::Attribute as XmlAttribute;
use xml::name::Name as XmlName;
use xml::namespace::{NS_XML_URI, NS_XMLNS_URI, Namespace};
use xml::writer::{EmitterConfig, EventWriter, XmlEvent};

use crate::escape::{Place, escape};
use crate::{Attribute, Element, Name, Node, WriteError};

/// Writes one document of XML 1.0 with namespaces, as UTF-8 without indentation, by xml-rs' `EventWriter`.
///
/// xml-rs writes what it is told; this checks and escapes before. Every call either writes something that keeps the document
/// well-formed or fails and writes nothing.
/// White space in text is written as it is, CR as `&#xD;` so that it is read back; an element without content as `<x/>`.
///
/// ```
/// # fn main() -> Result<(), winrm_xml::WriteError> {
/// let mut writer = winrm_xml::Writer::new(Vec::new());
/// writer.start("p", "list").declare("p", "urn:example").open()?;
/// writer.start("p", "item").attribute("", "n", "1 < 2").text("R&D")?;
/// writer.end()?;
/// assert_eq!(
///     writer.finish()?,
///     br#"<p:list xmlns:p="urn:example"><p:item n="1 &lt; 2">R&amp;D</p:item></p:list>"#
/// );
/// # Ok(())
/// # }
/// ```
pub struct Writer<W: Write> {
    events: EventWriter<W>,
    /// Declarations of the open elements, outermost first.
    scope: Vec<(String, String)>,
    /// Length of `scope` before each open element.
    open: Vec<usize>,
    has_root: bool,
}

impl<W: Write> Writer<W> {
    /// A document without XML declaration.
    pub fn new(sink: W) -> Self {
        Self::with_config(sink, false)
    }

    /// A document that starts `<?xml version="1.0" encoding="UTF-8"?>`.
    pub fn with_declaration(sink: W) -> Self {
        Self::with_config(sink, true)
    }

    fn with_config(sink: W, declaration: bool) -> Self {
        let mut config = EmitterConfig::new()
            .perform_indent(false)
            .write_document_declaration(declaration)
            .normalize_empty_elements(true)
            .pad_self_closing(false)
            .keep_element_names_stack(true);
        // We escape, as xml-rs leaves CR in text and TAB in attributes as they are.
        config.perform_escaping = false;
        let events = EventWriter::new_with_config(sink, config);
        Self { events, scope: Vec::new(), open: Vec::new(), has_root: false }
    }

    /// Begins a start tag; nothing is written before [`StartTag::open`], [`StartTag::text`] or [`StartTag::empty`].
    ///
    /// `prefix` is empty for a name without one, which is then in the default namespace if there is one.
    pub fn start<'a>(&'a mut self, prefix: &'a str, local: &'a str) -> StartTag<'a, W> {
        StartTag { writer: self, prefix, local, declarations: Vec::new(), attributes: Vec::new() }
    }

    /// Text of the innermost open element; may be called again to go on. Without characters to escape, as in base64, it
    /// is handed to the sink in one piece.
    ///
    /// # Errors
    ///
    /// A character outside XML 1.0, no element open, or the sink.
    pub fn text(&mut self, text: &str) -> Result<(), WriteError> {
        if self.open.is_empty() {
            return Err(WriteError::NoOpenElement);
        }
        if text.is_empty() {
            return Ok(());
        }
        let escaped = escape(text, Place::Text)?;
        Ok(self.events.write(XmlEvent::raw_characters(&escaped))?)
    }

    /// Ends the innermost open element.
    ///
    /// # Errors
    ///
    /// No element open, or the sink.
    pub fn end(&mut self) -> Result<(), WriteError> {
        let declared = self.open.pop().ok_or(WriteError::NoOpenElement)?;
        self.scope.truncate(declared);
        Ok(self.events.write(XmlEvent::end_element())?)
    }

    /// Writes a tree. Prefixes are those it declares or that are in scope, others are made up.
    ///
    /// # Errors
    ///
    /// As [`StartTag::open`] and [`text`](Self::text).
    pub fn element(&mut self, element: &Element) -> Result<(), WriteError> {
        let mut declarations: Vec<(String, String)> = element
            .namespaces
            .iter()
            .filter(|(prefix, uri)| self.resolve(prefix).unwrap_or_default() != uri)
            .cloned()
            .collect();
        if element.name.namespace().is_empty() {
            // Only the absence of a default namespace can say so.
            declarations.retain(|(prefix, _)| !prefix.is_empty());
            if self.resolve("").is_some_and(|uri| !uri.is_empty()) {
                declarations.push((String::new(), String::new()));
            }
        }
        let prefix = self.prefix_for(&element.name, true, &mut declarations);
        let mut attributes = Vec::with_capacity(element.attributes.len());
        for Attribute { name, value } in &element.attributes {
            attributes.push((self.prefix_for(name, false, &mut declarations), name.local(), value));
        }
        let mut tag = self.start(&prefix, element.name.local());
        for (prefix, uri) in &declarations {
            tag = tag.declare(prefix, uri);
        }
        for (prefix, local, value) in &attributes {
            tag = tag.attribute(prefix, local, value.as_str());
        }
        tag.open()?;
        for node in &element.children {
            match node {
                Node::Element(child) => self.element(child)?,
                Node::Text(text) => self.text(text)?,
            }
        }
        self.end()
    }

    /// Elements open now.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Ends the document and hands back the sink.
    ///
    /// # Errors
    ///
    /// [`WriteError::Incomplete`] if elements are open or none was written.
    pub fn finish(self) -> Result<W, WriteError> {
        if !self.has_root || !self.open.is_empty() {
            return Err(WriteError::Incomplete { open: self.open.len() });
        }
        Ok(self.events.into_inner())
    }

    /// The URI a prefix stands for; none for no default namespace and for undeclared prefixes.
    fn resolve(&self, prefix: &str) -> Option<&str> {
        if prefix == "xml" {
            return Some(NS_XML_URI);
        }
        self.scope.iter().rev().find(|(declared, _)| declared == prefix).map(|(_, uri)| uri.as_str())
    }

    /// A prefix for `name`, declared by `declarations`, to which one may be added, or in scope.
    fn prefix_for(&self, name: &Name, is_element: bool, declarations: &mut Vec<(String, String)>) -> String {
        let uri = name.namespace();
        if uri.is_empty() {
            return String::new();
        }
        if uri == NS_XML_URI && !is_element {
            return "xml".to_owned();
        }
        let usable = |prefix: &str| is_element || !prefix.is_empty();
        let declared = declarations.iter().find(|(prefix, bound)| bound == uri && usable(prefix));
        if let Some((prefix, _)) = declared {
            return prefix.clone();
        }
        let hidden = |prefix: &str| declarations.iter().any(|(declared, _)| declared == prefix);
        let in_scope = self.scope.iter().rev().find(|(prefix, bound)| {
            bound == uri && usable(prefix) && !hidden(prefix) && self.resolve(prefix) == Some(uri)
        });
        if let Some((prefix, _)) = in_scope {
            return prefix.clone();
        }
        let mut number = 0_usize;
        let prefix = loop {
            let prefix = format!("ns{number}");
            if !hidden(&prefix) && self.resolve(&prefix).is_none() {
                break prefix;
            }
            number += 1;
        };
        declarations.push((prefix.clone(), uri.to_owned()));
        prefix
    }
}

/// Without what was written.
impl<W: Write> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("depth", &self.depth()).finish_non_exhaustive()
    }
}

/// A start tag being put together; see [`Writer::start`].
#[must_use = "nothing is written before `open`, `text` or `empty`"]
pub struct StartTag<'a, W: Write> {
    writer: &'a mut Writer<W>,
    prefix: &'a str,
    local: &'a str,
    declarations: Vec<(&'a str, &'a str)>,
    attributes: Vec<(&'a str, &'a str, Cow<'a, str>)>,
}

impl<'a, W: Write> StartTag<'a, W> {
    /// Declares a prefix, or with an empty one the default namespace; an empty `uri` takes the latter back.
    ///
    /// What is in scope with the same meaning already is not written again.
    pub fn declare(mut self, prefix: &'a str, uri: &'a str) -> Self {
        self.declarations.push((prefix, uri));
        self
    }

    /// Adds an attribute; `prefix` is empty for one in no namespace.
    pub fn attribute(mut self, prefix: &'a str, local: &'a str, value: impl Into<Cow<'a, str>>) -> Self {
        self.attributes.push((prefix, local, value.into()));
        self
    }

    /// Writes the tag; its element is then the innermost open one.
    ///
    /// # Errors
    ///
    /// A name that is none, an undeclared prefix, a forbidden declaration, an attribute given twice, a character
    /// outside XML 1.0, a second root, or the sink.
    pub fn open(mut self) -> Result<(), WriteError> {
        self.write()
    }

    /// Writes the whole element, with this text in it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn text(mut self, text: &str) -> Result<(), WriteError> {
        // Before the tag, so that a refused text leaves nothing behind.
        let escaped = escape(text, Place::Text)?;
        self.write()?;
        if !escaped.is_empty() {
            self.writer.events.write(XmlEvent::raw_characters(&escaped))?;
        }
        self.writer.end()
    }

    /// Writes the whole element, empty.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn empty(self) -> Result<(), WriteError> {
        self.text("")
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let Self { writer, prefix, local, declarations, attributes } = self;
        if writer.open.is_empty() && writer.has_root {
            return Err(WriteError::SecondRoot);
        }
        let outer = writer.scope.len();
        let prepared = writer.prepare(prefix, local, declarations, attributes);
        let Ok(values) = prepared else {
            writer.scope.truncate(outer);
            return prepared.map(drop);
        };
        writer.open.push(outer);
        writer.has_root = true;
        writer.emit(outer, prefix, local, attributes, &values)
    }
}

impl<W: Write> Writer<W> {
    /// Checks a tag, brings its declarations into scope and escapes its values. Writes nothing.
    fn prepare<'a>(
        &mut self,
        prefix: &str,
        local: &str,
        declarations: &[(&str, &str)],
        attributes: &'a [(&str, &str, Cow<'_, str>)],
    ) -> Result<Vec<Cow<'a, str>>, WriteError> {
        for (index, (prefix, uri)) in declarations.iter().enumerate() {
            check_declaration(prefix, uri)?;
            if declarations.iter().take(index).any(|(earlier, _)| earlier == prefix) {
                return Err(WriteError::InvalidDeclaration);
            }
            escape(uri, Place::Attribute)?;
        }
        for (prefix, uri) in declarations {
            if self.resolve(prefix).unwrap_or_default() != *uri {
                self.scope.push(((*prefix).to_owned(), (*uri).to_owned()));
            }
        }
        self.check_name(prefix, local)?;
        // xml-rs, as Namespaces in XML 1.0 section 3 asks, knows no element of that namespace.
        if prefix == "xml" {
            return Err(WriteError::InvalidName);
        }
        let mut values = Vec::with_capacity(attributes.len());
        for (index, (prefix, local, value)) in attributes.iter().enumerate() {
            if *prefix == "xmlns" || prefix.is_empty() && *local == "xmlns" {
                return Err(WriteError::InvalidDeclaration);
            }
            self.check_name(prefix, local)?;
            let uri = self.attribute_uri(prefix);
            let mut earlier = attributes.iter().take(index);
            if earlier.any(|(other, name, _)| name == local && self.attribute_uri(other) == uri) {
                return Err(WriteError::DuplicateAttribute);
            }
            values.push(escape(value, Place::Attribute)?);
        }
        Ok(values)
    }

    fn emit(
        &mut self,
        outer: usize,
        prefix: &str,
        local: &str,
        attributes: &[(&str, &str, Cow<'_, str>)],
        values: &[Cow<'_, str>],
    ) -> Result<(), WriteError> {
        // Declarations go out as attributes: xml-rs leaves one out when any outer element made it, even if another in
        // between gave the prefix a different meaning.
        let declared = self.scope.get(outer..).unwrap_or_default();
        let mut uris = Vec::with_capacity(declared.len());
        for (_, uri) in declared {
            uris.push(escape(uri, Place::Attribute)?);
        }
        let mut all = Vec::with_capacity(declared.len() + attributes.len());
        for ((prefix, _), uri) in declared.iter().zip(&uris) {
            let name =
                if prefix.is_empty() { XmlName::local("xmlns") } else { XmlName::prefixed(prefix, "xmlns") };
            all.push(XmlAttribute::new(name, uri));
        }
        for ((prefix, local, _), value) in attributes.iter().zip(values) {
            all.push(XmlAttribute::new(xml_name(prefix, local), value));
        }
        Ok(self.events.write(XmlEvent::StartElement {
            name: xml_name(prefix, local),
            attributes: Cow::Owned(all),
            namespace: Cow::Owned(Namespace::empty()),
        })?)
    }

    /// The default namespace is not that of attributes (Namespaces in XML 1.0, section 6.2).
    fn attribute_uri(&self, prefix: &str) -> Option<&str> {
        if prefix.is_empty() { None } else { self.resolve(prefix) }
    }

    fn check_name(&self, prefix: &str, local: &str) -> Result<(), WriteError> {
        if !is_nc_name(local) || !(prefix.is_empty() || is_nc_name(prefix)) {
            return Err(WriteError::InvalidName);
        }
        if !prefix.is_empty() && self.resolve(prefix).is_none() {
            return Err(WriteError::UndeclaredPrefix);
        }
        Ok(())
    }
}

fn xml_name<'a>(prefix: &'a str, local: &'a str) -> XmlName<'a> {
    if prefix.is_empty() { XmlName::local(local) } else { XmlName::prefixed(local, prefix) }
}

/// Namespaces in XML 1.0, sections 2.2 and 3.
fn check_declaration(prefix: &str, uri: &str) -> Result<(), WriteError> {
    let allowed = match prefix {
        "xmlns" => false,
        "xml" => uri == NS_XML_URI,
        // The two bare words are refused by xml-rs' reader, though only as default.
        "" => !matches!(uri, NS_XML_URI | NS_XMLNS_URI | "xml" | "xmlns"),
        _ => is_nc_name(prefix) && !matches!(uri, "" | NS_XML_URI | NS_XMLNS_URI),
    };
    if allowed { Ok(()) } else { Err(WriteError::InvalidDeclaration) }
}

/// Namespaces in XML 1.0, production 4.
fn is_nc_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|c| c != ':' && xml::common::is_name_start_char(c))
        && characters.all(|c| c != ':' && xml::common::is_name_char(c))
}
