//! Values as the JSON that lies beside recordings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use winrm_clixml::stderr::{Record, RecordStream};
use winrm_clixml::{Content, ProgressRecord, Properties, PsObject, PsValue};

pub fn record(record: &Record) -> Value {
    let mut described = value(&record.value);
    let stream = match &record.stream {
        RecordStream::Error => "Error",
        RecordStream::Progress => "progress",
        other => panic!("{other:?} is not in the recordings"),
    };
    described["stream"] = stream.into();
    described
}

pub fn value(value: &PsValue) -> Value {
    let tag = value.tag();
    let content = match value {
        PsValue::Nil | PsValue::Ref(_) => return json!({"type": tag}),
        PsValue::Object(described) => return object(described),
        PsValue::Progress(record) => return progress(record),
        PsValue::Bool(value) => json!(value),
        PsValue::Char(value) | PsValue::U16(value) => json!(value),
        PsValue::I32(value) => json!(value),
        PsValue::U32(value) => json!(value),
        PsValue::I64(value) => json!(value),
        PsValue::U64(value) => json!(value),
        PsValue::String(text)
        | PsValue::Uri(text)
        | PsValue::XmlDocument(text)
        | PsValue::ScriptBlock(text) => {
            json!(text.as_str().unwrap())
        }
        PsValue::DateTime(text) => json!(text.as_str()),
        PsValue::Duration(text) => json!(text.as_str()),
        PsValue::Decimal(text) => json!(text.as_str()),
        PsValue::Version(text) => json!(text.as_str()),
        PsValue::SecureString(text) => json!(text.as_str()),
        PsValue::Guid(guid) => json!(guid.to_string()),
        PsValue::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        other => panic!("{other:?} is not in the recordings"),
    };
    json!({"type": tag, "value": content})
}

fn object(object: &PsObject) -> Value {
    let mut described = Map::new();
    described.insert("type".to_owned(), "Obj".into());
    let mut put = |key: &str, value: Value| described.insert(key.to_owned(), value);
    if !object.type_names.is_empty() {
        put("types", object.type_names.iter().map(|name| name.as_str().unwrap()).collect());
    }
    if let Some(text) = &object.to_string {
        put("to_string", text.as_str().unwrap().into());
    }
    for (key, described) in [("adapted", &object.adapted), ("extended", &object.extended)] {
        if !described.is_empty() {
            put(key, properties(described));
        }
    }
    let container = match &object.content {
        Content::None => None,
        Content::Value(inner) => {
            put("value", value(inner));
            None
        }
        Content::PropertySet(values) => {
            put("value", value(&values[0]));
            put("more_values", values[1..].iter().map(value).collect());
            None
        }
        Content::List(items) => Some(("LST", items)),
        Content::Stack(items) => Some(("STK", items)),
        Content::Queue(items) => Some(("QUE", items)),
        Content::Enumerable(items) => Some(("IE", items)),
        Content::Dictionary(entries) => {
            let entries = entries.iter().map(|(k, v)| json!({"key": value(k), "value": value(v)}));
            put("dictionary", entries.collect());
            None
        }
    };
    if let Some((tag, items)) = container {
        put("container", tag.into());
        put("items", items.iter().map(value).collect());
    }
    Value::Object(described)
}

fn properties(properties: &Properties) -> Value {
    let described = properties.iter().map(|(name, inner)| (name.as_str().unwrap().to_owned(), value(inner)));
    described.collect::<Map<_, _>>().into()
}

fn progress(record: &ProgressRecord) -> Value {
    let text = |tag: &str, text: &str| json!({"tag": tag, "value": text});
    let current = match &record.current_operation {
        Some(operation) => text("S", operation.as_str().unwrap()),
        None => json!({"tag": "Nil", "value": null}),
    };
    json!({"type": "PR", "fields": [
        text("AV", record.activity.as_str().unwrap()),
        text("AI", &record.activity_id.to_string()),
        current,
        text("PI", &record.parent_activity_id.to_string()),
        text("PC", &record.percent_complete.to_string()),
        text("T", record.record_type.as_str().unwrap()),
        text("SR", &record.seconds_remaining.to_string()),
        text("SD", record.status_description.as_str().unwrap()),
    ]})
}
