//! How messages about pools are read and written.

use winrm_clixml::{PsObject, PsString, PsValue, Version};

use super::MessageError;
use super::pool::{
    ApartmentState, Availability, ConnectRunspacePool, InitRunspacePool, RunspacePoolInitData,
    SessionCapability, ThreadOptions, UserEvent,
};
use crate::fields::{Fields, or_nil};
use crate::host::HostInfo;

impl SessionCapability {
    /// What Windows PowerShell 5.1 and PowerShell 7 speak, and so do we.
    pub fn current() -> Self {
        Self {
            protocol_version: [2, 3].into(),
            ps_version: [2, 0].into(),
            serialization_version: [1, 1, 0, 1].into(),
            time_zone: None,
        }
    }

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let time_zone = match fields.optional("TimeZone").map(PsValue::primitive) {
            None => None,
            Some(PsValue::Bytes(bytes)) => Some(bytes.clone()),
            Some(_) => return Err(fields.invalid("TimeZone", "bytes")),
        };
        Ok(Self {
            protocol_version: version(fields, "protocolversion")?,
            ps_version: version(fields, "PSVersion")?,
            serialization_version: version(fields, "SerializationVersion")?,
            time_zone,
        })
    }

    pub(super) fn to_object(&self) -> PsObject {
        let capability = PsObject::new()
            .with_extended("protocolversion", self.protocol_version.clone())
            .with_extended("PSVersion", self.ps_version.clone())
            .with_extended("SerializationVersion", self.serialization_version.clone());
        match &self.time_zone {
            Some(time_zone) => capability.with_extended("TimeZone", time_zone.clone()),
            None => capability,
        }
    }
}

fn version(fields: Fields<'_>, field: &'static str) -> Result<Version, MessageError> {
    match fields.value(field)?.primitive() {
        PsValue::Version(version) => Ok(version.clone()),
        _ => Err(fields.invalid(field, "a version")),
    }
}

impl InitRunspacePool {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            min_runspaces: fields.i32("MinRunspaces")?,
            max_runspaces: fields.i32("MaxRunspaces")?,
            thread_options: ThreadOptions::from_code(fields.i32("PSThreadOptions")?)
                .ok_or_else(|| fields.invalid("PSThreadOptions", "one of 0 to 3"))?,
            apartment_state: ApartmentState::from_code(fields.i32("ApartmentState")?)
                .ok_or_else(|| fields.invalid("ApartmentState", "one of 0 to 2"))?,
            host_info: HostInfo::read(fields.object("HostInfo")?)?,
            application_arguments: fields.optional("ApplicationArguments").cloned().unwrap_or(PsValue::Nil),
        })
    }

    pub(super) fn to_object(&self) -> PsObject {
        PsObject::new()
            .with_extended("MinRunspaces", self.min_runspaces)
            .with_extended("MaxRunspaces", self.max_runspaces)
            .with_extended("PSThreadOptions", self.thread_options.to_object())
            .with_extended("ApartmentState", self.apartment_state.to_object())
            .with_extended("HostInfo", self.host_info.to_object())
            .with_extended("ApplicationArguments", self.application_arguments.clone())
    }
}

impl ConnectRunspacePool {
    /// An empty string where no bounds are given.
    pub(super) fn read(value: &PsValue) -> Result<Self, MessageError> {
        if value.as_ps_string().is_some_and(PsString::is_empty) {
            return Ok(Self::default());
        }
        let fields = Fields::of(value, "CONNECT_RUNSPACEPOOL")?;
        let bound = |field| match fields.optional(field) {
            Some(_) => fields.i32(field).map(Some),
            None => Ok(None),
        };
        Ok(Self { min_runspaces: bound("MinRunspaces")?, max_runspaces: bound("MaxRunspaces")? })
    }

    pub(super) fn to_value(self) -> PsValue {
        if self == Self::default() {
            return PsString::default().into();
        }
        let mut object = PsObject::new();
        for (name, bound) in [("MinRunspaces", self.min_runspaces), ("MaxRunspaces", self.max_runspaces)] {
            if let Some(bound) = bound {
                object.extended.push(name, bound);
            }
        }
        object.into()
    }
}

impl RunspacePoolInitData {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        Ok(Self { min_runspaces: fields.i32("MinRunspaces")?, max_runspaces: fields.i32("MaxRunspaces")? })
    }

    pub(super) fn to_object(self) -> PsObject {
        PsObject::new()
            .with_extended("MinRunspaces", self.min_runspaces)
            .with_extended("MaxRunspaces", self.max_runspaces)
    }
}

impl Availability {
    /// The name of its property.
    const FIELD: &str = "SetMinMaxRunspacesResponse";

    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let value = fields.value(Self::FIELD)?;
        match value.as_bool() {
            Some(done) => Ok(Self::Done(done)),
            None => fields.i64(Self::FIELD).map(Self::Available),
        }
    }

    pub(super) fn to_object(self, call: i64) -> PsObject {
        let answer = match self {
            Self::Done(done) => PsValue::from(done),
            Self::Available(runspaces) => runspaces.into(),
        };
        PsObject::new().with_extended(Self::FIELD, answer).with_extended("ci", call)
    }
}

impl UserEvent {
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let any = |field| fields.optional(field).cloned().unwrap_or(PsValue::Nil);
        let time = match fields.value("PSEventArgs.TimeGenerated")?.primitive() {
            PsValue::DateTime(time) => time.clone(),
            _ => return Err(fields.invalid("PSEventArgs.TimeGenerated", "a date and time")),
        };
        Ok(Self {
            identifier: fields.i32("PSEventArgs.EventIdentifier")?,
            source: fields.string("PSEventArgs.SourceIdentifier")?.clone(),
            time,
            sender: any("PSEventArgs.Sender"),
            arguments: any("PSEventArgs.SourceArgs"),
            data: any("PSEventArgs.MessageData"),
            computer: fields.optional_string("PSEventArgs.ComputerName")?,
            runspace: fields.guid("PSEventArgs.RunspaceId")?,
        })
    }

    pub(super) fn to_object(&self) -> PsObject {
        PsObject::new()
            .with_extended("PSEventArgs.EventIdentifier", self.identifier)
            .with_extended("PSEventArgs.SourceIdentifier", self.source.clone())
            .with_extended("PSEventArgs.TimeGenerated", self.time.clone())
            .with_extended("PSEventArgs.Sender", self.sender.clone())
            .with_extended("PSEventArgs.SourceArgs", self.arguments.clone())
            .with_extended("PSEventArgs.MessageData", self.data.clone())
            .with_extended("PSEventArgs.ComputerName", or_nil(self.computer.clone()))
            .with_extended("PSEventArgs.RunspaceId", self.runspace)
    }
}
