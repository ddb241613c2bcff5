//! Errors (MS-PSRP 2.2.3.15).

use std::fmt;
use std::sync::Arc;

use winrm_clixml::{PsObject, PsString, PsValue};

use super::record;
use crate::fields::Fields;
use crate::message::MessageError;

record! {
    /// An error: one that ended a pipeline, or one of its error stream.
    ErrorRecord
}

macro_rules! categories {
    ($($(#[$docs:meta])* $variant:ident = $code:literal),* $(,)?) => {
        /// What kind of error it is (MS-PSRP 2.2.3.9).
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum ErrorCategory {
            $($(#[$docs])* $variant),*
        }

        impl ErrorCategory {
            /// By its number.
            pub fn from_code(code: i64) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its number.
            pub fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant)),*
                }
            }
        }
    };
}

categories! {
    /// Of no kind.
    #[default]
    NotSpecified = 0,
    /// Something could not be opened.
    OpenError = 1,
    /// Something could not be closed.
    CloseError = 2,
    /// A device failed.
    DeviceError = 3,
    /// Something would have waited for itself.
    DeadlockDetected = 4,
    /// An argument is wrong.
    InvalidArgument = 5,
    /// Data is wrong.
    InvalidData = 6,
    /// An operation cannot be done now.
    InvalidOperation = 7,
    /// A result is wrong.
    InvalidResult = 8,
    /// A type is wrong.
    InvalidType = 9,
    /// Metadata is wrong.
    MetadataError = 10,
    /// It is not built.
    NotImplemented = 11,
    /// It is not installed.
    NotInstalled = 12,
    /// It is not there.
    ObjectNotFound = 13,
    /// The operation was stopped.
    OperationStopped = 14,
    /// It took too long.
    OperationTimeout = 15,
    /// A script or command line is wrong.
    SyntaxError = 16,
    /// A text could not be read.
    ParserError = 17,
    /// It is not allowed.
    PermissionDenied = 18,
    /// Somebody else uses it.
    ResourceBusy = 19,
    /// It is there already.
    ResourceExists = 20,
    /// It is not available now.
    ResourceUnavailable = 21,
    /// Something could not be read.
    ReadError = 22,
    /// Something could not be written.
    WriteError = 23,
    /// A program wrote it to its standard error.
    FromStdErr = 24,
    /// Security forbids it.
    SecurityError = 25,
    /// A protocol was broken.
    ProtocolError = 26,
    /// A connection failed.
    ConnectionError = 27,
    /// Who somebody is could not be told.
    AuthenticationError = 28,
    /// A limit was reached.
    LimitsExceeded = 29,
    /// A quota is used up.
    QuotaExceeded = 30,
    /// It is not enabled.
    NotEnabled = 31,
}

impl ErrorRecord {
    /// An error of this kind, for servers to send.
    pub fn new(message: &str, error_id: &str, category: ErrorCategory, exception_type: &str) -> Self {
        let exception = PsObject::new()
            .with_type_names([exception_type, "System.Exception", "System.Object"])
            .with_to_string(format!("{exception_type}: {message}"))
            .with_adapted("Message", message);
        let category_message = format!("{}: (:) [], {exception_type}", category.name());
        let object = PsObject::new()
            .with_type_names(["System.Management.Automation.ErrorRecord", "System.Object"])
            .with_to_string(message)
            .with_extended("Exception", exception)
            .with_extended("TargetObject", PsValue::Nil)
            .with_extended("FullyQualifiedErrorId", error_id)
            .with_extended("InvocationInfo", PsValue::Nil)
            .with_extended("ErrorCategory_Category", category.code())
            .with_extended("ErrorCategory_Activity", "")
            .with_extended("ErrorCategory_Reason", exception_type)
            .with_extended("ErrorCategory_TargetName", "")
            .with_extended("ErrorCategory_TargetType", "")
            .with_extended("ErrorCategory_Message", category_message)
            .with_extended("SerializeExtendedInfo", false);
        Self(Arc::new(object))
    }

    pub(crate) fn read_optional(
        fields: Fields<'_>,
        field: &'static str,
    ) -> Result<Option<Self>, MessageError> {
        match fields.optional(field) {
            None => Ok(None),
            Some(PsValue::Object(object)) => Ok(Some(Self(Arc::clone(object)))),
            Some(_) => Err(fields.invalid(field, "an error record")),
        }
    }

    /// What PowerShell would show first: the message of the details, the exception or the record.
    pub fn message(&self) -> PsString {
        let details = self.text_of("ErrorDetails_Message");
        let found = details.or_else(|| self.exception_message()).or(self.0.to_string.as_ref());
        found.cloned().unwrap_or_default()
    }

    /// The message of the exception.
    pub fn exception_message(&self) -> Option<&PsString> {
        self.exception()?.property("Message")?.as_ps_string()
    }

    /// The most specific type of the exception.
    pub fn exception_type(&self) -> Option<&PsString> {
        self.exception()?.type_names.first()
    }

    /// The exception.
    pub fn exception(&self) -> Option<&PsObject> {
        self.0.property("Exception")?.as_object()
    }

    /// What the error is about.
    pub fn target_object(&self) -> Option<&PsValue> {
        self.0.property("TargetObject").filter(|value| !value.is_nil())
    }

    /// Tells errors apart, whatever the language.
    pub fn fully_qualified_error_id(&self) -> Option<&PsString> {
        self.text_of("FullyQualifiedErrorId")
    }

    /// Its kind.
    pub fn category(&self) -> Option<ErrorCategory> {
        ErrorCategory::from_code(self.number_of("ErrorCategory_Category")?)
    }

    /// Kind, target and command in one line.
    pub fn category_message(&self) -> Option<&PsString> {
        self.text_of("ErrorCategory_Message")
    }

    /// Where in which script it happened.
    pub fn script_stack_trace(&self) -> Option<&PsString> {
        self.text_of("ErrorDetails_ScriptStackTrace")
    }

    /// The line it happened in, with a mark under the place.
    pub fn position_message(&self) -> Option<&PsString> {
        let invocation = self.0.property("InvocationInfo").and_then(PsValue::as_object);
        let nested =
            invocation.and_then(|info| info.property("PositionMessage")).and_then(PsValue::as_ps_string);
        nested.or_else(|| self.text_of("InvocationInfo_PositionMessage"))
    }
}

impl fmt::Display for ErrorRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for ErrorRecord {}
