//! Why objects cannot be read or written.

use winrm_xml::{ReadError, WriteError};

/// Why bytes are no serialized object that we understand.
///
/// Offsets count bytes from the start of the document. Nothing of its text is kept.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not XML, or beyond its bounds.
    #[error("document is not acceptable XML")]
    Xml(#[from] ReadError),
    /// An element that MS-PSRP 2.2.5 does not have at this place. It is refused rather than kept: the list of
    /// elements is closed, and half an object would be taken for a whole one.
    #[error("unexpected element in {parent} before byte {offset}")]
    Unexpected {
        /// The element it stands in.
        parent: &'static str,
        /// Just after its start tag.
        offset: usize,
    },
    /// An element or attribute that must be there is not.
    #[error("{field} is missing before byte {offset}")]
    Missing {
        /// Its name.
        field: &'static str,
        /// Where it was missed.
        offset: usize,
    },
    /// Something that may come once came again.
    #[error("{field} is repeated before byte {offset}")]
    Repeated {
        /// The name of element or attribute.
        field: &'static str,
        /// Just after the second.
        offset: usize,
    },
    /// A text is not of the kind its element takes.
    #[error("{field} before byte {offset} is not {expected}")]
    Invalid {
        /// The name of element or attribute.
        field: &'static str,
        /// What would be.
        expected: &'static str,
        /// Just after the value.
        offset: usize,
    },
    /// A `Ref` or `TNRef` to something that did not come before.
    #[error("{field} before byte {offset} refers to nothing that came before")]
    UnknownReference {
        /// `Ref` or `TNRef`.
        field: &'static str,
        /// Just after its start tag.
        offset: usize,
    },
    /// With every `Ref` replaced by its object, the values would be larger than
    /// [`Limits::expanded_size`](crate::Limits::expanded_size).
    #[error("values exceed {maximum} bytes at byte {offset}, references followed")]
    TooLarge {
        /// The bound.
        maximum: usize,
        /// Where it was passed.
        offset: usize,
    },
    /// With every `Ref` replaced by its object, objects would be nested more deeply than
    /// [`Limits::depth`](crate::Limits::depth).
    #[error("objects are nested more deeply than {maximum} at byte {offset}, references followed")]
    TooDeep {
        /// The bound.
        maximum: usize,
        /// Where it was passed.
        offset: usize,
    },
    /// One value was wanted.
    #[error("document has {found} values instead of one")]
    NotOne {
        /// How many there were.
        found: usize,
    },
}

/// Why values cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// XML cannot hold it.
    #[error("a value cannot be written as XML")]
    Xml(#[from] WriteError),
    /// Nested more deeply than what a reader takes.
    #[error("values are nested more deeply than {maximum} elements")]
    TooDeep {
        /// The bound.
        maximum: usize,
    },
    /// A [`PsValue::Ref`](crate::PsValue::Ref) to no object that encloses it or was written before.
    #[error("a reference is to no object written before")]
    UnknownReference,
    /// A value stands where it has no form.
    #[error("{field} cannot be written here")]
    Misplaced {
        /// What it is.
        field: &'static str,
    },
}

/// A text that is not of the form its type has on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("text is not {expected}")]
pub struct InvalidText {
    /// What would be.
    pub expected: &'static str,
}
