//! Why a message cannot be read or written, and why a session cannot do what is asked.

use uuid::Uuid;

use crate::fragment::FragmentError;
use crate::key::KeyError;
use crate::{Destination, MessageType, PipelineState, ProtocolVersion, RunspacePoolState};

/// Why bytes or values are no message that we understand. Nothing of their content is kept.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Cut off in the header.
    #[error("message ends in {field}")]
    Truncated {
        /// The field of the header (MS-PSRP 2.2.1).
        field: &'static str,
    },
    /// Neither for the client nor for the server.
    #[error("destination {found:#x} does not exist")]
    Destination {
        /// What was sent.
        found: u32,
    },
    /// A type that MS-PSRP 2.2.1 does not have.
    #[error("message type {0} does not exist")]
    UnknownType(MessageType),
    /// The data is no serialized object.
    #[error("data of {message} is no serialized object")]
    Clixml {
        /// What the message is.
        message: MessageType,
        /// Why not.
        source: winrm_clixml::DecodeError,
    },
    /// A property that must be there is not.
    #[error("{field} of {kind} is missing")]
    Missing {
        /// The message or data type.
        kind: &'static str,
        /// The property.
        field: &'static str,
    },
    /// A property is of another type than it must be.
    #[error("{field} of {kind} is not {expected}")]
    Invalid {
        /// The message or data type.
        kind: &'static str,
        /// The property.
        field: &'static str,
        /// What would be.
        expected: &'static str,
    },
    /// A host call or its answer that MS-PSRP 2.2.3.17 does not have.
    #[error("host method {found} does not exist")]
    UnknownHostMethod {
        /// Its number.
        found: i32,
    },
}

/// Why a message cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The data has a value that cannot be serialized.
    #[error("data of {message} cannot be serialized")]
    Clixml {
        /// What the message is.
        message: MessageType,
        /// Why not.
        source: winrm_clixml::EncodeError,
    },
    /// A payload that has no room for a fragment of one byte.
    #[error("payloads of {size} bytes are too small: {minimum} is the least")]
    PayloadTooSmall {
        /// What was given.
        size: usize,
        /// What would do.
        minimum: usize,
    },
}

