//! A link in memory that breaks at a chosen byte.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use winrm_loopback::Service;
use winrm_transport::{Connecting, Connector, Endpoint, Stream};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Direction {
    Request,
    Response,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Both ends see the end of the stream.
    Cut,
    /// The client sees a reset, the service the end.
    Reset,
    /// Nothing more passes, either way, and nobody is told.
    Stall,
    /// This direction ends; the other goes on.
    Truncate,
}

/// One fault: after so many bytes of one direction, counted over all connections of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub(crate) direction: Direction,
    pub(crate) offset: usize,
    pub(crate) kind: Kind,
}

/// What passed, and what is still to happen.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) requests: usize,
    pub(crate) responses: usize,
    /// Offsets at which the direction of bytes changed: where messages begin and end.
    pub(crate) turns: Vec<(Direction, usize)>,
    fault: Option<Fault>,
    /// It has happened.
    pub(crate) struck: bool,
    last: Option<Direction>,
}

impl Progress {
    /// How many of `len` bytes may pass before the fault; all of them without one.
    fn allowance(&self, direction: Direction, len: usize) -> usize {
        match self.fault {
            Some(fault) if fault.direction == direction && !self.struck => {
                len.min(fault.offset.saturating_sub(self.passed(direction)))
            }
            _ => len,
        }
    }

    fn passed(&self, direction: Direction) -> usize {
        match direction {
            Direction::Request => self.requests,
            Direction::Response => self.responses,
        }
    }

    fn pass(&mut self, direction: Direction, len: usize) {
        if self.last != Some(direction) {
            self.turns.push((direction, self.passed(direction)));
            self.last = Some(direction);
        }
        match direction {
            Direction::Request => self.requests += len,
            Direction::Response => self.responses += len,
        }
    }

    /// The fault, if it is due.
    fn strike(&mut self, direction: Direction) -> Option<Kind> {
        let fault = self.fault.filter(|fault| fault.direction == direction && !self.struck)?;
        if self.passed(direction) < fault.offset {
            return None;
        }
        self.struck = true;
        Some(fault.kind)
    }
}

/// Connects to a service in memory.
#[derive(Debug)]
pub(crate) struct Link {
    service: Arc<Service>,
    pub(crate) progress: Arc<Mutex<Progress>>,
}

impl Link {
    pub(crate) fn new(service: Arc<Service>, fault: Option<Fault>) -> Arc<Self> {
        let progress = Progress { fault, ..Progress::default() };
        Arc::new(Self { service, progress: Arc::new(Mutex::new(progress)) })
    }
}

impl Connector for Link {
    fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            self.service.serve_stream(theirs);
            let stream: Box<dyn Stream> = Box::new(Faulty {
                inner: Some(ours),
                state: State::Whole,
                progress: Arc::clone(&self.progress),
            });
            Ok(stream)
        })
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Whole,
    Cut,
    Reset,
    Stalled,
    /// Requests reach nobody any more.
    NoRequests,
    /// No answers come any more.
    NoResponses,
}

/// The client's end of one connection.
struct Faulty {
    inner: Option<DuplexStream>,
    state: State,
    progress: Arc<Mutex<Progress>>,
}

impl Faulty {
    fn break_by(&mut self, kind: Kind, direction: Direction, cx: &mut Context<'_>) {
        self.state = match (kind, direction) {
            (Kind::Cut, _) => State::Cut,
            (Kind::Reset, _) => State::Reset,
            (Kind::Stall, _) => State::Stalled,
            (Kind::Truncate, Direction::Request) => State::NoRequests,
            (Kind::Truncate, Direction::Response) => State::NoResponses,
        };
        match self.state {
            State::Cut | State::Reset => self.inner = None,
            State::NoRequests => {
                if let Some(inner) = &mut self.inner {
                    let _ = Pin::new(inner).poll_shutdown(cx);
                }
            }
            _ => {}
        }
    }
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl AsyncRead for Faulty {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let strikes = self.progress.lock().unwrap().strike(Direction::Response);
        if let Some(kind) = strikes {
            self.break_by(kind, Direction::Response, cx);
        }
        match self.state {
            State::Cut | State::NoResponses => return Poll::Ready(Ok(())),
            State::Reset => return Poll::Ready(Err(reset())),
            // Nobody wakes this.
            State::Stalled => return Poll::Pending,
            State::Whole | State::NoRequests => {}
        }
        let progress = Arc::clone(&self.progress);
        let allowed = progress.lock().unwrap().allowance(Direction::Response, buf.remaining());
        let Some(inner) = &mut self.inner else { return Poll::Ready(Ok(())) };
        let mut scratch = vec![0; allowed];
        let mut bounded = ReadBuf::new(&mut scratch);
        let polled = Pin::new(inner).poll_read(cx, &mut bounded);
        if !bounded.filled().is_empty() {
            buf.put_slice(bounded.filled());
            progress.lock().unwrap().pass(Direction::Response, bounded.filled().len());
        }
        polled
    }
}

impl AsyncWrite for Faulty {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let strikes = self.progress.lock().unwrap().strike(Direction::Request);
        if let Some(kind) = strikes {
            self.break_by(kind, Direction::Request, cx);
        }
        match self.state {
            State::Cut => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            State::Reset => return Poll::Ready(Err(reset())),
            State::Stalled => return Poll::Pending,
            // As a system does that has buffers left.
            State::NoRequests => return Poll::Ready(Ok(data.len())),
            State::Whole | State::NoResponses => {}
        }
        let progress = Arc::clone(&self.progress);
        let allowed = progress.lock().unwrap().allowance(Direction::Request, data.len());
        let Some(inner) = &mut self.inner else { return Poll::Ready(Err(reset())) };
        let polled = Pin::new(inner).poll_write(cx, &data[..allowed]);
        if let Poll::Ready(Ok(len)) = polled {
            progress.lock().unwrap().pass(Direction::Request, len);
            // What comes right at the end of a write happens at its end, not at the next write, which may never come.
            let strikes = progress.lock().unwrap().strike(Direction::Request);
            if let Some(kind) = strikes {
                self.break_by(kind, Direction::Request, cx);
                // Whoever waits for an answer on this connection must look again.
                cx.waker().wake_by_ref();
            }
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match (self.state, &mut self.inner) {
            (State::Whole | State::NoResponses, Some(inner)) => Pin::new(inner).poll_flush(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
