//! Messages cut into fragments, and put together again (MS-PSRP 2.2.4).

use std::collections::HashMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes of a fragment's header (MS-PSRP 2.2.4).
pub const HEADER: usize = 21;

/// Bytes of a message in one fragment: no envelope of WS-Man is larger.
const MAX_BLOB: usize = 1 << 30;
const START: u8 = 1;
const END: u8 = 2;

/// Why bytes are no fragments of messages that we can take.
///
/// The bytes of a peer have no meaning after any of these: a fragment was lost or made up, and with it its message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// A fragment other than the first of an object whose first has not come, or is over.
    #[error("fragment {fragment} of object {object}, which has not begun")]
    UnknownObject {
        /// Its object's number.
        object: u64,
        /// Its own number.
        fragment: u64,
    },
    /// A first fragment of an object that has begun already.
    #[error("object {object} begins again")]
    Restarted {
        /// Its number.
        object: u64,
    },
    /// A number that is not the next one: a fragment is missing, out of order, or came twice.
    #[error("fragment {found} of object {object} instead of {expected}")]
    OutOfOrder {
        /// The object's number.
        object: u64,
        /// The number that must have come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// Flags that no fragment has.
    #[error("flags {flags:#04x} of a fragment of object {object}")]
    Flags {
        /// The object's number.
        object: u64,
        /// As they came.
        flags: u8,
    },
    /// A message larger than [`Limits::message_size`].
    #[error("object {object} is larger than {maximum} bytes")]
    TooLarge {
        /// Its number.
        object: u64,
        /// The bound.
        maximum: usize,
    },
    /// More messages begun and not ended than [`Limits::open_messages`].
    #[error("more than {maximum} objects have begun and not ended")]
    TooMany {
        /// The bound.
        maximum: usize,
    },
    /// All that has begun is larger than [`Limits::pending_size`].
    #[error("objects that have begun and not ended are larger than {maximum} bytes")]
    TooMuch {
        /// The bound.
        maximum: usize,
    },
}

/// Bounds on what is kept of a peer's messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message; 16 MiB.
    pub message_size: usize,
    /// Messages begun and not ended; 64.
    pub open_messages: usize,
    /// Bytes of all that has begun and not ended; 32 MiB.
    pub pending_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_size: 16 << 20, open_messages: 64, pending_size: 32 << 20 }
    }
}

impl Limits {
    /// Sets [`message_size`](Self::message_size), and [`pending_size`](Self::pending_size) to twice as much.
    pub fn with_message_size(mut self, bytes: usize) -> Self {
        self.message_size = bytes;
        self.pending_size = bytes.saturating_mul(2);
        self
    }

    /// Sets [`open_messages`](Self::open_messages).
    pub fn with_open_messages(mut self, messages: usize) -> Self {
        self.open_messages = messages;
        self
    }
}

/// A message on its way out: fragments of any size are cut from it.
#[derive(Clone, Debug)]
pub struct Fragments {
    object: u64,
    next: u64,
    rest: Bytes,
    has_ended: bool,
}

impl Fragments {
    /// Of a message, as the object of this number: from 1 on, counted for each direction (MS-PSRP 2.2.4).
    pub fn new(object: u64, message: impl Into<Bytes>) -> Self {
        Self { object, next: 0, rest: message.into(), has_ended: false }
    }

    /// Whether everything was cut.
    pub fn is_empty(&self) -> bool {
        self.has_ended
    }

    /// Bytes that the rest takes in one fragment.
    pub fn remaining(&self) -> usize {
        if self.has_ended { 0 } else { HEADER + self.rest.len() }
    }

    /// Appends the next fragment to `buffer` if at least one byte of the message fits into `room`; false if none does, or none is left.
    pub fn write(&mut self, buffer: &mut BytesMut, room: usize) -> bool {
        let fits = room.saturating_sub(HEADER).min(self.rest.len()).min(MAX_BLOB);
        if self.has_ended || room < HEADER || (fits == 0 && !self.rest.is_empty()) {
            return false;
        }
        let blob = self.rest.split_to(fits);
        self.has_ended = self.rest.is_empty();
        let flags = if self.next == 0 { START } else { 0 } | if self.has_ended { END } else { 0 };
        buffer.reserve(HEADER + blob.len());
        buffer.put_u64(self.object);
        buffer.put_u64(self.next);
        buffer.put_u8(flags);
        // Fits, as it was bounded by that above.
        buffer.put_u32(u32::try_from(blob.len()).unwrap_or(u32::MAX));
        buffer.put_slice(&blob);
        self.next += 1;
        true
    }
}

