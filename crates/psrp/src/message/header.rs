//! What stands before the data of every message (MS-PSRP 2.2.1).

use std::fmt;

use uuid::Uuid;

use crate::DecodeError;

/// Destination 4, MessageType 4, RPID 16, PID 16.
const HEADER_LEN: usize = 40;

/// Windows writes it before the data of each message; other clients do not.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Whom a message is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination {
    /// 1.
    Client,
    /// 2.
    Server,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// What a message is, by its number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MessageType(pub u32);

macro_rules! message_types {
    ($($constant:ident = $value:literal,)*) => {
        impl MessageType {
            $(#[doc = concat!("`", stringify!($constant), "`.")] pub const $constant: Self = Self($value);)*

            /// Its name, if it has one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }
    };
}

message_types! {
    SESSION_CAPABILITY = 0x0001_0002,
    INIT_RUNSPACEPOOL = 0x0001_0004,
    PUBLIC_KEY = 0x0001_0005,
    ENCRYPTED_SESSION_KEY = 0x0001_0006,
    PUBLIC_KEY_REQUEST = 0x0001_0007,
    CONNECT_RUNSPACEPOOL = 0x0001_0008,
    SET_MAX_RUNSPACES = 0x0002_1002,
    SET_MIN_RUNSPACES = 0x0002_1003,
    RUNSPACE_AVAILABILITY = 0x0002_1004,
    RUNSPACEPOOL_STATE = 0x0002_1005,
    CREATE_PIPELINE = 0x0002_1006,
    GET_AVAILABLE_RUNSPACES = 0x0002_1007,
    USER_EVENT = 0x0002_1008,
    APPLICATION_PRIVATE_DATA = 0x0002_1009,
    GET_COMMAND_METADATA = 0x0002_100a,
    RUNSPACEPOOL_INIT_DATA = 0x0002_100b,
    RESET_RUNSPACE_STATE = 0x0002_100c,
    RUNSPACEPOOL_HOST_CALL = 0x0002_1100,
    RUNSPACEPOOL_HOST_RESPONSE = 0x0002_1101,
    PIPELINE_INPUT = 0x0004_1002,
    END_OF_PIPELINE_INPUT = 0x0004_1003,
    PIPELINE_OUTPUT = 0x0004_1004,
    ERROR_RECORD = 0x0004_1005,
    PIPELINE_STATE = 0x0004_1006,
    DEBUG_RECORD = 0x0004_1007,
    VERBOSE_RECORD = 0x0004_1008,
    WARNING_RECORD = 0x0004_1009,
    PROGRESS_RECORD = 0x0004_1010,
    INFORMATION_RECORD = 0x0004_1011,
    PIPELINE_HOST_CALL = 0x0004_1100,
    PIPELINE_HOST_RESPONSE = 0x0004_1101,
}

/// The name, or the number if there is none.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

/// A message whose data is not read yet (MS-PSRP 2.2.1).
///
/// Destination and type are little-endian, identifiers as .NET writes them.
#[derive(Clone, Eq, PartialEq)]
pub struct RawMessage {
    /// Whom it is for.
    pub destination: Destination,
    /// What it is.
    pub message_type: MessageType,
    /// RPID. All zero in the first message of a server, and with a session key.
    pub runspace_pool_id: Uuid,
    /// PID. All zero where there is no pipeline.
    pub pipeline_id: Uuid,
    /// Whether a byte order mark stands before the data.
    pub byte_order_mark: bool,
    /// UTF-8, without the byte order mark.
    pub data: Vec<u8>,
}

impl RawMessage {
    /// Reads what fragments made.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] and [`DecodeError::Destination`].
    pub fn decode(mut message: Vec<u8>) -> Result<Self, DecodeError> {
        let (destination, rest) = take(&message, "Destination")?;
        let destination = match u32::from_le_bytes(destination) {
            1 => Destination::Client,
            2 => Destination::Server,
            found => return Err(DecodeError::Destination { found }),
        };
        let (message_type, rest) = take(rest, "MessageType")?;
        let (runspace_pool_id, rest) = take(rest, "RPID")?;
        let (pipeline_id, data) = take(rest, "PID")?;
        let byte_order_mark = data.starts_with(BYTE_ORDER_MARK);
        let before = HEADER_LEN + if byte_order_mark { BYTE_ORDER_MARK.len() } else { 0 };
        message.drain(..before.min(message.len()));
        Ok(Self {
            destination,
            message_type: MessageType(u32::from_le_bytes(message_type)),
            runspace_pool_id: Uuid::from_bytes_le(runspace_pool_id),
            pipeline_id: Uuid::from_bytes_le(pipeline_id),
            byte_order_mark,
            data: message,
        })
    }

    /// Writes it, to be fragmented.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN + BYTE_ORDER_MARK.len() + self.data.len());
        let destination: u32 = match self.destination {
            Destination::Client => 1,
            Destination::Server => 2,
        };
        out.extend_from_slice(&destination.to_le_bytes());
        out.extend_from_slice(&self.message_type.0.to_le_bytes());
        out.extend_from_slice(&self.runspace_pool_id.to_bytes_le());
        out.extend_from_slice(&self.pipeline_id.to_bytes_le());
        if self.byte_order_mark {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        out.extend_from_slice(&self.data);
        out
    }
}

fn take<'a, const N: usize>(
    bytes: &'a [u8],
    field: &'static str,
) -> Result<([u8; N], &'a [u8]), DecodeError> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(DecodeError::Truncated { field })?;
    Ok((*taken, rest))
}

/// Without the data.
impl fmt::Debug for RawMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawMessage")
            .field("destination", &self.destination)
            .field("message_type", &format_args!("{}", self.message_type))
            .field("runspace_pool_id", &self.runspace_pool_id)
            .field("pipeline_id", &self.pipeline_id)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .finish_non_exhaustive()
    }
}
