//! Trees, for content whose schema is not known.

use std::fmt;
use std::sync::Arc;

use crate::name::find;
use crate::{Attribute, Event, Name, ReadError, Reader, Start};

/// A child of an [`Element`].
#[derive(Clone, Eq, PartialEq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, never empty.
    Text(String),
}

/// An element and all below it, owned.
///
/// Equality compares names by namespace, attributes in order, and children; not the declarations.
#[derive(Clone)]
pub struct Element {
    /// The element's name.
    pub name: Name,
    /// In document order.
    pub attributes: Vec<Attribute>,
    /// Elements and text in document order, white space included.
    pub children: Vec<Node>,
    /// Prefixes and URIs declared here and not inherited from the tree's own ancestors: for the top element all in scope. Written back,
    /// they keep the meaning of prefixes inside values.
    pub namespaces: Vec<(String, String)>,
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.attributes == other.attributes && self.children == other.children
    }
}

impl Eq for Element {}

impl Element {
    /// An empty element; an empty `namespace` says it is in none.
    pub fn new(namespace: impl Into<String>, local: impl Into<String>) -> Self {
        let name = Name::new(namespace, local);
        Self { name, attributes: Vec::new(), children: Vec::new(), namespaces: Vec::new() }
    }

    /// Adds an attribute.
    pub fn with_attribute(
        mut self,
        namespace: impl Into<String>,
        local: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.attributes.push(Attribute::new(namespace, local, value));
        self
    }

    /// Adds a child element.
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Adds text, if there is any.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.children.push(Node::Text(text));
        }
        self
    }

    /// Whether this is the element `local` in `namespace`.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.name.is(namespace, local)
    }

    /// The value of one attribute; an empty `namespace` for one without prefix.
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&str> {
        find(&self.attributes, namespace, local)
    }

    /// The child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child element of this name.
    pub fn child(&self, namespace: &str, local: &str) -> Option<&Self> {
        self.elements().find(|element| element.is(namespace, local))
    }

    /// The element's own text, that of children left out.
    pub fn text(&self) -> String {
        self.children
            .iter()
            .filter_map(|node| match node {
                Node::Text(text) => Some(text.as_str()),
                Node::Element(_) => None,
            })
            .collect()
    }
}

/// Text as its length: it may be a secret.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(element) => element.fmt(f),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

/// Names and lengths of the tree, without texts and values.
impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("name", &self.name)
            .field("attributes", &self.attributes)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

impl Reader<'_> {
    /// The whole of the element that `start`, just returned, opened.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn read_element(&mut self, start: Start) -> Result<Element, ReadError> {
        self.require_open()?;
        let mut open: Vec<(Element, Start)> = Vec::new();
        let mut current = (begin(&start, None), start);
        // Iterative, though depth is bounded: the bound is the caller's.
        loop {
            match self.next()? {
                Event::Start(start) => {
                    let element = begin(&start, Some(&current.1));
                    open.push(std::mem::replace(&mut current, (element, start)));
                }
                Event::Text(text) => current.0.children.push(Node::Text(text)),
                Event::End(_) | Event::Eof => {
                    let Some(parent) = open.pop() else { return Ok(current.0) };
                    let child = std::mem::replace(&mut current, parent);
                    current.0.children.push(Node::Element(child.0));
                }
            }
        }
    }
}

/// An element without its content, declaring what `parent` does not.
fn begin(start: &Start, parent: Option<&Start>) -> Element {
    if parent.is_some_and(|parent| Arc::ptr_eq(&parent.scope, &start.scope)) {
        return Element { namespaces: Vec::new(), ..bare(start) };
    }
    // Also the default namespace, when it is taken back by `xmlns=""`.
    let new = |prefix: &str, uri: &str| match parent {
        Some(parent) => parent.scope.get(prefix) != Some(uri),
        None => !(prefix.is_empty() && uri.is_empty()),
    };
    let namespaces = start
        .scope
        .iter()
        .filter(|(prefix, uri)| !matches!(*prefix, "xml" | "xmlns") && new(prefix, uri))
        .map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned()))
        .collect();
    Element { namespaces, ..bare(start) }
}

fn bare(start: &Start) -> Element {
    Element {
        name: start.name.clone(),
        attributes: start.attributes.clone(),
        children: Vec::new(),
        namespaces: Vec::new(),
    }
}