/// Puts messages together from what streams carry: several fragments at once, or part of one.
///
/// ```
/// use winrm_psrp::fragment::{Defragmenter, Fragments};
///
/// let mut wire = bytes::BytesMut::new();
/// let mut message = Fragments::new(1, &b"a message"[..]);
/// while message.write(&mut wire, 25) {}
///
/// let mut defragmenter = Defragmenter::default();
/// let mut messages = Vec::new();
/// for piece in wire.chunks(7) {
///     defragmenter.push(piece);
///     while let Some(message) = defragmenter.next()? {
///         messages.push(message);
///     }
/// }
/// assert_eq!(messages, [&b"a message"[..]]);
/// # Ok::<(), winrm_psrp::fragment::FragmentError>(())
/// ```
#[derive(Debug, Default)]
pub struct Defragmenter {
    limits: Limits,
    /// Not looked at yet.
    input: BytesMut,
    open: HashMap<u64, Open>,
    /// Bytes of those.
    pending: usize,
    failed: Option<FragmentError>,
}

#[derive(Debug)]
struct Open {
    next: u64,
    content: BytesMut,
}

impl Defragmenter {
    /// Under other bounds.
    pub fn with_limits(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.input.extend_from_slice(bytes);
        }
    }

    /// Whether nothing has begun that has not ended.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty() && self.open.is_empty()
    }

    /// The next whole message; `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// All of [`FragmentError`], and the same again ever after.
    #[expect(clippy::should_implement_trait, reason = "`None` is not the end")]
    pub fn next(&mut self) -> Result<Option<Bytes>, FragmentError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let next = self.advance();
        if let Err(error) = next {
            self.failed = Some(error);
            self.input.clear();
            self.open.clear();
        }
        next
    }

    fn advance(&mut self) -> Result<Option<Bytes>, FragmentError> {
        loop {
            let Some((header, _)) = self.input.split_first_chunk::<HEADER>() else { return Ok(None) };
            let mut header = header.as_slice();
            let (object, fragment) = (header.get_u64(), header.get_u64());
            let flags = header.get_u8();
            let size = usize::try_from(header.get_u32()).unwrap_or(usize::MAX);
            self.check(object, fragment, flags, size)?;
            if self.input.len() - HEADER < size {
                return Ok(None);
            }
            self.input.advance(HEADER);
            let blob = self.input.split_to(size);
            let content = match self.open.remove(&object) {
                Some(Open { mut content, .. }) => {
                    self.pending -= content.len();
                    content.extend_from_slice(&blob);
                    content
                }
                None => blob,
            };
            if flags & END != 0 {
                return Ok(Some(content.freeze()));
            }
            self.pending += content.len();
            self.open.insert(object, Open { next: fragment.wrapping_add(1), content });
        }
    }

    /// Judges a fragment by its header alone, so that nothing is waited for that will not be taken.
    fn check(&self, object: u64, fragment: u64, flags: u8, size: usize) -> Result<(), FragmentError> {
        if flags & !(START | END) != 0 {
            return Err(FragmentError::Flags { object, flags });
        }
        let open = self.open.get(&object);
        let expected = match (open, flags & START != 0) {
            // Recorded from Windows with 1 as well: the flag counts.
            (None, true) => fragment,
            (None, false) => return Err(FragmentError::UnknownObject { object, fragment }),
            (Some(_), true) => return Err(FragmentError::Restarted { object }),
            (Some(open), false) => open.next,
        };
        if fragment != expected {
            return Err(FragmentError::OutOfOrder { object, expected, found: fragment });
        }
        let Limits { message_size, open_messages, pending_size } = self.limits;
        if open.map_or(0, |open| open.content.len()).saturating_add(size) > message_size {
            return Err(FragmentError::TooLarge { object, maximum: message_size });
        }
        if self.pending.saturating_add(size) > pending_size {
            return Err(FragmentError::TooMuch { maximum: pending_size });
        }
        if open.is_none() && flags & END == 0 && self.open.len() >= open_messages {
            return Err(FragmentError::TooMany { maximum: open_messages });
        }
        Ok(())
    }
}
