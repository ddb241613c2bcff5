//! Signal: interrupts or ends a command (MS-WSMV 3.1.4.12). The answer is empty.

/// `rsp:Signal`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Signal {
    /// The attribute `CommandId`.
    pub command_id: Option<String>,
    /// `rsp:Code`, for instance [`SIGNAL_TERMINATE`](crate::uri::SIGNAL_TERMINATE).
    pub code: String,
}
