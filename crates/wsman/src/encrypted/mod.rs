//! The framing of sealed bodies as `multipart/encrypted` (MS-WSMV 2.2.9.1). Knows no cipher.
//!
//! A body is one part pair for each sealed chunk: a description with the length of the plaintext, then binary data:
//! the length of the token header as u32 little-endian, the token header (NTLM: the signature), the sealed bytes.
//! The boundary follows the sealed bytes without a line break, so a reader must count, not search.
//!
//! [`seal`] works in the buffer that the envelope was written to, behind [`HEADROOM`] bytes of room:
//!
//! ```
//! use winrm_wsman::encrypted::{self, Layout};
//!
//! let layout = Layout::spnego();
//! let mut buffer = encrypted::buffer(1024);
//! buffer.extend_from_slice(b"<s:Envelope/>");
//! let body = encrypted::seal(&layout, buffer, |message| {
//!     message.iter_mut().for_each(|byte| *byte ^= 0x55); // A security context would seal here...
//!     Ok::<_, std::convert::Infallible>(vec![7; 16]) // ... and return its signature.
//! })?;
//! let opened = encrypted::open(&layout.content_type(), body.into(), |header, sealed| {
//!     assert_eq!(header, [7; 16]);
//!     sealed.iter_mut().for_each(|byte| *byte ^= 0x55);
//!     Ok::<_, std::convert::Infallible>(())
//! })?;
//! assert_eq!(opened, &b"<s:Envelope/>"[..]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod open;
mod seal;
mod split;

pub use open::{OpenError, Unwrapped, open};
pub use seal::{SealError, Wrapped, buffer, seal};
pub use split::{FrameError, Part, split};

/// Protocol of scheme Negotiate, whether NTLM or Kerberos is inside.
pub const PROTOCOL_SPNEGO: &str = "application/HTTP-SPNEGO-session-encrypted";
/// Protocol of scheme Kerberos only.
pub const PROTOCOL_KERBEROS: &str = "application/HTTP-Kerberos-session-encrypted";
/// Protocol of scheme `CredSSP`.
pub const PROTOCOL_CREDSSP: &str = "application/HTTP-CredSSP-session-encrypted";
/// The boundary that Windows insists on, blank included.
pub const BOUNDARY: &str = "Encrypted Boundary";

/// Room that [`seal`] wants before the envelope, in bytes: enough for the part headers and a token header of 128 bytes.
pub const HEADROOM: usize = 448;

/// Plaintext bytes in one chunk of `CredSSP`: one TLS record.
pub const CREDSSP_CHUNK: usize = 16_384;

/// Media type of a body with one chunk, and from some peers with several.
const MEDIA: &str = "multipart/encrypted";
/// Media type of a body with several chunks.
const MEDIA_CHUNKS: &str = "multipart/x-multi-encrypted";

/// How a body is laid out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The `protocol` parameter, also the type of the first part.
    pub protocol: String,
    /// The `boundary` parameter, without quotes.
    pub boundary: String,
    /// Write a TAB before the header lines of parts, as native clients do. OMI reads only lines without, Windows both.
    pub indent: bool,
    /// Most plaintext bytes sealed at once; `None` seals the whole message at once.
    pub chunk_size: Option<usize>,
}

impl Layout {
    fn new(protocol: &str, chunk_size: Option<usize>) -> Self {
        Self { protocol: protocol.to_owned(), boundary: BOUNDARY.to_owned(), indent: false, chunk_size }
    }

    /// For scheme Negotiate.
    pub fn spnego() -> Self {
        Self::new(PROTOCOL_SPNEGO, None)
    }

    /// For scheme Kerberos.
    pub fn kerberos() -> Self {
        Self::new(PROTOCOL_KERBEROS, None)
    }

    /// For scheme `CredSSP`: chunks of [`CREDSSP_CHUNK`] bytes.
    pub fn credssp() -> Self {
        Self::new(PROTOCOL_CREDSSP, Some(CREDSSP_CHUNK))
    }

    /// The same, with header lines indented by a TAB.
    pub fn indented(mut self) -> Self {
        self.indent = true;
        self
    }

    /// The value of the HTTP header `Content-Type` for a message sealed in one chunk.
    pub fn content_type(&self) -> String {
        self.media(MEDIA)
    }

    /// The value of the HTTP header `Content-Type` for a message of `len` plaintext bytes:
    /// `multipart/x-multi-encrypted` where that makes several chunks.
    pub fn content_type_for(&self, len: usize) -> String {
        if self.chunk_size.is_some_and(|chunk| len > chunk) {
            self.media(MEDIA_CHUNKS)
        } else {
            self.content_type()
        }
    }

    fn media(&self, media: &str) -> String {
        format!("{media};protocol=\"{}\";boundary=\"{}\"", self.protocol, self.boundary)
    }

    /// The layout that a `Content-Type` header announces; `None` when the body is not sealed.
    ///
    /// Parameters may come in any order and case, quoted or not. Without a boundary the usual one is meant.
    pub fn from_content_type(value: &str) -> Option<Self> {
        Self::parse(value).map(|(layout, _)| layout)
    }

    /// The same, and whether several chunks are announced.
    fn parse(value: &str) -> Option<(Self, bool)> {
        let (media, parameters) = value.split_once(';')?;
        let media = media.trim();
        let several = media.eq_ignore_ascii_case(MEDIA_CHUNKS);
        if !several && !media.eq_ignore_ascii_case(MEDIA) {
            return None;
        }
        let (mut protocol, mut boundary) = (None, None);
        for parameter in parameters.split(';') {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
            match name.trim() {
                name if name.eq_ignore_ascii_case("protocol") => protocol = Some(value),
                name if name.eq_ignore_ascii_case("boundary") => boundary = Some(value),
                _ => {}
            }
        }
        let protocol = protocol?;
        let chunked = protocol.eq_ignore_ascii_case(PROTOCOL_CREDSSP);
        let mut layout = Self::new(protocol, chunked.then_some(CREDSSP_CHUNK));
        if let Some(boundary) = boundary.filter(|b| !b.is_empty()) {
            boundary.clone_into(&mut layout.boundary);
        }
        Some((layout, several))
    }
}

#[cfg(test)]
mod tests;
