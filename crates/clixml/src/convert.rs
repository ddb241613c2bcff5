//! Objects to the caller's own types and back, by serde.
//!
//! Properties of an object, extended before adapted ones, are the fields of a struct: exactly by name, or else whatever the case, as
//! scripts name them. Lists, stacks and queues are sequences, dictionaries are maps. An enumeration is its name or its number,
//! as is wanted. What is wrapped in an object is taken out of it. Dates, durations, versions, decimals and GUIDs are texts in the form that
//! they are sent in, which crates for them read; `$null` is `None`.

mod de;
mod error;
mod ser;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PsValue;

pub use error::ConvertError;

/// A value as a type of the caller's.
///
/// ```
/// use serde::Deserialize;
/// use winrm_clixml::{PsObject, from_value};
///
/// #[derive(Deserialize)]
/// #[serde(rename_all = "PascalCase")]
/// struct Service {
///     name: String,
///     threads: u32,
///     description: Option<String>,
/// }
///
/// let object = PsObject::new().with_adapted("Name", "Spooler").with_extended("Threads", 7);
/// let service: Service = from_value(&object.into())?;
/// assert_eq!((service.name.as_str(), service.threads), ("Spooler", 7));
/// assert!(service.description.is_none());
/// # Ok::<(), winrm_clixml::ConvertError>(())
/// ```
///
/// # Errors
///
/// [`ConvertError`], which names the place.
pub fn from_value<T: DeserializeOwned>(value: &PsValue) -> Result<T, ConvertError> {
    T::deserialize(de::Deserializer(value))
}

/// Values as items of a type of the caller's, all of them: the output of a pipeline.
///
/// # Errors
///
/// As [`from_value`], with the index of the first that is of another type.
pub fn from_values<T: DeserializeOwned>(values: &[PsValue]) -> Result<Vec<T>, ConvertError> {
    let read = |(index, value)| {
        from_value(value).map_err(|error: ConvertError| error.within(error::Step::Index(index)))
    };
    values.iter().enumerate().map(read).collect()
}

/// A value of a type of the caller's as PowerShell will see it: structs are objects with properties, sequences arrays, maps hashtables,
/// variants their names.
///
/// ```
/// use winrm_clixml::{PsValue, to_value};
///
/// let value = to_value(&("Spooler", 7, [true, false]))?;
/// let items = value.as_object().and_then(|object| object.items()).ok_or("no list")?;
/// assert_eq!(items[1], PsValue::I32(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ConvertError`]: a number of 128 bits, or what the type itself refuses.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<PsValue, ConvertError> {
    value.serialize(ser::Serializer)
}
