//! Reading a sealed body.

use std::ops::Range;

use bytes::BytesMut;

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
    /// The security context refused: damaged, forged, or sealed for another context.
    #[error("the security context cannot unseal")]
    Unwrap(#[source] E),
    /// The `Content-Type` announces no sealed body.
    #[error("content type is not that of a sealed body")]
    ContentType,
}

/// Unseals a body in place and returns the plaintext.
///
/// # Errors
/// [`OpenError`].
pub fn open<U: Into<Unwrapped>, E>(
    _content_type: &str,
    _body: BytesMut,
    _unwrap: impl FnMut(&[u8], &mut [u8]) -> Result<U, E>,
) -> Result<BytesMut, OpenError<E>> {
    Err(OpenError::ContentType)
}
