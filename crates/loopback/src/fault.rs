//! The faults that only this service needs, beside those that `winrm-wsman` words.
//!
//! Where Windows was not recorded, the number is the one that its header `wsmerror.h` gives to the case.

use winrm_wsman::{Fault, FaultCode, QName, uri};

use crate::config::COMPUTER_NAME;

/// The encoding or the size asked for is outside of what the service does.
const ENCODING_LIMIT: FaultCode = FaultCode(2_150_858_805);
/// Action and body do not go together.
const ACTION_MISMATCH: FaultCode = FaultCode(2_150_858_801);
/// What is to be created is there already.
const ALREADY_EXISTS: FaultCode = FaultCode(2_150_858_803);
/// A feature is not offered.
const UNSUPPORTED_FEATURE: FaultCode = FaultCode(2_150_858_818);
/// The value of an option is not valid.
const OPTIONS_INVALID_VALUE: FaultCode = FaultCode(2_150_858_835);
/// The shell cannot be disconnected.
const DISCONNECT_NOT_SUPPORTED: FaultCode = FaultCode(2_150_859_205);

const FAULT_DETAIL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/";

fn sender(subcode: QName, detail: Option<&str>, code: FaultCode, text: &str) -> Fault {
    let fault = Fault::new("Sender", Some(subcode), text).with_wsman_fault(code, COMPUTER_NAME, text);
    match detail {
        Some(detail) => fault.with_fault_detail(format!("{FAULT_DETAIL}{detail}")),
        None => fault,
    }
}

fn wsman(local: &str) -> QName {
    QName::new(uri::NS_WSMAN, "w", local)
}

fn addressing(local: &str) -> QName {
    QName::new(uri::NS_ADDRESSING, "a", local)
}

/// The selector `ShellId` is missing.
pub(crate) fn insufficient_selectors() -> Fault {
    let code = FaultCode::INSUFFICIENT_SELECTORS;
    let text = "the request has no selector ShellId";
    sender(wsman("InvalidSelectors"), Some("InsufficientSelectors"), code, text)
}

/// The command has ended or has closed its standard input. Windows was not recorded in this case: the number is an
/// assumption, after what a write to such a pipe gives there.
pub(crate) fn broken_pipe() -> Fault {
    let text = "the command reads no more input";
    Fault::internal_error(COMPUTER_NAME, FaultCode::BROKEN_PIPE, text)
}

/// Input was sent while an earlier block still waits for the command to read.
pub(crate) fn busy() -> Fault {
    let text = "the command has not read the input sent before";
    Fault::internal_error(COMPUTER_NAME, FaultCode::BUSY, text)
}

/// Shell or command were closed under the operation.
pub(crate) fn aborted() -> Fault {
    let text = "the operation was aborted because its shell or its command was closed";
    Fault::internal_error(COMPUTER_NAME, FaultCode::OPERATION_ABORTED, text)
}

/// Answers go nowhere but back (MS-WSMV 3.1.4.1.4).
pub(crate) fn addressing_mode(name: &str) -> Fault {
    let text = format!("{name} is not the anonymous address");
    sender(wsman("UnsupportedFeature"), Some("AddressingMode"), UNSUPPORTED_FEATURE, &text)
}

/// No resource URI at all.
pub(crate) fn missing_resource_uri() -> Fault {
    let code = FaultCode::INVALID_RESOURCE_URI;
    let text = "the request has no header ResourceURI";
    sender(addressing("DestinationUnreachable"), Some("InvalidResourceURI"), code, text)
}

/// An action that does not go with its body.
pub(crate) fn action_mismatch() -> Fault {
    let text = "the action does not go with the body of the request";
    sender(wsman("ActionMismatch"), None, ACTION_MISMATCH, text)
}

/// `MaxEnvelopeSize` below what the standard allows (DSP0226 section 6.2).
pub(crate) fn max_envelope_size_too_small() -> Fault {
    let text = "MaxEnvelopeSize is less than 8192";
    sender(wsman("EncodingLimit"), Some("MinimumEnvelopeLimit"), ENCODING_LIMIT, text)
}

/// The answer does not fit the client's `MaxEnvelopeSize`.
pub(crate) fn response_too_large() -> Fault {
    let code = FaultCode::MAX_ENVELOPE_SIZE_EXCEEDED;
    let text = "the response is larger than the MaxEnvelopeSize of the request";
    sender(wsman("EncodingLimit"), Some("MaxEnvelopeSizeExceeded"), code, text)
}

/// A feature that is not offered.
pub(crate) fn unsupported_feature(text: &str) -> Fault {
    sender(wsman("UnsupportedFeature"), None, UNSUPPORTED_FEATURE, text)
}

/// Shells live and die with their client.
pub(crate) fn disconnect_not_supported() -> Fault {
    let text = "shells of this service cannot be disconnected";
    sender(wsman("UnsupportedFeature"), None, DISCONNECT_NOT_SUPPORTED, text)
}

/// The shell is disconnected.
pub(crate) fn shell_disconnected() -> Fault {
    let text = "the shell is disconnected: reconnect first";
    sender(wsman("InternalError"), None, FaultCode::SHELL_DISCONNECTED, text)
}

/// The shell was disconnected meanwhile.
pub(crate) fn stream_disconnected() -> Fault {
    let text = "the shell was disconnected while this was held";
    sender(wsman("InternalError"), None, FaultCode::STREAM_DISCONNECTED, text)
}

/// The value of an option is not valid.
pub(crate) fn invalid_option_value(name: &str) -> Fault {
    let text = format!("the value of the option {name} is not valid");
    sender(wsman("InvalidOptions"), Some("InvalidValue"), OPTIONS_INVALID_VALUE, &text)
}

/// A request under an OperationID that another request has had (MS-WSMV 3.1.4.1.39).
pub(crate) fn operation_id_in_use() -> Fault {
    let text = "the OperationID has been used, and the request is not marked as sent again";
    sender(addressing("InvalidMessageInformationHeader"), None, FaultCode::INVALID_MESSAGE_HEADER, text)
}

/// The shell runs as many processes as it may. Windows was not recorded in this case: the number is what starting a process
/// gives in a job object that is full, by which Windows bounds its shells.
pub(crate) fn too_many_processes() -> Fault {
    let text = "the shell's quota does not allow another process";
    Fault::internal_error(COMPUTER_NAME, FaultCode::NOT_ENOUGH_QUOTA, text)
}

/// The shell has as many commands as it may, ended ones included.
pub(crate) fn too_many_commands() -> Fault {
    let code = FaultCode::PLUGIN_MAX_COMMANDS_PER_SHELL;
    sender(wsman("QuotaLimit"), None, code, "the shell has as many commands as the quota allows")
}

/// The id that the client wishes is taken.
pub(crate) fn already_exists() -> Fault {
    sender(wsman("AlreadyExists"), None, ALREADY_EXISTS, "the id is taken")
}

/// A value of a shell operation is not valid, with a number of its own.
pub(crate) fn invalid_parameter(code: FaultCode) -> Fault {
    let text = code.meaning().unwrap_or("a parameter is not valid");
    sender(wsman("InvalidParameter"), Some("InvalidValue"), code, text)
}
