//! How a byte stream to an endpoint comes to be.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Endpoint;

/// How long an address may take alone before the next one is tried beside it (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// A byte stream that HTTP can run over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The future a [`Connector`] returns.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// Opens byte streams to endpoints. [`TcpConnector`] is the default; tests put in-memory pipes here.
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens a stream. The caller bounds the time.
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> Connecting<'a>;
}

/// TCP with `TCP_NODELAY`. The addresses of a name are tried in the order the resolver gives them, those of the two families
/// in turn, each a quarter of a second after the one before; the first connection wins.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnector;

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> Connecting<'a> {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((endpoint.host(), endpoint.port())).await?;
            let stream: Box<dyn Stream> = Box::new(first_of(interleaved(addresses)).await?);
            Ok(stream)
        })
    }
}

/// The addresses of both families in turn, beginning with that of the first (RFC 8305 section 4): where one family leads
/// nowhere, the other is tried next.
fn interleaved(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<SocketAddr> = addresses.collect();
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.into_iter();
    // Dropped with the others still in it, which ends them.
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match addresses.next() {
            Some(address) => drop(attempts.spawn(open(address))),
            None if attempts.is_empty() => return Err(failure),
            None => {}
        }
        let delay = async {
            if addresses.len() == 0 {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(ATTEMPT_DELAY).await;
        };
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(error) => failure = io::Error::other(error),
            },
            () = delay => {}
        }
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A request is one write; Nagle would hold its last segment until the delayed acknowledgement.
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn families_take_turns() {
        let ordered = |text: &str| {
            let addresses = text.split(' ').map(|address| SocketAddr::new(address.parse().unwrap(), 1));
            let ordered = interleaved(addresses).iter().map(|a| a.ip().to_string()).collect::<Vec<_>>();
            ordered.join(" ")
        };
        assert_eq!(ordered("::1 ::2 ::3 10.0.0.1"), "::1 10.0.0.1 ::2 ::3");
        assert_eq!(ordered("10.0.0.1 10.0.0.2 ::1"), "10.0.0.1 ::1 10.0.0.2");
        assert_eq!(ordered("10.0.0.1 10.0.0.2"), "10.0.0.1 10.0.0.2");
    }

    #[tokio::test]
    async fn the_first_address_that_answers_wins_without_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let stream = first_of(vec![closed, closed, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
        let error = first_of(vec![closed, closed]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(first_of(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    // How a listener behaves whose queue is full is the system's affair.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_says_nothing_holds_the_next_one_up_for_a_moment_only() {
        // A full queue of connections nobody accepts: further ones get no answer.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let silent = socket.listen(1).unwrap();
        let address = silent.local_addr().unwrap();
        let mut filling = JoinSet::new();
        for _ in 0..8 {
            filling.spawn(TcpStream::connect(address));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let started = std::time::Instant::now();
        let stream = first_of(vec![address, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(started.elapsed() >= ATTEMPT_DELAY && started.elapsed() < ATTEMPT_DELAY * 4);
    }
}
