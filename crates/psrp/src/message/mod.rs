//! Messages (MS-PSRP 2.2.1 and 2.2.2).

mod body;
mod metadata;
mod pool;
mod pool_wire;

use std::fmt;

use uuid::Uuid;
use winrm_clixml::{DecodeError, EncodeError, Limits, decode_with_limits, encode};

pub use body::{Body, MessageType};
pub use metadata::GetCommandMetadata;
pub use pool::{
    ApartmentState, Availability, ConnectRunspacePool, InitRunspacePool, RunspacePoolInitData,
    SessionCapability, ThreadOptions, UserEvent,
};

/// Bytes before the data (MS-PSRP 2.2.1).
const HEADER: usize = 40;
/// Some senders put it before the data.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why bytes are no message. The others of the same peer are not touched by it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Shorter than a header.
    #[error("message of {size} bytes, less than a header")]
    TooShort {
        /// Bytes that came.
        size: usize,
    },
    /// Neither for the client nor for the server.
    #[error("message for destination {destination:#x}, which is nobody")]
    Destination {
        /// As it came.
        destination: u32,
    },
    /// A type that MS-PSRP 2.2.1 does not have.
    #[error("message of unknown type {code:#010x}")]
    UnknownType {
        /// As it came.
        code: u32,
    },
    /// The data is no serialized object.
    #[error("{message} holds no object that can be read")]
    Object {
        /// The message's type.
        message: MessageType,
        /// Why.
        source: DecodeError,
    },
    /// Something else than an object with properties.
    #[error("{message} is no object")]
    NotAnObject {
        /// The message.
        message: &'static str,
    },
    /// A property that must be there is not.
    #[error("{message} has no {field}")]
    Missing {
        /// The message.
        message: &'static str,
        /// The property.
        field: &'static str,
    },
    /// A property is of another kind than it must be.
    #[error("{field} of {message} is not {expected}")]
    Invalid {
        /// The message.
        message: &'static str,
        /// The property.
        field: &'static str,
        /// What would be.
        expected: &'static str,
    },
}

/// Whom a message is for (MS-PSRP 2.2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Destination {
    /// 1.
    Client,
    /// 2.
    Server,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Whom it is for.
    pub destination: Destination,
    /// RPID: the runspace pool. All zeros in the ENCRYPTED_SESSION_KEY of Windows.
    pub pool: Uuid,
    /// PID: the pipeline, where it is about one.
    pub pipeline: Option<Uuid>,
    /// What it says.
    pub body: Body,
}

impl Message {
    /// For the pool itself.
    pub fn of_pool(destination: Destination, pool: Uuid, body: impl Into<Body>) -> Self {
        Self { destination, pool, pipeline: None, body: body.into() }
    }

    /// For a pipeline.
    pub fn of_pipeline(destination: Destination, pool: Uuid, pipeline: Uuid, body: impl Into<Body>) -> Self {
        Self { destination, pool, pipeline: Some(pipeline), body: body.into() }
    }

    /// Reads a whole message, as a [`Defragmenter`](crate::fragment::Defragmenter) gives it.
    ///
    /// # Errors
    ///
    /// All of [`MessageError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        Self::decode_with_limits(bytes, &Limits::default())
    }

    /// As [`decode`](Self::decode), under other bounds.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_with_limits(bytes: &[u8], limits: &Limits) -> Result<Self, MessageError> {
        let too_short = MessageError::TooShort { size: bytes.len() };
        let Some((header, data)) = bytes.split_first_chunk::<HEADER>() else { return Err(too_short) };
        let number = |at: usize| {
            let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
            u32::from_le_bytes(bytes.copied().unwrap_or_default())
        };
        let destination = match number(0) {
            1 => Destination::Client,
            2 => Destination::Server,
            destination => return Err(MessageError::Destination { destination }),
        };
        let code = number(4);
        let kind = MessageType::from_code(code).ok_or(MessageError::UnknownType { code })?;
        let guid = |at: usize| {
            let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<16>());
            Uuid::from_bytes_le(bytes.copied().unwrap_or_default())
        };
        let (pool, pipeline) = (guid(8), guid(24));
        let data = data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(data);
        let value = if data.is_empty() {
            None
        } else {
            let value = decode_with_limits(data, limits);
            Some(value.map_err(|source| MessageError::Object { message: kind, source })?)
        };
        let body = Body::from_value(kind, value)?;
        Ok(Self { destination, pool, pipeline: Some(pipeline).filter(|id| !id.is_nil()), body })
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// A value in it cannot be written.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let destination: u32 = match self.destination {
            Destination::Client => 1,
            Destination::Server => 2,
        };
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(&destination.to_le_bytes());
        bytes.extend_from_slice(&self.body.kind().code().to_le_bytes());
        bytes.extend_from_slice(&self.pool.to_bytes_le());
        bytes.extend_from_slice(&self.pipeline.unwrap_or_default().to_bytes_le());
        if let Some(value) = self.body.to_value() {
            bytes.extend(encode(&value)?);
        }
        Ok(bytes)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
