//! The serialized objects of PowerShell, CLIXML (MS-PSRP 2.2.5), without I/O.
//!
//! [`decode`] reads the data of a message of the remoting protocol, or a file of `Export-Clixml`, into a [`PsValue`],
//! and [`encode`] writes one. Both sides use the same types, and what is written reads back equal. Strings keep every
//! UTF-16 code unit ([`PsString`]), numbers and dates their precision, properties their order. References between
//! objects are resolved: an object that comes twice is shared, and all that could make a small document costly is
//! bounded by [`Limits`]. [`stderr`] decodes what `powershell.exe` writes to standard error, in pieces as they come.
//!
//! With the feature `serde` values become types of the caller's and the other way round: `from_value` and `to_value`.
//!
//! What it leaves out: the messages of the protocol, and the decryption of [`SecureString`].
//!
//! ```
//! use winrm_clixml::{PsObject, PsValue, decode, encode};
//!
//! let document = br#"<Obj RefId="0"><MS><S N="Name">Spooler</S><I32 N="Threads">7</I32></MS></Obj>"#;
//! let service = decode(document)?;
//! let service = service.as_object().ok_or("no object")?;
//! assert_eq!(service.property("Name").and_then(PsValue::as_str), Some("Spooler"));
//!
//! let answer = PsObject::new().with_extended("Name", "Spooler").with_extended("Threads", 7);
//! assert_eq!(encode(&answer.into())?, document);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "serde")]
mod convert;
mod decode;
mod encode;
mod error;
mod escape;
mod limits;
mod object;
mod progress;
mod scalar;
pub mod stderr;
mod string;
mod value;

#[cfg(feature = "serde")]
pub use convert::{ConvertError, from_value, from_values, to_value};
pub use decode::{Entry, decode, decode_document, decode_with_limits};
pub use encode::{encode, encode_document};
pub use error::{DecodeError, EncodeError, InvalidText};
pub use escape::{escape, unescape};
pub use limits::Limits;
pub use object::{Content, Properties, Property, PsObject, RefId};
pub use progress::ProgressRecord;
pub use scalar::{DateTime, Decimal, Duration, SecureString, Version};
pub use string::PsString;
pub use value::PsValue;
