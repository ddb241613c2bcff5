//! Reading and writing the properties of messages.

use std::sync::Arc;

use uuid::Uuid;
use winrm_clixml::{Content, PsObject, PsString, PsValue, Version};

use crate::DecodeError;

/// The properties of one object, read by name. `Nil` counts as missing, names as the same whatever their case: the
/// specification and its implementations differ in both (`CI` and `ci`).
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    kind: &'static str,
    object: &'a PsObject,
}

impl<'a> Fields<'a> {
    /// Of a value that must be an object.
    pub(crate) fn of(kind: &'static str, value: &'a PsValue) -> Result<Self, DecodeError> {
        let object =
            value.as_object().ok_or(DecodeError::Invalid { kind, field: "data", expected: "an object" })?;
        Ok(Self { kind, object })
    }

    pub(crate) fn optional(self, field: &str) -> Option<&'a PsValue> {
        self.object.property(field).filter(|value| !value.is_nil())
    }

    pub(crate) fn required(self, field: &'static str) -> Result<&'a PsValue, DecodeError> {
        self.optional(field).ok_or(DecodeError::Missing { kind: self.kind, field })
    }

    /// The property as it is, where a `Nil` says something.
    pub(crate) fn property(self, field: &str) -> Option<PsValue> {
        self.object.property(field).cloned()
    }

    /// The property, `Nil` if it is missing.
    pub(crate) fn any(self, field: &str) -> PsValue {
        self.optional(field).cloned().unwrap_or(PsValue::Nil)
    }

    pub(crate) fn invalid(self, field: &'static str, expected: &'static str) -> DecodeError {
        DecodeError::Invalid { kind: self.kind, field, expected }
    }

    /// What `read` makes of a property that must be there.
    pub(crate) fn read<T>(
        self,
        field: &'static str,
        expected: &'static str,
        read: impl Fn(&'a PsValue) -> Option<T>,
    ) -> Result<T, DecodeError> {
        read(self.required(field)?).ok_or_else(|| self.invalid(field, expected))
    }

    /// What `read` makes of a property that may be missing.
    pub(crate) fn read_optional<T>(
        self,
        field: &'static str,
        expected: &'static str,
        read: impl Fn(&'a PsValue) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        let value = self.optional(field);
        value.map(|value| read(value).ok_or_else(|| self.invalid(field, expected))).transpose()
    }

    pub(crate) fn i32(self, field: &'static str) -> Result<i32, DecodeError> {
        self.read(field, "a signed integer of 32 bits", i32_of)
    }

    pub(crate) fn i64(self, field: &'static str) -> Result<i64, DecodeError> {
        self.read(field, "an integer", PsValue::as_i64)
    }

    pub(crate) fn bool(self, field: &'static str) -> Result<bool, DecodeError> {
        self.read(field, "a truth value", PsValue::as_bool)
    }

    pub(crate) fn string(self, field: &'static str) -> Result<PsString, DecodeError> {
        self.read(field, "a string", string_of)
    }

    pub(crate) fn optional_string(self, field: &'static str) -> Result<Option<PsString>, DecodeError> {
        self.read_optional(field, "a string", string_of)
    }

    pub(crate) fn version(self, field: &'static str) -> Result<Version, DecodeError> {
        self.read(field, "a version", version_of)
    }

    pub(crate) fn guid(self, field: &'static str) -> Result<Uuid, DecodeError> {
        self.read(field, "a GUID", |value| match value.primitive() {
            PsValue::Guid(guid) => Some(*guid),
            _ => None,
        })
    }

    /// Each item of a list.
    pub(crate) fn items(self, field: &'static str) -> Result<&'a [PsValue], DecodeError> {
        self.read(field, "a list", items_of)
    }
}

pub(crate) fn i32_of(value: &PsValue) -> Option<i32> {
    value.as_i64().and_then(|value| i32::try_from(value).ok())
}

pub(crate) fn string_of(value: &PsValue) -> Option<PsString> {
    value.as_ps_string().cloned()
}

pub(crate) fn version_of(value: &PsValue) -> Option<Version> {
    match value.primitive() {
        PsValue::Version(version) => Some(version.clone()),
        _ => None,
    }
}

pub(crate) fn items_of(value: &PsValue) -> Option<&[PsValue]> {
    value.as_object()?.items()
}

/// A value, or `Nil` for none.
pub(crate) fn or_nil<T: Into<PsValue>>(value: Option<T>) -> PsValue {
    value.map_or(PsValue::Nil, Into::into)
}

/// A list with the type names of a .NET collection.
pub(crate) fn list<const N: usize>(type_names: [&'static str; N], items: Vec<PsValue>) -> PsValue {
    PsObject::new().with_type_names(type_names).with_content(Content::List(items)).into()
}

/// `System.Collections.ArrayList`, which PowerShell sends most lists as.
pub(crate) fn array_list(items: Vec<PsValue>) -> PsValue {
    list(["System.Collections.ArrayList", "System.Object"], items)
}

/// An array of .NET.
pub(crate) fn array(type_name: &'static str, items: Vec<PsValue>) -> PsValue {
    list([type_name, "System.Array", "System.Object"], items)
}

pub(crate) fn strings(items: &[PsString]) -> Vec<PsValue> {
    items.iter().cloned().map(PsValue::String).collect()
}

/// Sets an extended property of an object in place of one of the same name.
pub(crate) fn set(object: &mut Arc<PsObject>, name: &str, value: PsValue) {
    let object = Arc::make_mut(object);
    match object.extended.0.iter_mut().find(|property| property.name == name) {
        Some(property) => property.value = value,
        None => object.extended.push(name, value),
    }
}
