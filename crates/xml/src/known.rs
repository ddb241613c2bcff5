//! Start tags that xml-rs has read before, on this thread and in the same scope.
//!
//! A peer sends the same tags again and again, and what a start tag means depends on nothing but its own characters and
//! the declarations in scope. So xml-rs reads each of them once, alone and inside an element that makes those
//! declarations; after that it is looked up, with the values of its attributes cut out where they only stand for
//! themselves. What is remembered is bounded, holds no such value, and cannot change what a document means.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use xml::namespace::{Namespace, NamespaceStack};
use xml::reader::{EventReader, ParserConfig, XmlEvent};

use crate::escape::{Place, escape};
use crate::markup::Span;
use crate::verbatim;
use crate::{Attribute, Name, Start};

/// Bytes of a tag that is remembered.
const MAX_TAG: usize = 2 * 1024;
/// Bytes that are remembered on a thread; then everything is forgotten.
const MAX_SIZE: usize = 256 * 1024;
/// What each takes beside its characters.
const ENTRY: usize = 256;

/// The declarations in scope, and a number for them: the same number means the same declarations.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    id: u64,
    pub(crate) namespaces: Arc<Namespace>,
}

impl Scope {
    /// Outside the root element.
    pub(crate) fn outermost() -> Self {
        static OUTERMOST: LazyLock<Arc<Namespace>> =
            LazyLock::new(|| Arc::new(NamespaceStack::default().squash()));
        Self { id: 0, namespaces: Arc::clone(&OUTERMOST) }
    }

    /// Inside an element with these.
    fn inner(&self, namespaces: Namespace) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if *self.namespaces == namespaces {
            return self.clone();
        }
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), namespaces: Arc::new(namespaces) }
    }
}

/// A start tag without the values of its attributes.
#[derive(Debug)]
struct Known {
    name: Name,
    attributes: Box<[Name]>,
    inner: Scope,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    /// By scope and characters.
    tags: HashMap<Box<[u8]>, Arc<Known>>,
    size: usize,
    /// Where the next key is put together.
    key: Vec<u8>,
}

/// What `tag` of `text` means in `scope`, with the scope inside it. `config` is asked before xml-rs reads so many bytes; `None` if it
/// declines, or xml-rs refuses the tag.
pub(crate) fn start(
    text: &str,
    tag: Span,
    values: &[Span],
    scope: &Scope,
    config: impl FnOnce(usize) -> Option<ParserConfig>,
) -> Option<(Start, Scope)> {
    let is_plain = tag.len() <= MAX_TAG && values.iter().all(|value| verbatim::is_value(value.of(text)));
    if !is_plain {
        return read(text, tag, scope, config);
    }
    MEMORY.with_borrow_mut(|memory| {
        memory.set_key(text, tag, values, scope);
        if let Some(known) = memory.tags.get(memory.key.as_slice()) {
            let names = known.attributes.iter().cloned();
            let attributes = names
                .zip(values)
                .map(|(name, value)| Attribute { name, value: value.of(text).to_owned() })
                .collect();
            let scope = Arc::clone(&known.inner.namespaces);
            return Some((Start { name: known.name.clone(), attributes, scope }, known.inner.clone()));
        }
        let (start, inner) = read(text, tag, scope, config)?;
        let as_written = start.attributes.len() == values.len()
            && start
                .attributes
                .iter()
                .zip(values)
                .all(|(attribute, value)| attribute.value == value.of(text));
        if as_written {
            memory.remember(&start, &inner, inner.id == scope.id);
        }
        Some((start, inner))
    })
}

impl Memory {
    fn set_key(&mut self, text: &str, tag: Span, values: &[Span], scope: &Scope) {
        self.key.clear();
        self.key.extend_from_slice(&scope.id.to_le_bytes());
        let mut at = tag.range().start;
        for value in values {
            let value = value.range();
            self.key.extend_from_slice(text.as_bytes().get(at..value.start).unwrap_or_default());
            at = value.end;
        }
        self.key.extend_from_slice(text.as_bytes().get(at..tag.range().end).unwrap_or_default());
    }

    fn remember(&mut self, start: &Start, inner: &Scope, declares_nothing: bool) {
        let names = 1 + start.attributes.len();
        let declarations = if declares_nothing { 0 } else { size(&inner.namespaces) };
        let size = ENTRY * names + self.key.len() + declarations;
        if self.size + size > MAX_SIZE {
            self.tags.clear();
            self.size = 0;
        }
        self.size += size;
        let attributes = start.attributes.iter().map(|attribute| attribute.name.clone()).collect();
        let known = Known { name: start.name.clone(), attributes, inner: inner.clone() };
        self.tags.insert(self.key.as_slice().into(), Arc::new(known));
    }
}

/// Lets xml-rs read the tag.
fn read(
    text: &str,
    tag: Span,
    scope: &Scope,
    config: impl FnOnce(usize) -> Option<ParserConfig>,
) -> Option<(Start, Scope)> {
    let config = config(tag.len() + size(&scope.namespaces))?;
    let mut document = String::from("<w");
    for (prefix, uri) in scope.namespaces.iter() {
        let uri = escape(uri, Place::Attribute).ok()?;
        match prefix {
            "xml" | "xmlns" => Ok(()),
            "" if uri.is_empty() => Ok(()),
            "" => write!(document, " xmlns=\"{uri}\""),
            prefix => write!(document, " xmlns:{prefix}=\"{uri}\""),
        }
        .ok()?;
    }
    document.push('>');
    document.push_str(tag.of(text));
    let mut parser = EventReader::new_with_config(document.as_bytes(), config);
    let mut around = true;
    loop {
        match parser.next().ok()? {
            XmlEvent::StartElement { .. } if around => around = false,
            XmlEvent::StartElement { name, attributes, namespace } => {
                let inner = scope.inner(namespace);
                let attributes = attributes.into_iter().map(Into::into).collect();
                let start = Start { name: name.into(), attributes, scope: Arc::clone(&inner.namespaces) };
                return Some((start, inner));
            }
            XmlEvent::StartDocument { .. } => {}
            _ => return None,
        }
    }
}

/// Bytes of prefixes and URIs.
fn size(namespaces: &Namespace) -> usize {
    namespaces.iter().map(|(prefix, uri)| prefix.len() + uri.len()).sum()
}
