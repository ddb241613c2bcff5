//! Everything recorded reads to the values beside it, and survives being written and read again.
//!
//! Each test walks one folder of `WINRM_FIXTURES` whole, so that recordings added later are covered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{bytes, describe, differences, files, fixtures, json, str, unhex};
use winrm_wsman::encrypted::{self, Layout, Wrapped};
use winrm_wsman::{Body, Fault, Message};

/// Reads a document, writes what was read, and reads that.
fn round_trip(id: &str, document: &[u8]) -> Message {
    let message = Message::decode(document).unwrap_or_else(|error| panic!("{id}: {error}"));
    let written = message.encode().unwrap_or_else(|error| panic!("{id}: {error}"));
    let again = Message::decode(&written).unwrap_or_else(|error| panic!("{id}, written: {error}"));
    assert_eq!(again, message, "{id}");
    assert_ne!(describe::kind(&message.body), "unknown", "{id}: {message:?}");
    if let Body::IdentifyResponse(response) = &message.body {
        assert!(
            response.product_vendor.is_some() && !response.protocol_versions.is_empty(),
            "{id}: {response:?}"
        );
    }
    message
}

fn check(id: &str, expected: &Value, actual: &Value, failures: &mut Vec<String>) {
    differences(id, expected, actual, failures);
}

fn request_value(message: &Message, psrp: bool) -> Value {
    serde_json::json!({"headers": describe::headers(&message.header, false), "body": describe::request(message, psrp)})
}

