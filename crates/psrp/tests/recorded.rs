//! Everything recorded of PowerShell remoting: fragments, messages, secure strings, and whole conversations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail"
)]

#[path = "recorded/describe.rs"]
mod describe;
#[path = "recorded/files.rs"]
mod files;
#[path = "recorded/messages.rs"]
mod messages;
#[path = "recorded/replay.rs"]
mod replay;
#[path = "recorded/same.rs"]
mod same;

use files::{array, bytes, folder, hex, json, text};
use serde_json::Value;
use winrm_clixml::{PsString, SecureString};
use winrm_psrp::fragment::{Defragmenter, FragmentError, Fragmenter};
use winrm_psrp::key::{KeyPair, PublicKey, SessionKey};
use winrm_psrp::message::KeyBlob;
use winrm_psrp::{DecodeError, RawMessage};

#[test]
fn sessions() {
    let Some(root) = folder("psrp") else { return };
    let index = json(&root.join("index.json"));
    let sessions = array(&index["sessions"]);
    for entry in sessions {
        messages::check_session(entry, &json(&root.join(text(&entry["file"]))));
    }
    println!("recorded: psrp {}", sessions.len());
}

#[test]
fn vectors() {
    let Some(root) = folder("psrp") else { return };
    let file = json(&root.join("vectors.json"));
    let vectors = array(&file["vectors"]);
    for vector in vectors {
        let id = text(&vector["id"]);
        match text(&vector["op"]) {
            "fragment" => {
                let mut fragmenter = Fragmenter::default();
                for message in array(&vector["messages"]) {
                    fragmenter.push((), messages::raw(message).encode());
                }
                let size = usize::try_from(vector["max_buffer"].as_u64().unwrap()).unwrap();
                for expected in array(&vector["expected"]["buffers_base64"]) {
                    assert_eq!(fragmenter.poll(size).unwrap().unwrap().1, bytes(expected), "{id}");
                }
                assert!(fragmenter.is_empty(), "{id}");
            }
            "defragment" => {
                let (found, errors) = defragment(&vector["buffers_base64"]);
                assert_eq!(errors, [], "{id}");
                let expected = array(&vector["expected"]["messages"]);
                assert_eq!(found.len(), expected.len(), "{id}");
                for (found, expected) in found.into_iter().zip(expected) {
                    assert_eq!(RawMessage::decode(found).unwrap(), messages::raw(expected), "{id}");
                }
            }
            "message" => {
                let message = bytes(&vector["message_base64"]);
                let decoded = RawMessage::decode(message.clone()).unwrap();
                assert_eq!(decoded, messages::raw(&vector["expected"]), "{id}");
                assert_eq!(decoded.encode(), message, "{id}");
                messages::check_data(id, &decoded);
            }
            other => panic!("{id}: {other} is not known to these tests"),
        }
    }
    println!("recorded: psrp {}", vectors.len());
}

#[test]
fn malformed() {
    let Some(root) = folder("psrp") else { return };
    let file = json(&root.join("malformed.json"));
    let cases = array(&file["cases"]);
    for case in cases {
        let id = text(&case["id"]);
        match text(&case["op"]) {
            "defragment" => {
                let (found, errors) = defragment(&case["buffers_base64"]);
                assert_eq!(found, Vec::<Vec<u8>>::new(), "{id}");
                let expected = match id {
                    "fragment-gap" => vec![FragmentError::OutOfOrder { object_id: 1, expected: 1, found: 2 }],
                    "fragment-empty-input" => vec![],
                    _ => vec![FragmentError::Incomplete],
                };
                assert_eq!(errors, expected, "{id}");
            }
            "message" => {
                let expected = match id {
                    // Its destination is 0, which is seen first.
                    "message-header-truncated" => DecodeError::Destination { found: 0 },
                    "message-invalid-destination" => DecodeError::Destination { found: 0xdead_beef },
                    other => panic!("{other} is not known to these tests"),
                };
                assert_eq!(RawMessage::decode(bytes(&case["message_base64"])).unwrap_err(), expected, "{id}");
            }
            other => panic!("{id}: {other} is not known to these tests"),
        }
    }
    println!("recorded: psrp {}", cases.len());
}

/// The objects in these buffers, and what was wrong with the others.
fn defragment(buffers: &Value) -> (Vec<Vec<u8>>, Vec<FragmentError>) {
    let mut defragmenter = Defragmenter::default();
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for buffer in array(buffers) {
        let buffer = bytes(buffer);
        let mut rest = buffer.as_slice();
        loop {
            match defragmenter.read(&mut rest) {
                Ok(Some(object)) => found.push(object),
                Ok(None) => break,
                Err(error) => errors.push(error),
            }
        }
    }
    errors.extend(defragmenter.finish().err());
    (found, errors)
}

#[test]
fn session_keys() {
    let Some(root) = folder("encryption") else { return };
    let mut count = 0;
    for name in ["psrp_session_key_psrp_key_exchange_timeout", "psrp_session_key_psrp_multiple_commands"] {
        let file = json(&root.join(name).with_extension("json"));
        let pair = || {
            let [p, q] = ["p", "q"].map(|prime| hex(&file["rsa_private_key"][prime]));
            KeyPair::from_primes(&p, &q).unwrap()
        };
        let expected = &file["expected"];
        let blob = KeyBlob(hex(&expected["public_key_blob"]["hex"]));
        assert_eq!(pair().public_blob(), blob, "{name}");
        PublicKey::from_blob(&blob).unwrap();
        count += 1;
        let Some(encrypted) = expected["encrypted_session_key_blob"]["hex"].as_str() else { continue };
        let encrypted = KeyBlob(hex(&Value::from(encrypted)));
        let key = pair().decrypt(&encrypted).unwrap();
        let bytes: [u8; 32] = hex(&expected["session_key_aes256"]).try_into().unwrap();
        let known = SessionKey::from_bytes(&bytes);
        for string in array(&expected["secure_strings"]) {
            let text = PsString::from(text(&string["plaintext_text"]));
            let encrypted = SecureString::new(string["encrypted_base64"].as_str().unwrap());
            // With what was decrypted and with what was published: they are the same key.
            for key in [&key, &known] {
                assert_eq!(key.encrypt(&text), encrypted, "{name}");
                assert_eq!(key.decrypt(&encrypted).unwrap().expose_utf16(), text.to_utf16(), "{name}");
            }
            count += 1;
        }
    }
    println!("recorded: encryption {count}");
}

#[test]
fn conversations() {
    let Some(root) = folder("exchanges") else { return };
    let index = json(&root.join("index.json"));
    let mut count = 0;
    for entry in array(&index["exchanges"]) {
        match text(&entry["category"]) {
            // Nothing of PowerShell in it.
            "winrs" | "wsman" => {}
            "psrp" | "client" => {
                let replayed = replay::check(&json(&root.join(text(&entry["file"]))));
                assert!(replayed || text(&entry["category"]) == "client", "{}", entry["id"]);
                count += usize::from(replayed);
            }
            other => panic!("{}: category {other} is not known to these tests", entry["id"]),
        }
    }
    assert!(count > 0);
    println!("recorded: exchanges {count}");
}
