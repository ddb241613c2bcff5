//! Writing a sealed body.

use bytes::{Buf, Bytes, BytesMut};

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

/// Room behind the message for the closing boundary and a short trailer.
const TRAILROOM: usize = 64;

/// An empty buffer for [`seal`]: [`HEADROOM`] zero bytes, and room for `capacity` bytes of message and what follows it.
pub fn buffer(capacity: usize) -> BytesMut {
    let mut buffer = BytesMut::with_capacity(capacity.saturating_add(HEADROOM + TRAILROOM));
    buffer.resize(HEADROOM, 0);
    buffer
}

/// Seals the message that stands in `buffer` behind [`HEADROOM`] bytes and frames it; returns the HTTP body.
///
/// `wrap` seals in place and returns the token header, or a [`Wrapped`] where there is more to say.
/// A message in one chunk is not moved: the part headers go into the room before it, right-aligned, and the closing
/// boundary behind it. Several chunks are gathered in a new buffer.
///
/// # Errors
/// [`SealError`]; the message may then be half sealed and is dropped with the buffer.
pub fn seal<W: Into<Wrapped>, E>(
    layout: &Layout,
    mut buffer: BytesMut,
    mut wrap: impl FnMut(&mut [u8]) -> Result<W, E>,
) -> Result<Bytes, SealError<E>> {
    let len = buffer.len();
    let Some(message) = buffer.get_mut(HEADROOM..) else {
        return Err(SealError::NoHeadroom { len });
    };
    match layout.chunk_size {
        Some(0) => return Err(SealError::ZeroChunk),
        Some(size) if message.len() > size => return seal_chunks(layout, message, size, wrap),
        _ => {}
    }
    let length = message.len();
    let wrapped = wrap(message).map_err(SealError::Wrap)?.into();
    let prelude = prelude(layout, length, &wrapped)?;
    // What stands here is the room; a boundary or token of unusual length does not fit and costs a copy.
    let Some(start) = HEADROOM.checked_sub(prelude.len()) else {
        let mut body = BytesMut::with_capacity(length + prelude.len() + wrapped.trailer.len() + TRAILROOM);
        body.extend_from_slice(&prelude);
        body.extend_from_slice(message);
        finish(layout, &mut body, &wrapped.trailer);
        return Ok(body.freeze());
    };
    if let Some(room) = buffer.get_mut(start..HEADROOM) {
        room.copy_from_slice(&prelude);
    }
    finish(layout, &mut buffer, &wrapped.trailer);
    buffer.advance(start);
    Ok(buffer.freeze())
}

fn seal_chunks<W: Into<Wrapped>, E>(
    layout: &Layout,
    message: &mut [u8],
    size: usize,
    mut wrap: impl FnMut(&mut [u8]) -> Result<W, E>,
) -> Result<Bytes, SealError<E>> {
    let chunks = message.len().div_ceil(size);
    let mut body = BytesMut::with_capacity(message.len() + chunks.saturating_mul(HEADROOM) + TRAILROOM);
    for chunk in message.chunks_mut(size) {
        let wrapped = wrap(chunk).map_err(SealError::Wrap)?.into();
        body.extend_from_slice(&prelude(layout, chunk.len(), &wrapped)?);
        body.extend_from_slice(chunk);
        body.extend_from_slice(&wrapped.trailer);
    }
    finish(layout, &mut body, &[]);
    Ok(body.freeze())
}

/// All that stands before the sealed bytes of one chunk.
fn prelude<E>(layout: &Layout, length: usize, wrapped: &Wrapped) -> Result<Vec<u8>, SealError<E>> {
    let Layout { protocol, boundary, .. } = layout;
    let indent = if layout.indent { "\t" } else { "" };
    let length = length.saturating_add(wrapped.padding);
    let len = wrapped.header.len();
    let header_len = u32::try_from(len).map_err(|_| SealError::HeaderTooLong { len })?;
    let mut out = format!(
        "--{boundary}\r\n\
         {indent}Content-Type: {protocol}\r\n\
         {indent}OriginalContent: type=application/soap+xml;charset=UTF-8;Length={length}\r\n\
         --{boundary}\r\n\
         {indent}Content-Type: application/octet-stream\r\n"
    )
    .into_bytes();
    out.extend_from_slice(&header_len.to_le_bytes());
    out.extend_from_slice(&wrapped.header);
    Ok(out)
}

/// The closing boundary follows the sealed bytes directly: Windows answers 400 to a line break in between.
fn finish(layout: &Layout, body: &mut BytesMut, trailer: &[u8]) {
    body.extend_from_slice(trailer);
    body.extend_from_slice(b"--");
    body.extend_from_slice(layout.boundary.as_bytes());
    body.extend_from_slice(b"--\r\n");
}
