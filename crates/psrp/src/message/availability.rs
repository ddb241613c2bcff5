//! How many runspaces there are (MS-PSRP 2.2.2.6 to 2.2.2.8, 2.2.2.11), and their reset (2.2.2.31).

use winrm_clixml::{PsObject, PsValue};

use crate::DecodeError;
use crate::field::Fields;

/// Windows writes the call's number so in all of these; the examples of the specification have `CI` in some.
const CALL_ID: &str = "ci";

/// Changes the upper bound (MS-PSRP 2.2.2.6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SetMaxRunspaces {
    /// The new bound.
    pub max_runspaces: i32,
    /// Names the answer.
    pub call_id: i64,
}

impl SetMaxRunspaces {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("SET_MAX_RUNSPACES", value)?;
        Ok(Self { max_runspaces: fields.i32("MaxRunspaces")?, call_id: fields.i64(CALL_ID)? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new()
            .with_extended("MaxRunspaces", self.max_runspaces)
            .with_extended(CALL_ID, self.call_id)
            .into()
    }
}

/// Changes the lower bound (MS-PSRP 2.2.2.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SetMinRunspaces {
    /// The new bound.
    pub min_runspaces: i32,
    /// Names the answer.
    pub call_id: i64,
}

impl SetMinRunspaces {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("SET_MIN_RUNSPACES", value)?;
        Ok(Self { min_runspaces: fields.i32("MinRunspaces")?, call_id: fields.i64(CALL_ID)? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new()
            .with_extended("MinRunspaces", self.min_runspaces)
            .with_extended(CALL_ID, self.call_id)
            .into()
    }
}

/// Asks how many runspaces are free (MS-PSRP 2.2.2.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GetAvailableRunspaces {
    /// Names the answer.
    pub call_id: i64,
}

impl GetAvailableRunspaces {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        Ok(Self { call_id: Fields::of("GET_AVAILABLE_RUNSPACES", value)?.i64(CALL_ID)? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new().with_extended(CALL_ID, self.call_id).into()
    }
}

/// Resets the variables of a pool's runspace (MS-PSRP 2.2.2.31).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ResetRunspaceState {
    /// Names the answer.
    pub call_id: i64,
}

impl ResetRunspaceState {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        Ok(Self { call_id: Fields::of("RESET_RUNSPACE_STATE", value)?.i64(CALL_ID)? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        PsObject::new().with_extended(CALL_ID, self.call_id).into()
    }
}

/// What the answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Availability {
    /// Whether the bound was changed, or the runspace reset.
    Done(bool),
    /// How many runspaces are free. Windows writes 32 bits where the specification has 64.
    Available(i64),
}

/// The answer to the messages above (MS-PSRP 2.2.2.8).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunspaceAvailability {
    /// `SetMinMaxRunspacesResponse`.
    pub response: Availability,
    /// Of the question.
    pub call_id: i64,
}

impl RunspaceAvailability {
    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("RUNSPACE_AVAILABILITY", value)?;
        let response = fields.read("SetMinMaxRunspacesResponse", "a truth value or a number", |value| {
            let done = value.as_bool().map(Availability::Done);
            done.or_else(|| value.as_i64().map(Availability::Available))
        })?;
        Ok(Self { response, call_id: fields.i64(CALL_ID)? })
    }

    pub(crate) fn to_value(self) -> PsValue {
        let response = match self.response {
            Availability::Done(done) => PsValue::Bool(done),
            Availability::Available(number) => match i32::try_from(number) {
                Ok(number) => PsValue::I32(number),
                Err(_) => PsValue::I64(number),
            },
        };
        PsObject::new()
            .with_extended("SetMinMaxRunspacesResponse", response)
            .with_extended(CALL_ID, self.call_id)
            .into()
    }
}
