//! Reading a sealed body.

use std::ops::Range;

use bytes::{Buf, BytesMut};

use super::split::{FrameError, Part, split};

/// Where the plaintext of an unsealed chunk stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unwrapped {
    /// Within the sealed bytes; `None`: all of them.
    pub plaintext: Option<Range<usize>>,
    /// Security padding that `Length` counts beside the plaintext (Kerberos with RC4).
    pub padding: usize,
}

/// The plaintext is as long as the sealed bytes, as with NTLM.
impl From<()> for Unwrapped {
    fn from((): ()) -> Self {
        Self { plaintext: None, padding: 0 }
    }
}

impl From<Range<usize>> for Unwrapped {
    fn from(plaintext: Range<usize>) -> Self {
        Self { plaintext: Some(plaintext), padding: 0 }
    }
}

/// Why a body is no sealed message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E> {
    /// Not framed as MS-WSMV 2.2.9.1 says.
    #[error("body is not framed as a sealed message")]
    Frame(#[from] FrameError),
    /// The security context refused: damaged, forged, or sealed for another context.
    #[error("the security context cannot unseal")]
    Unwrap(#[source] E),
    /// The plaintext of a chunk is not as long as its `Length` says.
    #[error("plaintext has {found} bytes instead of {expected}")]
    Length {
        /// As announced.
        expected: usize,
        /// Plaintext and padding.
        found: usize,
    },
    /// The security context returned a range outside of what it was given.
    #[error("the security context returned a range outside of the message")]
    Range,
}

/// Unseals a body in place and returns the plaintext.
///
/// `unwrap` gets the token header and the sealed bytes of each chunk in order, unseals in place, and returns `()` where the
/// plaintext takes all of them, else where it is. Framing: see [`split`]. The plaintext of one chunk is not moved.
///
/// # Errors
/// [`OpenError`]; nothing of the plaintext is returned then.
pub fn open<U: Into<Unwrapped>, E>(
    content_type: &str,
    mut body: BytesMut,
    mut unwrap: impl FnMut(&[u8], &mut [u8]) -> Result<U, E>,
) -> Result<BytesMut, OpenError<E>> {
    let parts = split(content_type, &body)?;
    if let [part] = parts.as_slice() {
        let plaintext = open_part(&mut body, part, &mut unwrap)?;
        body.truncate(plaintext.end);
        body.advance(plaintext.start);
        return Ok(body);
    }
    let mut end = 0_usize;
    for part in &parts {
        let plaintext = open_part(&mut body, part, &mut unwrap)?;
        let len = plaintext.len();
        // Never overlaps what is still sealed: plaintext is shorter than its frame.
        body.copy_within(plaintext, end);
        end += len;
    }
    body.truncate(end);
    Ok(body)
}

/// Unseals one chunk; where its plaintext is in the body.
fn open_part<U: Into<Unwrapped>, E>(
    body: &mut [u8],
    part: &Part,
    unwrap: &mut impl FnMut(&[u8], &mut [u8]) -> Result<U, E>,
) -> Result<Range<usize>, OpenError<E>> {
    let (before, sealed) = body.split_at_mut_checked(part.sealed.start).ok_or(OpenError::Range)?;
    let header = before.get(part.header.clone()).ok_or(OpenError::Range)?;
    let sealed = sealed.get_mut(..part.sealed.len()).ok_or(OpenError::Range)?;
    let unwrapped: Unwrapped = unwrap(header, sealed).map_err(OpenError::Unwrap)?.into();
    let plaintext = unwrapped.plaintext.unwrap_or(0..sealed.len());
    if sealed.get(plaintext.clone()).is_none() {
        return Err(OpenError::Range);
    }
    let found = plaintext.len().saturating_add(unwrapped.padding);
    if found != part.length {
        return Err(OpenError::Length { expected: part.length, found });
    }
    Ok(part.sealed.start + plaintext.start..part.sealed.start + plaintext.end)
}
