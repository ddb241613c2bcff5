//! The numbers of WSManFault (MS-WSMV 2.2.4.43; Win32 and HRESULT codes).

use std::fmt;

/// The `Code` of a WSManFault: a Win32 error or an HRESULT. Unknown numbers are kept.
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
    ACCESS_DENIED = 5, "access denied: the account lacks the right, or is a local administrator filtered by UAC \
        (LocalAccountTokenFilterPolicy)";
    OUT_OF_MEMORY = 14, "the service is out of memory";
    NOT_SUPPORTED = 50, "the service does not support the request";
    INVALID_PARAMETER = 87, "a parameter is not valid";
    OPERATION_ABORTED = 995, "the operation was aborted, as when the shell was closed meanwhile";
    CANCELLED = 1223, "the operation was cancelled";
    LOGON_FAILURE = 1326, "user name or password is wrong";
    RESOURCE_NOT_FOUND = 2_150_858_752, "the service cannot find the resource that resource URI and selectors name";
    SCHEMA_VALIDATION_ERROR = 2_150_858_817, "the request does not match the schema of its operation";
    TIMED_OUT = 2_150_858_793, "nothing happened within the operation timeout; asking again is normal for Receive";
    INVALID_SELECTORS = 2_150_858_843, "the selectors name nothing: the shell or command is gone";
    SESSION_ID_MISMATCH = 2_150_859_023, "the shell was created with a SessionId that this request does not repeat";
    ENVELOPE_TOO_LARGE = 2_150_859_025, "the message is larger than MaxEnvelopeSize allows";
    MAX_SHELLS_FOR_USER = 2_150_859_173, "the user has as many shells as the quota allows";
    QUOTA_LIMIT = 2_150_859_174, "the user has as many operations as the quota allows";
    SHELL_DISCONNECTED = 2_150_859_204, "the shell is disconnected: reconnect first";
    STREAM_DISCONNECTED = 2_150_859_230, "the shell was disconnected while the call was held";
    REGISTRY_KEY_DELETED = 2_147_943_418, "the user's profile was unloaded under the shell; create a new one";
}

impl FaultCode {
    /// Whether the number says that shell or command no longer exist.
    pub const fn is_shell_gone(self) -> bool {
        matches!(
            self,
            Self::INVALID_SELECTORS | Self::REGISTRY_KEY_DELETED | Self::OPERATION_ABORTED | Self::CANCELLED
        )
    }

    /// Whether the number says that a quota is used up.
    pub const fn is_quota(self) -> bool {
        matches!(self, Self::QUOTA_LIMIT | Self::MAX_SHELLS_FOR_USER)
    }
}

/// Decimal, and the hexadecimal form people search for: `2150858793 (0x80338029)`.
impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:08X})", self.0, self.0)
    }
}
