//! xml-rs with bounds: a reader that refuses what can hurt, a writer that refuses what is not XML 1.0.
//!
//! The reader takes a whole document as bytes, judges its size and structure in one linear pass, and only then lets
//! xml-rs parse it: depth, attributes, namespace declarations in scope and more are bounded by [`Limits`]. It gives
//! events, or trees, whose names are resolved to (namespace URI, local name).
//! It reads XML 1.0 with namespaces in UTF-8 and UTF-16; document types and all entities but the five predefined are
//! refused, since neither SOAP nor the serialized objects of MS-PSRP have a use for them.
//! The writer escapes, and refuses with an error what could not be read back.
//!
//! What it leaves out: SOAP, any schema, validation, and streaming from sockets.
//!
//! ```
//! use winrm_xml::{ReadError, Reader};
//!
//! fn item(document: &[u8]) -> Result<Option<String>, ReadError> {
//!     let mut reader = Reader::new(document)?;
//!     reader.root()?;
//!     let mut item = None;
//!     while let Some(child) = reader.next_child()? {
//!         match child.name().as_pair() {
//!             ("urn:example", "item") => item = Some(reader.read_text()?),
//!             _ => reader.skip_element()?,
//!         }
//!     }
//!     reader.finish()?;
//!     Ok(item)
//! }
//!
//! let document = br#"<list xmlns="urn:example"><other/><item>R&amp;D</item></list>"#;
//! assert_eq!(item(document).unwrap().as_deref(), Some("R&D"));
//! ```

mod element;
mod encoding;
mod error;
mod escape;
mod known;
mod limits;
mod markup;
mod name;
mod plain;
mod reader;
mod scan;
mod verbatim;
mod walk;
mod writer;

pub use element::{Element, Node};
pub use error::{ReadError, WriteError};
pub use limits::{Limit, Limits};
pub use name::{Attribute, Name, Start};
pub use reader::{Event, Reader};
pub use writer::{StartTag, Writer};
