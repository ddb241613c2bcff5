//! Calls of the client's host and their answers (MS-PSRP 2.2.2.15, 2.2.2.16, 2.2.2.27, 2.2.2.28).

use winrm_clixml::{PsObject, PsValue};

use crate::DecodeError;
use crate::field::{Fields, array_list};
use crate::host::{HostCall, HostMethodId, HostReturn};
use crate::record::ErrorRecord;

/// A call of the host, for a pool or a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct HostCallMessage {
    /// `ci`: names the answer; -100 where none is wanted.
    pub call_id: i64,
    /// `mi`.
    pub method: HostMethodId,
    /// `mp`, as sent.
    pub parameters: Vec<PsValue>,
}

impl HostCallMessage {
    /// The call id of calls that want no answer.
    pub const NO_ANSWER: i64 = -100;

    /// A call that wants an answer exactly if its method gives one.
    pub fn new(call_id: i64, call: &HostCall) -> Self {
        let method = call.method();
        let call_id = if method.returns() { call_id } else { Self::NO_ANSWER };
        Self { call_id, method, parameters: call.parameters() }
    }

    /// The method with its parameters.
    ///
    /// # Errors
    ///
    /// A method that does not exist, or parameters that are not its own.
    pub fn call(&self) -> Result<HostCall, DecodeError> {
        HostCall::decode(self.method, &self.parameters)
    }

    /// Whether the server waits for an answer.
    pub fn wants_answer(&self) -> bool {
        self.call_id != Self::NO_ANSWER
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("host call", value)?;
        Ok(Self {
            call_id: fields.i64("ci")?,
            method: fields.read("mi", "a number", HostMethodId::from_value)?,
            parameters: fields.items("mp")?.to_vec(),
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        PsObject::new()
            .with_extended("ci", self.call_id)
            .with_extended("mi", self.method.to_value())
            .with_extended("mp", array_list(self.parameters.clone()))
            .into()
    }
}

/// The answer of the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostResponseMessage {
    /// `ci`: that of the call.
    pub call_id: i64,
    /// `mi`: that of the call.
    pub method: HostMethodId,
    /// `mr`: what the method gave, as sent.
    pub result: Option<PsValue>,
    /// `me`: what it failed by.
    pub error: Option<ErrorRecord>,
}

impl HostResponseMessage {
    /// What the method gave, typed; none if it gave nothing.
    ///
    /// # Errors
    ///
    /// A value of another type than the method gives.
    pub fn returned(&self) -> Result<Option<HostReturn>, DecodeError> {
        self.result.as_ref().map(|result| HostReturn::decode(self.method, result)).transpose()
    }

    pub(crate) fn from_value(value: &PsValue) -> Result<Self, DecodeError> {
        let fields = Fields::of("host response", value)?;
        Ok(Self {
            call_id: fields.i64("ci")?,
            method: fields.read("mi", "a number", HostMethodId::from_value)?,
            result: fields.property("mr"),
            error: fields.optional("me").cloned().map(ErrorRecord::from_value).transpose()?,
        })
    }

    pub(crate) fn to_value(&self) -> PsValue {
        let mut object =
            PsObject::new().with_extended("ci", self.call_id).with_extended("mi", self.method.to_value());
        if let Some(result) = &self.result {
            object = object.with_extended("mr", result.clone());
        }
        if let Some(error) = &self.error {
            object = object.with_extended("me", error.to_value());
        }
        object.into()
    }
}
