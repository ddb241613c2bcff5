//! Everything recorded reads to the values beside it, and survives being written and read again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use support::{describe, items};
use winrm_clixml::stderr::{ErrorStream, Item, RecordStream};
use winrm_clixml::{
    Entry, Limits, PsString, decode, decode_document, encode, encode_document, escape, unescape,
};

/// The folder with recordings, if there is one to test against.
fn fixtures() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("WINRM_FIXTURES") else {
        println!("recorded: skipped");
        return None;
    };
    Some(PathBuf::from(path).join("clixml"))
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The reading beside a document, made to be what we keep: references are followed, and identities are not kept.
fn expected(reading: &Value) -> Vec<Value> {
    let objects = reading["expected"]["objects"].as_array().unwrap();
    let mut known = HashMap::new();
    for node in objects {
        collect(node, &mut known);
    }
    objects.iter().map(|node| resolve(node, &mut Vec::new(), &known)).collect()
}

/// Every object that has an identity.
fn collect<'a>(node: &'a Value, known: &mut HashMap<&'a str, &'a Value>) {
    if node["type"] == "Obj"
        && let Some(id) = node["ref_id"].as_str()
    {
        known.insert(id, node);
    }
    match node {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, known)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, known)),
        _ => {}
    }
}

fn resolve<'a>(node: &'a Value, open: &mut Vec<&'a str>, known: &HashMap<&'a str, &'a Value>) -> Value {
    match node {
        Value::Array(items) => items.iter().map(|item| resolve(item, open, known)).collect(),
        Value::Object(fields) if node["type"] == "Ref" => {
            let id = fields["ref_id"].as_str().unwrap();
            if open.contains(&id) { json!({"type": "Ref"}) } else { resolve(known[id], open, known) }
        }
        Value::Object(fields) => {
            let id = node["ref_id"].as_str();
            open.extend(id);
            let kept = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "ref_id" | "types_ref"));
            let resolved: Map<_, _> =
                kept.map(|(key, value)| (key.clone(), resolve(value, open, known))).collect();
            open.truncate(open.len() - usize::from(id.is_some()));
            resolved.into()
        }
        other => other.clone(),
    }
}

fn check_document(id: &str, document: &[u8], expected: &[Value]) {
    let value = decode(document).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(expected.len(), 1, "{id}");
    assert_eq!(describe::value(&value), expected[0], "{id}");
    let written = encode(&value).unwrap_or_else(|error| panic!("{id}: {error}"));
    let again = decode(&written).unwrap_or_else(|error| panic!("{id}, written: {error}"));
    assert_eq!(again, value, "{id}");
    assert_eq!(describe::value(&again), expected[0], "{id}, written");
    for end in 0..document.len() {
        // What is cut may be no more than white space.
        if !document[end..].trim_ascii().is_empty() {
            assert!(decode(&document[..end]).is_err(), "{id}: {end} bytes of it are accepted");
        }
    }
}

fn check_stream(id: &str, bytes: &[u8], expected: &[Value]) {
    let mut stream = ErrorStream::new();
    let mut whole = stream.push(bytes);
    whole.extend(stream.finish());
    let whole = items::joined(whole);
    let found: Vec<_> = whole
        .iter()
        .map(|item| match item {
            Item::Record(record) => describe::record(record),
            Item::Text(text) => panic!("{id}: text {:?}", String::from_utf8_lossy(text)),
        })
        .collect();
    assert_eq!(found, expected, "{id}");
    for cut in 0..=bytes.len() {
        assert_eq!(items::of([&bytes[..cut], &bytes[cut..]]), whole, "{id} cut at {cut}");
    }
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(items::of(bytes.chunks(size)), whole, "{id} in pieces of {size}");
    }

    let lines = expected.iter().filter(|node| node["stream"] == "Error");
    let text: String = lines.map(|node| node["value"].as_str().unwrap()).collect();
    let shown = whole.iter().filter_map(|item| match item {
        Item::Record(record) => Some(record.to_text()),
        Item::Text(_) => None,
    });
    assert_eq!(shown.collect::<String>(), text, "{id}");

    // The same document without a header, by the other way.
    let document = &bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap()..];
    let document = document.trim_ascii();
    let entries = decode_document(document, &Limits::default()).unwrap();
    assert_eq!(entries.len(), whole.len(), "{id}");
    for (entry, item) in entries.iter().zip(&whole) {
        assert!(matches!(item, Item::Record(record) if record.value == entry.value), "{id}");
    }
    let written = encode_document(&entries).unwrap();
    assert_eq!(decode_document(&written, &Limits::default()).unwrap(), entries, "{id}");
    assert!(entries.iter().all(|Entry { stream, .. }| stream.is_some()), "{id}");
    assert!(
        !whole
            .iter()
            .any(|item| matches!(item, Item::Record(r) if matches!(r.stream, RecordStream::Other(_))))
    );
}

fn check_strings(root: &Path) -> usize {
    let strings = read_json(&root.join("strings.json"));
    let (encoded, decoded) = (strings["encode"].as_array().unwrap(), strings["decode"].as_array().unwrap());
    for pair in encoded {
        let (text, clixml) = (pair["text"].as_str().unwrap(), pair["clixml"].as_str().unwrap());
        assert_eq!(escape(&PsString::from(text)), clixml);
    }
    for pair in encoded.iter().chain(decoded) {
        let (text, clixml) = (pair["text"].as_str().unwrap(), pair["clixml"].as_str().unwrap());
        assert_eq!(unescape(clixml.to_owned()), text);
    }
    encoded.len() + decoded.len()
}

#[test]
fn clixml_documents() {
    let Some(root) = fixtures() else { return };
    let index = read_json(&root.join("index.json"));
    let samples = index["samples"].as_array().unwrap();
    for sample in samples {
        let id = sample["id"].as_str().unwrap();
        let file = sample["file"].as_str().unwrap();
        let document = std::fs::read(root.join(file)).unwrap();
        let expected = expected(&read_json(&root.join(sample["json"].as_str().unwrap())));
        if Path::new(file).extension().is_some_and(|extension| extension == "clixml") {
            check_stream(id, &document, &expected);
        } else {
            check_document(id, &document, &expected);
        }
    }
    println!("recorded: clixml {}", samples.len() + check_strings(&root));
}
