//! From messages to fragments.

use std::collections::VecDeque;
use std::fmt;

use super::{HEADER_LEN, Header};
use crate::EncodeError;

/// Cuts messages into fragments, as late as possible: when it is known how much fits.
///
/// Each message has a tag, and only messages of one tag share a payload. Messages share a payload as long as they fit
/// whole; one that is larger begins its own (MS-PSRP 3.1.5.1.1).
pub struct Fragmenter<T = ()> {
    /// Of the last object. The first is 1, as Windows counts.
    object_id: u64,
    queue: VecDeque<Queued<T>>,
}

struct Queued<T> {
    tag: T,
    object_id: u64,
    fragment_id: u64,
    bytes: Vec<u8>,
    sent: usize,
}

impl<T> Queued<T> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Appends a fragment of at most this many bytes of the message, and tells whether it was the last.
    fn cut(&mut self, maximum: usize, out: &mut Vec<u8>) -> bool {
        let rest = self.rest();
        let blob_length = u32::try_from(rest.len().min(maximum)).unwrap_or(u32::MAX);
        let blob = rest.get(..usize::try_from(blob_length).unwrap_or(maximum)).unwrap_or(rest);
        let end = blob.len() == rest.len();
        let (object_id, fragment_id) = (self.object_id, self.fragment_id);
        Header { object_id, fragment_id, start: self.sent == 0, end, blob_length }.encode(out);
        out.extend_from_slice(blob);
        self.sent = self.sent.saturating_add(blob.len());
        self.fragment_id = fragment_id.wrapping_add(1);
        end
    }
}

impl<T> Fragmenter<T> {
    /// The least size of a payload: a fragment with one byte of its message.
    pub const MINIMUM: usize = HEADER_LEN + 1;

    /// Bytes of messages that wait, headers of fragments left out.
    pub fn len(&self) -> usize {
        self.queue.iter().map(|queued| queued.rest().len()).sum()
    }

    /// As [`len`](Self::len), of the messages whose tags are wanted.
    pub fn len_of(&self, wanted: impl Fn(&T) -> bool) -> usize {
        self.queue.iter().filter(|queued| wanted(&queued.tag)).map(|queued| queued.rest().len()).sum()
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Forgets messages by their tags, whether a part of them was sent or not.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.queue.retain(|queued| keep(&queued.tag));
    }

    /// Forgets messages by their tags, except for what was sent in part: the receiver would wait for the rest.
    pub fn retain_begun(&mut self, keep: impl Fn(&T) -> bool) {
        self.queue.retain(|queued| queued.sent > 0 || keep(&queued.tag));
    }

    fn queued(&mut self, tag: T, bytes: Vec<u8>) -> Queued<T> {
        self.object_id = self.object_id.wrapping_add(1);
        Queued { tag, object_id: self.object_id, fragment_id: 0, bytes, sent: 0 }
    }
}

impl<T: Copy + Eq> Fragmenter<T> {
    /// Puts a message behind those that wait.
    pub fn push(&mut self, tag: T, message: Vec<u8>) {
        let queued = self.queued(tag, message);
        self.queue.push_back(queued);
    }

    /// Puts a message before those that wait, except for others of the same tag at the front: those keep their order.
    pub fn push_front(&mut self, tag: T, message: Vec<u8>) {
        let behind = self.queue.iter().take_while(|queued| queued.tag == tag).count();
        let queued = self.queued(tag, message);
        self.queue.insert(behind, queued);
    }

    /// The next payload of at most this many bytes, and the tag of all that is in it.
    ///
    /// # Errors
    ///
    /// A size below [`MINIMUM`](Self::MINIMUM).
    pub fn poll(&mut self, size: usize) -> Result<Option<(T, Vec<u8>)>, EncodeError> {
        self.poll_of(size, |_| true)
    }

    /// As [`poll`](Self::poll), of the messages whose tags are wanted: the others keep their places.
    ///
    /// # Errors
    ///
    /// As [`poll`](Self::poll).
    pub fn poll_of(
        &mut self,
        size: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Option<(T, Vec<u8>)>, EncodeError> {
        if size < Self::MINIMUM {
            return Err(EncodeError::PayloadTooSmall { size, minimum: Self::MINIMUM });
        }
        let mut payload = Vec::new();
        let Some(first) = self.queue.iter().position(|queued| wanted(&queued.tag)) else { return Ok(None) };
        let mut tag = None;
        while let Some(next) = self.queue.get_mut(first) {
            let room = size.saturating_sub(payload.len()).saturating_sub(HEADER_LEN);
            let is_same = *tag.get_or_insert(next.tag) == next.tag;
            let fits = is_same && next.rest().len() <= room && payload.len() + HEADER_LEN <= size;
            if !fits && !payload.is_empty() {
                break;
            }
            if !next.cut(room, &mut payload) {
                break;
            }
            self.queue.remove(first);
        }
        Ok(tag.map(|tag| (tag, payload)))
    }

    /// Gives what waits another tag.
    pub(crate) fn retag(&mut self, change: impl Fn(T) -> T) {
        for queued in &mut self.queue {
            queued.tag = change(queued.tag);
        }
    }
}

impl<T> Default for Fragmenter<T> {
    fn default() -> Self {
        Self { object_id: 0, queue: VecDeque::new() }
    }
}

/// Without the messages.
impl<T> fmt::Debug for Fragmenter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fragmenter({} messages)", self.queue.len())
    }
}
