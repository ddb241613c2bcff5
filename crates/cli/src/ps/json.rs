//! Objects of PowerShell as JSON: what `ConvertTo-Json` would make of them, as far as it is the same thing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use winrm::powershell::clixml::{Content, PsString};
use winrm::powershell::{PsObject, PsValue};

/// Numbers and truth values are such, dates and the like are strings as they came, bytes are base64, and of an enumeration it is
/// the name.
pub(crate) fn json(value: &PsValue) -> Value {
    match value {
        PsValue::Nil => Value::Null,
        PsValue::String(text)
        | PsValue::Uri(text)
        | PsValue::XmlDocument(text)
        | PsValue::ScriptBlock(text) => string(text),
        PsValue::Char(unit) => String::from_utf16_lossy(&[*unit]).into(),
        PsValue::Bool(value) => (*value).into(),
        PsValue::DateTime(text) => text.as_str().into(),
        PsValue::Duration(text) => text.as_str().into(),
        PsValue::Decimal(text) => number(text.as_str()),
        PsValue::Version(text) => text.as_str().into(),
        PsValue::U64(value) => (*value).into(),
        PsValue::Single(value) => float(f64::from(*value)),
        PsValue::Double(value) => float(*value),
        PsValue::Bytes(bytes) => STANDARD.encode(bytes).into(),
        PsValue::Guid(guid) => guid.to_string().into(),
        // Who wants it must ask for it.
        PsValue::SecureString(_) => "System.Security.SecureString".into(),
        PsValue::Object(object) => of_object(object),
        PsValue::MemberSet(properties) => {
            let mut members = Map::new();
            put(&mut members, properties.iter());
            members.into()
        }
        other => other.as_i64().map_or(Value::Null, Value::from),
    }
}

fn of_object(object: &PsObject) -> Value {
    let is_enumeration = object.is_type("System.Enum");
    if let (true, Some(text)) = (is_enumeration, &object.to_string) {
        return string(text);
    }
    match &object.content {
        Content::Value(value) => return json(value),
        Content::PropertySet(items)
        | Content::List(items)
        | Content::Stack(items)
        | Content::Queue(items)
        | Content::Enumerable(items) => return items.iter().map(json).collect(),
        Content::Dictionary(entries) => {
            let entry = |(key, value): &(PsValue, PsValue)| (key_of(key), json(value));
            return Value::Object(entries.iter().map(entry).collect());
        }
        Content::None => {}
    }
    let mut members = Map::new();
    put(&mut members, object.adapted.iter());
    put(&mut members, object.extended.iter());
    if members.is_empty()
        && let Some(text) = &object.to_string
    {
        return string(text);
    }
    members.into()
}

fn put<'a>(members: &mut Map<String, Value>, properties: impl Iterator<Item = (&'a PsString, &'a PsValue)>) {
    for (name, value) in properties {
        members.insert(name.to_string(), json(value));
    }
}

fn key_of(key: &PsValue) -> String {
    match json(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn string(text: &PsString) -> Value {
    text.to_string_lossy().into()
}

fn number(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

/// JSON has no word for what is no number.
fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json as expected;

    use super::*;

    #[test]
    fn objects_are_what_their_properties_are() {
        let state = PsObject::new()
            .with_type_names(["System.ServiceProcess.ServiceControllerStatus", "System.Enum"])
            .with_to_string("Running")
            .with_content(Content::Value(Box::new(PsValue::I32(4))));
        let list = PsObject::new().with_content(Content::List(vec![1.into(), "b".into(), PsValue::Nil]));
        let entries = vec![("k".into(), 2.5.into()), (7.into(), f64::NAN.into())];
        let service = PsObject::new()
            .with_adapted("Name", "Spooler")
            .with_adapted("Status", state)
            .with_extended("Items", list)
            .with_extended("Table", PsObject::new().with_content(Content::Dictionary(entries)))
            .with_extended("Bytes", vec![0_u8, 255]);
        assert_eq!(
            json(&service.into()),
            expected!({
                "Name": "Spooler", "Status": "Running", "Items": [1, "b", null],
                "Table": {"k": 2.5, "7": "NaN"}, "Bytes": "AP8=",
            })
        );
        assert_eq!(json(&PsObject::new().with_to_string("text").into()), expected!("text"));
        assert_eq!(json(&u64::MAX.into()), expected!(u64::MAX));
    }
}
