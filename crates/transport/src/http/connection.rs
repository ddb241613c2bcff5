//! One HTTP/1.1 connection.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::body::gather;
use super::connector::Stream;
use crate::Endpoint;
use crate::proxy::Forwarding;

const USER_AGENT: &str = concat!("winrm/", env!("CARGO_PKG_VERSION"));

/// What differs between the requests of a connection.
#[derive(Debug)]
pub(crate) struct Request {
    /// `Authorization`, a token in it: marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    /// `Content-Type` of `body`.
    pub(crate) content_type: HeaderValue,
    /// Headers of one request only.
    pub(crate) extra: Option<(&'static str, &'static str)>,
    /// Sent with its length, also when empty: HTTP.sys answers 411 to a POST without one.
    pub(crate) body: Bytes,
    /// The longest answer accepted, in bytes.
    pub(crate) limit: usize,
}

/// An answer, its body gathered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: BytesMut,
}

impl Reply {
    /// `Content-Type`, empty when there is none.
    pub(crate) fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Why an exchange gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The connection was closed before anything of the request was written.
    #[error("connection was closed before the request was sent")]
    NotSent(#[source] hyper::Error),
    /// It failed after the request began to be written.
    #[error("connection failed before the answer was complete")]
    Receive(#[source] hyper::Error),
    /// More than `limit` bytes.
    #[error("answer is larger than the {limit} bytes allowed")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// A header value that HTTP does not allow.
    #[error("request cannot be written as HTTP")]
    Request(#[source] http::Error),
}

/// A connection whose driver runs as a task, ended when this is dropped.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
    host: String,
    /// The path, or for a proxy that forwards the whole URL.
    target: String,
    forwarding: Option<Forwarding>,
}

impl HttpConnection {
    /// Takes over a fresh stream to `endpoint`.
    pub(crate) async fn new(
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
        forwarding: Option<Forwarding>,
    ) -> Result<Self, HttpError> {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::NotSent)?;
        // An error of the connection reaches the exchange in flight through `sender`.
        let driver = tokio::spawn(async { drop(connection.await) }).abort_handle();
        let target = match &forwarding {
            Some(forwarding) => forwarding.target.clone(),
            None => endpoint.path().to_owned(),
        };
        Ok(Self { sender, driver, host: endpoint.authority(), target, forwarding })
    }

    /// Whether a proxy forwards its requests.
    pub(crate) fn is_forwarded(&self) -> bool {
        self.forwarding.is_some()
    }

    /// False once the peer has closed it.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends one request and gathers its answer. `&mut`: exchanges never interleave.
    pub(crate) async fn exchange(&mut self, request: Request) -> Result<Reply, HttpError> {
        let mut head = http::Request::post(self.target.as_str())
            .header(header::HOST, self.host.as_str())
            .header(header::USER_AGENT, USER_AGENT)
            // Exchange endpoints otherwise compress even sealed answers.
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONTENT_TYPE, request.content_type)
            .header(header::CONTENT_LENGTH, request.body.len());
        if let Some(authorization) = request.authorization {
            head = head.header(header::AUTHORIZATION, authorization);
        }
        if let Some(authorization) = self.forwarding.as_ref().and_then(|proxy| proxy.authorization.clone()) {
            head = head.header(header::PROXY_AUTHORIZATION, authorization);
        }
        if let Some((name, value)) = request.extra {
            head = head.header(name, value);
        }
        let message = head.body(Full::new(request.body)).map_err(HttpError::Request)?;
        self.sender.ready().await.map_err(HttpError::NotSent)?;
        let answer = self.sender.try_send_request(message).await.map_err(|mut error| {
            // hyper hands the request back exactly when no byte of it was written.
            let unsent = error.take_message().is_some();
            if unsent {
                HttpError::NotSent(error.into_error())
            } else {
                HttpError::Receive(error.into_error())
            }
        })?;
        let (head, body) = answer.into_parts();
        let body = gather(body, request.limit).await?;
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