/// Why a step of a session fails. [`scope`](Self::scope) tells what it means for the session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer's fragments do not make messages.
    #[error("fragments cannot be put together")]
    Fragment(#[from] FragmentError),
    /// The peer's message is none.
    #[error("message cannot be read")]
    Decode(#[from] DecodeError),
    /// What is to be sent cannot be written.
    #[error("message cannot be written")]
    Encode(#[from] EncodeError),
    /// The exchange of the session key failed.
    #[error("session key cannot be exchanged")]
    Key(#[from] KeyError),
    /// The peer sent what is for its own side.
    #[error("{message} is for the {found}")]
    WrongDestination {
        /// What the message is.
        message: MessageType,
        /// Whom it names.
        found: Destination,
    },
    /// The peer sent a message that only we may send.
    #[error("{message} does not come from this side")]
    WrongDirection {
        /// What the message is.
        message: MessageType,
    },
    /// The message is for another pool.
    #[error("{message} is for the pool {found}, and this is {expected}")]
    WrongPool {
        /// What the message is.
        message: MessageType,
        /// This pool.
        expected: Uuid,
        /// What the message names.
        found: Uuid,
    },
    /// The peer sent a message that the state of the pool does not allow (MS-PSRP 3.1.5.4, 3.2.5.4).
    #[error("{message} cannot come while the pool is {state}")]
    UnexpectedMessage {
        /// What the message is.
        message: MessageType,
        /// Where the pool is.
        state: RunspacePoolState,
    },
    /// The peer sent a message that the state of the pipeline does not allow.
    #[error("{message} cannot come while the pipeline {pipeline} is {state}")]
    UnexpectedPipelineMessage {
        /// What the message is.
        message: MessageType,
        /// Which pipeline.
        pipeline: Uuid,
        /// Where it is.
        state: PipelineState,
    },
    /// A message for a pipeline that does not run here, or no longer.
    #[error("{message} is for the pipeline {pipeline}, which does not run")]
    UnknownPipeline {
        /// What the message is.
        message: MessageType,
        /// What the message names.
        pipeline: Uuid,
    },
    /// An answer to nothing that was asked, or of another kind.
    #[error("{message} answers call {call_id}, which is not open")]
    UnknownCall {
        /// What the message is.
        message: MessageType,
        /// What the message names.
        call_id: i64,
    },
    /// The peer speaks another protocol version altogether.
    #[error("peer speaks version {peer} of the protocol")]
    Incompatible {
        /// What it says.
        peer: ProtocolVersion,
    },
    /// Asked for something that the peer is too old for.
    #[error("{operation} takes version {needed} of the protocol, and the peer has {peer}")]
    NotSupported {
        /// What was asked.
        operation: &'static str,
        /// The first version that has it.
        needed: ProtocolVersion,
        /// The peer's.
        peer: ProtocolVersion,
    },
    /// Asked for something that the state of the pool does not allow.
    #[error("cannot {operation} while the pool is {state}")]
    InvalidState {
        /// What was asked.
        operation: &'static str,
        /// Where the pool is.
        state: RunspacePoolState,
    },
    /// Asked for something that the state of the pipeline does not allow.
    #[error("cannot {operation} while the pipeline {pipeline} is {state}")]
    InvalidPipelineState {
        /// What was asked.
        operation: &'static str,
        /// Which pipeline.
        pipeline: Uuid,
        /// Where it is.
        state: PipelineState,
    },
    /// Asked for something of a pipeline that does not run here, or no longer.
    #[error("cannot {operation}: there is no pipeline {pipeline}")]
    NoPipeline {
        /// What was asked.
        operation: &'static str,
        /// What was named.
        pipeline: Uuid,
    },
    /// Two pipelines of one name.
    #[error("there is a pipeline {pipeline} already")]
    DuplicatePipeline {
        /// The name.
        pipeline: Uuid,
    },
    /// More pipelines than [`Limits::pipelines`](crate::Limits::pipelines).
    #[error("more than {maximum} pipelines in one pool")]
    TooManyPipelines {
        /// The bound.
        maximum: usize,
    },
    /// More host calls waiting than [`Limits::calls`](crate::Limits::calls).
    #[error("more than {maximum} calls wait for their answers")]
    TooManyCalls {
        /// The bound.
        maximum: usize,
    },
    /// The session key is exchanged once for each pool (MS-PSRP 3.1.5.4.3).
    #[error("the session key was asked for before")]
    KeyAskedBefore,
    /// Asked to answer a call that is not open.
    #[error("there is no open call {call_id}")]
    NoCall {
        /// What was named.
        call_id: i64,
    },
}

/// How much of a session an [`Error`] ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Scope {
    /// The call that was made: nothing was sent, and nothing has changed.
    Call,
    /// The message: it is lost, and all else goes on.
    Message,
    /// The pipeline, which must be stopped (MS-PSRP 3.1.5.1).
    Pipeline(Uuid),
    /// The pool, which must be closed (MS-PSRP 3.1.5.1).
    Pool,
}

impl Error {
    /// What it ends. The state machines themselves go on whatever came, so that a caller may be more patient.
    pub fn scope(&self) -> Scope {
        match self {
            Self::UnexpectedMessage { .. } | Self::Incompatible { .. } | Self::Fragment(_) | Self::Key(_) => {
                Scope::Pool
            }
            Self::UnexpectedPipelineMessage { pipeline, .. } => Scope::Pipeline(*pipeline),
            Self::Decode(_)
            | Self::WrongDestination { .. }
            | Self::WrongDirection { .. }
            | Self::WrongPool { .. }
            | Self::UnknownPipeline { .. }
            | Self::UnknownCall { .. }
            | Self::DuplicatePipeline { .. }
            | Self::TooManyPipelines { .. }
            | Self::TooManyCalls { .. } => Scope::Message,
            Self::Encode(_)
            | Self::NotSupported { .. }
            | Self::InvalidState { .. }
            | Self::InvalidPipelineState { .. }
            | Self::NoPipeline { .. }
            | Self::KeyAskedBefore
            | Self::NoCall { .. } => Scope::Call,
        }
    }
}
