//! What the recorded tests need to find and compare recordings.

pub(crate) mod describe;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The folder with recordings, if there is one to test against.
pub(crate) fn fixtures() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("WINRM_FIXTURES") else {
        println!("recorded: skipped");
        return None;
    };
    Some(PathBuf::from(path))
}

pub(crate) fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The JSON files of a folder, sorted by name.
pub(crate) fn files(folder: &std::path::Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(prefix) && path.extension().is_some_and(|e| e == "json")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no {prefix}*.json", folder.display());
    files
}

pub(crate) fn str<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no string"))
}

pub(crate) fn bytes(value: &Value, key: &str) -> Vec<u8> {
    STANDARD.decode(str(value, key)).unwrap()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Lists every place where the two differ. Durations are compared by value, since their spelling is not kept.
pub(crate) fn differences(path: &str, expected: &Value, actual: &Value, out: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, value) in expected {
                differences(&format!("{path}.{key}"), value, actual.get(key).unwrap_or(&Value::Null), out);
            }
            for (key, value) in actual {
                if !expected.contains_key(key) {
                    out.push(format!("{path}.{key}: not expected, got {value}"));
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                differences(&format!("{path}[{index}]"), expected, actual, out);
            }
        }
        (Value::String(expected), Value::String(actual)) if is_duration(path) => {
            let parse = |text| winrm_wsman::XsDuration::parse(text);
            if parse(expected) != parse(actual) {
                out.push(format!("{path}: expected {expected}, got {actual}"));
            }
        }
        _ if expected == actual => {}
        _ => out.push(format!("{path}: expected {expected}, got {actual}")),
    }
}

fn is_duration(path: &str) -> bool {
    [
        ".idle_timeout",
        ".max_idle_timeout",
        ".lifetime",
        ".operation_timeout",
        ".shell_run_time",
        ".shell_inactivity",
    ]
    .iter()
    .any(|field| path.ends_with(field))
}
