//! Errors (MS-PSRP 2.2.3.15).

use std::sync::Arc;

use winrm_clixml::{PsObject, PsString, PsValue};

use super::record;
use crate::ErrorCategory;
use crate::field::{Fields, set};

record! {
    /// An error of a pipeline (MS-PSRP 2.2.3.15): in the error stream one that the pipeline outlived, with the state of a
    /// pipeline or pool the one that ended it.
    ErrorRecord, "ErrorRecord"
}

impl ErrorRecord {
    /// An error as .NET would make it of an exception of this type.
    pub fn new(
        exception_type: &str,
        message: impl Into<PsString>,
        fully_qualified_error_id: impl Into<PsString>,
        category: ErrorCategory,
    ) -> Self {
        let message = message.into();
        let exception = PsObject::new()
            .with_type_names([exception_type, "System.Exception", "System.Object"])
            .with_to_string(message.clone())
            .with_adapted("Message", message.clone());
        let reason = exception_type.rsplit('.').next().unwrap_or_default();
        let object = PsObject::new()
            .with_type_names(["System.Management.Automation.ErrorRecord", "System.Object"])
            .with_to_string(message)
            .with_extended("Exception", exception)
            .with_extended("TargetObject", PsValue::Nil)
            .with_extended("FullyQualifiedErrorId", fully_qualified_error_id.into())
            .with_extended("InvocationInfo", PsValue::Nil)
            .with_extended("ErrorCategory_Category", category.0)
            .with_extended("ErrorCategory_Activity", "")
            .with_extended("ErrorCategory_Reason", reason)
            .with_extended("ErrorCategory_TargetName", "")
            .with_extended("ErrorCategory_TargetType", "")
            .with_extended("ErrorCategory_Message", format!("{category}: (:) [], {reason}"))
            .with_extended("SerializeExtendedInfo", false);
        Self { object: Arc::new(object) }
    }

    /// Sets what the error is about.
    pub fn with_target_object(mut self, target: impl Into<PsValue>) -> Self {
        set(&mut self.object, "TargetObject", target.into());
        self
    }

    /// Sets where in which scripts it happened.
    pub fn with_script_stack_trace(mut self, trace: impl Into<PsString>) -> Self {
        set(&mut self.object, "ErrorDetails_ScriptStackTrace", PsValue::String(trace.into()));
        self
    }

    /// What to tell a user: the details if there are any, else what the exception says, else the text of the record.
    pub fn message(&self) -> Option<&PsString> {
        self.details_message().or_else(|| self.exception_message()).or(self.object.to_string.as_ref())
    }

    /// The exception.
    pub fn exception(&self) -> Option<&PsValue> {
        self.property("Exception")
    }

    /// What the exception says.
    pub fn exception_message(&self) -> Option<&PsString> {
        self.exception()?.as_object()?.property("Message")?.as_ps_string()
    }

    /// The type of the exception, without "Deserialized.".
    pub fn exception_type(&self) -> Option<&str> {
        let name = self.exception()?.as_object()?.type_names.first()?.as_str()?;
        Some(name.strip_prefix("Deserialized.").unwrap_or(name))
    }

    /// What the error is about.
    pub fn target_object(&self) -> Option<&PsValue> {
        self.property("TargetObject")
    }

    /// Names the error.
    pub fn fully_qualified_error_id(&self) -> Option<&PsString> {
        self.text("FullyQualifiedErrorId")
    }

    /// What kind of error it is.
    pub fn category(&self) -> ErrorCategory {
        self.number("ErrorCategory_Category").map_or(ErrorCategory::NOT_SPECIFIED, ErrorCategory)
    }

    /// What was going on: a cmdlet.
    pub fn category_activity(&self) -> Option<&PsString> {
        self.text("ErrorCategory_Activity")
    }

    /// Why: the name of an exception.
    pub fn category_reason(&self) -> Option<&PsString> {
        self.text("ErrorCategory_Reason")
    }

    /// What it was about.
    pub fn category_target_name(&self) -> Option<&PsString> {
        self.text("ErrorCategory_TargetName")
    }

    /// And of which type that is.
    pub fn category_target_type(&self) -> Option<&PsString> {
        self.text("ErrorCategory_TargetType")
    }

    /// All of the category in one line.
    pub fn category_message(&self) -> Option<&PsString> {
        self.text("ErrorCategory_Message")
    }

    /// `ErrorDetails_Message`: replaces what the exception says.
    pub fn details_message(&self) -> Option<&PsString> {
        self.text("ErrorDetails_Message")
    }

    /// `ErrorDetails_RecommendedAction`.
    pub fn recommended_action(&self) -> Option<&PsString> {
        self.text("ErrorDetails_RecommendedAction")
    }

    /// `ErrorDetails_ScriptStackTrace`.
    pub fn script_stack_trace(&self) -> Option<&PsString> {
        self.text("ErrorDetails_ScriptStackTrace")
    }

    /// The invocation that failed, in its own object (MS-PSRP 2.2.3.15.1).
    pub fn invocation_info(&self) -> Option<&PsValue> {
        self.property("InvocationInfo")
    }

    /// Where in which script, as PowerShell shows it below an error.
    pub fn position_message(&self) -> Option<&PsString> {
        let own = self.text("InvocationInfo_PositionMessage");
        own.or_else(|| {
            let info = self.invocation_info()?.as_object()?;
            info.property("PositionMessage")?.as_ps_string()
        })
    }

    /// Whether the invocation is in properties of the record, too.
    pub fn serialize_extended_info(&self) -> bool {
        self.property("SerializeExtendedInfo").and_then(PsValue::as_bool).unwrap_or_default()
    }

    /// Fails for a value that is no record of an error.
    ///
    /// # Errors
    ///
    /// The value is no object, or has neither an exception nor an identifier.
    pub fn from_output(value: &PsValue) -> Result<Self, crate::DecodeError> {
        let fields = Fields::of("ErrorRecord", value)?;
        if fields.optional("Exception").is_none() {
            fields.required("FullyQualifiedErrorId")?;
        }
        Self::from_value(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_and_read() {
        let error = ErrorRecord::new("System.IO.IOException", "no file", "NoFile", ErrorCategory::OPEN_ERROR)
            .with_target_object("C:\\x")
            .with_script_stack_trace("at line 1");
        let error = ErrorRecord::from_output(&error.to_value()).unwrap();
        assert_eq!(error.message().unwrap(), "no file");
        assert_eq!(error.exception_type(), Some("System.IO.IOException"));
        assert_eq!(error.fully_qualified_error_id().unwrap(), "NoFile");
        assert_eq!(error.category(), ErrorCategory::OPEN_ERROR);
        assert_eq!(error.category_message().unwrap(), "OpenError: (:) [], IOException");
        assert_eq!(error.target_object().unwrap().as_str(), Some("C:\\x"));
        assert_eq!(error.script_stack_trace().unwrap(), "at line 1");
        assert!(!error.serialize_extended_info());
        assert!(!format!("{error:?}").contains("no file"));
    }

    #[test]
    fn other_values_are_no_errors() {
        assert!(ErrorRecord::from_output(&PsValue::I32(1)).is_err());
        assert!(ErrorRecord::from_output(&PsObject::new().into()).is_err());
    }
}
