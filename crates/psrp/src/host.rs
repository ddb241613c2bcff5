//! The client's host, as the server calls it (MS-PSRP 2.2.3.14, 2.2.3.17, 2.2.6).

mod data;
mod method;

use winrm_clixml::{PsObject, PsValue};

use crate::fields::{Fields, enumeration, list};
use crate::message::MessageError;
use crate::record::ErrorRecord;

pub use data::{Coordinates, HostData, Size};
pub use method::HostMethod;

/// What the host of a client can do (MS-PSRP 2.2.3.14).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "as MS-PSRP has them")]
pub struct HostInfo {
    /// Whether there is none.
    pub is_null: bool,
    /// Whether it has no user interface.
    pub is_ui_null: bool,
    /// Whether its user interface cannot place characters.
    pub is_raw_ui_null: bool,
    /// Of a pipeline: whether it has the pool's host instead of its own.
    pub use_runspace_host: bool,
    /// Colours and sizes, where characters can be placed.
    pub data: Option<HostData>,
}

/// No host: of a pipeline, the pool's.
impl Default for HostInfo {
    fn default() -> Self {
        Self { is_null: true, is_ui_null: true, is_raw_ui_null: true, use_runspace_host: true, data: None }
    }
}

impl HostInfo {
    /// A host that can do everything.
    pub fn whole(data: HostData) -> Self {
        Self {
            is_null: false,
            is_ui_null: false,
            is_raw_ui_null: false,
            use_runspace_host: false,
            data: Some(data),
        }
    }

    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        let data = match fields.optional("_hostDefaultData") {
            Some(_) => Some(HostData::read(fields.object("_hostDefaultData")?)?),
            None => None,
        };
        Ok(Self {
            is_null: fields.bool("_isHostNull")?,
            is_ui_null: fields.bool("_isHostUINull")?,
            is_raw_ui_null: fields.bool("_isHostRawUINull")?,
            use_runspace_host: fields.bool("_useRunspaceHost")?,
            data,
        })
    }

    pub(crate) fn to_object(&self) -> PsObject {
        let info = PsObject::new()
            .with_extended("_isHostNull", self.is_null)
            .with_extended("_isHostUINull", self.is_ui_null)
            .with_extended("_isHostRawUINull", self.is_raw_ui_null)
            .with_extended("_useRunspaceHost", self.use_runspace_host);
        match &self.data {
            Some(data) => info.with_extended("_hostDefaultData", data.to_object()),
            None => info,
        }
    }
}

/// The server calls a method of the host (MS-PSRP 2.2.2.15, 2.2.2.27).
#[derive(Clone, Debug, PartialEq)]
pub struct HostCall {
    /// Its number; -100 where no answer is waited for.
    pub call: i64,
    /// The method.
    pub method: HostMethod,
    /// Its parameters.
    pub parameters: Vec<PsValue>,
}

/// What came of a call (MS-PSRP 2.2.2.16, 2.2.2.28).
#[derive(Clone, Debug, PartialEq)]
pub struct HostResponse {
    /// The call's number.
    pub call: i64,
    /// The method.
    pub method: HostMethod,
    /// What it returned.
    pub result: Option<PsValue>,
    /// Why it failed.
    pub error: Option<ErrorRecord>,
}

impl HostCall {
    /// Whether the server waits for an answer: all methods that return something.
    pub fn wants_response(&self) -> bool {
        self.method.returns()
    }

    /// The answer, with what it returns.
    pub fn returning(&self, result: PsValue) -> HostResponse {
        HostResponse { call: self.call, method: self.method, result: Some(result), error: None }
    }

    /// The answer that it failed.
    pub fn failing(&self, error: ErrorRecord) -> HostResponse {
        HostResponse { call: self.call, method: self.method, result: None, error: Some(error) }
    }

    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            call: fields.i64("ci")?,
            method: method(fields)?,
            parameters: fields.items("mp")?.to_vec(),
        })
    }

    pub(crate) fn to_object(&self) -> PsObject {
        PsObject::new()
            .with_extended("ci", self.call)
            .with_extended("mi", method_object(self.method))
            .with_extended(
                "mp",
                list(&["System.Collections.ArrayList", "System.Object"], self.parameters.clone()),
            )
    }
}

impl HostResponse {
    pub(crate) fn read(fields: Fields<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            call: fields.i64("ci")?,
            method: method(fields)?,
            result: fields.value("mr").ok().cloned(),
            error: ErrorRecord::read_optional(fields, "me")?,
        })
    }

    pub(crate) fn to_object(&self) -> PsObject {
        let mut response =
            PsObject::new().with_extended("ci", self.call).with_extended("mi", method_object(self.method));
        if let Some(result) = &self.result {
            response = response.with_extended("mr", result.clone());
        }
        match &self.error {
            Some(error) => response.with_extended("me", error.to_value()),
            None => response,
        }
    }
}

fn method(fields: Fields<'_>) -> Result<HostMethod, MessageError> {
    HostMethod::from_code(fields.i32("mi")?).ok_or_else(|| fields.invalid("mi", "a method of a host"))
}

fn method_object(method: HostMethod) -> PsObject {
    enumeration("System.Management.Automation.Remoting.RemoteHostMethodId", method.name(), method.code())
}
