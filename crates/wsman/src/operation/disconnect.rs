//! Disconnect: detaches from a shell that goes on (MS-WSMV 3.1.4.15). The answer is empty.

use crate::duration::XsDuration;

/// `rsp:Disconnect`. Empty is safest: Windows refuses an idle time-out below 60 seconds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disconnect {
    /// `rsp:IdleTimeOut`.
    pub idle_timeout: Option<XsDuration>,
    /// `rsp:BufferMode`: `Block` or `Drop`.
    pub buffer_mode: Option<String>,
}
