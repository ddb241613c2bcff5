//! Numbers with names (MS-PSRP 2.2.3).

use std::fmt;

use winrm_clixml::{Content, PsObject, PsValue, Version};

/// An enumeration of .NET as the wire has it: a number, which may be one that has no name here.
macro_rules! enumeration {
    ($(#[$docs:meta])* $name:ident: $type_name:literal { $($(#[$value_docs:meta])* $constant:ident = $value:literal $text:literal,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub struct $name(pub i32);

        impl $name {
            $($(#[$value_docs])* pub const $constant: Self = Self($value);)*

            #[allow(dead_code, reason = "not every one is named elsewhere")]
            pub(crate) const TYPE_NAME: &str = $type_name;

            /// Its name in .NET, if it has one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }

            /// The object of this enumeration (MS-PSRP 2.2.5.2.7).
            pub fn to_value(self) -> PsValue {
                crate::value::enumeration_value(Self::TYPE_NAME, self.0, &self.to_string())
            }

            /// The number of such an object, or a bare one.
            pub fn from_value(value: &PsValue) -> Option<Self> {
                value.as_i64().and_then(|value| i32::try_from(value).ok()).map(Self)
            }
        }

        /// The name, or the number if there is none.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => fmt::Display::fmt(&self.0, f),
                }
            }
        }
    };
}

pub(crate) use enumeration;

/// The object of an enumeration (MS-PSRP 2.2.5.2.7).
pub(crate) fn enumeration_value(type_name: &'static str, value: i32, text: &str) -> PsValue {
    PsObject::new()
        .with_type_names([type_name, "System.Enum", "System.ValueType", "System.Object"])
        .with_to_string(text)
        .with_content(Content::Value(Box::new(PsValue::I32(value))))
        .into()
}

/// A state that machines act on, so that no other numbers exist.
macro_rules! state {
    ($(#[$docs:meta])* $name:ident { $($(#[$value_docs:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name {
            $($(#[$value_docs])* $variant,)*
        }

        impl $name {
            /// The number on the wire.
            pub fn value(self) -> i32 {
                match self {
                    $(Self::$variant => $value,)*
                }
            }

            /// The state of this number.
            pub fn from_number(value: i32) -> Option<Self> {
                match value {
                    $($value => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        /// The name in MS-PSRP.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$variant => stringify!($variant),)*
                })
            }
        }
    };
}

state! {
    /// The state of a runspace pool (MS-PSRP 2.2.3.4).
    RunspacePoolState {
        /// Made, and nothing sent.
        BeforeOpen = 0,
        /// About to send the first messages.
        Opening = 1,
        /// Pipelines can run.
        Opened = 2,
        /// Gone, as was asked.
        Closed = 3,
        /// Asked to go.
        Closing = 4,
        /// Gone for another reason.
        Broken = 5,
        /// The first messages are sent.
        NegotiationSent = 6,
        /// Both sides know each other's versions.
        NegotiationSucceeded = 7,
        /// About to connect to a pool that another client left.
        Connecting = 8,
        /// Left, to be connected to again.
        Disconnected = 9,
    }
}

state! {
    /// The state of a pipeline (MS-PSRP 2.2.3.5, PSInvocationState).
    PipelineState {
        /// Not invoked.
        NotStarted = 0,
        /// Invoked.
        Running = 1,
        /// Asked to stop.
        Stopping = 2,
        /// Stopped, as was asked.
        Stopped = 3,
        /// Ran to its end, with errors in its stream or without.
        Completed = 4,
        /// Ended by a terminating error.
        Failed = 5,
        /// Its pool is disconnected.
        Disconnected = 6,
    }
}

impl RunspacePoolState {
    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Broken)
    }
}

impl PipelineState {
    /// Whether nothing can follow.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Completed | Self::Failed)
    }
}

enumeration! {
    /// Whether pipelines share a thread (MS-PSRP 2.2.3.6); not interpreted here.
    PsThreadOptions: "System.Management.Automation.Runspaces.PSThreadOptions" {
        /// As the server likes.
        DEFAULT = 0 "Default",
        /// A thread for each.
        USE_NEW_THREAD = 1 "UseNewThread",
        /// One for all of a runspace.
        REUSE_THREAD = 2 "ReuseThread",
        /// The caller's.
        USE_CURRENT_THREAD = 3 "UseCurrentThread",
    }
}

