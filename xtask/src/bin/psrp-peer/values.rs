//! Values as both sides of the pipe write them: JSON, with `{"secret": text}` for a secure string.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use winrm_clixml::{PsString, PsValue};
use winrm_psrp::key::SessionKey;
use winrm_psrp::uuid::Uuid;

use crate::Failure;

pub(crate) fn to_json(value: &PsValue, key: Option<&SessionKey>) -> Result<Value, Failure> {
    Ok(match value {
        PsValue::Nil => Value::Null,
        PsValue::Bool(value) => json!(value),
        PsValue::I32(value) => json!(value),
        PsValue::SecureString(secret) => {
            let text = key.ok_or("a secret without a key")?.decrypt(secret)?.expose_text();
            json!({ "secret": text.ok_or("a secret that is no text")?.as_str() })
        }
        value => match (value.as_str(), value.as_object()) {
            (Some(text), _) => json!(text),
            (None, Some(object)) => match object.items() {
                Some(items) => items.iter().map(|item| to_json(item, key)).collect::<Result<_, _>>()?,
                None => json!({ "type": format!("{object:?}") }),
            },
            _ => json!({ "type": format!("{value:?}") }),
        },
    })
}

pub(crate) fn from_json(value: &Value, key: Option<&SessionKey>) -> Result<PsValue, Failure> {
    Ok(match value {
        Value::Null => PsValue::Nil,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => i32::try_from(number.as_i64().ok_or("a number that is no integer")?)?.into(),
        Value::String(text) => text.as_str().into(),
        Value::Object(object) => {
            let text = object.get("secret").and_then(Value::as_str).ok_or("no secret")?;
            key.ok_or("a secret without a key")?.encrypt(&PsString::from(text)).into()
        }
        Value::Array(_) => return Err("lists are not sent".into()),
    })
}

pub(crate) fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Failure> {
    request.get(name).and_then(Value::as_str).ok_or_else(|| format!("no {name}").into())
}

/// The pipeline that a request is about; none is the pool.
pub(crate) fn id(request: &Value) -> Result<Option<Uuid>, Failure> {
    match request.get("id").and_then(Value::as_str) {
        Some(id) => Ok(Some(id.parse()?)),
        None => Ok(None),
    }
}

pub(crate) fn pipeline(request: &Value) -> Result<Uuid, Failure> {
    id(request)?.ok_or_else(|| "no pipeline".into())
}

pub(crate) fn bytes(request: &Value) -> Result<Vec<u8>, Failure> {
    Ok(STANDARD.decode(text(request, "bytes")?)?)
}
