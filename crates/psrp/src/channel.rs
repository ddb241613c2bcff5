//! What both sides share: messages that wait to be sent, and streams that messages are read from.

use std::collections::{HashMap, VecDeque};

use bytes::{Bytes, BytesMut};
use uuid::Uuid;
use winrm_clixml::EncodeError;

use crate::fragment::{Defragmenter, FragmentError, Fragments, Limits};
use crate::message::Message;

/// Messages on their way out, those of the pool and of each pipeline apart.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Objects so far.
    objects: u64,
    queues: HashMap<Option<Uuid>, VecDeque<Fragments>>,
}

impl Outbox {
    pub(crate) fn push(&mut self, target: Option<Uuid>, message: &Message) -> Result<(), EncodeError> {
        let encoded = message.encode()?;
        self.objects += 1;
        self.queues.entry(target).or_default().push_back(Fragments::new(self.objects, encoded));
        Ok(())
    }

    /// Fills `buffer` up to `room` bytes with fragments; whether more is left.
    pub(crate) fn take(&mut self, target: Option<Uuid>, buffer: &mut BytesMut, room: usize) -> bool {
        let Some(queue) = self.queues.get_mut(&target) else { return false };
        while let Some(message) = queue.front_mut() {
            let left = room.saturating_sub(buffer.len());
            if !message.write(buffer, left) {
                return true;
            }
            if message.is_empty() {
                queue.pop_front();
            }
        }
        self.queues.remove(&target);
        false
    }

    /// Bytes that wait, in as few fragments as can be.
    pub(crate) fn waiting(&self, target: Option<Uuid>) -> usize {
        self.queues.get(&target).into_iter().flatten().map(Fragments::remaining).sum()
    }

    pub(crate) fn has(&self, target: Option<Uuid>) -> bool {
        self.queues.contains_key(&target)
    }

    pub(crate) fn forget(&mut self, target: Option<Uuid>) {
        self.queues.remove(&target);
    }
}

/// Streams of the pool and of its pipelines, on each of which fragments come in their order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    limits: Limits,
    streams: HashMap<Option<Uuid>, Defragmenter>,
}

impl Inbox {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, streams: HashMap::new() }
    }

    /// The whole messages that end with these bytes, and what went wrong behind them.
    pub(crate) fn receive(
        &mut self,
        target: Option<Uuid>,
        bytes: &[u8],
    ) -> (Vec<Bytes>, Result<(), FragmentError>) {
        let limits = self.limits;
        let stream = self.streams.entry(target).or_insert_with(|| Defragmenter::with_limits(limits));
        stream.push(bytes);
        let mut messages = Vec::new();
        loop {
            match stream.next() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
        if stream.is_idle() {
            self.streams.remove(&target);
        }
        (messages, Ok(()))
    }

    pub(crate) fn forget(&mut self, target: Option<Uuid>) {
        self.streams.remove(&target);
    }
}
