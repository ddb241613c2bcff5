//! Receive: polls for output (MS-WSMV 3.1.4.14).

use std::fmt;

use bytes::Bytes;
use winrm_xml::{Reader, Start};

use crate::codec::{
    Xml, attribute, base64, boolean, bounds, bytes, invalid, limit, missing, names, optional_value, push,
    set, text, trim,
};
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `rsp:Receive` (MS-WSMV 2.2.4.26).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Receive {
    /// The attribute `CommandId`; a PowerShell shell is asked without.
    pub command_id: Option<String>,
    /// The streams wanted, usually `stdout` and `stderr`.
    pub desired_streams: Vec<String>,
}

/// `rsp:ReceiveResponse` (MS-WSMV 2.2.4.27).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReceiveResponse {
    /// Any number of blocks, in order; several may belong to one stream.
    pub streams: Vec<Stream>,
    /// Absent for a shell, and in some answers of old services.
    pub command_state: Option<CommandState>,
}

/// `rsp:Stream`: a block of bytes of one stream (MS-WSMV 2.2.4.40).
#[derive(Clone, Default, Eq, PartialEq)]
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

/// Without the bytes: output of a command has no place in logs.
impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("name", &self.name)
            .field("command_id", &self.command_id)
            .field("end", &self.end)
            .field("len", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// Without sign, in decimal.
impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Receive {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut receive = None;
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SHELL, "DesiredStream") {
                let command_id = attribute(&start, "CommandId");
                let desired_streams = names(r, "rsp:DesiredStream")?;
                set(&mut receive, Self { command_id, desired_streams }, r, "rsp:DesiredStream")?;
            } else {
                r.skip_element()?;
            }
        }
        receive.ok_or_else(|| missing(r, "rsp:DesiredStream"))
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        limit(self.desired_streams.len(), bounds::STREAM_NAMES, "rsp:DesiredStream")?;
        w.start("rsp", "Receive").open()?;
        let mut tag = w.start("rsp", "DesiredStream");
        if let Some(command_id) = &self.command_id {
            tag = tag.attribute("", "CommandId", command_id);
        }
        tag.text(&self.desired_streams.join(" "))?;
        Ok(w.end()?)
    }
}

impl ReceiveResponse {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SHELL, "Stream") => {
                    let stream = Stream::read(r, &start)?;
                    push(&mut response.streams, stream, bounds::STREAMS, r, "rsp:Stream")?;
                }
                (uri::NS_SHELL, "CommandState") => {
                    let state = CommandState::read(r, &start)?;
                    set(&mut response.command_state, state, r, "rsp:CommandState")?;
                }
                _ => r.skip_element()?,
            }
        }
        Ok(response)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("rsp", "ReceiveResponse").open()?;
        Stream::write_all(w, &self.streams)?;
        if let Some(state) = &self.command_state {
            state.write(w)?;
        }
        Ok(w.end()?)
    }
}

impl Stream {
    pub(crate) fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        Ok(Self {
            name: attribute(start, "Name").ok_or_else(|| missing(r, "rsp:Stream/@Name"))?,
            command_id: attribute(start, "CommandId"),
            end: boolean(start, r, "End", "rsp:Stream/@End")?,
            data: bytes(r, "rsp:Stream")?,
        })
    }

    pub(crate) fn write_all(w: &mut Xml<'_>, streams: &[Self]) -> Result<(), EncodeError> {
        limit(streams.len(), bounds::STREAMS, "rsp:Stream")?;
        for Self { name, command_id, end, data } in streams {
            let mut tag = w.start("rsp", "Stream").attribute("", "Name", name);
            if let Some(command_id) = command_id {
                tag = tag.attribute("", "CommandId", command_id);
            }
            if *end {
                tag = tag.attribute("", "End", "true");
            }
            tag.open()?;
            base64(w, data)?;
            w.end()?;
        }
        Ok(())
    }
}

impl CommandState {
    fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let state = start.attribute("", "State").ok_or_else(|| missing(r, "rsp:CommandState/@State"))?;
        let (state, command_id) = (State::from_uri(trim(state)), attribute(start, "CommandId"));
        let mut exit_code = None;
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SHELL, "ExitCode") {
                let code = ExitCode::parse(&text(r)?)
                    .ok_or_else(|| invalid(r, "rsp:ExitCode", "a number of 32 bits"))?;
                set(&mut exit_code, code, r, "rsp:ExitCode")?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(Self { command_id, state, exit_code })
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("rsp", "CommandState");
        if let Some(command_id) = &self.command_id {
            tag = tag.attribute("", "CommandId", command_id);
        }
        tag.attribute("", "State", self.state.uri()).open()?;
        optional_value(w, "rsp", "ExitCode", self.exit_code)?;
        Ok(w.end()?)
    }
}
