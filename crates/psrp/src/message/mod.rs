//! Messages (MS-PSRP 2.2.2), each read and written by the same type.

mod availability;
mod codec;
mod command;
mod create_pipeline;
mod event;
mod header;
mod host_call;
mod metadata;
mod runspace_pool;
mod session_capability;
mod session_key;
mod state;

use winrm_clixml::PsValue;

use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};

pub use availability::{
    Availability, GetAvailableRunspaces, ResetRunspaceState, RunspaceAvailability, SetMaxRunspaces,
    SetMinRunspaces,
};
pub use command::{Argument, Command, Merge, PowerShell};
pub use create_pipeline::CreatePipeline;
pub use event::UserEvent;
pub use header::{Destination, MessageType, RawMessage};
pub use host_call::{HostCallMessage, HostResponseMessage};
pub use metadata::GetCommandMetadata;
pub use runspace_pool::{
    ApplicationPrivateData, ConnectRunspacePool, InitRunspacePool, RunspacePoolInitData, primitive_dictionary,
};
pub use session_capability::SessionCapability;
pub use session_key::KeyBlob;
pub use state::{PipelineStateMessage, RunspacePoolStateMessage};

/// The data of a message, typed.
///
/// `Debug` shows what kind of values there are and how long they are, never texts that users wrote.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// 2.2.2.1, both ways.
    SessionCapability(SessionCapability),
    /// 2.2.2.2, to the server.
    InitRunspacePool(Box<InitRunspacePool>),
    /// 2.2.2.3, to the server.
    PublicKey(KeyBlob),
    /// 2.2.2.4, to the client.
    EncryptedSessionKey(KeyBlob),
    /// 2.2.2.5, to the client.
    PublicKeyRequest,
    /// 2.2.2.6, to the server.
    SetMaxRunspaces(SetMaxRunspaces),
    /// 2.2.2.7, to the server.
    SetMinRunspaces(SetMinRunspaces),
    /// 2.2.2.8, to the client.
    RunspaceAvailability(RunspaceAvailability),
    /// 2.2.2.9, to the client.
    RunspacePoolState(RunspacePoolStateMessage),
    /// 2.2.2.10, to the server.
    CreatePipeline(Box<CreatePipeline>),
    /// 2.2.2.11, to the server.
    GetAvailableRunspaces(GetAvailableRunspaces),
    /// 2.2.2.12, to the client.
    UserEvent(Box<UserEvent>),
    /// 2.2.2.13, to the client.
    ApplicationPrivateData(ApplicationPrivateData),
    /// 2.2.2.14, to the server.
    GetCommandMetadata(GetCommandMetadata),
    /// 2.2.2.15, to the client.
    RunspacePoolHostCall(HostCallMessage),
    /// 2.2.2.16, to the server.
    RunspacePoolHostResponse(HostResponseMessage),
    /// 2.2.2.17, to the server.
    PipelineInput(PsValue),
    /// 2.2.2.18, to the server.
    EndOfPipelineInput,
    /// 2.2.2.19, to the client.
    PipelineOutput(PsValue),
    /// 2.2.2.20, to the client.
    ErrorRecord(ErrorRecord),
    /// 2.2.2.21, to the client.
    PipelineState(PipelineStateMessage),
    /// 2.2.2.22, to the client.
    DebugRecord(InformationalRecord),
    /// 2.2.2.23, to the client.
    VerboseRecord(InformationalRecord),
    /// 2.2.2.24, to the client.
    WarningRecord(InformationalRecord),
    /// 2.2.2.25, to the client.
    ProgressRecord(ProgressRecord),
    /// 2.2.2.26, to the client.
    InformationRecord(InformationRecord),
    /// 2.2.2.27, to the client.
    PipelineHostCall(HostCallMessage),
    /// 2.2.2.28, to the server.
    PipelineHostResponse(HostResponseMessage),
    /// 2.2.2.29, to the server.
    ConnectRunspacePool(ConnectRunspacePool),
    /// 2.2.2.30, to the client.
    RunspacePoolInitData(RunspacePoolInitData),
    /// 2.2.2.31, to the server.
    ResetRunspaceState(ResetRunspaceState),
}
