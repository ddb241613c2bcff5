//! The faults that a service answers with, worded as Windows words them where that is recorded (without the blank
//! that it puts behind).

use crate::fault::{Fault, FaultCode, ProviderFault, WsManFault};
use crate::name::QName;
use crate::uri;

const INVALID_SELECTORS: &str = "The WS-Management service cannot process the request because the request contained \
    invalid selectors for the resource.";
const UNKNOWN_COMMAND: &str = "The Windows Remote Shell received a request to perform an operation on a command \
    identifier that does not exist. Either the command has completed execution or the client specified an invalid \
    command identifier.";
const TIMED_OUT: &str =
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.";
const INVALID_PARAMETER: &str = "The parameter is incorrect.";
const NOT_UNDERSTOOD: &str = "The WS-Management service cannot process a SOAP header in the request that is marked as \
    mustUnderstand by the client.  This could be caused by the use of a version of the protocol which is not \
    supported, or may be an incompatibility  between the client and server implementations.";
const UNKNOWN_RESOURCE: &str = "The WS-Management service cannot process the request. The service cannot find the \
    resource identified by the resource URI and selectors.";
const TOO_MANY_SHELLS: &str = "The WS-Management service cannot process the request. The maximum number of concurrent \
    shells for this user has been exceeded. Close existing shells or raise the quota for this user.";
const ACCESS_DENIED: &str = "Access is denied.";

/// A subcode of DSP0226.
fn wsman(local: &str) -> QName {
    QName::new(uri::NS_WSMAN, "w", local)
}

/// A subcode of WS-Addressing.
fn addressing(local: &str) -> QName {
    QName::new(uri::NS_ADDRESSING, "a", local)
}

impl Fault {
    /// Adds a `w:FaultDetail`.
    pub fn with_fault_detail(mut self, uri: impl Into<String>) -> Self {
        self.fault_detail = Some(uri.into());
        self
    }

    /// Adds a `WSManFault` with its own text.
    pub fn with_wsman_fault(mut self, code: FaultCode, machine: &str, message: impl Into<String>) -> Self {
        self.wsman_fault = Some(WsManFault {
            code,
            machine: Some(machine.to_owned()),
            message: Some(message.into()),
            provider_fault: None,
        });
        self
    }

    /// Adds a `WSManFault` whose text comes from a provider.
    fn with_provider(mut self, code: FaultCode, machine: &str, provider: ProviderFault) -> Self {
        self.wsman_fault = Some(WsManFault {
            code,
            machine: Some(machine.to_owned()),
            message: None,
            provider_fault: Some(Box::new(provider)),
        });
        self
    }

    /// The selectors name no shell: it never was, or is gone (2150858843).
    pub fn shell_not_found(machine: &str) -> Self {
        let code = FaultCode::INVALID_SELECTORS;
        let inner = WsManFault {
            code,
            machine: Some(machine.to_owned()),
            message: Some(INVALID_SELECTORS.to_owned()),
            provider_fault: None,
        };
        Self::new("Sender", Some(wsman("InvalidSelectors")), INVALID_SELECTORS)
            .with_fault_detail(uri::FAULT_DETAIL_UNEXPECTED_SELECTORS)
            .with_provider(
                code,
                machine,
                ProviderFault {
                    provider: Some("Shell provider".to_owned()),
                    path: Some(r"%systemroot%\system32\WsmSvc.dll".to_owned()),
                    wsman_fault: Some(Box::new(inner)),
                    ..ProviderFault::default()
                },
            )
    }

    /// The shell has no such command (2150858843).
    pub fn command_not_found(machine: &str) -> Self {
        Self::new("Sender", Some(wsman("InvalidSelectors")), INVALID_SELECTORS)
            .with_fault_detail(uri::FAULT_DETAIL_UNEXPECTED_SELECTORS)
            .with_wsman_fault(FaultCode::INVALID_SELECTORS, machine, UNKNOWN_COMMAND)
    }

    /// Nothing happened within the operation timeout (2150858793); the client asks again.
    pub fn timed_out(machine: &str) -> Self {
        Self::new("Receiver", Some(wsman("TimedOut")), TIMED_OUT).with_wsman_fault(
            FaultCode::TIMED_OUT,
            machine,
            TIMED_OUT,
        )
    }

    /// The shell plug-in refused a value (87).
    pub fn invalid_parameter(machine: &str) -> Self {
        Self::new("Sender", Some(wsman("InvalidParameter")), INVALID_PARAMETER)
            .with_fault_detail(uri::FAULT_DETAIL_INVALID_VALUE)
            .with_provider(
                FaultCode::INVALID_PARAMETER,
                machine,
                ProviderFault {
                    provider: Some("Shell cmd plugin".to_owned()),
                    path: Some(r"%systemroot%\system32\winrscmd.dll".to_owned()),
                    message: Some(INVALID_PARAMETER.to_owned()),
                    ..ProviderFault::default()
                },
            )
    }

