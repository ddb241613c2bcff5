//! Properties of the objects that messages are.

use std::sync::Arc;

use uuid::Uuid;
use winrm_clixml::{Content, PsObject, PsString, PsValue};

use crate::message::MessageError;

/// The properties of one object, read by name.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    object: &'a PsObject,
    message: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a PsValue, message: &'static str) -> Result<Self, MessageError> {
        let object = value.as_object().ok_or(MessageError::NotAnObject { message })?;
        Ok(Self { object, message })
    }

    /// The property, unless it is absent or null.
    pub(crate) fn optional(self, field: &'static str) -> Option<&'a PsValue> {
        self.object.property(field).filter(|value| !value.is_nil())
    }

    pub(crate) fn value(self, field: &'static str) -> Result<&'a PsValue, MessageError> {
        self.object.property(field).ok_or(MessageError::Missing { message: self.message, field })
    }

    pub(crate) fn invalid(self, field: &'static str, expected: &'static str) -> MessageError {
        MessageError::Invalid { message: self.message, field, expected }
    }

    pub(crate) fn i32(self, field: &'static str) -> Result<i32, MessageError> {
        let number = self.value(field)?.as_i64().and_then(|number| i32::try_from(number).ok());
        number.ok_or_else(|| self.invalid(field, "a number of 32 bits"))
    }

    pub(crate) fn i64(self, field: &'static str) -> Result<i64, MessageError> {
        self.value(field)?.as_i64().ok_or_else(|| self.invalid(field, "a number of 64 bits"))
    }

    pub(crate) fn bool(self, field: &'static str) -> Result<bool, MessageError> {
        self.value(field)?.as_bool().ok_or_else(|| self.invalid(field, "true or false"))
    }

    /// False where it is absent.
    pub(crate) fn flag(self, field: &'static str) -> Result<bool, MessageError> {
        if self.optional(field).is_none() { Ok(false) } else { self.bool(field) }
    }

    pub(crate) fn string(self, field: &'static str) -> Result<&'a PsString, MessageError> {
        self.value(field)?.as_ps_string().ok_or_else(|| self.invalid(field, "a string"))
    }

    pub(crate) fn optional_string(self, field: &'static str) -> Result<Option<PsString>, MessageError> {
        let text = |value: &PsValue| value.as_ps_string().cloned();
        let found = self.optional(field).map(text);
        found.map(|text| text.ok_or_else(|| self.invalid(field, "a string"))).transpose()
    }

    pub(crate) fn guid(self, field: &'static str) -> Result<Uuid, MessageError> {
        match self.value(field)?.primitive() {
            PsValue::Guid(guid) => Ok(*guid),
            _ => Err(self.invalid(field, "a GUID")),
        }
    }

    pub(crate) fn object(self, field: &'static str) -> Result<Self, MessageError> {
        let object = self.value(field)?.as_object();
        let object = object.ok_or_else(|| self.invalid(field, "an object"))?;
        Ok(Self { object, message: self.message })
    }

    /// The items of a list; none where it is absent or null.
    pub(crate) fn items(self, field: &'static str) -> Result<&'a [PsValue], MessageError> {
        match self.optional(field) {
            None => Ok(&[]),
            Some(value) => {
                value.as_object().and_then(PsObject::items).ok_or_else(|| self.invalid(field, "a list"))
            }
        }
    }

    pub(crate) fn each(self, value: &'a PsValue, field: &'static str) -> Result<Self, MessageError> {
        let object = value.as_object().ok_or_else(|| self.invalid(field, "a list of objects"))?;
        Ok(Self { object, message: self.message })
    }

    pub(crate) fn strings(self, field: &'static str) -> Result<Vec<PsString>, MessageError> {
        let text = |value: &PsValue| value.as_ps_string().cloned();
        let texts = self.items(field)?.iter().map(text).collect::<Option<_>>();
        texts.ok_or_else(|| self.invalid(field, "a list of strings"))
    }
}

/// A value of an enumeration, as .NET writes one.
pub(crate) fn enumeration(type_name: &str, text: &str, code: i32) -> PsObject {
    PsObject::new()
        .with_type_names([type_name, "System.Enum", "System.ValueType", "System.Object"])
        .with_to_string(text)
        .with_content(Content::Value(Box::new(PsValue::I32(code))))
}

/// A list of this type.
pub(crate) fn list(type_names: &[&str], items: Vec<PsValue>) -> PsObject {
    PsObject::new().with_type_names(type_names.iter().copied()).with_content(Content::List(items))
}

/// A value, or null.
pub(crate) fn or_nil<T: Into<PsValue>>(value: Option<T>) -> PsValue {
    value.map_or(PsValue::Nil, Into::into)
}

pub(crate) fn object(value: PsObject) -> PsValue {
    PsValue::Object(Arc::new(value))
}
