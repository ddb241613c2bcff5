//! Why a message cannot be read or written.

use winrm_xml::{ReadError, WriteError};

/// Why bytes are no message that we understand.
///
/// Offsets count bytes from the start of the document. Nothing of its text is kept.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not XML, or beyond its bounds.
    #[error("document is not acceptable XML")]
    Xml(#[from] ReadError),
    /// The root is not a SOAP 1.2 Envelope: an HTML page, for instance.
    #[error("root element is not a SOAP 1.2 envelope")]
    NotAnEnvelope,
    /// An element or attribute that must be there is not.
    #[error("{field} is missing before byte {offset}")]
    Missing {
        /// Its name, with the usual prefix.
        field: &'static str,
        /// Where the element that lacks it ends.
        offset: usize,
    },
    /// An element that may come once came again.
    #[error("{field} is repeated at byte {offset}")]
    Repeated {
        /// Its name, with the usual prefix.
        field: &'static str,
        /// Just after its start tag.
        offset: usize,
    },
    /// A text is not of the kind its field takes.
    #[error("{field} before byte {offset} is not {expected}")]
    Invalid {
        /// The name of element or attribute, with the usual prefix.
        field: &'static str,
        /// What would be.
        expected: &'static str,
        /// Just after the value.
        offset: usize,
    },
    /// An element stands where the operation has none.
    #[error("unexpected element in {parent} before byte {offset}")]
    Unexpected {
        /// The element it stands in.
        parent: &'static str,
        /// Just after its start tag.
        offset: usize,
    },
    /// The body is of another operation than the action says.
    #[error("body ending before byte {offset} does not belong to the action")]
    Mismatch {
        /// Where the body ends.
        offset: usize,
    },
    /// More repetitions than anybody needs.
    #[error("more than {maximum} of {field} before byte {offset}")]
    TooMany {
        /// The repeated element.
        field: &'static str,
        /// The bound.
        maximum: usize,
        /// Just after the one too many.
        offset: usize,
    },
}

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A text holds what XML cannot express.
    #[error("a value cannot be written as XML")]
    Xml(#[from] WriteError),
    /// A list is longer than what a reader takes.
    #[error("more than {maximum} of {field}")]
    TooMany {
        /// The repeated element.
        field: &'static str,
        /// The bound.
        maximum: usize,
    },
    /// A value that would not be read back as it is.
    #[error("{field} is not {expected}")]
    Invalid {
        /// The element, with the usual prefix.
        field: &'static str,
        /// What would be.
        expected: &'static str,
    },
}
