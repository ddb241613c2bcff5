//! From types and data to typed messages, and back.

use winrm_clixml::{Limits, PsValue, decode_with_limits, encode};

use super::{
    ApplicationPrivateData, ConnectRunspacePool, CreatePipeline, GetAvailableRunspaces, GetCommandMetadata,
    HostCallMessage, HostResponseMessage, InitRunspacePool, KeyBlob, Message, MessageType,
    PipelineStateMessage, ResetRunspaceState, RunspaceAvailability, RunspacePoolInitData,
    RunspacePoolStateMessage, SessionCapability, SetMaxRunspaces, SetMinRunspaces, UserEvent,
};
use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use crate::{DecodeError, EncodeError};

impl Message {
    /// Reads the data of a message of this type.
    ///
    /// # Errors
    ///
    /// A type that does not exist, data that is no serialized object, properties that are missing or of another type.
    pub fn decode(message: MessageType, data: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        if message.name().is_none() {
            return Err(DecodeError::UnknownType(message));
        }
        if message == MessageType::END_OF_PIPELINE_INPUT {
            // It has no data, and what there might be says nothing.
            return Ok(Self::EndOfPipelineInput);
        }
        let is_object = matches!(message, MessageType::PIPELINE_INPUT | MessageType::PIPELINE_OUTPUT);
        if is_object && data.is_empty() {
            // As PowerShell writes `$null`.
            return Self::from_value(message, PsValue::Nil);
        }
        let value =
            decode_with_limits(data, limits).map_err(|source| DecodeError::Clixml { message, source })?;
        Self::from_value(message, value)
    }

    fn from_value(message: MessageType, value: PsValue) -> Result<Self, DecodeError> {
        Ok(match message {
            MessageType::SESSION_CAPABILITY => {
                Self::SessionCapability(SessionCapability::from_value(&value)?)
            }
            MessageType::INIT_RUNSPACEPOOL => {
                Self::InitRunspacePool(Box::new(InitRunspacePool::from_value(&value)?))
            }
            MessageType::PUBLIC_KEY => Self::PublicKey(KeyBlob::from_value(&value, "PublicKey")?),
            MessageType::ENCRYPTED_SESSION_KEY => {
                Self::EncryptedSessionKey(KeyBlob::from_value(&value, "EncryptedSessionKey")?)
            }
            MessageType::PUBLIC_KEY_REQUEST => Self::PublicKeyRequest,
            MessageType::CONNECT_RUNSPACEPOOL => {
                Self::ConnectRunspacePool(ConnectRunspacePool::from_value(&value)?)
            }
            MessageType::SET_MAX_RUNSPACES => Self::SetMaxRunspaces(SetMaxRunspaces::from_value(&value)?),
            MessageType::SET_MIN_RUNSPACES => Self::SetMinRunspaces(SetMinRunspaces::from_value(&value)?),
            MessageType::RUNSPACE_AVAILABILITY => {
                Self::RunspaceAvailability(RunspaceAvailability::from_value(&value)?)
            }
            MessageType::RUNSPACEPOOL_STATE => {
                Self::RunspacePoolState(RunspacePoolStateMessage::from_value(&value)?)
            }
            MessageType::CREATE_PIPELINE => {
                Self::CreatePipeline(Box::new(CreatePipeline::from_value(&value)?))
            }
            MessageType::GET_AVAILABLE_RUNSPACES => {
                Self::GetAvailableRunspaces(GetAvailableRunspaces::from_value(&value)?)
            }
            MessageType::USER_EVENT => Self::UserEvent(Box::new(UserEvent::from_value(&value)?)),
            MessageType::APPLICATION_PRIVATE_DATA => {
                Self::ApplicationPrivateData(ApplicationPrivateData::from_value(&value)?)
            }
            MessageType::GET_COMMAND_METADATA => {
                Self::GetCommandMetadata(GetCommandMetadata::from_value(&value)?)
            }
            MessageType::RUNSPACEPOOL_INIT_DATA => {
                Self::RunspacePoolInitData(RunspacePoolInitData::from_value(&value)?)
            }
            MessageType::RESET_RUNSPACE_STATE => {
                Self::ResetRunspaceState(ResetRunspaceState::from_value(&value)?)
            }
            MessageType::RUNSPACEPOOL_HOST_CALL => {
                Self::RunspacePoolHostCall(HostCallMessage::from_value(&value)?)
            }
            MessageType::RUNSPACEPOOL_HOST_RESPONSE => {
                Self::RunspacePoolHostResponse(HostResponseMessage::from_value(&value)?)
            }
            MessageType::PIPELINE_INPUT => Self::PipelineInput(value),
            MessageType::PIPELINE_OUTPUT => Self::PipelineOutput(value),
            MessageType::ERROR_RECORD => Self::ErrorRecord(ErrorRecord::from_value(value)?),
            MessageType::PIPELINE_STATE => Self::PipelineState(PipelineStateMessage::from_value(&value)?),
            MessageType::DEBUG_RECORD => Self::DebugRecord(InformationalRecord::from_value(value)?),
            MessageType::VERBOSE_RECORD => Self::VerboseRecord(InformationalRecord::from_value(value)?),
            MessageType::WARNING_RECORD => Self::WarningRecord(InformationalRecord::from_value(value)?),
            MessageType::PROGRESS_RECORD => Self::ProgressRecord(ProgressRecord::from_value(value)?),
            MessageType::INFORMATION_RECORD => Self::InformationRecord(InformationRecord::from_value(value)?),
            MessageType::PIPELINE_HOST_CALL => Self::PipelineHostCall(HostCallMessage::from_value(&value)?),
            MessageType::PIPELINE_HOST_RESPONSE => {
                Self::PipelineHostResponse(HostResponseMessage::from_value(&value)?)
            }
            other => return Err(DecodeError::UnknownType(other)),
        })
    }

