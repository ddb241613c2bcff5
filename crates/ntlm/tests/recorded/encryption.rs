//! `encryption/ntlm_*.json` and `encryption/tampered.json`: whole sealed conversations, and damaged messages.

use serde_json::Value;
use winrm_ntlm::Session;
use winrm_ntlm::keys::{self, Direction};

use super::handshakes::Handshake;
use super::support::{Fixtures, array, check_sealed, fixed, flags, hex, text, unbase64, unframe};

pub(crate) fn check_all(fixtures: &Fixtures) -> usize {
    let handshakes = fixtures.read_from_root("nlmp/handshakes.json");
    let mut count = 0;
    for name in fixtures.names() {
        if name.starts_with("ntlm_") {
            let conversation = fixtures.read(&name);
            let (mut client, mut server) = sessions(&handshakes, &conversation);
            count += replay(&conversation, array(&conversation["messages"]), &mut client, &mut server);
        } else if name.starts_with("tampered") {
            count += check_tampered(fixtures, &handshakes, &fixtures.read(&name));
        }
        // The others hold no NTLM.
    }
    assert!(count > 0);
    count
}

/// Both sides of the handshake that the conversation names, where its sealed messages begin.
fn sessions(handshakes: &Value, conversation: &Value) -> (Session, Session) {
    let (_, id) = text(&conversation["handshake"]).split_once('#').unwrap();
    let entry = array(&handshakes["handshakes"]).iter().find(|entry| entry["id"] == id).unwrap();
    Handshake::read(entry).pair()
}

fn replay(conversation: &Value, messages: &[Value], client: &mut Session, server: &mut Session) -> usize {
    let id = text(&conversation["id"]);
    let (flags, key) =
        (flags(&conversation["negotiate_flags"]), fixed(&conversation["exported_session_key"]));
    assert_eq!(client.session_key(), &key, "{id}");
    assert_eq!(client.negotiate_flags(), flags, "{id}");
    for (name, direction) in [("client", Direction::ClientToServer), ("server", Direction::ServerToClient)] {
        let seal_key = keys::seal_key(flags, &key, direction);
        assert_eq!(hex(seal_key.as_bytes()), text(&conversation[format!("{name}_seal_key")]), "{id}");
        let sign_key = keys::sign_key(flags, &key, direction).unwrap();
        assert_eq!(hex(&*sign_key), text(&conversation[format!("{name}_sign_key")]), "{id}");
    }
    for message in messages {
        let (body, expected) = (unbase64(&message["body_base64"]), &message["expected"]);
        let (sender, receiver): (&mut Session, &mut Session) = match text(&message["direction"]) {
            "client_to_server" => (client, server),
            "server_to_client" => (server, client),
            other => panic!("{id}: {other}"),
        };
        let (signature, sealed) = unframe(&body).unwrap();
        assert_eq!(hex(&signature), text(&expected["signature"]), "{id}");
        assert_eq!(
            Some(sealed.len()),
            expected["sealed_length"].as_u64().map(|len| usize::try_from(len).unwrap())
        );
        let number = u32::try_from(expected["sequence_number"].as_u64().unwrap()).unwrap();
        assert_eq!(signature[12..], number.to_le_bytes(), "{id}: sequence number");
        check_sealed(id, &body, text(&expected["plaintext_utf8"]).as_bytes(), sender, receiver);
    }
    messages.len()
}

/// Each case stands in for one message; those before it must have passed.
fn check_tampered(fixtures: &Fixtures, handshakes: &Value, tampered: &Value) -> usize {
    let (file, position) = text(&tampered["based_on"]).split_once(", message ").unwrap();
    let conversation = fixtures.read_from_root(file);
    let before = &array(&conversation["messages"])[..position.parse().unwrap()];
    let cases = array(&tampered["cases"]);
    for case in cases {
        let id = text(&case["id"]);
        assert_eq!(case["expected"], "reject", "{id}");
        assert_eq!(tampered["direction"], "server_to_client", "{id}");
        let (mut client, mut server) = sessions(handshakes, &conversation);
        replay(&conversation, before, &mut client, &mut server);
        // Damage to the framing shows there; what comes through it must not pass the signature.
        let Some((signature, mut sealed)) = unframe(&unbase64(&case["body_base64"])) else { continue };
        assert!(client.unseal(&mut sealed, &signature).is_err(), "{id}: accepted");
        assert!(sealed.iter().all(|byte| *byte == 0), "{id}: plaintext left behind");
        let original = &array(&conversation["messages"])[before.len()];
        let (signature, mut sealed) = unframe(&unbase64(&original["body_base64"])).unwrap();
        assert!(client.unseal(&mut sealed, &signature).is_err(), "{id}: went on after a failure");
    }
    cases.len()
}
