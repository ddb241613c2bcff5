//! The caller's ends of a remote process's standard streams.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::{mpsc, watch};

use crate::running::{Exit, Loss};

/// Blocks in flight between the service and a reader. A block is at most one answer; when these are full, no more
/// output is asked for, and the remote process stops at its own full pipe.
const BLOCKS: usize = 4;

/// Bytes of input that wait to be sent: with base64 they fill an envelope of the size that Windows takes, and none needs
/// more.
pub(crate) const INPUT_BYTES: usize = 512_000 / 4 * 3;

/// The driver's end of an output stream, and the caller's.
pub(crate) fn output(exit: &watch::Receiver<Option<Exit>>) -> (mpsc::Sender<Bytes>, Reader) {
    let (sender, blocks) = mpsc::channel(BLOCKS);
    (sender, Reader { blocks, backlog: VecDeque::new(), exit: exit.clone() })
}

/// The pump's end, and the caller's.
pub(crate) fn input() -> (DuplexStream, ChildStdin) {
    let (ours, theirs) = tokio::io::duplex(INPUT_BYTES);
    (ours, ChildStdin { pipe: theirs })
}

/// Standard input of a remote process. Dropping it, or shutting it down, tells the process end-of-file.
///
/// Writes are gathered into few requests; a write waits while the service is behind.
#[derive(Debug)]
pub struct ChildStdin {
    pipe: DuplexStream,
}

impl AsyncWrite for ChildStdin {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

pub(crate) struct Reader {
    blocks: mpsc::Receiver<Bytes>,
    /// Taken over already, in order.
    backlog: VecDeque<Bytes>,
    exit: watch::Receiver<Option<Exit>>,
}

impl Reader {
    fn poll_read(&mut self, cx: &mut Context<'_>, target: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut block = match self.backlog.pop_front() {
            Some(block) => block,
            None => match ready!(self.blocks.poll_recv(cx)) {
                Some(block) => block,
                None => return Poll::Ready(self.end()),
            },
        };
        let len = block.len().min(target.remaining());
        target.put_slice(&block.split_to(len));
        if !block.is_empty() {
            self.backlog.push_front(block);
        }
        Poll::Ready(Ok(()))
    }

    /// The stream's own end, or that of a process that was lost: the driver says so before it closes the stream.
    fn end(&self) -> io::Result<()> {
        match &*self.exit.borrow() {
            Some(Err(Loss::Transport(error))) => {
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, Arc::clone(error)))
            }
            Some(Err(Loss::TimedOut(_))) => Err(io::ErrorKind::TimedOut.into()),
            Some(Err(Loss::Disconnected)) => Err(io::ErrorKind::NotConnected.into()),
            _ => Ok(()),
        }
    }

    /// Takes everything over until the end, to be read later. Cancel-safe.
    pub(crate) async fn soak(&mut self) {
        while let Some(block) = self.blocks.recv().await {
            self.backlog.push_back(block);
        }
    }

    /// What was taken over, in one piece.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        let mut gathered = Vec::with_capacity(self.backlog.iter().map(Bytes::len).sum());
        for block in self.backlog {
            gathered.extend_from_slice(&block);
        }
        gathered
    }
}

macro_rules! output_stream {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Bytes as the process wrote them, in the code page of its shell. Ends with an error when the process was
        /// lost: what had arrived before is read first.
        pub struct $name(pub(crate) Reader);

        impl AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                target: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.0.poll_read(cx, target)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

output_stream! {
    /// Standard output of a remote process.
    ChildStdout
}
output_stream! {
    /// Standard error of a remote process.
    ChildStderr
}