    /// Writes the data of the message.
    ///
    /// # Errors
    ///
    /// A value that cannot be serialized.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let message = self.message_type();
        let write = |value: &PsValue| encode(value).map_err(|source| EncodeError::Clixml { message, source });
        match self {
            Self::EndOfPipelineInput => Ok(Vec::new()),
            Self::PipelineInput(value) | Self::PipelineOutput(value) => write(value),
            other => write(&other.to_value()),
        }
    }

    fn to_value(&self) -> PsValue {
        match self {
            Self::SessionCapability(message) => message.to_value(),
            Self::InitRunspacePool(message) => message.to_value(),
            Self::PublicKey(message) => message.to_value("PublicKey"),
            Self::EncryptedSessionKey(message) => message.to_value("EncryptedSessionKey"),
            Self::PublicKeyRequest | Self::EndOfPipelineInput => PsValue::from(""),
            Self::ConnectRunspacePool(message) => message.to_value(),
            Self::SetMaxRunspaces(message) => message.to_value(),
            Self::SetMinRunspaces(message) => message.to_value(),
            Self::RunspaceAvailability(message) => message.to_value(),
            Self::RunspacePoolState(message) => message.to_value(),
            Self::CreatePipeline(message) => message.to_value(),
            Self::GetAvailableRunspaces(message) => message.to_value(),
            Self::UserEvent(message) => message.to_value(),
            Self::ApplicationPrivateData(message) => message.to_value(),
            Self::GetCommandMetadata(message) => message.to_value(),
            Self::RunspacePoolInitData(message) => message.to_value(),
            Self::ResetRunspaceState(message) => message.to_value(),
            Self::RunspacePoolHostCall(message) | Self::PipelineHostCall(message) => message.to_value(),
            Self::RunspacePoolHostResponse(message) | Self::PipelineHostResponse(message) => {
                message.to_value()
            }
            Self::PipelineInput(value) | Self::PipelineOutput(value) => value.clone(),
            Self::ErrorRecord(record) => record.to_value(),
            Self::PipelineState(message) => message.to_value(),
            Self::DebugRecord(record) | Self::VerboseRecord(record) | Self::WarningRecord(record) => {
                record.to_value()
            }
            Self::ProgressRecord(record) => record.to_value(),
            Self::InformationRecord(record) => record.to_value(),
        }
    }

    /// What it is.
    pub fn message_type(&self) -> MessageType {
        match self {
            Self::SessionCapability(_) => MessageType::SESSION_CAPABILITY,
            Self::InitRunspacePool(_) => MessageType::INIT_RUNSPACEPOOL,
            Self::PublicKey(_) => MessageType::PUBLIC_KEY,
            Self::EncryptedSessionKey(_) => MessageType::ENCRYPTED_SESSION_KEY,
            Self::PublicKeyRequest => MessageType::PUBLIC_KEY_REQUEST,
            Self::ConnectRunspacePool(_) => MessageType::CONNECT_RUNSPACEPOOL,
            Self::SetMaxRunspaces(_) => MessageType::SET_MAX_RUNSPACES,
            Self::SetMinRunspaces(_) => MessageType::SET_MIN_RUNSPACES,
            Self::RunspaceAvailability(_) => MessageType::RUNSPACE_AVAILABILITY,
            Self::RunspacePoolState(_) => MessageType::RUNSPACEPOOL_STATE,
            Self::CreatePipeline(_) => MessageType::CREATE_PIPELINE,
            Self::GetAvailableRunspaces(_) => MessageType::GET_AVAILABLE_RUNSPACES,
            Self::UserEvent(_) => MessageType::USER_EVENT,
            Self::ApplicationPrivateData(_) => MessageType::APPLICATION_PRIVATE_DATA,
            Self::GetCommandMetadata(_) => MessageType::GET_COMMAND_METADATA,
            Self::RunspacePoolInitData(_) => MessageType::RUNSPACEPOOL_INIT_DATA,
            Self::ResetRunspaceState(_) => MessageType::RESET_RUNSPACE_STATE,
            Self::RunspacePoolHostCall(_) => MessageType::RUNSPACEPOOL_HOST_CALL,
            Self::RunspacePoolHostResponse(_) => MessageType::RUNSPACEPOOL_HOST_RESPONSE,
            Self::PipelineInput(_) => MessageType::PIPELINE_INPUT,
            Self::EndOfPipelineInput => MessageType::END_OF_PIPELINE_INPUT,
            Self::PipelineOutput(_) => MessageType::PIPELINE_OUTPUT,
            Self::ErrorRecord(_) => MessageType::ERROR_RECORD,
            Self::PipelineState(_) => MessageType::PIPELINE_STATE,
            Self::DebugRecord(_) => MessageType::DEBUG_RECORD,
            Self::VerboseRecord(_) => MessageType::VERBOSE_RECORD,
            Self::WarningRecord(_) => MessageType::WARNING_RECORD,
            Self::ProgressRecord(_) => MessageType::PROGRESS_RECORD,
            Self::InformationRecord(_) => MessageType::INFORMATION_RECORD,
            Self::PipelineHostCall(_) => MessageType::PIPELINE_HOST_CALL,
            Self::PipelineHostResponse(_) => MessageType::PIPELINE_HOST_RESPONSE,
        }
    }
}
