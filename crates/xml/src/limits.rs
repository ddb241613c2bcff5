//! What a document may cost before it is refused.

use std::fmt;

/// Bounds on one document, judged before xml-rs sees a byte of it.
///
/// xml-rs copies every namespace declaration in scope at each start tag, so depth, declarations and elements
/// multiply; its own limits do not count declarations at all.
/// With the defaults no document costs more than a small multiple of its size.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the document, as received and again as UTF-8; 16 MiB.
    pub document_size: usize,
    /// Elements open at once, the root included; 64.
    pub depth: usize,
    /// Elements in the whole document; 262 144.
    pub elements: usize,
    /// Attributes of one element, namespace declarations not counted; 64.
    pub attributes: usize,
    /// Namespace declarations in scope: those of all open elements together, redeclarations counted again; 64.
    pub namespaces: usize,
    /// Bytes of prefixes and URIs of the declarations in scope, as written; 4 KiB.
    pub namespaces_size: usize,
    /// Declarations in scope, summed over all elements of the document: what xml-rs copies; 1 048 576.
    pub namespace_copies: usize,
    /// Bytes of a name with its prefix, or of a processing instruction's target; 1 024.
    pub name_size: usize,
    /// Bytes of one attribute value, as written; 64 KiB.
    pub attribute_size: usize,
    /// Bytes between two tags, as written, comments and processing instructions not counted; 16 MiB.
    pub text_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_size: 16 << 20,
            depth: 64,
            elements: 1 << 18,
            attributes: 64,
            namespaces: 64,
            namespaces_size: 4 << 10,
            namespace_copies: 1 << 20,
            name_size: 1 << 10,
            attribute_size: 64 << 10,
            text_size: 16 << 20,
        }
    }
}

impl Limits {
    /// Sets [`document_size`](Self::document_size) and [`text_size`](Self::text_size), which cannot exceed it.
    pub fn with_document_size(mut self, bytes: usize) -> Self {
        self.document_size = bytes;
        self.text_size = bytes;
        self
    }

    /// Sets [`depth`](Self::depth).
    pub fn with_depth(mut self, elements: usize) -> Self {
        self.depth = elements;
        self
    }

    /// Sets [`elements`](Self::elements).
    pub fn with_elements(mut self, elements: usize) -> Self {
        self.elements = elements;
        self
    }

    /// Sets [`text_size`](Self::text_size) alone.
    pub fn with_text_size(mut self, bytes: usize) -> Self {
        self.text_size = bytes;
        self
    }
}

/// Which bound of [`Limits`] a document broke.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::document_size`].
    DocumentSize,
    /// [`Limits::depth`].
    Depth,
    /// [`Limits::elements`].
    Elements,
    /// [`Limits::attributes`].
    Attributes,
    /// [`Limits::namespaces`].
    Namespaces,
    /// [`Limits::namespaces_size`].
    NamespacesSize,
    /// [`Limits::namespace_copies`].
    NamespaceCopies,
    /// [`Limits::name_size`].
    NameSize,
    /// [`Limits::attribute_size`].
    AttributeSize,
    /// [`Limits::text_size`].
    TextSize,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DocumentSize => "document size in bytes",
            Self::Depth => "element depth",
            Self::Elements => "number of elements",
            Self::Attributes => "attributes of one element",
            Self::Namespaces => "namespace declarations in scope",
            Self::NamespacesSize => "size in bytes of the namespace declarations in scope",
            Self::NamespaceCopies => "namespace declarations in scope, summed over all elements,",
            Self::NameSize => "length in bytes of a name",
            Self::AttributeSize => "length in bytes of an attribute value",
            Self::TextSize => "length in bytes of a text",
        })
    }
}
