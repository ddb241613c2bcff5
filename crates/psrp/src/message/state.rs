//! What became of a pool or a pipeline (MS-PSRP 2.2.2.9, 2.2.2.21).

use winrm_clixml::{PsObject, PsValue};

use crate::field::{Fields, i32_of};
use crate::record::ErrorRecord;
use crate::{DecodeError, PipelineState, RunspacePoolState};

/// The error that may come with a state.
const ERROR: &str = "ExceptionAsErrorRecord";

fn error(fields: Fields<'_>) -> Result<Option<ErrorRecord>, DecodeError> {
    fields.optional(ERROR).cloned().map(ErrorRecord::from_value).transpose()
}

fn with_error(object: PsObject, error: Option<&ErrorRecord>) -> PsValue {
    match error {
        Some(error) => object.with_extended(ERROR, error.to_value()).into(),
        None => object.into(),
    }
}

/// The new state of a pool (MS-PSRP 2.2.2.9).
#[derive(Clone, Debug, PartialEq)]
pub struct RunspacePoolStateMessage {
    /// `RunspaceState`.
    pub state: RunspacePoolState,
    /// Why, if it is not as it should be.
    pub error: Option<ErrorRecord>,
}

impl RunspacePoolStateMessage {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("RUNSPACEPOOL_STATE", value)?;
        let state = |value: &PsValue| RunspacePoolState::from_number(i32_of(value)?);
        Ok(Self { state: fields.read("RunspaceState", "a state of pools", state)?, error: error(fields)? })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let object = PsObject::new().with_extended("RunspaceState", self.state.value());
        with_error(object, self.error.as_ref())
    }
}

/// The new state of a pipeline (MS-PSRP 2.2.2.21).
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineStateMessage {
    /// `PipelineState`.
    pub state: PipelineState,
    /// The terminating error, of a failed one; of a stopped one, that it was stopped.
    pub error: Option<ErrorRecord>,
}

impl PipelineStateMessage {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("PIPELINE_STATE", value)?;
        let state = |value: &PsValue| PipelineState::from_number(i32_of(value)?);
        Ok(Self {
            state: fields.read("PipelineState", "a state of pipelines", state)?,
            error: error(fields)?,
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let object = PsObject::new().with_extended("PipelineState", self.state.value());
        with_error(object, self.error.as_ref())
    }
}
