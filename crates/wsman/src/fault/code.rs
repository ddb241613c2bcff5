//! The numbers of `WSManFault` (MS-WSMV 2.2.4.43): Win32 errors and those of the Windows header `wsmerror.h`.

use std::fmt;

/// The `Code` of a `WSManFault`: a Win32 error or an HRESULT. Unknown numbers are kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct FaultCode(pub u32);

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $meaning:literal;)*) => {
        impl FaultCode {
            $($(#[$doc])* #[doc = concat!("", $meaning, ".")] pub const $name: Self = Self($value);)*

            /// Every number that has a name here.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];

            /// What the number means and, where there is one, the way out; one clause in lower case.
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($meaning),)*
                    _ => None,
                }
            }

            /// The name of the constant.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

fault_codes! {
    ACCESS_DENIED = 5, "access denied: the account lacks the right, or it is a local administrator and the target's \
        LocalAccountTokenFilterPolicy takes the rights away";
    OUT_OF_MEMORY = 14, "the service is out of memory";
    NOT_SUPPORTED = 50, "the service does not support the request";
    INVALID_PARAMETER = 87, "a parameter is incorrect";
    BROKEN_PIPE = 109, "the pipe is broken: the command no longer reads its input";
    BUSY = 170, "the resource is in use; for Send: an earlier block is still being handed over, try again";
    NO_DATA = 232, "the pipe is being closed: the command no longer reads its input";
    OPERATION_ABORTED = 995, "the operation was aborted, as when the shell is closed meanwhile";
    CANCELLED = 1223, "the operation was cancelled";
    LOGON_FAILURE = 1326, "user name or password is wrong";
    NOT_ENOUGH_QUOTA = 1816, "the shell's quota of processes or memory does not allow another process";
    /// [`BROKEN_PIPE`](Self::BROKEN_PIPE) as an HRESULT:
    BROKEN_PIPE_HRESULT = 2_147_942_509, "the pipe is broken: the command no longer reads its input";
    /// [`NO_DATA`](Self::NO_DATA) as an HRESULT:
    NO_DATA_HRESULT = 2_147_942_632, "the pipe is being closed: the command no longer reads its input";
    REGISTRY_KEY_DELETED = 2_147_943_418, "the user's profile was unloaded under the shell: create a new shell";
    RESOURCE_NOT_FOUND = 2_150_858_752, "there is nothing that resource URI and selectors name";
    INVALID_ACTION_URI = 2_150_858_753, "the action is not valid for the resource";
    INVALID_URI = 2_150_858_754, "the resource URI is not valid";
    PROVIDER_FAILURE = 2_150_858_755, "the provider below the service failed";
    SOAP_VERSION_MISMATCH = 2_150_858_765, "the SOAP version is not supported";
    INVALID_MESSAGE_HEADER = 2_150_858_767, "an addressing header is not valid";
    MUST_UNDERSTAND = 2_150_858_768, "a header with mustUnderstand is not understood";
    MESSAGE_HEADER_REQUIRED = 2_150_858_769, "an addressing header is missing";
    ACTION_NOT_SUPPORTED = 2_150_858_771, "the service does not support the action";
    CANNOT_PROCESS_FILTER = 2_150_858_778, "the filter is not valid, or names a class that does not exist";
    ENVELOPE_TOO_LARGE = 2_150_858_790, "the message is larger than MaxEnvelopeSize allows";
    INVALID_SOAP_BODY = 2_150_858_791, "the SOAP body is not valid";
    TIMED_OUT = 2_150_858_793, "nothing happened within the operation timeout; for Receive that is normal: ask again";
    URI_LIMIT = 2_150_858_797, "a URI is too long";
    INVALID_OPTIONS = 2_150_858_809, "an option is not valid for the resource";
    INVALID_RESOURCE_URI = 2_150_858_811, "the resource URI is missing or malformed";
    QUOTA_LIMIT = 2_150_858_815, "the service is busy with as many requests as it takes at once: try again later";
    SCHEMA_VALIDATION_ERROR = 2_150_858_817, "the request does not match the schema of its operation";
    MAX_ENVELOPE_SIZE_EXCEEDED = 2_150_858_824, "the answer would be larger than the client's MaxEnvelopeSize";
    SERVER_ENVELOPE_LIMIT = 2_150_858_825, "the request is larger than the service's MaxEnvelopeSizekb";
    INSUFFICIENT_SELECTORS = 2_150_858_842, "a selector that the resource needs is missing";
    INVALID_SELECTORS = 2_150_858_843, "the selectors name nothing: shell or command are gone";
    TIMEOUT_NOT_SUPPORTED = 2_150_858_854, "the operation timeout is not supported";
    LOCALE_NOT_SUPPORTED = 2_150_858_855, "the locale is not supported";
    INVALID_TIMEOUT_HEADER = 2_150_858_881, "the operation timeout is malformed";
    CANNOT_DECRYPT = 2_150_859_001, "the encrypted message could not be decrypted";
    SESSION_ID_MISMATCH = 2_150_859_023, "the request does not repeat the SessionId that the shell was created with";
    HTTP_REQUEST_TOO_LARGE = 2_150_859_025, "the request is larger than the service's MaxEnvelopeSizekb";
    SHELL_ALREADY_CLOSED = 2_150_859_082, "the shell is closed already";
    COMMAND_ALREADY_CLOSED = 2_150_859_087, "the command is closed already";
    NO_COMMAND_ID = 2_150_859_141, "the command id is missing";
    INVALID_INPUT_STREAM = 2_150_859_147, "the shell has no such input stream";
    INVALID_DESIRED_STREAMS = 2_150_859_149, "the shell has no such output stream";
    MAX_SHELLS_FOR_USER = 2_150_859_173, "the user has as many shells as MaxShellsPerUser allows: close some";
    MAX_OPERATIONS_FOR_USER = 2_150_859_174, "the user has as many operations as MaxConcurrentOperationsPerUser allows";
    USER_THROTTLED = 2_150_859_175, "the user sends too many requests: slow down";
    SYSTEM_THROTTLED = 2_150_859_176, "the service receives too many requests: slow down";
    MAX_SHELL_USERS = 2_150_859_179, "as many users have shells as MaxConcurrentUsers allows";
    REMOTE_SHELLS_NOT_ALLOWED = 2_150_859_180, "the service does not allow remote shells (AllowRemoteShellAccess)";
    SHELL_DISCONNECTED = 2_150_859_204, "the shell is disconnected: reconnect first";
    COMMAND_TERMINATED = 2_150_859_212, "the command was terminated";
    REMOTE_ACCESS_DISABLED = 2_150_859_229, "remote access to the service is disabled";
    STREAM_DISCONNECTED = 2_150_859_230, "the shell was disconnected while the request was held";
    PLUGIN_MAX_SHELLS_FOR_USER = 2_150_859_236, "the user has as many shells as the plug-in's quota allows: close some";
    PLUGIN_MAX_USERS = 2_150_859_237, "as many users use the plug-in as its quota allows";
    PLUGIN_MAX_SHELLS = 2_150_859_238, "there are as many shells as the plug-in's quota allows";
    PLUGIN_MAX_OPERATIONS = 2_150_859_239, "there are as many operations as the plug-in's quota allows";
    PLUGIN_MAX_OPERATIONS_FOR_USER = 2_150_859_240, "the user has as many operations as the plug-in's quota allows";
    PLUGIN_MAX_COMMANDS_PER_SHELL = 2_150_859_241, "the shell has as many commands as the plug-in's quota allows: \
        finished ones count until they are signalled terminate";
}

impl FaultCode {
    /// Whether the number says that shell or command no longer exist.
    pub const fn is_shell_gone(self) -> bool {
        matches!(
            self,
            Self::INVALID_SELECTORS | Self::REGISTRY_KEY_DELETED | Self::OPERATION_ABORTED | Self::CANCELLED
        )
    }

    /// Whether the number, as the answer to Send, says that nobody reads this input any more: the command closed it, has
    /// ended or is gone with its shell. What is left to send may be dropped, as after `EPIPE`.
    pub const fn is_input_closed(self) -> bool {
        self.is_shell_gone()
            || matches!(
                self,
                Self::BROKEN_PIPE
                    | Self::BROKEN_PIPE_HRESULT
                    | Self::NO_DATA
                    | Self::NO_DATA_HRESULT
                    | Self::COMMAND_ALREADY_CLOSED
                    | Self::COMMAND_TERMINATED
            )
    }

    /// Whether the number says that a message was too large.
    pub const fn is_too_large(self) -> bool {
        matches!(
            self,
            Self::ENVELOPE_TOO_LARGE
                | Self::MAX_ENVELOPE_SIZE_EXCEEDED
                | Self::SERVER_ENVELOPE_LIMIT
                | Self::HTTP_REQUEST_TOO_LARGE
        )
    }
}

/// Decimal, and the hexadecimal form people search for: `2150858793 (0x80338029)`.
impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:08X})", self.0, self.0)
    }
}
