//! What messages say, by their types.

use std::fmt;

use winrm_clixml::{PsObject, PsString, PsValue};

use super::{
    ConnectRunspacePool, GetCommandMetadata, InitRunspacePool, MessageError, RunspacePoolInitData,
    SessionCapability, UserEvent,
};
use crate::fields::{Fields, object};
use crate::host::{HostCall, HostResponse};
use crate::message::pool::{self, Availability};
use crate::pipeline::Pipeline;
use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use crate::{PipelineState, PoolState};

macro_rules! types {
    ($($(#[$docs:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// The type of a message (MS-PSRP 2.2.1).
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum MessageType {
            $($(#[$docs])* $variant),*
        }

        impl MessageType {
            /// By its number.
            pub fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its number.
            pub fn code(self) -> u32 {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            /// Its name in MS-PSRP.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }

            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
        }
    };
}

types! {
    /// 2.2.2.1.
    SessionCapability = 0x0001_0002, "SESSION_CAPABILITY";
    /// 2.2.2.2.
    InitRunspacePool = 0x0001_0004, "INIT_RUNSPACEPOOL";
    /// 2.2.2.3.
    PublicKey = 0x0001_0005, "PUBLIC_KEY";
    /// 2.2.2.4.
    EncryptedSessionKey = 0x0001_0006, "ENCRYPTED_SESSION_KEY";
    /// 2.2.2.5.
    PublicKeyRequest = 0x0001_0007, "PUBLIC_KEY_REQUEST";
    /// 2.2.2.29.
    ConnectRunspacePool = 0x0001_0008, "CONNECT_RUNSPACEPOOL";
    /// 2.2.2.6.
    SetMaxRunspaces = 0x0002_1002, "SET_MAX_RUNSPACES";
    /// 2.2.2.7.
    SetMinRunspaces = 0x0002_1003, "SET_MIN_RUNSPACES";
    /// 2.2.2.8.
    RunspaceAvailability = 0x0002_1004, "RUNSPACE_AVAILABILITY";
    /// 2.2.2.9.
    RunspacePoolState = 0x0002_1005, "RUNSPACEPOOL_STATE";
    /// 2.2.2.10.
    CreatePipeline = 0x0002_1006, "CREATE_PIPELINE";
    /// 2.2.2.11.
    GetAvailableRunspaces = 0x0002_1007, "GET_AVAILABLE_RUNSPACES";
    /// 2.2.2.12.
    UserEvent = 0x0002_1008, "USER_EVENT";
    /// 2.2.2.13.
    ApplicationPrivateData = 0x0002_1009, "APPLICATION_PRIVATE_DATA";
    /// 2.2.2.14.
    GetCommandMetadata = 0x0002_100a, "GET_COMMAND_METADATA";
    /// 2.2.2.30.
    RunspacePoolInitData = 0x0002_100b, "RUNSPACEPOOL_INIT_DATA";
    /// 2.2.2.31.
    ResetRunspaceState = 0x0002_100c, "RESET_RUNSPACE_STATE";
    /// 2.2.2.15.
    RunspacePoolHostCall = 0x0002_1100, "RUNSPACEPOOL_HOST_CALL";
    /// 2.2.2.16.
    RunspacePoolHostResponse = 0x0002_1101, "RUNSPACEPOOL_HOST_RESPONSE";
    /// 2.2.2.17.
    PipelineInput = 0x0004_1002, "PIPELINE_INPUT";
    /// 2.2.2.18.
    EndOfPipelineInput = 0x0004_1003, "END_OF_PIPELINE_INPUT";
    /// 2.2.2.19.
    PipelineOutput = 0x0004_1004, "PIPELINE_OUTPUT";
    /// 2.2.2.20.
    ErrorRecord = 0x0004_1005, "ERROR_RECORD";
    /// 2.2.2.21.
    PipelineState = 0x0004_1006, "PIPELINE_STATE";
    /// 2.2.2.22.
    DebugRecord = 0x0004_1007, "DEBUG_RECORD";
    /// 2.2.2.23.
    VerboseRecord = 0x0004_1008, "VERBOSE_RECORD";
    /// 2.2.2.24.
    WarningRecord = 0x0004_1009, "WARNING_RECORD";
    /// 2.2.2.25.
    ProgressRecord = 0x0004_1010, "PROGRESS_RECORD";
    /// 2.2.2.26.
    InformationRecord = 0x0004_1011, "INFORMATION_RECORD";
    /// 2.2.2.27.
    PipelineHostCall = 0x0004_1100, "PIPELINE_HOST_CALL";
    /// 2.2.2.28.
    PipelineHostResponse = 0x0004_1101, "PIPELINE_HOST_RESPONSE";
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// The versions of a side.
    SessionCapability(SessionCapability),
    /// Opens a pool.
    InitRunspacePool(Box<InitRunspacePool>),
    /// The client's public key, as a PUBLICKEYBLOB.
    PublicKey(Vec<u8>),
    /// The session key, as a SIMPLEBLOB.
    EncryptedSessionKey(Vec<u8>),
    /// Asks for the client's public key.
    PublicKeyRequest,
    /// Connects to a pool of another client.
    ConnectRunspacePool(ConnectRunspacePool),
    /// Sets the most runspaces.
    SetMaxRunspaces {
        /// Of the pool.
        runspaces: i32,
        /// Number of the call.
        call: i64,
    },
    /// Sets the least runspaces.
    SetMinRunspaces {
        /// Of the pool.
        runspaces: i32,
        /// Number of the call.
        call: i64,
    },
    /// Answers one of the calls about runspaces.
    RunspaceAvailability {
        /// Number of the call.
        call: i64,
        /// The answer.
        availability: Availability,
    },
    /// The pool's state, and what broke it.
    RunspacePoolState {
        /// The state.
        state: PoolState,
        /// The error that is its reason.
        error: Option<ErrorRecord>,
    },
    /// Makes a pipeline and starts it.
    CreatePipeline(Box<Pipeline>),
    /// Asks how many runspaces are free.
    GetAvailableRunspaces {
        /// Number of the call.
        call: i64,
    },
    /// An event of the server's that the client has subscribed to.
    UserEvent(Box<UserEvent>),
    /// What the server wants the client to know: a dictionary.
    ApplicationPrivateData(PsValue),
    /// Asks what commands there are.
    GetCommandMetadata(GetCommandMetadata),
    /// Bounds of a pool that was connected to.
    RunspacePoolInitData(RunspacePoolInitData),
    /// Resets variables and more of a pool's runspace.
    ResetRunspaceState {
        /// Number of the call.
        call: i64,
    },
    /// The server calls a method of the pool's host.
    RunspacePoolHostCall(HostCall),
    /// What came of it.
    RunspacePoolHostResponse(HostResponse),
    /// An object for a pipeline's input.
    PipelineInput(PsValue),
    /// The input's end.
    EndOfPipelineInput,
    /// An object of a pipeline's output.
    PipelineOutput(PsValue),
    /// An error that did not end the pipeline.
    ErrorRecord(ErrorRecord),
    /// The pipeline's state, and what made it fail.
    PipelineState {
        /// The state.
        state: PipelineState,
        /// The error that is its reason.
        error: Option<ErrorRecord>,
    },
    /// Of the debug stream.
    DebugRecord(InformationalRecord),
    /// Of the verbose stream.
    VerboseRecord(InformationalRecord),
    /// Of the warning stream.
    WarningRecord(InformationalRecord),
    /// Of the progress stream.
    ProgressRecord(ProgressRecord),
    /// Of the information stream.
    InformationRecord(InformationRecord),
    /// The server calls a method of the pipeline's host.
    PipelineHostCall(HostCall),
    /// What came of it.
    PipelineHostResponse(HostResponse),
}

impl Body {
    /// The type of its message.
    pub fn kind(&self) -> MessageType {
        match self {
            Self::SessionCapability(_) => MessageType::SessionCapability,
            Self::InitRunspacePool(_) => MessageType::InitRunspacePool,
            Self::PublicKey(_) => MessageType::PublicKey,
            Self::EncryptedSessionKey(_) => MessageType::EncryptedSessionKey,
            Self::PublicKeyRequest => MessageType::PublicKeyRequest,
            Self::ConnectRunspacePool(_) => MessageType::ConnectRunspacePool,
            Self::SetMaxRunspaces { .. } => MessageType::SetMaxRunspaces,
            Self::SetMinRunspaces { .. } => MessageType::SetMinRunspaces,
            Self::RunspaceAvailability { .. } => MessageType::RunspaceAvailability,
            Self::RunspacePoolState { .. } => MessageType::RunspacePoolState,
            Self::CreatePipeline(_) => MessageType::CreatePipeline,
            Self::GetAvailableRunspaces { .. } => MessageType::GetAvailableRunspaces,
            Self::UserEvent(_) => MessageType::UserEvent,
            Self::ApplicationPrivateData(_) => MessageType::ApplicationPrivateData,
            Self::GetCommandMetadata(_) => MessageType::GetCommandMetadata,
            Self::RunspacePoolInitData(_) => MessageType::RunspacePoolInitData,
            Self::ResetRunspaceState { .. } => MessageType::ResetRunspaceState,
            Self::RunspacePoolHostCall(_) => MessageType::RunspacePoolHostCall,
            Self::RunspacePoolHostResponse(_) => MessageType::RunspacePoolHostResponse,
            Self::PipelineInput(_) => MessageType::PipelineInput,
            Self::EndOfPipelineInput => MessageType::EndOfPipelineInput,
            Self::PipelineOutput(_) => MessageType::PipelineOutput,
            Self::ErrorRecord(_) => MessageType::ErrorRecord,
            Self::PipelineState { .. } => MessageType::PipelineState,
            Self::DebugRecord(_) => MessageType::DebugRecord,
            Self::VerboseRecord(_) => MessageType::VerboseRecord,
            Self::WarningRecord(_) => MessageType::WarningRecord,
            Self::ProgressRecord(_) => MessageType::ProgressRecord,
            Self::InformationRecord(_) => MessageType::InformationRecord,
            Self::PipelineHostCall(_) => MessageType::PipelineHostCall,
            Self::PipelineHostResponse(_) => MessageType::PipelineHostResponse,
        }
    }

    /// Reads the data of a message of this type.
    pub(super) fn from_value(kind: MessageType, value: Option<PsValue>) -> Result<Self, MessageError> {
        let message = kind.name();
        match kind {
            MessageType::EndOfPipelineInput => return Ok(Self::EndOfPipelineInput),
            MessageType::PublicKeyRequest => return Ok(Self::PublicKeyRequest),
            _ => {}
        }
        let value = value.ok_or(MessageError::NotAnObject { message })?;
        match kind {
            MessageType::PipelineInput => return Ok(Self::PipelineInput(value)),
            MessageType::PipelineOutput => return Ok(Self::PipelineOutput(value)),
            MessageType::ConnectRunspacePool => {
                return ConnectRunspacePool::read(&value).map(Self::ConnectRunspacePool);
            }
            _ => {}
        }
        let fields = Fields::of(&value, message)?;
        Ok(match kind {
            MessageType::SessionCapability => Self::SessionCapability(SessionCapability::read(fields)?),
            MessageType::InitRunspacePool => {
                Self::InitRunspacePool(Box::new(InitRunspacePool::read(fields)?))
            }
            MessageType::PublicKey => Self::PublicKey(pool::read_key(fields, "PublicKey")?),
            MessageType::EncryptedSessionKey => {
                Self::EncryptedSessionKey(pool::read_key(fields, "EncryptedSessionKey")?)
            }
            MessageType::SetMaxRunspaces => {
                Self::SetMaxRunspaces { runspaces: fields.i32("MaxRunspaces")?, call: fields.i64("CI")? }
            }
            MessageType::SetMinRunspaces => {
                Self::SetMinRunspaces { runspaces: fields.i32("MinRunspaces")?, call: fields.i64("CI")? }
            }
            MessageType::RunspaceAvailability => Self::RunspaceAvailability {
                call: fields.i64("ci")?,
                availability: Availability::read(fields)?,
            },
            MessageType::RunspacePoolState => Self::RunspacePoolState {
                state: PoolState::from_code(fields.i32("RunspaceState")?)
                    .ok_or_else(|| fields.invalid("RunspaceState", "a state of a runspace pool"))?,
                error: ErrorRecord::read_optional(fields, "ExceptionAsErrorRecord")?,
            },
            MessageType::CreatePipeline => Self::CreatePipeline(Box::new(Pipeline::read(fields)?)),
            MessageType::GetAvailableRunspaces => Self::GetAvailableRunspaces { call: fields.i64("ci")? },
            MessageType::UserEvent => Self::UserEvent(Box::new(UserEvent::read(fields)?)),
            MessageType::ApplicationPrivateData => {
                Self::ApplicationPrivateData(fields.value("ApplicationPrivateData")?.clone())
            }
            MessageType::GetCommandMetadata => Self::GetCommandMetadata(GetCommandMetadata::read(fields)?),
            MessageType::RunspacePoolInitData => {
                Self::RunspacePoolInitData(RunspacePoolInitData::read(fields)?)
            }
            MessageType::ResetRunspaceState => Self::ResetRunspaceState { call: fields.i64("ci")? },
            MessageType::RunspacePoolHostCall => Self::RunspacePoolHostCall(HostCall::read(fields)?),
            MessageType::RunspacePoolHostResponse => {
                Self::RunspacePoolHostResponse(HostResponse::read(fields)?)
            }
            MessageType::ErrorRecord => Self::ErrorRecord(ErrorRecord::read(&value, message)?),
            MessageType::PipelineState => Self::PipelineState {
                state: PipelineState::from_code(fields.i32("PipelineState")?)
                    .ok_or_else(|| fields.invalid("PipelineState", "a state of a pipeline"))?,
                error: ErrorRecord::read_optional(fields, "ExceptionAsErrorRecord")?,
            },
            MessageType::DebugRecord => Self::DebugRecord(InformationalRecord::read(&value, message)?),
            MessageType::VerboseRecord => Self::VerboseRecord(InformationalRecord::read(&value, message)?),
            MessageType::WarningRecord => Self::WarningRecord(InformationalRecord::read(&value, message)?),
            MessageType::ProgressRecord => Self::ProgressRecord(ProgressRecord::read(&value, message)?),
            MessageType::InformationRecord => {
                Self::InformationRecord(InformationRecord::read(&value, message)?)
            }
            MessageType::PipelineHostCall => Self::PipelineHostCall(HostCall::read(fields)?),
            MessageType::PipelineHostResponse => Self::PipelineHostResponse(HostResponse::read(fields)?),
            MessageType::ConnectRunspacePool
            | MessageType::PublicKeyRequest
            | MessageType::PipelineInput
            | MessageType::EndOfPipelineInput
            | MessageType::PipelineOutput => unreachable_kind(message)?,
        })
    }

    /// The data, if there is any.
    pub(super) fn to_value(&self) -> Option<PsValue> {
        let call = |call: &i64| PsObject::new().with_extended("ci", *call);
        Some(object(match self {
            Self::EndOfPipelineInput => return None,
            Self::PublicKeyRequest => return Some(PsString::default().into()),
            Self::PipelineInput(value) | Self::PipelineOutput(value) => return Some(value.clone()),
            Self::ConnectRunspacePool(connect) => return Some(connect.to_value()),
            Self::ErrorRecord(record) => return Some(record.to_value()),
            Self::DebugRecord(record) | Self::VerboseRecord(record) | Self::WarningRecord(record) => {
                return Some(record.to_value());
            }
            Self::ProgressRecord(record) => return Some(record.to_value()),
            Self::InformationRecord(record) => return Some(record.to_value()),
            Self::SessionCapability(capability) => capability.to_object(),
            Self::InitRunspacePool(init) => init.to_object(),
            Self::PublicKey(blob) => pool::key_object("PublicKey", blob),
            Self::EncryptedSessionKey(blob) => pool::key_object("EncryptedSessionKey", blob),
            Self::SetMaxRunspaces { runspaces, call } => {
                PsObject::new().with_extended("MaxRunspaces", *runspaces).with_extended("CI", *call)
            }
            Self::SetMinRunspaces { runspaces, call } => {
                PsObject::new().with_extended("MinRunspaces", *runspaces).with_extended("CI", *call)
            }
            Self::RunspaceAvailability { call, availability } => availability.to_object(*call),
            Self::RunspacePoolState { state, error } => {
                state_object("RunspaceState", state.code(), error.as_ref())
            }
            Self::PipelineState { state, error } => {
                state_object("PipelineState", state.code(), error.as_ref())
            }
            Self::CreatePipeline(create) => create.to_object(),
            Self::GetAvailableRunspaces { call: number } | Self::ResetRunspaceState { call: number } => {
                call(number)
            }
            Self::UserEvent(event) => event.to_object(),
            Self::ApplicationPrivateData(data) => {
                PsObject::new().with_extended("ApplicationPrivateData", data.clone())
            }
            Self::GetCommandMetadata(metadata) => metadata.to_object(),
            Self::RunspacePoolInitData(data) => data.to_object(),
            Self::RunspacePoolHostCall(call) | Self::PipelineHostCall(call) => call.to_object(),
            Self::RunspacePoolHostResponse(response) | Self::PipelineHostResponse(response) => {
                response.to_object()
            }
        }))
    }
}

/// A kind that was dealt with before its properties were looked at.
fn unreachable_kind(message: &'static str) -> Result<Body, MessageError> {
    Err(MessageError::NotAnObject { message })
}

fn state_object(name: &str, code: i32, error: Option<&ErrorRecord>) -> PsObject {
    let state = PsObject::new().with_extended(name, code);
    match error {
        Some(error) => state.with_extended("ExceptionAsErrorRecord", error.to_value()),
        None => state,
    }
}
