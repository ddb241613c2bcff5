//! CREATE_PIPELINE (MS-PSRP 2.2.2.10).

use winrm_clixml::{PsObject, PsValue};

use super::PowerShell;
use crate::field::Fields;
use crate::host::HostInfo;
use crate::{ApartmentState, DecodeError, RemoteStreamOptions};

/// Runs a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePipeline {
    /// Whether no input will come.
    pub no_input: bool,
    /// Passed on.
    pub apartment_state: ApartmentState,
    /// Which records tell where they were written.
    pub remote_stream_options: RemoteStreamOptions,
    /// Whether it becomes part of the history.
    pub add_to_history: bool,
    /// The host of this pipeline, or that of the pool.
    pub host_info: HostInfo,
    /// What to run.
    pub powershell: PowerShell,
    /// Whether it runs inside of a pipeline that waits.
    pub is_nested: bool,
}

impl CreatePipeline {
    /// Without input, with the host of the pool.
    pub fn new(powershell: PowerShell) -> Self {
        Self {
            no_input: true,
            apartment_state: ApartmentState::UNKNOWN,
            remote_stream_options: RemoteStreamOptions::ADD_INVOCATION_INFO,
            add_to_history: false,
            host_info: HostInfo::none(),
            powershell,
            is_nested: false,
        }
    }

    /// Input will come, until it is ended.
    pub fn with_input(mut self) -> Self {
        self.no_input = false;
        self
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("CREATE_PIPELINE", value)?;
        let is_nested = fields.read_optional("IsNested", "a truth value", PsValue::as_bool)?;
        Ok(Self {
            no_input: fields.bool("NoInput")?,
            apartment_state: fields.read("ApartmentState", "a number", ApartmentState::from_value)?,
            remote_stream_options: fields.read(
                "RemoteStreamOptions",
                "a number",
                RemoteStreamOptions::from_value,
            )?,
            add_to_history: fields.bool("AddToHistory")?,
            host_info: HostInfo::from_value(fields.required("HostInfo")?)?,
            powershell: PowerShell::from_value(fields.required("PowerShell")?)?,
            // Version 2.1 has it only within PowerShell.
            is_nested: match is_nested {
                Some(is_nested) => is_nested,
                None => Fields::of("PowerShell", fields.required("PowerShell")?)?
                    .read_optional("IsNested", "a truth value", PsValue::as_bool)?
                    .unwrap_or_default(),
            },
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("NoInput", self.no_input)
            .with_extended("ApartmentState", self.apartment_state.to_value())
            .with_extended("RemoteStreamOptions", self.remote_stream_options.to_value())
            .with_extended("AddToHistory", self.add_to_history)
            .with_extended("HostInfo", self.host_info.to_value())
            .with_extended("PowerShell", self.powershell.to_value(self.is_nested))
            .with_extended("IsNested", self.is_nested)
            .into()
    }
}
