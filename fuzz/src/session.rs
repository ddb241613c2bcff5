//! One side of a PowerShell remoting session under any order of events.

use winrm_clixml::PsValue;
use winrm_psrp::fragment::Fragmenter;
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Destination, Message, MessageType, RawMessage};

/// The pool of every session.
pub const POOL: Uuid = Uuid::from_u128(1);

/// A few pipelines, so that inputs find those that run.
pub fn pipeline(byte: u8) -> Uuid {
    Uuid::from_u128(u128::from(byte & 3) + 5)
}

/// A message that this side would take, from a number: so that inputs need not spell out headers.
///
/// The first byte is the type, the second the pipeline, the rest the data.
pub fn message(fragmenter: &mut Fragmenter, destination: Destination, bytes: &[u8]) -> Vec<u8> {
    const TYPES: [MessageType; 31] = [
        MessageType::SESSION_CAPABILITY,
        MessageType::INIT_RUNSPACEPOOL,
        MessageType::PUBLIC_KEY,
        MessageType::ENCRYPTED_SESSION_KEY,
        MessageType::PUBLIC_KEY_REQUEST,
        MessageType::CONNECT_RUNSPACEPOOL,
        MessageType::SET_MAX_RUNSPACES,
        MessageType::SET_MIN_RUNSPACES,
        MessageType::RUNSPACE_AVAILABILITY,
        MessageType::RUNSPACEPOOL_STATE,
        MessageType::CREATE_PIPELINE,
        MessageType::GET_AVAILABLE_RUNSPACES,
        MessageType::USER_EVENT,
        MessageType::APPLICATION_PRIVATE_DATA,
        MessageType::GET_COMMAND_METADATA,
        MessageType::RUNSPACEPOOL_INIT_DATA,
        MessageType::RESET_RUNSPACE_STATE,
        MessageType::RUNSPACEPOOL_HOST_CALL,
        MessageType::RUNSPACEPOOL_HOST_RESPONSE,
        MessageType::PIPELINE_INPUT,
        MessageType::END_OF_PIPELINE_INPUT,
        MessageType::PIPELINE_OUTPUT,
        MessageType::ERROR_RECORD,
        MessageType::PIPELINE_STATE,
        MessageType::DEBUG_RECORD,
        MessageType::VERBOSE_RECORD,
        MessageType::WARNING_RECORD,
        MessageType::PROGRESS_RECORD,
        MessageType::INFORMATION_RECORD,
        MessageType::PIPELINE_HOST_CALL,
        MessageType::PIPELINE_HOST_RESPONSE,
    ];
    let kind = bytes.first().copied().unwrap_or_default();
    let message_type = TYPES[usize::from(kind) % TYPES.len()];
    let id = bytes.get(1).copied().map(pipeline).unwrap_or_default();
    wrap(fragmenter, destination, message_type, id, bytes.get(2..).unwrap_or_default().to_vec())
}

/// A message that is well made.
pub fn typed(fragmenter: &mut Fragmenter, destination: Destination, id: Uuid, message: &Message) -> Vec<u8> {
    let data = message.encode().expect("our own message");
    wrap(fragmenter, destination, message.message_type(), id, data)
}

fn wrap(
    fragmenter: &mut Fragmenter,
    destination: Destination,
    message_type: MessageType,
    pipeline_id: Uuid,
    data: Vec<u8>,
) -> Vec<u8> {
    let raw = RawMessage {
        destination,
        message_type,
        runspace_pool_id: POOL,
        pipeline_id,
        byte_order_mark: false,
        data,
    };
    fragmenter.push((), raw.encode());
    let payload = fragmenter.poll(usize::MAX).expect("large enough");
    payload.map(|((), payload)| payload).unwrap_or_default()
}

/// Something to send.
pub fn value(bytes: &[u8]) -> PsValue {
    PsValue::Bytes(bytes.to_vec())
}
