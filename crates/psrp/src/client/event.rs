//! What a message of the server means.

use uuid::Uuid;
use winrm_clixml::PsValue;

use crate::RunspacePoolState;
use crate::message::{
    ApplicationPrivateData, Availability, HostCallMessage, PipelineStateMessage, RunspacePoolInitData,
    SessionCapability, UserEvent,
};
use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};

/// What a message of the server means.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server told what it speaks. Protocol version 2.2 and later go with large envelopes.
    Negotiated(SessionCapability),
    /// What the server's application says about itself.
    PrivateData(ApplicationPrivateData),
    /// How large the pool is that was connected to.
    InitData(RunspacePoolInitData),
    /// Pipelines can run.
    Opened,
    /// The pool is gone, for the reason given.
    Ended {
        /// Closed or Broken.
        state: RunspacePoolState,
        /// Why.
        error: Option<ErrorRecord>,
    },
    /// The answer to `set_max_runspaces`, `set_min_runspaces`, `get_available_runspaces` or `reset_runspace_state`.
    Availability {
        /// What the question returned.
        call_id: i64,
        /// What the answer says.
        response: Availability,
    },
    /// The server wants to send or to receive secrets: call
    /// [`exchange_key`](super::RunspacePool::exchange_key), unless that was done before.
    KeyRequested,
    /// Secrets can be sent and read: see [`session_key`](super::RunspacePool::session_key).
    KeyExchanged,
    /// A script calls the host of the pool.
    HostCall(HostCallMessage),
    /// A script raised an event.
    UserEvent(Box<UserEvent>),
    /// For a pipeline.
    Pipeline {
        /// Which one.
        id: Uuid,
        /// What.
        event: PipelineEvent,
    },
}

/// What a message of the server means for a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PipelineEvent {
    /// An object in the output.
    Output(PsValue),
    /// An error that the pipeline outlives.
    Error(ErrorRecord),
    /// A debug record.
    Debug(InformationalRecord),
    /// A verbose record.
    Verbose(InformationalRecord),
    /// A warning.
    Warning(InformationalRecord),
    /// How far it has come.
    Progress(ProgressRecord),
    /// What `Write-Information` and `Write-Host` wrote.
    Information(InformationRecord),
    /// A script calls the host of the pipeline.
    HostCall(HostCallMessage),
    /// Its state; nothing comes behind a final one.
    State(PipelineStateMessage),
}
