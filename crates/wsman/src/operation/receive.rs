//! Receive: polls for output (MS-WSMV 3.1.4.14).

use std::fmt;

use bytes::Bytes;

use crate::uri;

/// `rsp:Receive`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Receive {
    /// The attribute `CommandId`; a PowerShell shell is asked without.
    pub command_id: Option<String>,
    /// The streams wanted, usually `stdout` and `stderr`.
    pub desired_streams: Vec<String>,
}

/// `rsp:ReceiveResponse`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReceiveResponse {
    /// Any number of blocks, in order; several may belong to one stream.
    pub streams: Vec<Stream>,
    /// Absent for a shell, and in some answers of old services.
    pub command_state: Option<CommandState>,
}

/// `rsp:Stream`: a block of bytes of one stream (MS-WSMV 2.2.4.40).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stream {
    /// `stdin`, `stdout`, `stderr`, `pr`.
    pub name: String,
    /// The command it belongs to.
    pub command_id: Option<String>,
    /// The last block of this stream.
    pub end: bool,
    /// The bytes, base64 undone.
    pub data: Bytes,
}

/// `rsp:CommandState` (MS-WSMV 2.2.4.9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommandState {
    /// The command.
    pub command_id: Option<String>,
    /// What it is doing.
    pub state: State,
    /// Only sent with [`State::Done`].
    pub exit_code: Option<ExitCode>,
}

/// What a command is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// Running.
    Running,
    /// Waiting for the client, as a PowerShell host call does.
    Pending,
    /// Ended.
    Done,
    /// A state that we do not know, as sent.
    Other(String),
}

impl State {
    /// The state with that URI.
    pub fn from_uri(uri: &str) -> Self {
        match uri {
            uri::COMMAND_STATE_RUNNING => Self::Running,
            uri::COMMAND_STATE_PENDING => Self::Pending,
            uri::COMMAND_STATE_DONE => Self::Done,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its URI.
    pub fn uri(&self) -> &str {
        match self {
            Self::Running => uri::COMMAND_STATE_RUNNING,
            Self::Pending => uri::COMMAND_STATE_PENDING,
            Self::Done => uri::COMMAND_STATE_DONE,
            Self::Other(uri) => uri,
        }
    }

    /// The part behind the last slash: `Done`.
    pub fn name(&self) -> &str {
        let uri = self.uri();
        uri.rsplit_once('/').map_or(uri, |(_, name)| name)
    }
}

/// The 32 bits that a process left behind.
///
/// Windows writes them with or without sign (`-1073741510` and `3221225786` are the same); both are read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct ExitCode(pub u32);

impl ExitCode {
    /// As a signed number, as `%ERRORLEVEL%` shows it.
    pub const fn as_i32(self) -> i32 {
        self.0.cast_signed()
    }

    /// Whether the number is zero.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Reads either form.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned)).map(Self)
    }
}

impl From<i32> for ExitCode {
    fn from(code: i32) -> Self {
        Self(code.cast_unsigned())
    }
}

/// Without sign, in decimal.
impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
