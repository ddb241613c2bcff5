//! HTTP answers, honest and otherwise.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SERVER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::authentication::SCHEME;
use crate::config::SERVER_HEADER;

/// The type of an envelope in clear.
pub(crate) const SOAP: &str = "application/soap+xml;charset=UTF-8";

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(crate) struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Hangup {}

impl From<Infallible> for Hangup {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The body of an answer.
#[derive(Debug, Default)]
pub(crate) struct AnswerBody {
    bytes: Bytes,
    then: Then,
}

/// What comes after the bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Then {
    #[default]
    End,
    Hangup,
    Nothing,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Hangup;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Hangup>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::Hangup => Poll::Ready(Some(Err(Hangup))),
            // Nobody wakes this: the connection ends by other means.
            Then::Nothing => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.then == Then::End
    }

    fn size_hint(&self) -> SizeHint {
        match (self.then, u64::try_from(self.bytes.len())) {
            (Then::End, Ok(len)) => SizeHint::with_exact(len),
            // The head says how much there should be.
            _ => SizeHint::default(),
        }
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::default());
    *response.status_mut() = status;
    response.headers_mut().insert(SERVER, HeaderValue::from_static(SERVER_HEADER));
    response
}

/// As [`empty`], with a status that may be none.
pub(crate) fn status(code: u16) -> Response<AnswerBody> {
    empty(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Tells the client to log on, perhaps by Basic. As at Windows, certificates are not listed.
pub(crate) fn unauthorized(basic: bool) -> Response<AnswerBody> {
    let mut response = empty(StatusCode::UNAUTHORIZED);
    if basic {
        response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"WSMAN\""));
    }
    response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
    response
}

/// An answer after which the connection is closed, because the rest of the request was not read.
pub(crate) fn last(status: StatusCode) -> Response<AnswerBody> {
    let mut response = empty(status);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer with a body.
pub(crate) fn full(status: StatusCode, content_type: &str, bytes: Bytes) -> Response<AnswerBody> {
    let mut response = empty(status);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    *response.body_mut() = AnswerBody { bytes, then: Then::End };
    response
}

/// Cuts the body of an answer off, though its head promises all of it.
pub(crate) fn cut(response: &mut Response<AnswerBody>, len: usize, then: Then) {
    let promised = HeaderValue::from(response.body().bytes.len().max(len.saturating_add(1)));
    response.headers_mut().insert(CONTENT_LENGTH, promised);
    let body = response.body_mut();
    body.bytes.truncate(len);
    body.then = then;
}

/// Bytes of the body.
pub(crate) fn body_len(response: &Response<AnswerBody>) -> usize {
    response.body().bytes.len()
}
