//! Standard output and error of a command: the handler writes, Receive fetches.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bytes of one stream waiting for the client above which its writer has to wait.
const HIGH_WATER: usize = 512 * 1024;
/// Small writes are put together up to this length, so that a chatty command does not make thousands of elements.
const BLOCK: usize = 32 * 1024;

/// What a block costs of the budget beside its bytes: the element around it.
pub(crate) const BLOCK_COST: usize = 128;
/// Later output waits this part of what the first waits: a command that goes on may talk to somebody.
const LATER: u32 = 50;

/// One of the two streams.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Channel {
    Stdout,
    Stderr,
}

impl Channel {
    pub(crate) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// What one Receive brings.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Portion {
    /// Blocks in the order they were written.
    pub(crate) blocks: Vec<(Channel, Bytes)>,
    /// Streams that end with this portion.
    pub(crate) ended: Vec<Channel>,
    /// The command has ended and this is the last portion.
    pub(crate) exit_code: Option<u32>,
}

/// Why a Receive brings nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoPortion {
    /// Nothing came within the time given.
    TimedOut,
    /// Everything was fetched before.
    Finished,
    /// The shell was closed.
    Abandoned,
}

/// How long and how much a Receive may wait and bring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Bytes of output, at most; each block costs [`BLOCK_COST`] more.
    pub(crate) budget: usize,
    /// The operation timeout.
    pub(crate) deadline: Instant,
    /// How long the first output waits for the end of the command, so that both go in one answer; later output waits a
    /// [part](LATER) of it.
    pub(crate) settle: Duration,
}

/// The service's end of both streams.
pub(crate) struct OutputPipe {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    stdout: Stream,
    stderr: Stream,
    /// The order in which the blocks of both streams were written.
    order: VecDeque<Channel>,
    exit_code: Option<u32>,
    /// The client has had some output.
    begun: bool,
    /// The client has been told of the end.
    finished: bool,
    /// Nobody will fetch any more.
    abandoned: bool,
}

#[derive(Default)]
struct Stream {
    blocks: VecDeque<BytesMut>,
    buffered: usize,
    closed: bool,
    end_sent: bool,
    /// What is written at once is fetched at once, as a block of its own.
    keeps_writes: bool,
    writer: Option<Waker>,
}

impl Stream {
    fn wake(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

impl State {
    fn stream(&mut self, channel: Channel) -> &mut Stream {
        match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        }
    }

    fn buffered(&self, desired: &[Channel]) -> usize {
        let of = |channel: &Channel| match channel {
            Channel::Stdout => self.stdout.buffered,
            Channel::Stderr => self.stderr.buffered,
        };
        desired.iter().map(of).sum()
    }

    fn push(&mut self, channel: Channel, bytes: &[u8]) {
        let last_is_same = self.order.back() == Some(&channel);
        let stream = self.stream(channel);
        stream.buffered += bytes.len();
        match stream.blocks.back_mut() {
            Some(block) if last_is_same && !stream.keeps_writes && block.len() + bytes.len() <= BLOCK => {
                block.extend_from_slice(bytes);
            }
            _ => {
                stream.blocks.push_back(BytesMut::from(bytes));
                self.order.push_back(channel);
            }
        }
    }

    fn take(&mut self, desired: &[Channel], mut budget: usize) -> Portion {
        let mut portion = Portion::default();
        self.begun = true;
        let mut kept = VecDeque::new();
        while budget > BLOCK_COST {
            let Some(channel) = self.order.pop_front() else { break };
            if !desired.contains(&channel) {
                kept.push_back(channel);
                continue;
            }
            let stream = self.stream(channel);
            let Some(mut block) = stream.blocks.pop_front() else { continue };
            if stream.keeps_writes && block.len() > budget - BLOCK_COST && !portion.blocks.is_empty() {
                stream.blocks.push_front(block);
                kept.push_back(channel);
                break;
            }
            budget -= BLOCK_COST;
            let size = if stream.keeps_writes { block.len() } else { block.len().min(budget) };
            let taken = block.split_to(size);
            budget = budget.saturating_sub(taken.len());
            stream.buffered -= taken.len();
            if !block.is_empty() {
                stream.blocks.push_front(block);
                kept.push_back(channel);
            }
            stream.wake();
            if !taken.is_empty() {
                portion.blocks.push((channel, taken.freeze()));
            }
        }
        kept.append(&mut self.order);
        self.order = kept;
        if self.exit_code.is_some() && self.buffered(desired) == 0 {
            for &channel in desired {
                let stream = self.stream(channel);
                if !std::mem::replace(&mut stream.end_sent, true) {
                    portion.ended.push(channel);
                }
            }
            portion.exit_code = self.exit_code;
            self.finished = true;
        }
        portion
    }
}

impl OutputPipe {
    /// The pipe, and the writers for stdout and stderr.
    pub(crate) fn new() -> (Arc<Self>, OutputWriter, OutputWriter) {
        let pipe = Arc::new(Self { state: Mutex::default(), changed: Notify::new() });
        let writer = |channel| OutputWriter { pipe: Arc::clone(&pipe), channel };
        let (stdout, stderr) = (writer(Channel::Stdout), writer(Channel::Stderr));
        (pipe, stdout, stderr)
    }

