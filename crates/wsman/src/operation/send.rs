//! Send: carries input to a command (MS-WSMV 3.1.4.13). The answer is empty.

use crate::operation::receive::Stream;

/// `rsp:Send`. End-of-file is an empty last block with `end`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Send {
    /// The blocks, usually one.
    pub streams: Vec<Stream>,
}
