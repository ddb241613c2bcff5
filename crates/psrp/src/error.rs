//! Why a side cannot go on, or not with one message.

use uuid::Uuid;
use winrm_clixml::EncodeError;

use crate::fragment::FragmentError;
use crate::key::KeyError;
use crate::message::{Destination, MessageError, MessageType};
use crate::{PipelineState, PoolState};

/// Why something cannot be asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pool is in a state in which this makes no sense.
    #[error("cannot {action}: the runspace pool is {state}")]
    PoolState {
        /// What was to be done.
        action: &'static str,
        /// The pool's state.
        state: PoolState,
    },
    /// The pipeline is in a state in which this makes no sense.
    #[error("cannot {action}: the pipeline is {state}")]
    PipelineState {
        /// What was to be done.
        action: &'static str,
        /// The pipeline's state.
        state: PipelineState,
    },
    /// There is no such pipeline, or it is over.
    #[error("there is no pipeline {0}")]
    UnknownPipeline(Uuid),
    /// A value cannot be written.
    #[error("a value cannot be sent")]
    Encode(#[from] EncodeError),
    /// Fragments of a peer make no sense any more: the pool is broken.
    #[error("the peer's fragments make no sense")]
    Fragment(#[from] FragmentError),
    /// Keys could not be exchanged.
    #[error("session key")]
    Key(#[from] KeyError),
    /// More pipelines than a pool has room for here.
    #[error("the pool has {maximum} pipelines already")]
    TooManyPipelines {
        /// The bound.
        maximum: usize,
    },
}

/// Why one message was passed over. The pool goes on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It cannot be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// It is for another pool.
    #[error("{message} for runspace pool {pool}, which is not this one")]
    OtherPool {
        /// The message.
        message: MessageType,
        /// The pool it names.
        pool: Uuid,
    },
    /// It is about a pipeline that there is not, or that is over.
    #[error("{message} for pipeline {pipeline:?}, which there is not")]
    UnknownPipeline {
        /// The message.
        message: MessageType,
        /// The pipeline it names.
        pipeline: Option<Uuid>,
    },
    /// It is for the other side.
    #[error("{message} for the {destination}")]
    Destination {
        /// The message.
        message: MessageType,
        /// Whom it is for.
        destination: Destination,
    },
    /// It makes no sense in the pool's state.
    #[error("{message} while the runspace pool is {state}")]
    Unexpected {
        /// The message.
        message: MessageType,
        /// The pool's state.
        state: PoolState,
    },
    /// The peer speaks a protocol that we do not.
    #[error("the peer speaks version {version} of the protocol")]
    Version {
        /// As it told.
        version: String,
    },
    /// A key of the peer's is of no use.
    #[error("session key: {0}")]
    Key(#[from] KeyError),
}
