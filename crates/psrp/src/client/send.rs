//! What goes to the server, and by what.

use uuid::Uuid;

/// What carries a payload in WS-Man (MS-PSRP 3.1.5.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Carrier {
    /// `creationXml` of Create.
    Create,
    /// `connectXml` of Connect.
    Connect,
    /// The shell's stream `stdin`.
    Input,
    /// The shell's stream `pr`, for answers of the host.
    PromptResponse,
    /// `Arguments` of Command, with this CommandId: the first fragment of a pipeline.
    Command(Uuid),
    /// The stream `stdin` of this command.
    CommandInput(Uuid),
    /// The stream `pr` of this command.
    CommandPromptResponse(Uuid),
}

impl Carrier {
    /// The pipeline that it belongs to, if it is not the pool.
    pub fn pipeline(self) -> Option<Uuid> {
        match self {
            Self::Command(id) | Self::CommandInput(id) | Self::CommandPromptResponse(id) => Some(id),
            Self::Create | Self::Connect | Self::Input | Self::PromptResponse => None,
        }
    }

    /// What carries the rest of something that did not fit.
    pub(super) fn then(self) -> Self {
        match self {
            Self::Create | Self::Connect => Self::Input,
            Self::Command(id) => Self::CommandInput(id),
            other => other,
        }
    }
}

/// A payload for the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transmit {
    /// Where it goes.
    pub carrier: Carrier,
    /// Fragments.
    pub payload: Vec<u8>,
}
