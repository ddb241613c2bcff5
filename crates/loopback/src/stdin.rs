//! Standard input of a command: Send puts blocks in, the handler reads them.
//!
//! A Send that times out is processed all the same: its block waits outside of the full pipe, as a pending write does on
//! Windows, and goes in when the handler reads. So a client that sends it again doubles its input. While a block waits,
//! nothing else is taken.

use std::collections::VecDeque;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Bytes that the pipe holds; a larger block has it alone. One more block may wait for room, and a block is bounded by
/// the envelope it came in.
const CAPACITY: usize = 256 * 1024;

/// The service's end.
pub(crate) struct StdinPipe {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Bytes>,
    /// Bytes in `blocks`.
    buffered: usize,
    /// The block that does not fit yet. Taken all the same: nobody may send it again.
    waiting: Option<Bytes>,
    /// How many blocks had to wait.
    waited: u64,
    /// How many of those went in.
    admitted: u64,
    /// The client has said that this is all, if only by a block that waits.
    ended: bool,
    /// Nothing is taken any more.
    closed: bool,
    reader: Option<Waker>,
}

/// Why a Send is not answered by success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SendError {
    /// The block is taken, but the pipe has had no room for it within the time given.
    StillWaiting,
    /// An earlier block still waits. This one is not taken.
    Busy,
    /// The client had ended its input before.
    AlreadyEnded,
    /// Nobody reads any more.
    Closed,
}

/// What came of a block.
enum Offer {
    Taken,
    /// It is the waiting block, with this number.
    Waits(u64),
    /// Another block waits.
    Occupied,
    Refused(SendError),
}

impl State {
    fn offer(&mut self, block: &Bytes, end: bool) -> Offer {
        if self.ended {
            return Offer::Refused(SendError::AlreadyEnded);
        }
        if self.closed {
            return Offer::Refused(SendError::Closed);
        }
        if self.waiting.is_some() {
            return Offer::Occupied;
        }
        self.ended = end;
        if !self.has_room(block) {
            self.waiting = Some(block.clone());
            self.waited += 1;
            return Offer::Waits(self.waited);
        }
        self.push(block.clone());
        Offer::Taken
    }

    fn has_room(&self, block: &Bytes) -> bool {
        block.is_empty() || self.buffered == 0 || self.buffered.saturating_add(block.len()) <= CAPACITY
    }

    fn push(&mut self, block: Bytes) {
        if !block.is_empty() {
            self.buffered += block.len();
            self.blocks.push_back(block);
        }
        self.wake();
    }

    /// Lets the waiting block in.
    fn admit(&mut self) {
        if let Some(block) = self.waiting.take() {
            self.admitted += 1;
            self.push(block);
        }
    }

    /// What came of a block that had to wait; `None` while it does.
    fn outcome(&self, number: u64) -> Option<Result<(), SendError>> {
        if self.admitted >= number {
            return Some(Ok(()));
        }
        self.closed.then_some(Err(SendError::Closed))
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl StdinPipe {
    pub(crate) fn new() -> (Arc<Self>, StdinReader) {
        let pipe = Arc::new(Self { state: Mutex::default(), changed: Notify::new() });
        (Arc::clone(&pipe), StdinReader { pipe })
    }

    /// Hands over one block whole, or not at all.
    ///
    /// # Errors
    /// Of these only [`SendError::StillWaiting`] has taken the block, and `end` with it.
    pub(crate) async fn send(&self, block: Bytes, end: bool, deadline: Instant) -> Result<(), SendError> {
        let number = loop {
            let mut changed = pin!(self.changed.notified());
            // Registered before the look at the state, or a change between the two would be missed.
            changed.as_mut().enable();
            let offer = self.lock().offer(&block, end);
            match offer {
                Offer::Taken => {
                    self.changed.notify_waiters();
                    return Ok(());
                }
                Offer::Waits(number) => break number,
                Offer::Refused(error) => return Err(error),
                Offer::Occupied => {}
            }
            timeout_at(deadline, changed).await.map_err(|_| SendError::Busy)?;
        };
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let outcome = self.lock().outcome(number);
            if let Some(outcome) = outcome {
                return outcome;
            }
            timeout_at(deadline, changed).await.map_err(|_| SendError::StillWaiting)?;
        }
    }

    /// No more input is taken; what was taken can still be read.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        // Nobody is there to wait for room in good order.
        state.admit();
        state.wake();
        drop(state);
        self.changed.notify_waiters();
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
            if state.ended || state.closed {
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
        if state.waiting.as_ref().is_some_and(|block| state.has_room(block)) {
            state.admit();
        }
        drop(state);
        self.pipe.changed.notify_waiters();
        Poll::Ready(Ok(()))
    }
}

impl Drop for StdinReader {
    fn drop(&mut self) {
        let mut state = self.pipe.lock();
        state.closed = true;
        state.waiting = None;
        state.blocks.clear();
        state.buffered = 0;
        drop(state);
        self.pipe.changed.notify_waiters();
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

    fn within(millis: u64) -> Instant {
        Instant::now() + Duration::from_millis(millis)
    }

    async fn send(
        pipe: &StdinPipe,
        block: impl Into<Bytes>,
        end: bool,
        millis: u64,
    ) -> Result<(), SendError> {
        pipe.send(block.into(), end, within(millis)).await
    }

    async fn rest(mut reader: StdinReader) -> Vec<u8> {
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        read
    }

    #[tokio::test]
    async fn blocks_arrive_in_order_and_end() {
        let (pipe, reader) = StdinPipe::new();
        assert_eq!(send(&pipe, "one ", false, 0).await, Ok(()));
        assert_eq!(send(&pipe, "two", true, 0).await, Ok(()));
        assert_eq!(send(&pipe, "three", false, 0).await, Err(SendError::AlreadyEnded));
        assert_eq!(rest(reader).await, b"one two");
    }

    #[tokio::test]
    async fn sending_waits_for_the_reader() {
        let (pipe, mut reader) = StdinPipe::new();
        send(&pipe, vec![1; CAPACITY], false, 0).await.unwrap();
        let mut waiting = pin!(send(&pipe, vec![2; 10], true, 4000));
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut waiting).await.is_err());
        let mut buffer = vec![0; CAPACITY];
        reader.read_exact(&mut buffer).await.unwrap();
        assert_eq!(waiting.await, Ok(()));
        assert_eq!(rest(reader).await, [2; 10]);
    }

