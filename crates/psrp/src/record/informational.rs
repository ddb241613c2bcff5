//! Warnings, verbose and debug records (MS-PSRP 2.2.3.16).

use std::sync::Arc;

use winrm_clixml::{PsObject, PsString, PsValue};

use super::record;

record! {
    /// A warning, a verbose or a debug record (MS-PSRP 2.2.3.16): which one the message tells.
    InformationalRecord, "InformationalRecord"
}

impl InformationalRecord {
    /// A record of this type of .NET, as in `System.Management.Automation.WarningRecord`.
    pub fn new(type_name: &str, message: impl Into<PsString>) -> Self {
        let message = message.into();
        let object = PsObject::new()
            .with_type_names([type_name, "System.Management.Automation.InformationalRecord", "System.Object"])
            .with_to_string(message.clone())
            .with_extended("InformationalRecord_Message", message)
            .with_extended("InformationalRecord_SerializeInvocationInfo", false);
        Self { object: Arc::new(object) }
    }

    /// A warning.
    pub fn warning(message: impl Into<PsString>) -> Self {
        Self::new("System.Management.Automation.WarningRecord", message)
    }

    /// A verbose record.
    pub fn verbose(message: impl Into<PsString>) -> Self {
        Self::new("System.Management.Automation.VerboseRecord", message)
    }

    /// A debug record.
    pub fn debug(message: impl Into<PsString>) -> Self {
        Self::new("System.Management.Automation.DebugRecord", message)
    }

    /// What it says.
    pub fn message(&self) -> Option<&PsString> {
        self.text("InformationalRecord_Message").or(self.object.to_string.as_ref())
    }

    /// Whether the invocation that wrote it is in properties whose names begin with `InvocationInfo_`.
    pub fn serialize_invocation_info(&self) -> bool {
        let told = self.property("InformationalRecord_SerializeInvocationInfo");
        told.and_then(PsValue::as_bool).unwrap_or_default()
    }

    /// `InformationalRecord_PipelineIterationInfo`: how many objects each command of the pipeline had taken.
    pub fn pipeline_iteration_info(&self) -> Option<&[PsValue]> {
        self.property("InformationalRecord_PipelineIterationInfo")?.as_object()?.items()
    }
}
