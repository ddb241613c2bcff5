//! The URIs that name namespaces, actions, resources, signals and states on the wire.
//!
//! Namespaces are compared as exact strings; prefixes mean nothing (Namespaces in XML 1.0, section 3).

/// SOAP 1.2 envelope (SOAP 1.2 part 1, section 5).
pub const NS_SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing, the August 2004 submission that DSP0226 builds on.
pub const NS_ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// WS-Transfer (DSP0226, section 7).
pub const NS_TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
/// WS-Enumeration (DSP0226, section 8).
pub const NS_ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
/// WS-Eventing; here only as a prefix that Windows declares in faults.
pub const NS_EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// WS-Management (DSP0226).
pub const NS_WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
/// The Microsoft extensions to WS-Management (MS-WSMV).
pub const NS_WSMV: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
/// The remote shell protocol (MS-WSMV).
pub const NS_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
/// `WSManFault` and what it nests (MS-WSMV 2.2.4.43).
pub const NS_FAULT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault";
/// Identify (DSP0226, section 11).
pub const NS_IDENTITY: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
/// `creationXml`, `connectXml` and `connectResponseXml` of PowerShell shells (MS-PSRP 3.1.5.3).
pub const NS_POWERSHELL: &str = "http://schemas.microsoft.com/powershell";
/// `winrm/config`, as a namespace and as a resource.
pub const NS_CONFIG: &str = "http://schemas.microsoft.com/wbem/wsman/1/config";
/// The namespace that the prefix `xml` is always bound to.
pub const NS_XML: &str = "http://www.w3.org/XML/1998/namespace";
/// `xsi:nil` and `xsi:type`.
pub const NS_XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The anonymous endpoint: "answer on this connection".
pub const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

/// WS-Transfer Create.
pub const ACTION_CREATE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create";
/// Answer to [`ACTION_CREATE`].
pub const ACTION_CREATE_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse";
/// WS-Transfer Delete.
pub const ACTION_DELETE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete";
/// Answer to [`ACTION_DELETE`].
pub const ACTION_DELETE_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/DeleteResponse";
/// WS-Transfer Get.
pub const ACTION_GET: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
/// Answer to [`ACTION_GET`].
pub const ACTION_GET_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse";
/// WS-Enumeration Enumerate.
pub const ACTION_ENUMERATE: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate";
/// Answer to [`ACTION_ENUMERATE`].
pub const ACTION_ENUMERATE_RESPONSE: &str =
    "http://schemas.xmlsoap.org/ws/2004/09/enumeration/EnumerateResponse";
/// WS-Enumeration Pull.
pub const ACTION_PULL: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull";
/// Answer to [`ACTION_PULL`].
pub const ACTION_PULL_RESPONSE: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/PullResponse";
/// Starts a command in a shell (MS-WSMV 3.1.4.11).
pub const ACTION_COMMAND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command";
/// Answer to [`ACTION_COMMAND`].
pub const ACTION_COMMAND_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandResponse";
/// Polls for output (MS-WSMV 3.1.4.14).
pub const ACTION_RECEIVE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";
/// Answer to [`ACTION_RECEIVE`].
pub const ACTION_RECEIVE_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/ReceiveResponse";
/// Carries input (MS-WSMV 3.1.4.13).
pub const ACTION_SEND: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Send";
/// Answer to [`ACTION_SEND`].
pub const ACTION_SEND_RESPONSE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/SendResponse";
/// Interrupts or ends a command (MS-WSMV 3.1.4.12).
pub const ACTION_SIGNAL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Signal";
/// Answer to [`ACTION_SIGNAL`].
pub const ACTION_SIGNAL_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/SignalResponse";
/// Attaches a new client to a disconnected shell (MS-WSMV 3.1.4.17).
pub const ACTION_CONNECT: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Connect";
/// Answer to [`ACTION_CONNECT`].
pub const ACTION_CONNECT_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/ConnectResponse";
/// Detaches from a shell (MS-WSMV 3.1.4.15).
pub const ACTION_DISCONNECT: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Disconnect";
/// Answer to [`ACTION_DISCONNECT`].
pub const ACTION_DISCONNECT_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/DisconnectResponse";
/// Attaches the same client again (MS-WSMV 3.1.4.16).
pub const ACTION_RECONNECT: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Reconnect";
/// Answer to [`ACTION_RECONNECT`].
pub const ACTION_RECONNECT_RESPONSE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/ReconnectResponse";
/// The action of most faults (DSP0226).
pub const ACTION_FAULT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault";
/// The action of faults that WS-Addressing defines, such as `DestinationUnreachable`.
pub const ACTION_ADDRESSING_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault";
/// The action of faults that WS-Enumeration defines, such as `CannotProcessFilter`.
pub const ACTION_ENUMERATION_FAULT: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault";

