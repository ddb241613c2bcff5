//! Records of the streams beside the output (MS-PSRP 2.2.2.20 to 2.2.2.26, 2.2.3.15 and 2.2.3.16).
//!
//! Each keeps its whole object, whatever a version of PowerShell puts there, and reads from it what is asked for.

mod error;

use std::fmt;
use std::sync::Arc;

use winrm_clixml::{DateTime, PsObject, PsString, PsValue};

use crate::fields::{enumeration, or_nil};
use crate::message::MessageError;

pub use error::{ErrorCategory, ErrorRecord};

macro_rules! record {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub(crate) Arc<PsObject>);

        impl $name {
            /// All of it.
            pub fn object(&self) -> &PsObject {
                &self.0
            }

            /// As a value.
            pub fn to_value(&self) -> PsValue {
                PsValue::Object(Arc::clone(&self.0))
            }

            pub(crate) fn read(value: &PsValue, message: &'static str) -> Result<Self, MessageError> {
                match value {
                    PsValue::Object(object) => Ok(Self(Arc::clone(object))),
                    _ => Err(MessageError::NotAnObject { message }),
                }
            }

            #[allow(dead_code, reason = "not every record has texts of its own")]
            fn text_of(&self, field: &str) -> Option<&PsString> {
                self.0.property(field).and_then(PsValue::as_ps_string)
            }

            #[allow(dead_code, reason = "not every record has numbers")]
            fn number_of(&self, field: &str) -> Option<i64> {
                self.0.property(field).and_then(PsValue::as_i64)
            }
        }
    };
}
pub(crate) use record;

record! {
    /// A record of the debug, verbose or warning stream (MS-PSRP 2.2.2.22 to 2.2.2.24).
    InformationalRecord
}
record! {
    /// A record of the progress stream (MS-PSRP 2.2.2.25).
    ProgressRecord
}
record! {
    /// A record of the information stream, which `Write-Host` writes to as well (MS-PSRP 2.2.2.26).
    InformationRecord
}

impl InformationalRecord {
    /// One with this message, of `DebugRecord`, `VerboseRecord` or `WarningRecord`.
    pub fn new(type_name: &str, message: impl Into<PsString>) -> Self {
        let message = message.into();
        let object = PsObject::new()
            .with_type_names([
                format!("System.Management.Automation.{type_name}").as_str(),
                "System.Management.Automation.InformationalRecord",
                "System.Object",
            ])
            .with_to_string(message.clone())
            .with_extended("InformationalRecord_Message", message)
            .with_extended("InformationalRecord_SerializeInvocationInfo", false);
        Self(Arc::new(object))
    }

    /// What it says.
    pub fn message(&self) -> PsString {
        self.text_of("InformationalRecord_Message").or(self.0.to_string.as_ref()).cloned().unwrap_or_default()
    }
}

impl ProgressRecord {
    /// An object that is one: what a host is told to show.
    pub fn from_value(value: &PsValue) -> Option<Self> {
        Self::read(value, "WriteProgress").ok()
    }

    /// One about an activity; -1 for a percentage that is not known.
    pub fn new(
        activity: impl Into<PsString>,
        activity_id: i32,
        status: impl Into<PsString>,
        percent: i32,
    ) -> Self {
        let kind = enumeration("System.Management.Automation.ProgressRecordType", "Processing", 0);
        let object = PsObject::new()
            .with_extended("Activity", activity.into())
            .with_extended("ActivityId", activity_id)
            .with_extended("StatusDescription", status.into())
            .with_extended("CurrentOperation", PsValue::Nil)
            .with_extended("ParentActivityId", -1)
            .with_extended("PercentComplete", percent)
            .with_extended("Type", kind)
            .with_extended("SecondsRemaining", -1);
        Self(Arc::new(object))
    }

    /// What is being done.
    pub fn activity(&self) -> PsString {
        self.text_of("Activity").cloned().unwrap_or_default()
    }

    /// Tells activities apart.
    pub fn activity_id(&self) -> i64 {
        self.number_of("ActivityId").unwrap_or_default()
    }

    /// The activity it is a part of.
    pub fn parent_activity_id(&self) -> Option<i64> {
        self.number_of("ParentActivityId").filter(|id| *id >= 0)
    }

    /// How far it is.
    pub fn status(&self) -> PsString {
        self.text_of("StatusDescription").cloned().unwrap_or_default()
    }

    /// What is being done right now.
    pub fn current_operation(&self) -> Option<&PsString> {
        self.text_of("CurrentOperation")
    }

    /// Percent, where it is known.
    pub fn percent_complete(&self) -> Option<i64> {
        self.number_of("PercentComplete").filter(|percent| (0..=100).contains(percent))
    }

    /// Seconds until the end, where they are known.
    pub fn seconds_remaining(&self) -> Option<i64> {
        self.number_of("SecondsRemaining").filter(|seconds| *seconds >= 0)
    }

    /// Whether the activity has ended.
    pub fn is_completed(&self) -> bool {
        self.number_of("Type") == Some(1)
    }
}

impl InformationRecord {
    /// One with this data, from this command or script.
    pub fn new(data: impl Into<PsValue>, source: impl Into<PsString>, time: DateTime) -> Self {
        let object = PsObject::new()
            .with_extended("MessageData", data.into())
            .with_extended("Source", source.into())
            .with_extended("TimeGenerated", time)
            .with_extended("Tags", crate::fields::list(&["System.Object"], Vec::new()))
            .with_extended("User", or_nil(None::<PsString>))
            .with_extended("Computer", or_nil(None::<PsString>))
            .with_extended("ProcessId", 0_u32)
            .with_extended("NativeThreadId", 0_u32)
            .with_extended("ManagedThreadId", 0_u32);
        Self(Arc::new(object))
    }

    /// What it says, which may be any object.
    pub fn message_data(&self) -> &PsValue {
        self.0.property("MessageData").unwrap_or(&PsValue::Nil)
    }

    /// The message as text: of `Write-Host` what it wrote.
    pub fn message(&self) -> PsString {
        let data = self.message_data();
        if let Some(text) = data.as_ps_string() {
            return text.clone();
        }
        let Some(object) = data.as_object() else { return PsString::default() };
        // HostInformationMessage.
        let message = object.property("Message").and_then(PsValue::as_ps_string);
        message.or(object.to_string.as_ref()).cloned().unwrap_or_default()
    }

    /// The command or script it comes from.
    pub fn source(&self) -> Option<&PsString> {
        self.text_of("Source")
    }

    /// When it was made.
    pub fn time(&self) -> Option<&DateTime> {
        match self.0.property("TimeGenerated")?.primitive() {
            PsValue::DateTime(time) => Some(time),
            _ => None,
        }
    }

    /// Its tags; `PSHOST` for what `Write-Host` writes, which the host was told to write as well.
    pub fn tags(&self) -> impl Iterator<Item = &PsString> {
        let tags = self.0.property("Tags").and_then(PsValue::as_object).and_then(PsObject::items);
        tags.unwrap_or_default().iter().filter_map(PsValue::as_ps_string)
    }
}

impl fmt::Display for InformationalRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl fmt::Display for InformationRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}
