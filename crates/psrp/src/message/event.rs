//! USER_EVENT (MS-PSRP 2.2.2.12).

use uuid::Uuid;
use winrm_clixml::{DateTime, PsObject, PsString, PsValue};

use crate::DecodeError;
use crate::field::{Fields, or_nil};

/// An event that a script at the server raised for the client, by `Register-EngineEvent -Forward` for instance.
#[derive(Clone, Debug, PartialEq)]
pub struct UserEvent {
    /// Counts them.
    pub event_identifier: i32,
    /// What it was raised as.
    pub source_identifier: PsString,
    /// When.
    pub time_generated: DateTime,
    /// Who raised it, `Nil` if nobody in particular.
    pub sender: PsValue,
    /// Its arguments: a list.
    pub source_args: PsValue,
    /// What was said with it.
    pub message_data: PsValue,
    /// Where.
    pub computer_name: Option<PsString>,
    /// In which runspace.
    pub runspace_id: Uuid,
}

impl UserEvent {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("USER_EVENT", value)?;
        let time = |value: &PsValue| match value.primitive() {
            PsValue::DateTime(time) => Some(time.clone()),
            _ => None,
        };
        Ok(Self {
            event_identifier: fields.i32("PSEventArgs.EventIdentifier")?,
            source_identifier: fields.string("PSEventArgs.SourceIdentifier")?,
            time_generated: fields.read("PSEventArgs.TimeGenerated", "a date and time", time)?,
            sender: fields.any("PSEventArgs.Sender"),
            source_args: fields.any("PSEventArgs.SourceArgs"),
            message_data: fields.any("PSEventArgs.MessageData"),
            computer_name: fields.optional_string("PSEventArgs.ComputerName")?,
            runspace_id: fields.guid("PSEventArgs.RunspaceId")?,
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("PSEventArgs.EventIdentifier", self.event_identifier)
            .with_extended("PSEventArgs.SourceIdentifier", self.source_identifier.clone())
            .with_extended("PSEventArgs.TimeGenerated", self.time_generated.clone())
            .with_extended("PSEventArgs.Sender", self.sender.clone())
            .with_extended("PSEventArgs.SourceArgs", self.source_args.clone())
            .with_extended("PSEventArgs.MessageData", self.message_data.clone())
            .with_extended("PSEventArgs.ComputerName", or_nil(self.computer_name.clone()))
            .with_extended("PSEventArgs.RunspaceId", self.runspace_id)
            .into()
    }
}