    /// The command has ended.
    pub(crate) fn finish(&self, exit_code: u32) {
        let mut state = self.lock();
        state.exit_code.get_or_insert(exit_code);
        state.stdout.closed = true;
        state.stderr.closed = true;
        drop(state);
        self.changed.notify_waiters();
    }

    /// Writers fail from now on: nobody will fetch what they write.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        state.stdout.wake();
        state.stderr.wake();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether the command has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.lock().exit_code.is_some()
    }

    /// Waits for output, for the end, or for the deadline. Nothing is taken when the future is dropped.
    pub(crate) async fn fetch(&self, desired: &[Channel], terms: Terms) -> Result<Portion, NoPortion> {
        let mut settled = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look at the state, or a change between the two would be missed.
            changed.as_mut().enable();
            let wake_at = {
                let mut state = self.lock();
                if state.abandoned {
                    return Err(NoPortion::Abandoned);
                }
                let buffered = state.buffered(desired);
                if state.finished && buffered == 0 {
                    let unsent = desired.iter().any(|channel| !state.stream(*channel).end_sent);
                    return if unsent {
                        Ok(state.take(desired, terms.budget))
                    } else {
                        Err(NoPortion::Finished)
                    };
                }
                if state.exit_code.is_some() || buffered >= terms.budget.min(HIGH_WATER) {
                    return Ok(state.take(desired, terms.budget));
                }
                let now = Instant::now();
                if buffered > 0 {
                    // A command that has not ended by now is no short one.
                    let settle = if state.begun { terms.settle / LATER } else { terms.settle };
                    let at = *settled.get_or_insert_with(|| (now + settle).min(terms.deadline));
                    if now >= at {
                        return Ok(state.take(desired, terms.budget));
                    }
                    at
                } else if now >= terms.deadline {
                    return Err(NoPortion::TimedOut);
                } else {
                    terms.deadline
                }
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Standard output or error, as the handler writes it.
///
/// Writing waits while the client has fetched too little, and fails with `BrokenPipe` when nobody will fetch any
/// more. Dropping it, or shutting it down, ends the stream.
pub struct OutputWriter {
    pipe: Arc<OutputPipe>,
    channel: Channel,
}

impl OutputWriter {
    /// From now on what is written at once is fetched at once: clients of PowerShell expect whole fragments.
    pub(crate) fn keep_writes(&mut self) {
        self.pipe.lock().stream(self.channel).keeps_writes = true;
    }
}

impl AsyncWrite for OutputWriter {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.pipe.lock();
        if state.abandoned || state.stream(self.channel).closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let stream = state.stream(self.channel);
        let room = HIGH_WATER.saturating_sub(stream.buffered);
        if room == 0 || (stream.keeps_writes && bytes.len() > room && stream.buffered > 0) {
            stream.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        let len = if stream.keeps_writes { bytes.len() } else { bytes.len().min(room) };
        if let Some(bytes) = bytes.get(..len).filter(|bytes| !bytes.is_empty()) {
            state.push(self.channel, bytes);
            drop(state);
            self.pipe.changed.notify_waiters();
        }
        Poll::Ready(Ok(len))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.lock().stream(self.channel).closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for OutputWriter {
    fn drop(&mut self) {
        self.pipe.lock().stream(self.channel).closed = true;
    }
}

impl fmt::Debug for OutputWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputWriter").field("channel", &self.channel).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    const BOTH: &[Channel] = &Channel::ALL;

    fn terms(budget: usize, timeout: u64) -> Terms {
        Terms {
            budget,
            deadline: Instant::now() + Duration::from_millis(timeout),
            settle: Duration::from_millis(10),
        }
    }

    #[tokio::test]
    async fn output_and_exit_code_come_together() {
        let (pipe, mut stdout, mut stderr) = OutputPipe::new();
        stdout.write_all(b"one").await.unwrap();
        stdout.write_all(b" two").await.unwrap();
        stderr.write_all(b"bad").await.unwrap();
        let ended = Arc::clone(&pipe);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            drop((stdout, stderr));
            ended.finish(7);
        });
        let portion = pipe.fetch(BOTH, terms(1000, 1000)).await.unwrap();
        let blocks = [(Channel::Stdout, "one two".into()), (Channel::Stderr, "bad".into())];
        assert_eq!(portion.blocks, blocks);
        assert_eq!((portion.ended, portion.exit_code), (BOTH.to_vec(), Some(7)));
        assert_eq!(pipe.fetch(BOTH, terms(1000, 1000)).await, Err(NoPortion::Finished));
    }

    #[tokio::test]
    async fn only_the_first_output_waits_long_for_the_end() {
        let (pipe, mut stdout, _stderr) = OutputPipe::new();
        let begin = Instant::now();
        let terms = || Terms {
            budget: 1000,
            deadline: begin + Duration::from_mins(1),
            settle: Duration::from_millis(250),
        };
        stdout.write_all(b"prompt").await.unwrap();
        pipe.fetch(BOTH, terms()).await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(250));
        // Forty answers at the pace of the first would take ten seconds.
        let begin = Instant::now();
        for _ in 0..40 {
            stdout.write_all(b"answer").await.unwrap();
            assert_eq!(pipe.fetch(BOTH, terms()).await.unwrap().exit_code, None);
        }
        assert!(begin.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test]
    async fn a_budget_cuts_output_into_portions() {
        let (pipe, mut stdout, stderr) = OutputPipe::new();
        stdout.write_all(&[b'x'; 250]).await.unwrap();
        drop((stdout, stderr));
        pipe.finish(0);
        let mut lengths = Vec::new();
        let exit_code = loop {
            let portion = pipe.fetch(BOTH, terms(BLOCK_COST + 100, 1000)).await.unwrap();
            lengths.push(portion.blocks.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
            if let Some(code) = portion.exit_code {
                break code;
            }
        };
        assert_eq!((lengths, exit_code), (vec![100, 100, 50], 0));
    }

    #[tokio::test]
    async fn silence_times_out_and_loses_nothing() {
        let (pipe, mut stdout, _stderr) = OutputPipe::new();
        assert_eq!(pipe.fetch(BOTH, terms(1000, 10)).await, Err(NoPortion::TimedOut));
        stdout.write_all(b"late").await.unwrap();
        let portion = pipe.fetch(BOTH, terms(1000, 1000)).await.unwrap();
        assert_eq!(portion.blocks, [(Channel::Stdout, "late".into())]);
        assert_eq!((portion.ended, portion.exit_code), (vec![], None));
    }

    #[tokio::test]
    async fn only_the_streams_asked_for() {
        let (pipe, mut stdout, mut stderr) = OutputPipe::new();
        stdout.write_all(b"out").await.unwrap();
        stderr.write_all(b"err").await.unwrap();
        drop((stdout, stderr));
        pipe.finish(3);
        let portion = pipe.fetch(&[Channel::Stdout], terms(1000, 1000)).await.unwrap();
        assert_eq!(portion.blocks, [(Channel::Stdout, "out".into())]);
        assert_eq!((portion.ended, portion.exit_code), (vec![Channel::Stdout], Some(3)));
        let portion = pipe.fetch(&[Channel::Stderr], terms(1000, 1000)).await.unwrap();
        assert_eq!(portion.blocks, [(Channel::Stderr, "err".into())]);
        assert_eq!((portion.ended, portion.exit_code), (vec![Channel::Stderr], Some(3)));
    }

    #[tokio::test]
    async fn a_writer_waits_for_the_client() {
        let (pipe, mut stdout, _stderr) = OutputPipe::new();
        stdout.write_all(&vec![0; HIGH_WATER]).await.unwrap();
        let mut more = Box::pin(stdout.write_all(b"more"));
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut more).await.is_err());
        pipe.fetch(BOTH, terms(1000, 1000)).await.unwrap();
        more.await.unwrap();
        pipe.abandon();
        assert_eq!(pipe.fetch(BOTH, terms(1000, 1000)).await, Err(NoPortion::Abandoned));
        assert_eq!(stdout.write_all(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