enumeration! {
    /// The COM apartment of pipelines (MS-PSRP 2.2.3.7); not interpreted here.
    ApartmentState: "System.Management.Automation.Runspaces.ApartmentState" {
        /// Single-threaded.
        STA = 0 "STA",
        /// Multi-threaded.
        MTA = 1 "MTA",
        /// As the server likes.
        UNKNOWN = 2 "UNKNOWN",
    }
}

enumeration! {
    /// Which records tell where they were written (MS-PSRP 2.2.3.8): bits.
    RemoteStreamOptions: "System.Management.Automation.Runspaces.RemoteStreamOptions" {
        /// None.
        NONE = 0 "0",
        /// Errors.
        ADD_INVOCATION_INFO_TO_ERROR_RECORD = 1 "AddInvocationInfoToErrorRecord",
        /// Warnings.
        ADD_INVOCATION_INFO_TO_WARNING_RECORD = 2 "AddInvocationInfoToWarningRecord",
        /// Debug records.
        ADD_INVOCATION_INFO_TO_DEBUG_RECORD = 4 "AddInvocationInfoToDebugRecord",
        /// Verbose records.
        ADD_INVOCATION_INFO_TO_VERBOSE_RECORD = 8 "AddInvocationInfoToVerboseRecord",
        /// All.
        ADD_INVOCATION_INFO = 15 "AddInvocationInfo",
    }
}

enumeration! {
    /// What kind of error it is (MS-PSRP 2.2.3.9).
    ErrorCategory: "System.Management.Automation.ErrorCategory" {
        /// Not told.
        NOT_SPECIFIED = 0 "NotSpecified",
        /// Something cannot be opened.
        OPEN_ERROR = 1 "OpenError",
        /// Something cannot be closed.
        CLOSE_ERROR = 2 "CloseError",
        /// A device.
        DEVICE_ERROR = 3 "DeviceError",
        /// A deadlock.
        DEADLOCK_DETECTED = 4 "DeadlockDetected",
        /// An argument.
        INVALID_ARGUMENT = 5 "InvalidArgument",
        /// Data.
        INVALID_DATA = 6 "InvalidData",
        /// Not possible now.
        INVALID_OPERATION = 7 "InvalidOperation",
        /// A result.
        INVALID_RESULT = 8 "InvalidResult",
        /// A type.
        INVALID_TYPE = 9 "InvalidType",
        /// Metadata.
        METADATA_ERROR = 10 "MetadataError",
        /// Not implemented.
        NOT_IMPLEMENTED = 11 "NotImplemented",
        /// Not installed.
        NOT_INSTALLED = 12 "NotInstalled",
        /// Not there.
        OBJECT_NOT_FOUND = 13 "ObjectNotFound",
        /// Stopped.
        OPERATION_STOPPED = 14 "OperationStopped",
        /// Took too long.
        OPERATION_TIMEOUT = 15 "OperationTimeout",
        /// A syntax.
        SYNTAX_ERROR = 16 "SyntaxError",
        /// A script that cannot be parsed.
        PARSER_ERROR = 17 "ParserError",
        /// No permission.
        PERMISSION_DENIED = 18 "PermissionDenied",
        /// In use.
        RESOURCE_BUSY = 19 "ResourceBusy",
        /// There already.
        RESOURCE_EXISTS = 20 "ResourceExists",
        /// Not to be had.
        RESOURCE_UNAVAILABLE = 21 "ResourceUnavailable",
        /// Reading.
        READ_ERROR = 22 "ReadError",
        /// Writing.
        WRITE_ERROR = 23 "WriteError",
        /// From a program's standard error.
        FROM_STD_ERR = 24 "FromStdErr",
        /// Security.
        SECURITY_ERROR = 25 "SecurityError",
        /// A protocol.
        PROTOCOL_ERROR = 26 "ProtocolError",
        /// A connection.
        CONNECTION_ERROR = 27 "ConnectionError",
        /// Authentication.
        AUTHENTICATION_ERROR = 28 "AuthenticationError",
        /// A limit.
        LIMITS_EXCEEDED = 29 "LimitsExceeded",
        /// A quota.
        QUOTA_EXCEEDED = 30 "QuotaExceeded",
        /// Not enabled.
        NOT_ENABLED = 31 "NotEnabled",
    }
}

