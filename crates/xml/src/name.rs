//! Names as documents mean them: by namespace, whatever the prefix.

use std::fmt;
use std::sync::Arc;

use xml::attribute::OwnedAttribute;
use xml::name::OwnedName;
use xml::namespace::Namespace;

/// A name resolved to its namespace (Namespaces in XML 1.0, section 2.1). The prefix is not kept: it means nothing.
///
/// Cheap to clone.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name {
    namespace: Option<Arc<str>>,
    local: Arc<str>,
}

impl Name {
    /// A name; an empty `namespace` says it is in none.
    pub fn new(namespace: impl Into<String>, local: impl Into<String>) -> Self {
        let namespace = Some(namespace.into()).filter(|uri| !uri.is_empty()).map(Arc::from);
        Self { namespace, local: local.into().into() }
    }

    /// The namespace URI; empty for a name in none.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// The name within its namespace.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// Namespace and local name, to `match` on with constants.
    pub fn as_pair(&self) -> (&str, &str) {
        (self.namespace(), self.local())
    }

    /// Whether this is `local` in `namespace`.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.as_pair() == (namespace, local)
    }
}

impl From<OwnedName> for Name {
    fn from(name: OwnedName) -> Self {
        Self { namespace: name.namespace.map(Arc::from), local: name.local_name.into() }
    }
}

/// In James Clark's notation, `{namespace}local`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(uri) => write!(f, "{{{uri}}}{}", self.local),
            None => f.write_str(&self.local),
        }
    }
}

/// As [`Display`](fmt::Display).
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An attribute, its value normalized (XML 1.0, section 3.3.3). Namespace declarations are not attributes.
#[derive(Clone, Eq, PartialEq)]
pub struct Attribute {
    /// In no namespace when it has no prefix.
    pub name: Name,
    /// References resolved; literal tabs and line breaks are spaces.
    pub value: String,
}

impl Attribute {
    /// An attribute; an empty `namespace` says it is in none.
    pub fn new(namespace: impl Into<String>, local: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: Name::new(namespace, local), value: value.into() }
    }
}

/// The value as its length: it may be a secret.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} bytes)", self.name, self.value.len())
    }
}

impl From<OwnedAttribute> for Attribute {
    fn from(attribute: OwnedAttribute) -> Self {
        Self { name: attribute.name.into(), value: attribute.value }
    }
}

/// The first value of `local` in `namespace`.
pub(crate) fn find<'a>(attributes: &'a [Attribute], namespace: &str, local: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.name.is(namespace, local)).map(|a| a.value.as_str())
}

/// A start tag, with the declarations that give meaning to prefixes inside values.
#[derive(Clone, Eq, PartialEq)]
pub struct Start {
    pub(crate) name: Name,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) scope: Arc<Namespace>,
}

/// Names and lengths, without values.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("name", &self.name)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

impl Start {
    /// From what xml-rs gives.
    pub(crate) fn new(name: OwnedName, attributes: Vec<OwnedAttribute>, scope: Namespace) -> Self {
        let attributes = attributes.into_iter().map(Into::into).collect();
        Self { name: name.into(), attributes, scope: Arc::new(scope) }
    }

    /// The element's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether this is the element `local` in `namespace`.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.name.is(namespace, local)
    }

    /// All attributes in document order, namespace declarations left out.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The value of one attribute; an empty `namespace` for one without prefix.
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&str> {
        find(&self.attributes, namespace, local)
    }

    /// Prefixes and URIs in scope, `xml` and `xmlns` left out; the default namespace has the prefix "".
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scope.iter().filter(|(prefix, uri)| {
            !(matches!(*prefix, "xml" | "xmlns") || prefix.is_empty() && uri.is_empty())
        })
    }

    /// Resolves a name found in a value or text, such as SOAP's `s:Sender` or an `xsi:type`.
    ///
    /// White space around it is dropped; without a prefix it is in the default namespace, as XML Schema's `QName` is.
    /// `None` if the prefix is not declared here or it is no name.
    pub fn resolve(&self, qualified_name: &str) -> Option<Name> {
        let qualified_name = qualified_name.trim_matches([' ', '\t', '\r', '\n']);
        let (prefix, local) = qualified_name.split_once(':').unwrap_or(("", qualified_name));
        if local.is_empty() || local.contains(':') || qualified_name.starts_with(':') {
            return None;
        }
        Some(Name::new(self.scope.get(prefix)?, local))
    }

    /// Takes it apart without copying.
    pub fn into_parts(self) -> (Name, Vec<Attribute>) {
        (self.name, self.attributes)
    }
}
