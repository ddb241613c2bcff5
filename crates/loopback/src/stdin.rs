//! Standard input of a command: Send puts blocks in, the handler reads them.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

/// Bytes waiting for the handler above which a Send has to wait. One more block may stand above it, and a block is
/// bounded by the envelope it came in.
const HIGH_WATER: usize = 256 * 1024;

/// The service's end.
pub(crate) struct StdinPipe {
    state: Mutex<State>,
    room: Notify,
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Bytes>,
    buffered: usize,
    ended: bool,
    reader_gone: bool,
    reader: Option<Waker>,
}

/// The client had ended its input before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct AlreadyEnded;

impl StdinPipe {
    pub(crate) fn new() -> (Arc<Self>, StdinReader) {
        let pipe = Arc::new(Self { state: Mutex::default(), room: Notify::new() });
        (Arc::clone(&pipe), StdinReader { pipe })
    }

    /// Hands over one block, once there is room. Nothing was taken when the future is dropped before it ends.
    ///
    /// What a command does not read any more is dropped, as a closed pipe would.
    pub(crate) async fn send(&self, block: Bytes, end: bool) -> Result<(), AlreadyEnded> {
        loop {
            let room = self.room.notified();
            {
                let mut state = self.lock();
                if state.ended {
                    return Err(AlreadyEnded);
                }
                if state.reader_gone || state.buffered < HIGH_WATER {
                    if !state.reader_gone && !block.is_empty() {
                        state.buffered += block.len();
                        state.blocks.push_back(block);
                    }
                    state.ended |= end;
                    if let Some(reader) = state.reader.take() {
                        reader.wake();
                    }
                    // Another Send may be waiting for the same room.
                    self.room.notify_one();
                    return Ok(());
                }
            }
            room.await;
        }
    }

    /// No more input can come.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.ended = true;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard input, as the handler reads it.
pub struct StdinReader {
    pipe: Arc<StdinPipe>,
}

impl AsyncRead for StdinReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let mut state = self.pipe.lock();
        if state.blocks.is_empty() {
            if state.ended {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        while buffer.remaining() > 0 {
            let Some(block) = state.blocks.front_mut() else { break };
            let take = block.len().min(buffer.remaining());
            buffer.put_slice(&block.split_to(take));
            if !block.has_remaining() {
                state.blocks.pop_front();
            }
            state.buffered = state.buffered.saturating_sub(take);
        }
        self.pipe.room.notify_one();
        Poll::Ready(Ok(()))
    }
}

impl Drop for StdinReader {
    fn drop(&mut self) {
        let mut state = self.pipe.lock();
        state.reader_gone = true;
        state.blocks.clear();
        state.buffered = 0;
        self.pipe.room.notify_one();
    }
}

impl fmt::Debug for StdinReader {
    // What a client types may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinReader").field("buffered", &self.pipe.lock().buffered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn blocks_arrive_in_order_and_end() {
        let (pipe, mut reader) = StdinPipe::new();
        pipe.send(Bytes::from_static(b"one "), false).await.unwrap();
        pipe.send(Bytes::from_static(b"two"), true).await.unwrap();
        assert_eq!(pipe.send(Bytes::from_static(b"three"), false).await, Err(AlreadyEnded));
        let mut read = String::new();
        reader.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "one two");
    }

    #[tokio::test]
    async fn sending_waits_for_the_reader() {
        let (pipe, mut reader) = StdinPipe::new();
        pipe.send(vec![1; HIGH_WATER].into(), false).await.unwrap();
        let waiting = pipe.send(vec![2; 10].into(), true);
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiting).await.is_err());
        let mut buffer = vec![0; HIGH_WATER];
        reader.read_exact(&mut buffer).await.unwrap();
        waiting.await.unwrap();
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, [2; 10]);
    }

    #[tokio::test]
    async fn a_dropped_send_took_nothing() {
        let (pipe, mut reader) = StdinPipe::new();
        pipe.send(vec![1; HIGH_WATER].into(), false).await.unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, pipe.send(vec![2; 10].into(), true)).await.is_err());
        pipe.close();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, vec![1; HIGH_WATER]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_that_is_gone() {
        let (pipe, reader) = StdinPipe::new();
        pipe.send(vec![1; HIGH_WATER].into(), false).await.unwrap();
        drop(reader);
        pipe.send(vec![2; HIGH_WATER].into(), false).await.unwrap();
    }
}