/// Shells as such: Enumerate and Get on them.
pub const RESOURCE_URI_SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
/// The command shell (MS-WSMV 3.1.4.5.2).
pub const RESOURCE_URI_CMD: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd";
/// The commands of a shell: Enumerate with a selector filter.
pub const RESOURCE_URI_SHELL_COMMAND: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command";
/// The default PowerShell configuration; others put their own name behind the last slash.
pub const RESOURCE_URI_POWERSHELL: &str = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell";
/// The service's configuration.
pub const RESOURCE_URI_CONFIG: &str = NS_CONFIG;

/// Ends a command, or tells the service that a finished one may be forgotten.
pub const SIGNAL_TERMINATE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate";
/// Ctrl-C.
pub const SIGNAL_CTRL_C: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_c";
/// Ctrl-Break.
pub const SIGNAL_CTRL_BREAK: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_break";
/// Stops a PowerShell pipeline; misspelt and relative, and compared by ordinal by the service.
pub const SIGNAL_POWERSHELL_STOP: &str = "powershell/signal/crtl_c";

/// The command is running.
pub const COMMAND_STATE_RUNNING: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Running";
/// The command waits for the client (a PowerShell host call).
pub const COMMAND_STATE_PENDING: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Pending";
/// The command has ended; only this state carries an exit code.
pub const COMMAND_STATE_DONE: &str =
    "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done";

/// Filter dialect: selectors (DSP0226).
pub const DIALECT_SELECTOR: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
/// Filter dialect: WQL (MS-WSMV).
pub const DIALECT_WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";

/// `FaultDetail`: a selector is not one of the resource's, or names nothing.
pub const FAULT_DETAIL_UNEXPECTED_SELECTORS: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/UnexpectedSelectors";
/// `FaultDetail`: a required selector is missing.
pub const FAULT_DETAIL_INSUFFICIENT_SELECTORS: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InsufficientSelectors";
/// `FaultDetail`: the resource URI names nothing.
pub const FAULT_DETAIL_INVALID_RESOURCE_URI: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidResourceURI";
/// `FaultDetail`: a value is not acceptable.
pub const FAULT_DETAIL_INVALID_VALUE: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidValue";
/// `FaultDetail`: the envelope would be, or is, above the limit in force.
pub const FAULT_DETAIL_MAX_ENVELOPE_SIZE: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/MaxEnvelopeSize";
/// `FaultDetail`: an option with `MustComply` is not known.
pub const FAULT_DETAIL_INVALID_OPTIONS: &str =
    "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/NotSupported";

/// The selector that names a shell.
pub const SELECTOR_SHELL_ID: &str = "ShellId";
/// Option of Create: do not load the user profile.
pub const OPTION_NO_PROFILE: &str = "WINRS_NOPROFILE";
/// Option of Create: the console's code page, in decimal.
pub const OPTION_CODEPAGE: &str = "WINRS_CODEPAGE";
/// Option of Command: standard input behaves as a console (`TRUE`) or as a pipe.
pub const OPTION_CONSOLE_MODE_STDIN: &str = "WINRS_CONSOLEMODE_STDIN";
/// Option of Command: run the program without cmd in between.
pub const OPTION_SKIP_CMD_SHELL: &str = "WINRS_SKIP_CMD_SHELL";
/// Option of Receive: the service may hold the call.
pub const OPTION_KEEP_ALIVE: &str = "WSMAN_CMDSHELL_OPTION_KEEPALIVE";
