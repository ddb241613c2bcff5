//! How pools are opened and connected to (MS-PSRP 2.2.2.2, 2.2.2.13, 2.2.2.29, 2.2.2.30).

use winrm_clixml::{Content, PsObject, PsString, PsValue};

use crate::field::{Fields, i32_of};
use crate::host::HostInfo;
use crate::{ApartmentState, DecodeError, PsThreadOptions};

/// Asks the server to open a pool (MS-PSRP 2.2.2.2).
#[derive(Clone, Debug, PartialEq)]
pub struct InitRunspacePool {
    /// At least this many runspaces.
    pub min_runspaces: i32,
    /// At most this many: as many pipelines run at once.
    pub max_runspaces: i32,
    /// Passed on.
    pub thread_options: PsThreadOptions,
    /// Passed on.
    pub apartment_state: ApartmentState,
    /// What there is of a host at the client.
    pub host_info: HostInfo,
    /// [`primitive_dictionary`] or `Nil`: `$PSSenderInfo.ApplicationArguments`.
    pub application_arguments: PsValue,
}

impl InitRunspacePool {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("INIT_RUNSPACEPOOL", value)?;
        Ok(Self {
            min_runspaces: fields.i32("MinRunspaces")?,
            max_runspaces: fields.i32("MaxRunspaces")?,
            thread_options: fields.read("PSThreadOptions", "a number", PsThreadOptions::from_value)?,
            apartment_state: fields.read("ApartmentState", "a number", ApartmentState::from_value)?,
            host_info: HostInfo::from_value(fields.required("HostInfo")?)?,
            application_arguments: fields.any("ApplicationArguments"),
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("MinRunspaces", self.min_runspaces)
            .with_extended("MaxRunspaces", self.max_runspaces)
            .with_extended("PSThreadOptions", self.thread_options.to_value())
            .with_extended("ApartmentState", self.apartment_state.to_value())
            .with_extended("HostInfo", self.host_info.to_value())
            .with_extended("ApplicationArguments", self.application_arguments.clone())
            .into()
    }
}

/// One runspace, no host, no arguments.
impl Default for InitRunspacePool {
    fn default() -> Self {
        Self {
            min_runspaces: 1,
            max_runspaces: 1,
            thread_options: PsThreadOptions::DEFAULT,
            apartment_state: ApartmentState::UNKNOWN,
            host_info: HostInfo::none(),
            application_arguments: PsValue::Nil,
        }
    }
}

/// A dictionary whose keys are strings and whose values are primitives or such dictionaries (MS-PSRP 2.2.3.18).
pub fn primitive_dictionary<K: Into<PsString>>(entries: impl IntoIterator<Item = (K, PsValue)>) -> PsValue {
    let entries = entries.into_iter().map(|(key, value)| (PsValue::String(key.into()), value)).collect();
    PsObject::new()
        .with_type_names([
            "System.Management.Automation.PSPrimitiveDictionary",
            "System.Collections.Hashtable",
            "System.Object",
        ])
        .with_content(Content::Dictionary(entries))
        .into()
}

/// What the server's application says about itself (MS-PSRP 2.2.2.13), which the protocol does not interpret.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationPrivateData {
    /// [`primitive_dictionary`] or `Nil`. Windows puts `PSVersionTable` in.
    pub data: PsValue,
}

impl ApplicationPrivateData {
    /// One entry of the dictionary.
    pub fn get(&self, key: &str) -> Option<&PsValue> {
        let entries = self.data.as_object()?.dictionary()?;
        entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("APPLICATION_PRIVATE_DATA", value)?;
        Ok(Self { data: fields.any("ApplicationPrivateData") })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new().with_extended("ApplicationPrivateData", self.data.clone()).into()
    }
}

/// Asks the server for a pool that another client left (MS-PSRP 2.2.2.29).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ConnectRunspacePool {
    /// New bounds, if they shall change.
    pub min_runspaces: Option<i32>,
    /// As before.
    pub max_runspaces: Option<i32>,
}

impl ConnectRunspacePool {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        // An empty string says nothing, and so does an object with one in it.
        if value.as_ps_string().is_some_and(PsString::is_empty) {
            return Ok(Self::default());
        }
        let fields = Fields::of("CONNECT_RUNSPACEPOOL", value)?;
        let number = |field| fields.read_optional(field, "a signed integer of 32 bits", i32_of);
        Ok(Self { min_runspaces: number("MinRunspaces")?, max_runspaces: number("MaxRunspaces")? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        let mut object = PsObject::new();
        for (name, number) in [("MinRunspaces", self.min_runspaces), ("MaxRunspaces", self.max_runspaces)] {
            if let Some(number) = number {
                object = object.with_extended(name, number);
            }
        }
        if object.extended.is_empty() { PsValue::from("") } else { object.into() }
    }
}

/// How large the pool is that was connected to (MS-PSRP 2.2.2.30).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunspacePoolInitData {
    /// At least this many runspaces.
    pub min_runspaces: i32,
    /// At most this many.
    pub max_runspaces: i32,
}

impl RunspacePoolInitData {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("RUNSPACEPOOL_INIT_DATA", value)?;
        Ok(Self { min_runspaces: fields.i32("MinRunspaces")?, max_runspaces: fields.i32("MaxRunspaces")? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new()
            .with_extended("MinRunspaces", self.min_runspaces)
            .with_extended("MaxRunspaces", self.max_runspaces)
            .into()
    }
}
