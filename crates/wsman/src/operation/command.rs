//! Command: starts a process in a shell (MS-WSMV 3.1.4.11).

/// `rsp:CommandLine`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommandLine {
    /// `rsp:Command`: the program, or a whole command line.
    pub command: String,
    /// `rsp:Arguments`, one element each; the service puts blanks between them and quotes nothing.
    pub arguments: Vec<String>,
    /// The attribute `CommandId`: a GUID in upper case that the client chose.
    pub command_id: Option<String>,
}

/// `rsp:CommandResponse`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CommandResponse {
    /// `rsp:CommandId`, for Receive, Send and Signal.
    pub command_id: String,
}
