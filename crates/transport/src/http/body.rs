//! Gathers an answer's frames once, within a limit.

use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::connection::HttpError;

/// Reads `body` to its end into one buffer of its announced length.
///
/// # Errors
/// [`HttpError::TooLarge`] as soon as the announced or the received length passes `limit` bytes.
pub(super) async fn gather(mut body: Incoming, limit: usize) -> Result<BytesMut, HttpError> {
    let announced =
        body.size_hint().exact().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced > limit {
        return Err(HttpError::TooLarge { limit });
    }
    let mut gathered = BytesMut::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(HttpError::Receive)?.into_data() else { continue };
        if data.remaining() > limit - gathered.len() {
            return Err(HttpError::TooLarge { limit });
        }
        gathered.extend_from_slice(&data);
    }
    Ok(gathered)
}