enumeration! {
    /// Kinds of commands (MS-PSRP 2.2.3.19): bits.
    CommandTypes: "System.Management.Automation.CommandTypes" {
        /// Aliases.
        ALIAS = 1 "Alias",
        /// Functions.
        FUNCTION = 2 "Function",
        /// Filters.
        FILTER = 4 "Filter",
        /// Cmdlets.
        CMDLET = 8 "Cmdlet",
        /// Script files.
        EXTERNAL_SCRIPT = 16 "ExternalScript",
        /// Programs.
        APPLICATION = 32 "Application",
        /// Scripts of the session's configuration.
        SCRIPT = 64 "Script",
        /// Workflows.
        WORKFLOW = 128 "Workflow",
        /// Configurations.
        CONFIGURATION = 256 "Configuration",
        /// All.
        ALL = 511 "All",
    }
}

enumeration! {
    /// A stream that another is merged into (MS-PSRP 2.2.3.31), by the numbers that .NET has rather than those of the
    /// specification.
    PipelineResultTypes: "System.Management.Automation.Runspaces.PipelineResultTypes" {
        /// None: as usual.
        NONE = 0 "None",
        /// Output.
        OUTPUT = 1 "Output",
        /// Errors.
        ERROR = 2 "Error",
        /// Warnings.
        WARNING = 3 "Warning",
        /// Verbose records.
        VERBOSE = 4 "Verbose",
        /// Debug records.
        DEBUG = 5 "Debug",
        /// Information records.
        INFORMATION = 6 "Information",
        /// All.
        ALL = 7 "All",
        /// Nowhere.
        NULL = 8 "Null",
    }
}

enumeration! {
    /// Whether an activity goes on (MS-PSRP 2.2.2.25).
    ProgressRecordType: "System.Management.Automation.ProgressRecordType" {
        /// It does.
        PROCESSING = 0 "Processing",
        /// It is over.
        COMPLETED = 1 "Completed",
    }
}

/// A version of the protocol (MS-PSRP 2.2.2.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ProtocolVersion {
    /// Peers of different ones do not understand each other.
    pub major: u32,
    /// A higher one has more.
    pub minor: u32,
}

impl ProtocolVersion {
    /// PowerShell 3.0: pools that can be disconnected, all streams merged.
    pub const V2_2: Self = Self { major: 2, minor: 2 };
    /// PowerShell 5.0: information records, reset of runspaces.
    pub const V2_3: Self = Self { major: 2, minor: 3 };

    /// The first two numbers.
    pub(crate) fn of(version: &Version) -> Self {
        let mut parts = version.parts();
        Self { major: parts.next().unwrap_or(0), minor: parts.next().unwrap_or(0) }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_name_survive() {
        assert_eq!(ErrorCategory::PARSER_ERROR.to_string(), "ParserError");
        assert_eq!(ErrorCategory(99).to_string(), "99");
        let value = ApartmentState(7).to_value();
        assert_eq!(ApartmentState::from_value(&value), Some(ApartmentState(7)));
        assert_eq!(ApartmentState::from_value(&PsValue::I32(1)), Some(ApartmentState::MTA));
        assert_eq!(ApartmentState::from_value(&PsValue::Bool(true)), None);
    }

    #[test]
    fn states_are_numbers() {
        for value in -1..12 {
            assert_eq!(
                RunspacePoolState::from_number(value).map(RunspacePoolState::value),
                (0..10).contains(&value).then_some(value)
            );
            assert_eq!(
                PipelineState::from_number(value).map(PipelineState::value),
                (0..7).contains(&value).then_some(value)
            );
        }
        assert!(ProtocolVersion::V2_2 < ProtocolVersion::V2_3);
    }
}
