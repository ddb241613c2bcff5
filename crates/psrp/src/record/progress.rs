//! Progress (MS-PSRP 2.2.2.25).

use std::sync::Arc;

use winrm_clixml::{PsObject, PsString, PsValue};

use super::record;
use crate::ProgressRecordType;
use crate::field::set;

record! {
    /// How far an activity has come (MS-PSRP 2.2.2.25).
    ProgressRecord, "PROGRESS_RECORD"
}

impl ProgressRecord {
    /// An activity that goes on, by its number.
    pub fn new(
        activity_id: i32,
        activity: impl Into<PsString>,
        status_description: impl Into<PsString>,
    ) -> Self {
        let object = PsObject::new()
            .with_extended("Activity", activity.into())
            .with_extended("ActivityId", activity_id)
            .with_extended("StatusDescription", status_description.into())
            .with_extended("CurrentOperation", PsValue::Nil)
            .with_extended("ParentActivityId", -1)
            .with_extended("PercentComplete", -1)
            .with_extended("Type", ProgressRecordType::PROCESSING.to_value())
            .with_extended("SecondsRemaining", -1);
        Self { object: Arc::new(object) }
    }

    /// Sets how much is done.
    pub fn with_percent_complete(mut self, percent: i32) -> Self {
        set(&mut self.object, "PercentComplete", percent.into());
        self
    }

    /// Sets how long it will take.
    pub fn with_seconds_remaining(mut self, seconds: i32) -> Self {
        set(&mut self.object, "SecondsRemaining", seconds.into());
        self
    }

    /// Sets what is done right now.
    pub fn with_current_operation(mut self, operation: impl Into<PsString>) -> Self {
        set(&mut self.object, "CurrentOperation", PsValue::String(operation.into()));
        self
    }

    /// Sets the activity that it is a part of.
    pub fn with_parent(mut self, activity_id: i32) -> Self {
        set(&mut self.object, "ParentActivityId", activity_id.into());
        self
    }

    /// Says that the activity is over.
    pub fn completed(mut self) -> Self {
        set(&mut self.object, "Type", ProgressRecordType::COMPLETED.to_value());
        self
    }

    /// What is done.
    pub fn activity(&self) -> Option<&PsString> {
        self.text("Activity")
    }

    /// Tells activities apart.
    pub fn activity_id(&self) -> Option<i32> {
        self.number("ActivityId")
    }

    /// How it stands.
    pub fn status_description(&self) -> Option<&PsString> {
        self.text("StatusDescription")
    }

    /// What is done right now.
    pub fn current_operation(&self) -> Option<&PsString> {
        self.text("CurrentOperation")
    }

    /// The activity that it is a part of.
    pub fn parent_activity_id(&self) -> Option<i32> {
        self.number("ParentActivityId").filter(|id| *id >= 0)
    }

    /// How much is done, if that is known.
    pub fn percent_complete(&self) -> Option<i32> {
        self.number("PercentComplete").filter(|percent| *percent >= 0)
    }

    /// Whether it goes on.
    pub fn record_type(&self) -> ProgressRecordType {
        let told = self.property("Type").and_then(ProgressRecordType::from_value);
        told.unwrap_or(ProgressRecordType::PROCESSING)
    }

    /// How long it will take, if that is known.
    pub fn seconds_remaining(&self) -> Option<i32> {
        self.number("SecondsRemaining").filter(|seconds| *seconds >= 0)
    }
}
