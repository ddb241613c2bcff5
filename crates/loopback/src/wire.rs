//! The bytes of a connection on their way to and from the HTTP library: keeps the heads of requests as they came, and
//! everything when asked to.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use winrm_transport::Stream;

/// Longest head kept; the HTTP library refuses longer ones.
pub(crate) const MAX_HEAD: usize = 64 * 1024;
/// Heads that wait for their request to be handled; only a pipelining client has more than one.
const MAX_HEADS: usize = 16;
/// Bytes kept for all connections together.
const MAX_CAPTURE: usize = 8 * 1024 * 1024;

/// Who sent captured bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// The client.
    Request,
    /// The service.
    Response,
}

/// Bytes as they crossed the wire.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WireChunk {
    /// Which connection, counted from 1 over the life of the service.
    pub connection: u64,
    /// Who sent them.
    pub direction: Direction,
    /// The bytes. Chunks that follow each other in one direction are put together.
    pub bytes: Bytes,
}

/// Everything that crossed the wire, up to a bound.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    recorded: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    chunks: Vec<Chunk>,
    /// Bytes in all of them.
    total: usize,
}

#[derive(Debug)]
struct Chunk {
    connection: u64,
    direction: Direction,
    bytes: BytesMut,
}

impl Capture {
    fn record(&self, connection: u64, direction: Direction, bytes: &[u8]) {
        let mut recorded = lock(&self.recorded);
        let room = MAX_CAPTURE.saturating_sub(recorded.total);
        let Some(bytes) = bytes.get(..bytes.len().min(room)).filter(|bytes| !bytes.is_empty()) else {
            return;
        };
        recorded.total += bytes.len();
        match recorded.chunks.last_mut() {
            Some(last) if last.connection == connection && last.direction == direction => {
                last.bytes.extend_from_slice(bytes);
            }
            _ => recorded.chunks.push(Chunk { connection, direction, bytes: bytes.into() }),
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<WireChunk> {
        let copy = |chunk: &Chunk| WireChunk {
            connection: chunk.connection,
            direction: chunk.direction,
            bytes: Bytes::copy_from_slice(&chunk.bytes),
        };
        lock(&self.recorded).chunks.iter().map(copy).collect()
    }
}

/// The heads of the requests that arrived on a connection.
#[derive(Debug, Default)]
pub(crate) struct Heads(Mutex<Splitter>);

impl Heads {
    /// The head of the request that is handled next; empty where it could not be followed.
    pub(crate) fn next(&self) -> Bytes {
        lock(&self.0).heads.pop_front().unwrap_or_default()
    }

    /// The request has been read whole: what comes now is a head.
    pub(crate) fn request_ended(&self) {
        let mut splitter = lock(&self.0);
        if matches!(splitter.state, State::Opaque) {
            splitter.state = State::default();
        }
    }
}

/// Cuts the stream into heads and bodies.
#[derive(Debug, Default)]
struct Splitter {
    state: State,
    heads: VecDeque<Bytes>,
}

#[derive(Debug)]
enum State {
    Head(BytesMut),
    /// So many bytes of a body are left.
    Body(u64),
    /// A body of unknown length.
    Opaque,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(BytesMut::new())
    }
}

impl Splitter {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Opaque => return,
                State::Body(left) => {
                    let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(*left);
                    *left -= here;
                    let here = usize::try_from(here).unwrap_or(usize::MAX);
                    bytes = bytes.get(here..).unwrap_or_default();
                    if *left == 0 {
                        self.state = State::default();
                    }
                }
                State::Head(head) => {
                    bytes = rest;
                    // Empty lines before a request are no part of it (RFC 9112 section 2.2).
                    if head.is_empty() && matches!(first, b'\r' | b'\n') {
                        continue;
                    }
                    head.extend_from_slice(&[*first]);
                    if head.ends_with(b"\r\n\r\n") || head.ends_with(b"\n\n") {
                        let head = head.split().freeze();
                        self.state = body_of(&head);
                        if self.heads.len() < MAX_HEADS {
                            self.heads.push_back(head);
                        }
                    } else if head.len() > MAX_HEAD {
                        self.state = State::Opaque;
                    }
                }
            }
        }
    }
}

/// What follows a head (RFC 9112 section 6.3).
fn body_of(head: &[u8]) -> State {
    let value = |line: &[u8], name: &str| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (found, value) = line.split_at_checked(at)?;
        let value = std::str::from_utf8(value.get(1..)?).ok()?.trim();
        found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.to_owned())
    };
    let lines = || head.split(|byte| *byte == b'\n');
    if lines().any(|line| value(line, "transfer-encoding").is_some()) {
        return State::Opaque;
    }
    match lines().find_map(|line| value(line, "content-length")).map(|length| length.parse::<u64>()) {
        None | Some(Ok(0)) => State::default(),
        Some(Ok(length)) => State::Body(length),
        Some(Err(_)) => State::Opaque,
    }
}

/// A connection that is listened to.
pub(crate) struct Tap {
    stream: Box<dyn Stream>,
    connection: u64,
    heads: Arc<Heads>,
    capture: Option<Arc<Capture>>,
}

impl Tap {
    pub(crate) fn new(
        stream: Box<dyn Stream>,
        connection: u64,
        capture: Option<Arc<Capture>>,
    ) -> (Self, Arc<Heads>) {
        let heads = Arc::new(Heads::default());
        (Self { stream, connection, heads: Arc::clone(&heads), capture }, heads)
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        lock(&self.heads.0).feed(new);
        if let Some(capture) = &self.capture {
            capture.record(self.connection, Direction::Request, new);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        if let Some(capture) = &self.capture {
            capture.record(self.connection, Direction::Response, bytes.get(..written).unwrap_or_default());
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A record is worth no panic of its own.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(pieces: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::default();
        for piece in pieces {
            splitter.feed(piece.as_bytes());
        }
        splitter.heads.iter().map(|head| String::from_utf8(head.to_vec()).unwrap()).collect()
    }

    #[test]
    fn heads_are_cut_out_wherever_the_stream_is_cut() {
        let first = "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n";
        let second = "GET / HTTP/1.1\r\n\r\n";
        let stream = format!("{first}\r\n\r\n{second}");
        for at in 0..stream.len() {
            let (a, b) = stream.split_at(at);
            assert_eq!(heads(&[a, b]), [first, second], "cut at {at}");
        }
    }

    #[test]
    fn a_chunked_body_hides_what_follows_until_it_ended() {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let all = Heads::default();
        lock(&all.0).feed(head.as_bytes());
        lock(&all.0).feed(b"3\r\nabc\r\n0\r\n\r\n");
        assert_eq!(all.next(), head.as_bytes());
        assert_eq!(all.next(), Bytes::new());
        all.request_ended();
        lock(&all.0).feed(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(all.next(), &b"GET / HTTP/1.1\r\n\r\n"[..]);
    }

    #[test]
    fn an_endless_head_is_not_kept() {
        let mut splitter = Splitter::default();
        splitter.feed(&vec![b'x'; 2 * MAX_HEAD]);
        assert!(matches!(splitter.state, State::Opaque));
    }
}
