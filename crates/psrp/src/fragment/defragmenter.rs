//! From fragments to messages.

use std::collections::{BTreeMap, VecDeque};

use super::{FragmentError, HEADER_LEN, Header};
use crate::Limits;

/// How many lost objects are remembered, so that their other fragments pass in silence.
const LOST: usize = 64;

/// Puts the messages of one stream together, from chunks cut anywhere.
///
/// Fragments of several objects may be mixed; those of one object must come in order (MS-PSRP 3.1.5.1.2). Bytes go
/// straight to their object, so that nothing but the objects themselves is kept.
///
/// ```
/// use winrm_psrp::fragment::{Defragmenter, Fragmenter};
///
/// let mut fragmenter = Fragmenter::default();
/// fragmenter.push((), b"a message".to_vec());
/// let mut defragmenter = Defragmenter::default();
/// let mut whole = None;
/// while let Some(((), payload)) = fragmenter.poll(25)? {
///     for chunk in payload.chunks(10) {
///         let mut chunk = chunk;
///         while let Some(object) = defragmenter.read(&mut chunk)? {
///             whole = Some(object);
///         }
///     }
/// }
/// assert_eq!(whole.as_deref(), Some(&b"a message"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Defragmenter {
    limits: Limits,
    /// As much of the next header as has come.
    header: Vec<u8>,
    blob: Option<Blob>,
    open: BTreeMap<u64, Open>,
    lost: VecDeque<u64>,
    /// The last object that was whole.
    last: Option<u64>,
}

/// What is left of the blob of a fragment.
#[derive(Clone, Copy, Debug)]
struct Blob {
    object_id: u64,
    rest: usize,
    end: bool,
    skip: bool,
}

struct Open {
    next: u64,
    bytes: Vec<u8>,
}

/// Without the bytes.
impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes before fragment {}", self.bytes.len(), self.next)
    }
}

impl Defragmenter {
    /// For one stream.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes from the front of `input` until a message is whole or nothing is left.
    ///
    /// # Errors
    ///
    /// All of [`FragmentError`] but [`Incomplete`](FragmentError::Incomplete). The object is lost, and reading may go on
    /// with what is left of `input`.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FragmentError> {
        loop {
            let blob = if let Some(blob) = self.blob {
                blob
            } else {
                let Some(header) = self.read_header(input) else { return Ok(None) };
                let begun = self.begin(&header);
                let blob = Blob {
                    object_id: header.object_id,
                    rest: usize::try_from(header.blob_length).unwrap_or(usize::MAX),
                    end: header.end,
                    skip: !matches!(begun, Ok(true)),
                };
                self.blob = Some(blob);
                begun?;
                blob
            };
            if let Some(object) = self.read_blob(blob, input) {
                return Ok(Some(object));
            }
            if self.blob.is_some() {
                return Ok(None);
            }
        }
    }

    /// Whether the stream may end here.
    ///
    /// # Errors
    ///
    /// [`FragmentError::Incomplete`].
    pub fn finish(&self) -> Result<(), FragmentError> {
        if self.is_idle() { Ok(()) } else { Err(FragmentError::Incomplete) }
    }

    /// Whether nothing has come in part.
    pub fn is_idle(&self) -> bool {
        self.header.is_empty() && self.blob.is_none() && self.open.is_empty()
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Option<Header> {
        let missing = HEADER_LEN.saturating_sub(self.header.len());
        let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        self.header.extend_from_slice(taken);
        *input = rest;
        let header = Header::decode(self.header.as_slice().try_into().ok()?);
        self.header.clear();
        Some(header)
    }

    /// Whether the blob is wanted; it is not when its object was lost before.
    fn begin(&mut self, header: &Header) -> Result<bool, FragmentError> {
        let Header { object_id, fragment_id, .. } = *header;
        if header.start {
            // Some senders count from 1: the bit decides.
            if self.open.contains_key(&object_id) || self.last == Some(object_id) {
                self.lose(object_id, header.end);
                return Err(FragmentError::Duplicate { object_id, fragment_id });
            }
            let maximum = self.limits.open_objects;
            if self.open.len() >= maximum {
                self.lose(object_id, header.end);
                return Err(FragmentError::TooManyObjects { object_id, maximum });
            }
            self.lost.retain(|lost| *lost != object_id);
            self.open.insert(object_id, Open { next: fragment_id.wrapping_add(1), bytes: Vec::new() });
        } else if let Some(open) = self.open.get_mut(&object_id) {
            let expected = open.next;
            if fragment_id != expected {
                self.lose(object_id, header.end);
                return Err(if fragment_id < expected {
                    FragmentError::Duplicate { object_id, fragment_id }
                } else {
                    FragmentError::OutOfOrder { object_id, expected, found: fragment_id }
                });
            }
            open.next = expected.wrapping_add(1);
        } else if self.lost.contains(&object_id) {
            if header.end {
                self.lost.retain(|lost| *lost != object_id);
            }
            return Ok(false);
        } else if self.last == Some(object_id) {
            return Err(FragmentError::Duplicate { object_id, fragment_id });
        } else {
            self.lose(object_id, header.end);
            return Err(FragmentError::UnknownObject { object_id, fragment_id });
        }
        let maximum = self.limits.object_size;
        let held = self.open.get(&object_id).map_or(0, |open| open.bytes.len());
        let blob = usize::try_from(header.blob_length).unwrap_or(usize::MAX);
        if blob > maximum.saturating_sub(held) {
            self.lose(object_id, header.end);
            return Err(FragmentError::ObjectTooLarge { object_id, maximum });
        }
        Ok(true)
    }

    fn lose(&mut self, object_id: u64, ended: bool) {
        self.open.remove(&object_id);
        self.lost.retain(|lost| *lost != object_id);
        if !ended {
            self.lost.push_back(object_id);
            if self.lost.len() > LOST {
                self.lost.pop_front();
            }
        }
    }

    /// Takes what has come of the blob; gives the object if it is whole with it.
    fn read_blob(&mut self, mut blob: Blob, input: &mut &[u8]) -> Option<Vec<u8>> {
        let (taken, rest) = input.split_at_checked(blob.rest).unwrap_or((input, &[]));
        *input = rest;
        blob.rest = blob.rest.saturating_sub(taken.len());
        if !blob.skip
            && let Some(open) = self.open.get_mut(&blob.object_id)
        {
            open.bytes.extend_from_slice(taken);
        }
        if blob.rest > 0 {
            self.blob = Some(blob);
            return None;
        }
        self.blob = None;
        if blob.skip || !blob.end {
            return None;
        }
        self.last = Some(blob.object_id);
        self.open.remove(&blob.object_id).map(|open| open.bytes)
    }
}
