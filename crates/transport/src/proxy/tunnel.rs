//! Streams through a proxy that it does not look into.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_socks::IntoTargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::ProxyFailure;
use crate::endpoint::Endpoint;
use crate::http::Stream;

/// Addresses of a name that are tried, one after the other.
const MAX_ADDRESSES: usize = 4;

/// Where SOCKS is to connect to.
pub(super) enum Target {
    /// The proxy resolves the name.
    Name(String, u16),
    Address(SocketAddr),
}

/// Where to find a service: by its name, or, when that is resolved here, at its addresses. Never empty.
pub(super) async fn targets(endpoint: &Endpoint, resolve_here: bool) -> io::Result<Vec<Target>> {
    let (host, port) = (endpoint.host(), endpoint.port());
    if !resolve_here {
        return Ok(vec![Target::Name(host.to_owned(), port)]);
    }
    let addresses = tokio::net::lookup_host((host, port)).await?;
    let targets: Vec<_> = addresses.take(MAX_ADDRESSES).map(Target::Address).collect();
    if targets.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(targets)
}

/// CONNECT (RFC 9110 section 9.3.6).
pub(super) async fn connect(
    stream: Box<dyn Stream>,
    endpoint: &Endpoint,
    authorization: Option<HeaderValue>,
) -> Result<Box<dyn Stream>, ProxyFailure> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(ProxyFailure::Broken)?;
    let driver = tokio::spawn(async { drop(connection.with_upgrades().await) });
    // Unless the tunnel comes about, which goes on without it, the connection ends with this call.
    let driver = AbortOnDrop(driver.abort_handle());
    let authority = endpoint.authority();
    let mut request = Request::connect(authority.as_str()).header(header::HOST, authority.as_str());
    if let Some(authorization) = authorization {
        request = request.header(header::PROXY_AUTHORIZATION, authorization);
    }
    // An endpoint's authority is one.
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|_| ProxyFailure::Refused { status: StatusCode::BAD_REQUEST.as_u16() })?;
    let answer = sender.send_request(request).await.map_err(ProxyFailure::Broken)?;
    match answer.status() {
        status if status.is_success() => {}
        // The latter is tinyproxy's answer to a wrong password.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED => {
            return Err(ProxyFailure::Authentication { credentials_given: false });
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            return Err(ProxyFailure::Gateway { status: answer.status().as_u16() });
        }
        status => return Err(ProxyFailure::Refused { status: status.as_u16() }),
    }
    let tunnel = hyper::upgrade::on(answer).await.map_err(ProxyFailure::Broken)?;
    drop(driver);
    Ok(Box::new(TokioIo::new(tunnel)))
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// SOCKS5 (RFC 1928), with user and password (RFC 1929) where there are any.
pub(super) async fn socks5(
    stream: Box<dyn Stream>,
    target: Target,
    credentials: Option<(&str, &str)>,
) -> Result<Box<dyn Stream>, tokio_socks::Error> {
    let target = match target {
        Target::Name(host, port) => (host, port).into_target_addr()?,
        Target::Address(address) => address.into_target_addr()?,
    };
    match credentials {
        None => boxed(Socks5Stream::connect_with_socket(stream, target).await),
        Some((user, password)) => {
            boxed(Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await)
        }
    }
}

fn boxed(
    stream: Result<Socks5Stream<Box<dyn Stream>>, tokio_socks::Error>,
) -> Result<Box<dyn Stream>, tokio_socks::Error> {
    stream.map(|stream| {
        let stream: Box<dyn Stream> = Box::new(stream);
        stream
    })
}
