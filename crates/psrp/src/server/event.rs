//! What a message of the client means.

use uuid::Uuid;
use winrm_clixml::PsValue;

use crate::key::PublicKey;
use crate::message::{
    ConnectRunspacePool, CreatePipeline, GetCommandMetadata, HostResponseMessage, InitRunspacePool,
    SessionCapability,
};

/// What a message of the client means.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The client told what it speaks; our answer waits to be sent.
    Negotiated(SessionCapability),
    /// The client opens the pool: [`accept`](super::RunspacePool::accept) or
    /// [`fail`](super::RunspacePool::fail).
    Opening(Box<InitRunspacePool>),
    /// The client connects to the pool: as above.
    Connecting(ConnectRunspacePool),
    /// The client wants another upper bound: [`answer`](super::RunspacePool::answer) with whether it is set.
    SetMaxRunspaces {
        /// The bound.
        max_runspaces: i32,
        /// Names the answer.
        call_id: i64,
    },
    /// The client wants another lower bound: as above.
    SetMinRunspaces {
        /// The bound.
        min_runspaces: i32,
        /// Names the answer.
        call_id: i64,
    },
    /// The client asks how many runspaces are free: answer with their number.
    GetAvailableRunspaces {
        /// Names the answer.
        call_id: i64,
    },
    /// The client wants the runspace reset: answer with whether it is.
    ResetRunspaceState {
        /// Names the answer.
        call_id: i64,
    },
    /// The client's key: [`send_session_key`](super::RunspacePool::send_session_key).
    PublicKey(PublicKey),
    /// The answer to a call of the pool's host.
    HostResponse(HostResponseMessage),
    /// For a pipeline.
    Pipeline {
        /// Which one.
        id: Uuid,
        /// What.
        event: PipelineEvent,
    },
}

/// What a message of the client means for a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PipelineEvent {
    /// A new one, to be run.
    Create(Box<CreatePipeline>),
    /// A new one, to tell which commands there are.
    GetCommandMetadata(GetCommandMetadata),
    /// An object in the input.
    Input(PsValue),
    /// No more input.
    EndOfInput,
    /// The answer to a call of the pipeline's host.
    HostResponse(HostResponseMessage),
}