    #[tokio::test]
    async fn a_block_that_timed_out_is_kept_and_bars_the_next() {
        let (pipe, mut reader) = StdinPipe::new();
        send(&pipe, vec![1; CAPACITY], false, 0).await.unwrap();
        assert_eq!(send(&pipe, vec![2; 10], false, 5).await, Err(SendError::StillWaiting));
        assert_eq!(send(&pipe, vec![3; 10], false, 5).await, Err(SendError::Busy));
        assert_eq!(send(&pipe, "", true, 5).await, Err(SendError::Busy), "its end as well");
        let mut next = pin!(send(&pipe, vec![3; 10], true, 4000));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut next).await.is_err());
        let mut buffer = vec![0; 20];
        reader.read_exact(&mut buffer).await.unwrap();
        assert_eq!(next.await, Ok(()));
        let expected = [&vec![1; CAPACITY - 20][..], &[2; 10], &[3; 10]].concat();
        assert_eq!(rest(reader).await, expected);
    }

    #[tokio::test]
    async fn the_end_counts_though_its_block_waits() {
        let (pipe, reader) = StdinPipe::new();
        send(&pipe, vec![1; CAPACITY], false, 0).await.unwrap();
        assert_eq!(send(&pipe, vec![2; 10], true, 0).await, Err(SendError::StillWaiting));
        assert_eq!(send(&pipe, "more", false, 0).await, Err(SendError::AlreadyEnded));
        assert_eq!(rest(reader).await, [&vec![1; CAPACITY][..], &[2; 10]].concat());
    }

    #[tokio::test]
    async fn no_more_is_held_than_the_pipe_and_one_block() {
        let (pipe, _reader) = StdinPipe::new();
        // Larger than the pipe, as an envelope may be.
        send(&pipe, vec![1; 2 * CAPACITY], false, 0).await.unwrap();
        for expected in [SendError::StillWaiting, SendError::Busy, SendError::Busy] {
            assert_eq!(send(&pipe, vec![1; 2 * CAPACITY], false, 0).await, Err(expected));
        }
        let state = pipe.lock();
        assert_eq!((state.buffered, state.blocks.len()), (2 * CAPACITY, 1));
        assert_eq!(state.waiting.as_ref().map(Bytes::len), Some(2 * CAPACITY));
    }

    #[tokio::test]
    async fn what_was_taken_can_be_read_after_the_pipe_is_closed() {
        let (pipe, reader) = StdinPipe::new();
        send(&pipe, vec![1; CAPACITY], false, 0).await.unwrap();
        let mut waiting = pin!(send(&pipe, vec![2; 10], false, 4000));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut waiting).await.is_err());
        let mut barred = pin!(send(&pipe, vec![3; 10], false, 4000));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut barred).await.is_err());
        pipe.close();
        assert_eq!((waiting.await, barred.await), (Ok(()), Err(SendError::Closed)));
        assert_eq!(rest(reader).await, [&vec![1; CAPACITY][..], &[2; 10]].concat());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_that_is_gone() {
        let (pipe, reader) = StdinPipe::new();
        send(&pipe, vec![1; CAPACITY], false, 0).await.unwrap();
        let mut waiting = pin!(send(&pipe, vec![2; CAPACITY], false, 4000));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut waiting).await.is_err());
        drop(reader);
        assert_eq!(waiting.await, Err(SendError::Closed));
        assert_eq!(send(&pipe, vec![3; 10], false, 0).await, Err(SendError::Closed));
    }
}