/// The faults of ours whose wording is that of Windows, made to come from that machine.
fn worded_as_windows(machine: &str) -> [(&'static str, Fault); 4] {
    [
        ("shell not found", Fault::shell_not_found(machine)),
        ("command not found", Fault::command_not_found(machine)),
        ("timed out", Fault::timed_out(machine)),
        ("invalid parameter", Fault::invalid_parameter(machine)),
    ]
}

fn soap(root: &Path) -> usize {
    let mut failures = Vec::new();
    let mut seen = BTreeSet::new();
    let responses = json(&root.join("soap/responses.json"));
    let responses = responses["responses"].as_array().unwrap();
    for entry in responses {
        let id = str(entry, "id");
        let message = round_trip(id, &std::fs::read(root.join("soap").join(str(entry, "file"))).unwrap());
        if describe::kind(&message.body) != str(entry, "kind") {
            failures.push(format!("{id}: read as {}", describe::kind(&message.body)));
            continue;
        }
        let psrp = entry["psrp"].as_bool().unwrap();
        check(id, &entry["expected"], &describe::response(&message, psrp), &mut failures);
        if let Some(fault) = message.as_fault() {
            let machine = fault.wsman_fault.as_ref().and_then(|f| f.machine.as_deref()).unwrap_or_default();
            seen.extend(
                worded_as_windows(machine).into_iter().filter(|(_, f)| f == fault).map(|(name, _)| name),
            );
            if fault.reason() == Fault::not_understood().reason() {
                seen.insert("not understood");
            }
        }
    }
    assert_eq!(seen.len(), 5, "recorded as a service of ours words them: only {seen:?}");
    let requests = json(&root.join("soap/requests.json"));
    let requests = requests["requests"].as_array().unwrap();
    for entry in requests {
        let id = str(entry, "id");
        let message = round_trip(id, &std::fs::read(root.join("soap").join(str(entry, "file"))).unwrap());
        if describe::kind(&message.body) != str(entry, "kind") {
            failures.push(format!("{id}: read as {}", describe::kind(&message.body)));
            continue;
        }
        check(
            id,
            &entry["expected"],
            &request_value(&message, entry["psrp"].as_bool().unwrap()),
            &mut failures,
        );
    }
    let malformed = json(&root.join("soap/malformed.json"));
    let malformed = malformed["cases"].as_array().unwrap();
    for case in malformed {
        let result = Message::decode(str(case, "text").as_bytes());
        if str(case, "expected") == "reject" {
            assert!(result.is_err(), "{}: {result:?}", str(case, "id"));
        } else {
            assert_eq!(result.unwrap().body, Body::Empty, "{}", str(case, "id"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    responses.len() + requests.len() + malformed.len()
}

#[test]
fn soap_messages() {
    let Some(root) = fixtures() else { return };
    println!("recorded: soap {}", soap(&root));
}

#[test]
fn whole_exchanges() {
    let Some(root) = fixtures() else { return };
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in json(&root.join("exchanges/index.json"))["exchanges"].as_array().unwrap() {
        let exchange = json(&root.join("exchanges").join(str(entry, "file")));
        for step in exchange["steps"].as_array().unwrap() {
            let id = format!("{} {}", str(entry, "id"), step["n"]);
            let psrp = step["psrp"].as_bool().unwrap();
            let request = round_trip(&id, str(step, "request_xml").as_bytes());
            assert_eq!(describe::kind(&request.body), str(step, "kind"), "{id}");
            assert_eq!(request.header.action(), str(step, "action"), "{id}");
            check(&id, &step["request"], &request_value(&request, psrp), &mut failures);
            count += 1;
            let Some(document) = step["response_xml"].as_str() else { continue };
            let response = round_trip(&id, document.as_bytes());
            let mut actual = describe::response(&response, psrp);
            actual["kind"] = describe::kind(&response.body).into();
            if !response.header.relates_to(&request.header) {
                actual["relates_to_matches_request"] = false.into();
            }
            check(&id, &step["response"], &actual, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("recorded: exchanges {count}");
}

/// Unframes a recorded body, lays its token header and ciphertext out again the way that side did, and gives the
/// plaintext back in place of unsealing.
fn reframe(id: &str, content_type: &str, body: &[u8], plaintext: &[u8]) {
    let parts = encrypted::split(content_type, body).unwrap_or_else(|error| panic!("{id}: {error}"));
    let [part] = parts.as_slice() else { panic!("{id}: {} parts", parts.len()) };
    assert_eq!(part.length, plaintext.len(), "{id}");
    assert_eq!(part.sealed.len(), plaintext.len(), "{id}");
    assert_eq!(part.header.len(), 16, "{id}: NTLM's signature");

    let mut layout = Layout::from_content_type(content_type).unwrap();
    layout.indent = memchr::memmem::find(body, b"\r\n\tContent-Type").is_some();
    let mut buffer = encrypted::buffer(plaintext.len());
    buffer.extend_from_slice(plaintext);
    let framed = encrypted::seal(&layout, buffer, |message| {
        message.copy_from_slice(&body[part.sealed.clone()]);
        Ok::<_, std::convert::Infallible>(body[part.header.clone()].to_vec())
    });
    // OMI puts an empty line behind its bodies; ours end as Windows' do.
    let lines_behind = if body.ends_with(b"--\r\n\r\n") { 2 } else { 0 };
    assert_eq!(framed.unwrap(), body[..body.len() - lines_behind], "{id}");

    let opened = encrypted::open(content_type, BytesMut::from(body), |header, sealed| {
        assert_eq!(header, &body[part.header.clone()], "{id}");
        sealed.copy_from_slice(plaintext);
        Ok::<_, std::convert::Infallible>(())
    });
    let opened = opened.unwrap();
    assert_eq!(opened, plaintext, "{id}");
    round_trip(id, &opened);
}

#[test]
fn captured_conversations() {
    let Some(root) = fixtures() else { return };
    let mut count = 0;
    for path in files(&root.join("capture"), "") {
        let capture = json(&path);
        for (n, exchange) in capture["exchanges"].as_array().unwrap().iter().enumerate() {
            for side in ["request", "response"] {
                let id = format!("{} {n} {side}", path.file_name().unwrap().display());
                if let Some(document) = exchange[format!("{side}_body")].as_str() {
                    if !document.is_empty() {
                        round_trip(&id, document.as_bytes());
                        count += 1;
                    }
                    continue;
                }
                let headers = &exchange[format!("{side}_headers")];
                let body = bytes(exchange, &format!("{side}_body_b64"));
                let plaintext = str(exchange, &format!("{side}_plaintext")).as_bytes();
                reframe(&id, str(headers, "content-type"), &body, plaintext);
                count += 1;
            }
        }
    }
    println!("recorded: capture {count}");
}

fn framing_case(case: &Value) {
    let id = str(case, "id");
    let layout = Layout {
        protocol: str(case, "protocol").to_owned(),
        boundary: str(case, "boundary").to_owned(),
        indent: true,
        chunk_size: case["mock_encrypt"]["max_chunk"].as_u64().map(|size| usize::try_from(size).unwrap()),
    };
    let expected = &case["expected"];
    if str(case, "op") == "frame" {
        let plaintext = bytes(case, "plaintext_base64");
        let header = unhex(str(&case["mock_encrypt"], "header_hex"));
        let padding = usize::try_from(case["mock_encrypt"]["padding_length"].as_u64().unwrap()).unwrap();
        let mut buffer = encrypted::buffer(plaintext.len());
        buffer.extend_from_slice(&plaintext);
        let body = encrypted::seal(&layout, buffer, |_| {
            let trailer = b"-encrypted".to_vec();
            Ok::<_, std::convert::Infallible>(Wrapped { header: header.clone(), trailer, padding })
        });
        assert_eq!(body.unwrap(), bytes(expected, "body_base64"), "{id}");
        let content_type = layout.content_type_for(plaintext.len());
        assert_eq!(content_type.split(';').next().unwrap(), str(expected, "content_type"), "{id}");
        return;
    }
    assert_eq!(str(case, "op"), "unframe", "{id}");
    let body = bytes(case, "body_base64");
    let content_type = layout.content_type();
    let parts = encrypted::split(&content_type, &body).unwrap_or_else(|error| panic!("{id}: {error}"));
    let recorded = expected["parts"].as_array().unwrap();
    assert_eq!(parts.len(), recorded.len(), "{id}");
    for (part, recorded) in parts.iter().zip(recorded) {
        assert_eq!(part.content_type, str(recorded, "content_type"), "{id}");
        assert_eq!(part.original_content_type, str(recorded, "original_content_type"), "{id}");
        assert_eq!(u64::try_from(part.length).ok(), recorded["original_length"].as_u64(), "{id}");
        assert_eq!(u64::try_from(part.header.len()).ok(), recorded["header_length"].as_u64(), "{id}");
        assert_eq!(body[part.header.clone()], unhex(str(recorded, "header_hex")), "{id}");
        assert_eq!(u64::try_from(part.sealed.len()).ok(), recorded["sealed_length"].as_u64(), "{id}");
        assert_eq!(body[part.sealed.clone()], bytes(recorded, "sealed_base64"), "{id}");
    }
    let Some(mock) = case["mock_decrypt"].as_str() else { return };
    let opened = encrypted::open(&content_type, BytesMut::from(&body[..]), |_, sealed| {
        let plaintext = if mock.starts_with("drop the 10-byte") {
            sealed.strip_suffix(b"-encrypted").unwrap().to_vec()
        } else {
            assert!(mock.starts_with("base64-decode"), "{id}: {mock}");
            STANDARD.decode(&*sealed).unwrap()
        };
        sealed[..plaintext.len()].copy_from_slice(&plaintext);
        Ok::<_, std::convert::Infallible>(0..plaintext.len())
    });
    let plaintext = opened.unwrap();
    assert_eq!(u64::try_from(plaintext.len()).ok(), expected["plaintext_length"].as_u64(), "{id}");
    assert_eq!(Sha256::digest(&plaintext).as_slice(), unhex(str(expected, "plaintext_sha256")), "{id}");
}

#[test]
fn sealed_bodies() {
    let Some(root) = fixtures() else { return };
    let folder = root.join("encryption");
    let framing = json(&folder.join("framing.json"));
    let cases = framing["cases"].as_array().unwrap();
    cases.iter().for_each(framing_case);
    let mut count = cases.len() + tampered_bodies(&root);
    for path in files(&folder, "ntlm_") {
        let conversation = json(&path);
        for (n, message) in conversation["messages"].as_array().unwrap().iter().enumerate() {
            let id = format!("{} {n}", path.file_name().unwrap().display());
            let expected = &message["expected"];
            let body = bytes(message, "body_base64");
            let part = encrypted::split(str(message, "content_type"), &body).unwrap().remove(0);
            assert_eq!(part.original_content_type, str(expected, "original_content_type"), "{id}");
            assert_eq!(u64::try_from(part.length).ok(), expected["original_length"].as_u64(), "{id}");
            assert_eq!(u64::try_from(part.sealed.len()).ok(), expected["sealed_length"].as_u64(), "{id}");
            assert_eq!(body[part.header], unhex(str(expected, "signature")), "{id}");
            reframe(&id, str(message, "content_type"), &body, str(expected, "plaintext_utf8").as_bytes());
            count += 1;
        }
    }
    println!("recorded: encryption {count}");
}

/// Each damage either breaks the framing or is handed to the security context, which here knows the undamaged token and
/// ciphertext by heart.
fn tampered_bodies(root: &Path) -> usize {
    let tampered = json(&root.join("encryption/tampered.json"));
    let (file, n) = str(&tampered, "based_on").split_once(", message ").unwrap();
    let original = json(&root.join(file));
    let original = &original["messages"][n.parse::<usize>().unwrap()];
    let content_type = str(original, "content_type");
    let intact = bytes(original, "body_base64");
    let part = encrypted::split(content_type, &intact).unwrap().remove(0);
    let open = |body: &[u8]| {
        encrypted::open(content_type, BytesMut::from(body), |header, sealed| {
            if header == &intact[part.header.clone()] && sealed == &intact[part.sealed.clone()] {
                Ok(())
            } else {
                Err("damaged")
            }
        })
    };
    assert!(open(&intact).is_ok());
    let cases = tampered["cases"].as_array().unwrap();
    for case in cases {
        let damaged = bytes(case, "body_base64");
        if damaged == intact {
            // Damage to the order of messages is not for the framing to see.
            continue;
        }
        assert!(open(&damaged).is_err(), "{}", str(case, "id"));
    }
    cases.len()
}
