//! Why a document is not read, or not written.

use std::io;

use crate::Limit;

/// Why bytes are not a document we read.
///
/// `offset` is in bytes from the start of the document; in a UTF-16 document, of its UTF-8 form.
/// No variant holds text of the document, which may be a decrypted body.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Larger than what this reader takes on.
    #[error("{limit} exceeds {maximum} at byte {offset}")]
    LimitExceeded {
        /// The bound.
        limit: Limit,
        /// Its value.
        maximum: usize,
        /// Where it was passed.
        offset: usize,
    },
    /// Neither UTF-8 nor UTF-16, or cut inside a character.
    #[error("byte {offset} is not part of a character in {encoding}")]
    InvalidEncoding {
        /// `UTF-8` or `UTF-16`.
        encoding: &'static str,
        /// In the document as received, also for UTF-16.
        offset: usize,
    },
    /// The XML declaration names another encoding than the bytes are in, or one we do not read.
    #[error("encoding declared at byte {offset} is not that of the document")]
    UnsupportedEncoding {
        /// Of the declared name.
        offset: usize,
    },
    /// The XML declaration names a version other than 1.0.
    #[error("version declared at byte {offset} is not 1.0")]
    UnsupportedVersion {
        /// Of the declared version.
        offset: usize,
    },
    /// A document type declaration; DSP0226 and SOAP 1.2 forbid them, and entities come with them.
    #[error("document type declaration at byte {offset} is refused")]
    Doctype {
        /// Of its `<!DOCTYPE`.
        offset: usize,
    },
    /// A reference to an entity that is not one of the five predefined ones.
    #[error("reference at byte {offset} is to none of the five predefined entities")]
    UnknownEntity {
        /// Of its `&`.
        offset: usize,
    },
    /// A second element after the root.
    #[error("second root element at byte {offset}")]
    SecondRoot {
        /// Of its `<`.
        offset: usize,
    },
    /// Not well-formed, or an undeclared prefix.
    #[error("{reason} near byte {offset}")]
    Syntax {
        /// What was wrong.
        reason: &'static str,
        /// Where it was noticed.
        offset: usize,
    },
    /// An element where only text may stand.
    #[error("element before byte {offset} where only text is expected")]
    UnexpectedElement {
        /// Just after the tag.
        offset: usize,
    },
    /// Text other than white space where only elements may stand.
    #[error("text before byte {offset} where only elements are expected")]
    UnexpectedText {
        /// Just after the text.
        offset: usize,
    },
    /// A helper was called with no element open.
    #[error("no element is open at byte {offset}")]
    NoOpenElement {
        /// Where the reader stood.
        offset: usize,
    },
}

/// Why something cannot be written as XML 1.0 with namespaces.
///
/// Nothing of the refused call has reached the sink, except after [`Io`](Self::Io).
/// No variant holds text of the document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The sink failed; the document is incomplete.
    #[error("writing to the sink failed")]
    Io(#[source] io::Error),
    /// A character outside XML 1.0 (section 2.2), which no reference can express either.
    #[error("character U+{character:04X} cannot be written in XML 1.0")]
    InvalidCharacter {
        /// Its code point.
        character: u32,
        /// In bytes from the start of the text or value.
        offset: usize,
    },
    /// A prefix that no element in scope declares.
    #[error("a prefix is not declared in scope")]
    UndeclaredPrefix,
    /// A declaration that Namespaces in XML 1.0 forbids: one of the prefixes `xml` and `xmlns` or their names, an empty name for a
    /// prefix, or one prefix twice in a tag.
    #[error("a namespace declaration is not allowed")]
    InvalidDeclaration,
    /// A name or prefix that is not an `NCName`.
    #[error("a name is not an XML name without a colon")]
    InvalidName,
    /// One attribute twice, compared by namespace and local name.
    #[error("an attribute is given twice")]
    DuplicateAttribute,
    /// An end, or text, with no element open.
    #[error("no element is open")]
    NoOpenElement,
    /// A second element after the root.
    #[error("the document has its root element already")]
    SecondRoot,
    /// Finished with elements still open, or with none written.
    #[error("the document ends with {open} elements open")]
    Incomplete {
        /// How many; 0 when no root was written.
        open: usize,
    },
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<xml::writer::Error> for WriteError {
    fn from(error: xml::writer::Error) -> Self {
        Self::Io(match error {
            xml::writer::Error::Io(error) => error,
            other => io::Error::other(other),
        })
    }
}

/// How messages of xml-rs begin or end, and what we say instead: without the piece of the document they quote.
///
/// Those that the guard makes impossible are left out.
const REASONS: [(&str, &str); 22] = [
    ("Cannot redefine XMLNS prefix", "prefix xmlns is declared"),
    ("Default XMLNS prefix cannot be rebound to another value", "prefix xml is declared otherwise"),
    ("Cannot undefine prefix", "prefix is declared with an empty name"),
    ("cannot be default", "namespace cannot be the default"),
    ("cannot be an element name prefix", "prefix is reserved"),
    ("prefix is unbound", "prefix is not declared"),
    ("is redefined", "attribute is given twice"),
    ("Encountered empty entity", "reference without a name"),
    ("Invalid numeric entity", "malformed character reference"),
    ("Invalid character", "character outside XML 1.0"),
    ("Qualified name is invalid", "malformed name"),
    ("Unexpected token inside qualified name", "malformed name"),
    ("Unexpected token inside processing instruction", "malformed processing instruction"),
    ("Unexpected token inside closing tag", "malformed end tag"),
    ("Unexpected token inside opening tag", "malformed start tag"),
    ("Unexpected token inside entity", "malformed reference"),
    ("Unexpected characters outside the root element", "text outside the root element"),
    ("Unexpected closing tag", "end tag does not match its start tag"),
    ("Unexpected token", "misplaced markup"),
    ("Unexpected end of stream: no root element found", "document has no root element"),
    ("Unexpected end of stream", "document ends too early"),
    ("'<' is not allowed in attributes", "'<' in an attribute value"),
];

/// What is wrong, in words of our own.
pub(crate) fn reason(error: &xml::reader::Error) -> &'static str {
    let xml::reader::ErrorKind::Syntax(message) = error.kind() else { return NOT_WELL_FORMED };
    REASONS
        .iter()
        .find(|(theirs, _)| message.starts_with(theirs) || message.ends_with(theirs))
        .map_or(NOT_WELL_FORMED, |(_, ours)| ours)
}

const NOT_WELL_FORMED: &str = "document is not well-formed";
