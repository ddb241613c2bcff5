//! Command: starts a process in a shell (MS-WSMV 3.1.4.11).

use std::fmt;

use winrm_xml::{Reader, Start};

use crate::codec::{Xml, attribute, bounds, leaf, limit, missing, push, set, text};
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `rsp:CommandLine`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct CommandLine {
    /// `rsp:Command`: the program, or a whole command line.
    pub command: String,
    /// `rsp:Arguments`, one element each; the service puts blanks between them and quotes nothing.
    pub arguments: Vec<String>,
    /// The attribute `CommandId`: a GUID in upper case that the client chose.
    pub command_id: Option<String>,
}

/// `rsp:CommandResponse` (MS-WSMV 2.2.4.8).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommandResponse {
    /// `rsp:CommandId`, for Receive, Send and Signal.
    pub command_id: String,
}

/// Without command and arguments, which may hold passwords.
impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandLine")
            .field("arguments", &self.arguments.len())
            .field("command_id", &self.command_id)
            .finish_non_exhaustive()
    }
}

impl CommandLine {
    pub(crate) fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let (mut command, mut arguments) = (None, Vec::new());
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                // White space may be part of both.
                (uri::NS_SHELL, "Command") => set(&mut command, r.read_text()?, r, "rsp:Command")?,
                (uri::NS_SHELL, "Arguments") => {
                    let argument = r.read_text()?;
                    push(&mut arguments, argument, bounds::ARGUMENTS, r, "rsp:Arguments")?;
                }
                _ => r.skip_element()?,
            }
        }
        let command = command.ok_or_else(|| missing(r, "rsp:Command"))?;
        Ok(Self { command, arguments, command_id: attribute(start, "CommandId") })
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        limit(self.arguments.len(), bounds::ARGUMENTS, "rsp:Arguments")?;
        let mut tag = w.start("rsp", "CommandLine");
        if let Some(command_id) = &self.command_id {
            tag = tag.attribute("", "CommandId", command_id);
        }
        tag.open()?;
        leaf(w, "rsp", "Command", &self.command)?;
        for argument in &self.arguments {
            leaf(w, "rsp", "Arguments", argument)?;
        }
        Ok(w.end()?)
    }
}

impl CommandResponse {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut command_id = None;
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SHELL, "CommandId") {
                set(&mut command_id, text(r)?, r, "rsp:CommandId")?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(Self { command_id: command_id.ok_or_else(|| missing(r, "rsp:CommandId"))? })
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("rsp", "CommandResponse").open()?;
        leaf(w, "rsp", "CommandId", &self.command_id)?;
        Ok(w.end()?)
    }
}
