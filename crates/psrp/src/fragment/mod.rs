//! Fragments: how messages travel (MS-PSRP 2.2.4).
//!
//! A message is cut into fragments that fit into what carries them, and each fragment says of which object it is a
//! part and which part. All integers are big-endian.

mod defragmenter;
mod fragmenter;

pub use defragmenter::Defragmenter;
pub use fragmenter::Fragmenter;

/// Bytes before the blob of a fragment: ObjectId 8, FragmentId 8, flags 1, BlobLength 4.
pub const HEADER_LEN: usize = 21;

/// Bit S: the first fragment of an object.
const START: u8 = 1;
/// Bit E: the last one.
const END: u8 = 2;

/// The head of a fragment (MS-PSRP 2.2.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Names the message among those of the sender.
    pub object_id: u64,
    /// Counts the fragments of a message, from 0.
    pub fragment_id: u64,
    /// The message begins here.
    pub start: bool,
    /// The message ends here.
    pub end: bool,
    /// Bytes of the message that follow.
    pub blob_length: u32,
}

impl Header {
    /// Reads a header. The reserved bits are ignored.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Self {
        let [o0, o1, o2, o3, o4, o5, o6, o7, f0, f1, f2, f3, f4, f5, f6, f7, flags, l0, l1, l2, l3] = *bytes;
        Self {
            object_id: u64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]),
            fragment_id: u64::from_be_bytes([f0, f1, f2, f3, f4, f5, f6, f7]),
            start: flags & START != 0,
            end: flags & END != 0,
            blob_length: u32::from_be_bytes([l0, l1, l2, l3]),
        }
    }

    /// Writes the header behind what is in `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.object_id.to_be_bytes());
        out.extend_from_slice(&self.fragment_id.to_be_bytes());
        let start = if self.start { START } else { 0 };
        let end = if self.end { END } else { 0 };
        out.push(start | end);
        out.extend_from_slice(&self.blob_length.to_be_bytes());
    }
}

/// Why fragments do not make a message. The message is lost; what comes behind it can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// A fragment that came before.
    #[error("fragment {fragment_id} of object {object_id} came twice")]
    Duplicate {
        /// Of which object.
        object_id: u64,
        /// Which one.
        fragment_id: u64,
    },
    /// Fragments in between did not come.
    #[error("fragment {found} of object {object_id} came instead of {expected}")]
    OutOfOrder {
        /// Of which object.
        object_id: u64,
        /// Which one should have come.
        expected: u64,
        /// Which one came.
        found: u64,
    },
    /// A later fragment of something that never began.
    #[error("fragment {fragment_id} is of object {object_id}, which has not begun")]
    UnknownObject {
        /// Of which object.
        object_id: u64,
        /// Which one.
        fragment_id: u64,
    },
    /// More bytes than [`Limits::object_size`](crate::Limits::object_size).
    #[error("object {object_id} is larger than {maximum} bytes")]
    ObjectTooLarge {
        /// Which object.
        object_id: u64,
        /// The bound.
        maximum: usize,
    },
    /// More at once than [`Limits::open_objects`](crate::Limits::open_objects).
    #[error("object {object_id} begins while {maximum} others have not ended")]
    TooManyObjects {
        /// Which object.
        object_id: u64,
        /// The bound.
        maximum: usize,
    },
    /// The stream ended in a fragment, or between the fragments of an object.
    #[error("stream ends in the middle of an object")]
    Incomplete,
}
