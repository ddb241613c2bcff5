//! Everything recorded is put together, read, and survives being written and read again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests may fail"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use winrm_clixml::{Content, PsObject, PsString, PsValue};
use winrm_psrp::fragment::{Defragmenter, Fragments};
use winrm_psrp::host::{HostCall, HostResponse};
use winrm_psrp::message::{Availability, Body, Message};
use winrm_psrp::pipeline::{Pipeline, ResultType};
use winrm_psrp::record::ErrorCategory;

/// The folder with recordings, if there is one to test against.
fn fixtures() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("WINRM_FIXTURES") else {
        println!("recorded: skipped");
        return None;
    };
    Some(PathBuf::from(path).join("psrp"))
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn sessions() {
    let Some(folder) = fixtures() else { return };
    let index = read_json(&folder.join("index.json"));
    let sessions = index["sessions"].as_array().unwrap();
    for session in sessions {
        let recorded = read_json(&folder.join(session["file"].as_str().unwrap()));
        let id = session["id"].as_str().unwrap();
        // As they came, and with each payload cut in pieces.
        for piece in [usize::MAX, 7] {
            assert_session(id, &recorded, piece);
        }
    }
    println!("recorded: psrp {}", sessions.len());
}

/// Messages of one session, in the order in which they were whole.
fn assert_session(id: &str, recorded: &Value, piece: usize) {
    let mut expected = recorded["messages"].as_array().unwrap().iter();
    let mut streams: HashMap<(String, String), Defragmenter> = HashMap::new();
    for payload in recorded["payloads"].as_array().unwrap() {
        let key = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        // A pipeline's first fragments come with its Command, and the rest by Send.
        let command =
            if payload["direction"] == "client_to_server" { String::new() } else { key("command_id") };
        let stream = streams.entry((key("direction"), command)).or_default();
        for part in bytes(&payload["base64"]).chunks(piece) {
            stream.push(part);
            while let Some(message) = stream.next().unwrap() {
                assert_message(id, &message, expected.next().unwrap());
            }
        }
    }
    assert!(expected.next().is_none(), "{id}: messages are missing");
    assert!(streams.values().all(Defragmenter::is_idle), "{id}: something is left");
}