    /// Header blocks that must be understood and are not. Their names go into the header of the answer as well:
    /// [`Message::fault`](crate::Message::fault) does that.
    pub fn not_understood() -> Self {
        Self::new("MustUnderstand", None, NOT_UNDERSTOOD)
    }

    /// The resource URI names nothing (2150858752).
    pub fn resource_not_found(machine: &str) -> Self {
        Self::new("Sender", Some(addressing("DestinationUnreachable")), UNKNOWN_RESOURCE)
            .with_fault_detail(uri::FAULT_DETAIL_INVALID_RESOURCE_URI)
            .with_wsman_fault(FaultCode::RESOURCE_NOT_FOUND, machine, UNKNOWN_RESOURCE)
    }

    /// The resource has no such action.
    pub fn action_not_supported(machine: &str, action: &str) -> Self {
        let reason = format!("The action {action} is not supported by the service.");
        Self::new("Sender", Some(addressing("ActionNotSupported")), reason.as_str()).with_wsman_fault(
            FaultCode::ACTION_NOT_SUPPORTED,
            machine,
            reason,
        )
    }

    /// A header that every request needs is missing.
    pub fn header_required(machine: &str, name: &str) -> Self {
        let reason = format!("The request lacks the SOAP header {name}.");
        Self::new("Sender", Some(addressing("MessageInformationHeaderRequired")), reason.as_str())
            .with_wsman_fault(FaultCode::MESSAGE_HEADER_REQUIRED, machine, reason)
    }

    /// The body does not match its schema; `field` is the offending element (2150858817).
    pub fn schema_validation(machine: &str, field: &str) -> Self {
        let reason =
            format!("The SOAP XML in the message does not match the corresponding XML schema: {field}.");
        Self::new("Sender", Some(wsman("SchemaValidationError")), reason.as_str()).with_wsman_fault(
            FaultCode::SCHEMA_VALIDATION_ERROR,
            machine,
            reason,
        )
    }

    /// An option with `MustComply` is not known.
    pub fn invalid_option(machine: &str, name: &str) -> Self {
        let reason = format!("The option {name} is not valid for the resource.");
        Self::new("Sender", Some(wsman("InvalidOptions")), reason.as_str())
            .with_fault_detail(uri::FAULT_DETAIL_INVALID_OPTIONS)
            .with_wsman_fault(FaultCode::INVALID_OPTIONS, machine, reason)
    }

    /// The request or its answer is larger than allowed (2150859025).
    pub fn envelope_too_large(machine: &str, maximum: u32) -> Self {
        let reason = format!(
            "The WS-Management service cannot process the request because the message is larger than the maximum \
             envelope size of {maximum} bytes."
        );
        Self::new("Sender", Some(wsman("EncodingLimit")), reason.as_str())
            .with_fault_detail(uri::FAULT_DETAIL_MAX_ENVELOPE_SIZE)
            .with_wsman_fault(FaultCode::HTTP_REQUEST_TOO_LARGE, machine, reason)
    }

    /// The shell was created under another `SessionId` (2150859023).
    pub fn session_id_mismatch(machine: &str) -> Self {
        Self::new("Sender", Some(wsman("InvalidParameter")), INVALID_PARAMETER)
            .with_fault_detail(uri::FAULT_DETAIL_INVALID_VALUE)
            .with_wsman_fault(
                FaultCode::SESSION_ID_MISMATCH,
                machine,
                "The session identifier is not that of the shell.",
            )
    }

    /// The user has too many shells (2150859173).
    pub fn too_many_shells(machine: &str) -> Self {
        Self::new("Sender", Some(wsman("QuotaLimit")), TOO_MANY_SHELLS).with_wsman_fault(
            FaultCode::MAX_SHELLS_FOR_USER,
            machine,
            TOO_MANY_SHELLS,
        )
    }

    /// The user has too many operations (2150859174).
    pub fn too_many_operations(machine: &str) -> Self {
        let reason = "The maximum number of concurrent operations for this user has been exceeded.";
        Self::new("Sender", Some(wsman("QuotaLimit")), reason).with_wsman_fault(
            FaultCode::MAX_OPERATIONS_FOR_USER,
            machine,
            reason,
        )
    }

    /// The account may not do this (5).
    pub fn access_denied(machine: &str) -> Self {
        Self::new("Sender", Some(wsman("AccessDenied")), ACCESS_DENIED).with_wsman_fault(
            FaultCode::ACCESS_DENIED,
            machine,
            ACCESS_DENIED,
        )
    }

    /// The service failed (`wsman:InternalError`).
    pub fn internal_error(machine: &str, code: FaultCode, reason: &str) -> Self {
        Self::new("Receiver", Some(wsman("InternalError")), reason).with_wsman_fault(code, machine, reason)
    }
}