fn assert_message(id: &str, bytes: &Bytes, expected: &Value) {
    let place = format!("{id} message {}", expected["n"]);
    let message = Message::decode(bytes).unwrap_or_else(|error| panic!("{place}: {error:?}"));
    assert_eq!(message.body.kind().name(), expected["type_name"], "{place}");
    let code = u32::from_str_radix(expected["type"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert_eq!(message.body.kind().code(), code, "{place}");
    assert_eq!(message.destination.to_string(), expected["destination"], "{place}");
    assert_eq!(message.pool.to_string(), expected["runspace_pool_id"], "{place}");
    assert_eq!(message.pipeline.unwrap_or_default().to_string(), expected["pipeline_id"], "{place}");
    assert_reading(&place, &message.body, &expected["expected"]);
    let written = Message::decode(&message.encode().unwrap()).unwrap();
    assert!(written == message, "{place} is not the same when it was written");
    // What was sent is in what we write, whatever the order.
    let (sent, ours) = (data(bytes), data(&message.encode().unwrap()));
    match (sent, ours) {
        (Some(sent), Some(ours)) => assert_covers(&place, &sent, &ours),
        (sent, ours) => assert_eq!(sent.is_none(), ours.is_none(), "{place}"),
    }
}

fn data(message: &[u8]) -> Option<PsValue> {
    let data = &message[40..];
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    (!data.is_empty()).then(|| winrm_clixml::decode(data).unwrap())
}

/// Every property that was sent is written by us, with the same value.
fn assert_covers(place: &str, sent: &PsValue, ours: &PsValue) {
    let (Some(sent), Some(ours)) = (sent.as_object(), ours.as_object()) else {
        if let (Some(sent), Some(ours)) = (sent.as_i64(), ours.as_i64()) {
            return assert_eq!(sent, ours, "{place}");
        }
        return assert!(sent == ours, "{place}: {sent:?} {ours:?}");
    };
    for (name, value) in sent.extended.iter().chain(sent.adapted.iter()) {
        let name = name.to_string();
        let place = format!("{place}.{name}");
        let found = ours.property(&name).unwrap_or_else(|| panic!("{place} is missing"));
        // Recorded clients write null, an empty list or nothing for no names, and numbers for enumerations.
        match (value.primitive(), found.primitive()) {
            (value, found) if value.as_i64().is_some() => {
                assert_eq!(value.as_i64(), found.as_i64(), "{place}");
            }
            (value, found) => assert_covers(&place, value, found),
        }
    }
    if let (Some(sent), Some(ours)) = (sent.items(), ours.items()) {
        assert_eq!(sent.len(), ours.len(), "{place}");
        sent.iter().zip(ours).for_each(|(sent, ours)| assert_covers(place, sent, ours));
    } else if let (Some(sent), Some(ours)) = (sent.dictionary(), ours.dictionary()) {
        assert!(sent.len() == ours.len(), "{place}");
        for ((key, sent), (our_key, ours)) in sent.iter().zip(ours) {
            assert!(key == our_key, "{place}");
            assert_covers(place, sent, ours);
        }
    } else {
        let has = |object: &PsObject| object.content != Content::None;
        assert_eq!(has(sent), has(ours), "{place}");
    }
}

/// What the reading beside a message says of it, as far as it is about more than one value.
#[allow(clippy::too_many_lines, reason = "one arm for each type")]
fn assert_reading(place: &str, body: &Body, expected: &Value) {
    let text = |text: &PsString| json!(text.to_string());
    let optional = |found: Option<&PsString>| found.map_or(Value::Null, text);
    match body {
        Body::SessionCapability(capability) => {
            assert_eq!(capability.protocol_version.as_str(), expected["protocol_version"], "{place}");
            assert_eq!(capability.ps_version.as_str(), expected["ps_version"], "{place}");
            assert_eq!(
                capability.serialization_version.as_str(),
                expected["serialization_version"],
                "{place}"
            );
            assert_eq!(capability.time_zone.is_some(), expected["has_time_zone"], "{place}");
        }
        Body::InitRunspacePool(init) => {
            assert_eq!(init.min_runspaces, expected["min_runspaces"], "{place}");
            assert_eq!(init.max_runspaces, expected["max_runspaces"], "{place}");
            assert_eq!(init.application_arguments.is_nil(), expected["application_arguments"].is_null());
        }
        Body::CreatePipeline(pipeline) => assert_pipeline(place, pipeline, expected),
        Body::RunspacePoolState { state, .. } => {
            assert_eq!(state.code(), expected["state"], "{place}");
            assert_eq!(state.to_string(), expected["state_name"], "{place}");
        }
        Body::PipelineState { state, error } => {
            assert_eq!(state.code(), expected["state"], "{place}");
            assert_eq!(state.to_string(), expected["state_name"], "{place}");
            assert_eq!(error.is_some(), !expected["error"].is_null(), "{place}: {expected}");
        }
        Body::RunspaceAvailability { call, availability } => {
            assert_eq!(*call, expected["call_id"], "{place}");
            let answer = match availability {
                Availability::Done(done) => json!(done),
                Availability::Available(runspaces) => json!(runspaces),
            };
            assert_eq!(answer, expected["response"], "{place}");
        }
        Body::SetMaxRunspaces { runspaces, call } => {
            assert_eq!(
                (json!(runspaces), json!(call)),
                (expected["max_runspaces"].clone(), expected["call_id"].clone())
            );
        }
        Body::SetMinRunspaces { runspaces, call } => {
            assert_eq!(
                (json!(runspaces), json!(call)),
                (expected["min_runspaces"].clone(), expected["call_id"].clone())
            );
        }
        Body::GetAvailableRunspaces { call } | Body::ResetRunspaceState { call } => {
            assert_eq!(*call, expected["call_id"], "{place}");
        }
        Body::PublicKey(blob) => assert_eq!(blob.len(), expected["public_key_bytes"], "{place}"),
        Body::EncryptedSessionKey(blob) => {
            assert_eq!(blob.len(), expected["encrypted_session_key_bytes"], "{place}");
        }
        Body::ErrorRecord(record) => {
            assert_eq!(optional(record.object().to_string.as_ref()), expected["text"], "{place}");
            assert_eq!(
                optional(record.fully_qualified_error_id()),
                expected["fully_qualified_error_id"],
                "{place}"
            );
            assert_eq!(json!(record.category().map(ErrorCategory::code)), expected["category"], "{place}");
            assert_eq!(optional(record.category_message()), expected["category_message"], "{place}");
            assert_eq!(optional(record.exception_type()), expected["exception_type"], "{place}");
            assert_eq!(optional(record.exception_message()), expected["exception_message"], "{place}");
            assert_eq!(record.target_object().is_none(), expected["target_object"].is_null(), "{place}");
        }
        Body::ProgressRecord(record) => {
            assert_eq!(text(&record.activity()), expected["activity"], "{place}");
            assert_eq!(record.activity_id(), expected["activity_id"], "{place}");
            assert_eq!(text(&record.status()), expected["status_description"], "{place}");
            assert_eq!(optional(record.current_operation()), expected["current_operation"], "{place}");
            let known = |number: Option<i64>| json!(number.unwrap_or(-1));
            assert_eq!(known(record.parent_activity_id()), expected["parent_activity_id"], "{place}");
            assert_eq!(known(record.percent_complete()), expected["percent_complete"], "{place}");
            assert_eq!(known(record.seconds_remaining()), expected["seconds_remaining"], "{place}");
            assert_eq!(record.is_completed(), expected["record_type"]["$value"] == 1, "{place}");
        }
        Body::InformationRecord(record) => {
            assert_eq!(optional(record.source()), expected["source"], "{place}");
            assert_eq!(record.time().unwrap().as_str(), expected["time_generated"], "{place}");
            let tags: Vec<_> = record.tags().map(ToString::to_string).collect();
            assert_eq!(json!(tags), expected["tags"], "{place}");
            if let Some(data) = expected["message_data"].as_str() {
                assert_eq!(record.message().to_string(), data, "{place}");
            }
        }
        Body::PipelineHostCall(HostCall { call, method, parameters })
        | Body::RunspacePoolHostCall(HostCall { call, method, parameters }) => {
            assert_eq!(*call, expected["call_id"], "{place}");
            assert_eq!(
                (json!(method.code()), json!(method.name())),
                (expected["method_id"].clone(), expected["method"].clone())
            );
            assert_eq!(parameters.len(), expected["parameters"].as_array().unwrap().len(), "{place}");
        }
        Body::PipelineHostResponse(HostResponse { call, method, result, error })
        | Body::RunspacePoolHostResponse(HostResponse { call, method, result, error }) => {
            assert_eq!(*call, expected["call_id"], "{place}");
            assert_eq!(json!(method.code()), expected["method_id"], "{place}");
            assert_eq!(result.is_some(), !expected["result"].is_null(), "{place}");
            assert_eq!(error.is_some(), expected["has_exception"], "{place}");
        }
        _ => {}
    }
}

fn assert_pipeline(place: &str, pipeline: &Pipeline, expected: &Value) {
    for (ours, name) in [
        (json!(pipeline.no_input), "no_input"),
        (json!(pipeline.add_to_history), "add_to_history"),
        (json!(pipeline.is_nested), "is_nested"),
        (json!(pipeline.remote_stream_options), "remote_stream_options"),
        (json!(pipeline.redirect_error_output), "redirect_error_output"),
        (json!(pipeline.statements.len()), "statements"),
    ] {
        assert_eq!(ours, expected[name], "{place}: {name}");
    }
    let commands = expected["commands"].as_array().unwrap();
    let first = &pipeline.statements[0];
    for (command, expected) in first.iter().zip(commands) {
        assert_eq!(command.is_script, expected["is_script"], "{place}");
        assert_eq!(json!(command.use_local_scope), expected["use_local_scope"], "{place}");
        if let Some(name) = expected["command"].as_str() {
            assert_eq!(command.text.to_string(), name, "{place}");
        }
        let parameters = expected["parameters"].as_array().unwrap();
        assert_eq!(command.parameters.len(), parameters.len(), "{place}");
        for (parameter, expected) in command.parameters.iter().zip(parameters) {
            let name = parameter.name.as_ref().map_or(Value::Null, |name| json!(name.to_string()));
            assert_eq!(name, expected["name"], "{place}");
            assert_eq!(parameter.value.tag(), expected["value_element"], "{place}");
        }
        let is_merged = |name: &str| expected[name].as_str().is_some_and(|text| text != "None");
        assert_eq!(command.merge.my_result != ResultType::NONE, is_merged("merge_my_result"), "{place}");
        assert_eq!(command.merge.previous != ResultType::NONE, is_merged("merge_previous"), "{place}");
    }
}

#[test]
fn vectors() {
    let Some(folder) = fixtures() else { return };
    let vectors = read_json(&folder.join("vectors.json"));
    let vectors = vectors["vectors"].as_array().unwrap();
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        match vector["op"].as_str().unwrap() {
            "fragment" => assert_fragments(id, vector),
            "defragment" => {
                let mut defragmenter = Defragmenter::default();
                let mut found = Vec::new();
                for buffer in vector["buffers_base64"].as_array().unwrap() {
                    defragmenter.push(&bytes(buffer));
                    while let Some(message) = defragmenter.next().unwrap() {
                        found.push(message);
                    }
                }
                let expected = vector["expected"]["messages"].as_array().unwrap();
                assert_eq!(found.len(), expected.len(), "{id}");
                for (found, expected) in found.iter().zip(expected) {
                    assert!(*found == raw_message(expected), "{id}");
                }
            }
            "message" => {
                let message = Message::decode(&bytes(&vector["message_base64"])).unwrap();
                let expected = &vector["expected"];
                assert_eq!(message.body.kind().name(), expected["type_name"], "{id}");
                assert_eq!(message.destination.to_string(), expected["destination"], "{id}");
                let written = message.encode().unwrap();
                assert!(data(&written) == data(&raw_message(expected)), "{id}");
            }
            op => panic!("{id}: unknown op {op}"),
        }
    }
    println!("recorded: psrp {}", vectors.len());
}

/// The bytes of a message from its fields.
fn raw_message(message: &Value) -> Vec<u8> {
    let destination: u32 = if message["destination"] == "server" { 2 } else { 1 };
    let code = u32::from_str_radix(message["type"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let guid = |name: &str| message[name].as_str().unwrap().parse::<uuid::Uuid>().unwrap().to_bytes_le();
    let bom: &[u8] = if message["bom"] == true { b"\xef\xbb\xbf" } else { b"" };
    [
        &destination.to_le_bytes()[..],
        &code.to_le_bytes(),
        &guid("runspace_pool_id"),
        &guid("pipeline_id"),
        bom,
        message["data"].as_str().unwrap().as_bytes(),
    ]
    .concat()
}

fn assert_fragments(id: &str, vector: &Value) {
    let room = usize::try_from(vector["max_buffer"].as_u64().unwrap()).unwrap();
    let mut buffers = vec![BytesMut::new()];
    for message in vector["messages"].as_array().unwrap() {
        let mut fragments = Fragments::new(message["object_id"].as_u64().unwrap(), raw_message(message));
        while !fragments.is_empty() {
            let buffer = buffers.last_mut().unwrap();
            // Whole messages share a buffer while they fit; one that does not begins in the next.
            let left = room - buffer.len();
            let fits = buffer.is_empty() || fragments.remaining() <= left;
            if !(fits && fragments.write(buffer, left)) {
                buffers.push(BytesMut::new());
            }
        }
    }
    let expected: Vec<_> =
        vector["expected"]["buffers_base64"].as_array().unwrap().iter().map(bytes).collect();
    assert_eq!(buffers, expected, "{id}");
}

#[test]
fn malformed() {
    let Some(folder) = fixtures() else { return };
    let cases = read_json(&folder.join("malformed.json"));
    let cases = cases["cases"].as_array().unwrap();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        match case["op"].as_str().unwrap() {
            "defragment" => {
                let mut defragmenter = Defragmenter::default();
                let mut outcome = Ok(None);
                for buffer in case["buffers_base64"].as_array().unwrap() {
                    defragmenter.push(&bytes(buffer));
                    outcome = defragmenter.next();
                }
                assert!(!matches!(outcome, Ok(Some(_))), "{id}");
                assert_eq!(outcome.is_err(), case["expected"] == "reject", "{id}");
            }
            "message" => assert!(Message::decode(&bytes(&case["message_base64"])).is_err(), "{id}"),
            op => panic!("{id}: unknown op {op}"),
        }
    }
    println!("recorded: psrp {}", cases.len());
}
