//! `nlmp/messages.json`: every field of every message, and messages that must be refused.

use serde_json::Value;
use winrm_ntlm::message::{
    AuthenticateMessage, ChallengeMessage, ClientChallenge, NegotiateMessage, NtlmV2Response,
};
use winrm_ntlm::{DecodeError, NegotiateFlags, Version};

use super::support::{Fixtures, array, bytes, flags, hex, object, text, text_or_empty};
use super::vectors::check_pairs;

pub(crate) fn check_all(fixtures: &Fixtures) -> usize {
    let index = fixtures.read("messages.json");
    let (messages, invalid) = (array(&index["messages"]), array(&index["invalid"]));
    assert!(!messages.is_empty() && !invalid.is_empty());
    for entry in messages {
        let (id, message) = (text(&entry["id"]), bytes(&entry["hex"]));
        match entry["expected"]["message_type"].as_u64() {
            Some(1) => negotiate(id, &message, &entry["expected"]),
            Some(2) => challenge(id, &message, &entry["expected"]),
            Some(3) => authenticate(id, &message, &entry["expected"]),
            other => panic!("{id}: message type {other:?}"),
        }
    }
    for entry in invalid {
        let (id, message) = (text(&entry["id"]), bytes(&entry["hex"]));
        assert_eq!(entry["expected"]["valid"].as_bool(), Some(false), "{id}");
        let outcome: Result<(), DecodeError> = match entry["parse_as_message_type"].as_u64() {
            Some(1) => NegotiateMessage::decode(&message).map(drop),
            Some(2) => ChallengeMessage::decode(&message).map(drop),
            Some(3) => AuthenticateMessage::decode(&message).map(drop),
            other => panic!("{id}: message type {other:?}"),
        };
        assert!(outcome.is_err(), "{id}: accepted");
    }
    messages.len() + invalid.len()
}

fn negotiate(id: &str, bytes: &[u8], expected: &Value) {
    let message = NegotiateMessage::decode(bytes).unwrap();
    for (name, value) in object(expected) {
        match name.as_str() {
            "message_type" => {}
            "flags" => check_flags(id, message.negotiate_flags, value),
            "domain_name" => assert_eq!(message.domain_name_text(), text_or_empty(value), "{id}"),
            "workstation" => assert_eq!(message.workstation_text(), text_or_empty(value), "{id}"),
            "version" => check_version(id, message.version, value),
            name => panic!("{id}: no check for {name}"),
        }
    }
    let encoded = message.encode().unwrap();
    assert_eq!(encoded.len(), bytes.len(), "{id}: length when encoded");
    assert_eq!(NegotiateMessage::decode(&encoded).unwrap(), message, "{id}");
}

fn challenge(id: &str, bytes: &[u8], expected: &Value) {
    let message = ChallengeMessage::decode(bytes).unwrap();
    for (name, value) in object(expected) {
        match name.as_str() {
            "message_type" => {}
            "flags" => check_flags(id, message.negotiate_flags, value),
            "target_name" => assert_eq!(message.target_name_text().unwrap(), text_or_empty(value), "{id}"),
            "server_challenge" => assert_eq!(hex(&message.server_challenge), text(value), "{id}"),
            "version" => check_version(id, message.version, value),
            "target_info" if value.is_null() => assert!(message.target_info.is_empty(), "{id}"),
            "target_info" => check_pairs(id, &message.av_pairs().unwrap(), array(value)),
            "target_info_raw" => {
                assert_eq!(hex(&message.target_info), text(value), "{id}");
                assert_eq!(hex(&message.av_pairs().unwrap().encode().unwrap()), text(value), "{id}");
            }
            name => panic!("{id}: no check for {name}"),
        }
    }
    let encoded = message.encode().unwrap();
    assert_eq!(encoded.len(), bytes.len(), "{id}: length when encoded");
    assert_eq!(ChallengeMessage::decode(&encoded).unwrap(), message, "{id}");
}

fn authenticate(id: &str, bytes: &[u8], expected: &Value) {
    let message = AuthenticateMessage::decode(bytes).unwrap();
    for (name, value) in object(expected) {
        match name.as_str() {
            "message_type" => {}
            "flags" => check_flags(id, message.negotiate_flags, value),
            "domain_name" => assert_eq!(message.domain_name_text().unwrap(), text_or_empty(value), "{id}"),
            "user_name" => assert_eq!(message.user_name_text().unwrap(), text_or_empty(value), "{id}"),
            "workstation" => assert_eq!(message.workstation_text().unwrap(), text_or_empty(value), "{id}"),
            "lm_response" => assert_eq!(hex(&message.lm_challenge_response), text(value), "{id}"),
            "nt_response" => assert_eq!(hex(&message.nt_challenge_response), text(value), "{id}"),
            "encrypted_random_session_key" => {
                assert_eq!(hex(&message.encrypted_random_session_key), text_or_empty(value), "{id}");
            }
            "mic" => assert_eq!(message.mic.map(|mic| hex(&mic)).as_deref(), value.as_str(), "{id}"),
            "version" => check_version(id, message.version, value),
            "ntlmv2" => check_ntlm_v2(id, &message.nt_challenge_response, value),
            name => panic!("{id}: no check for {name}"),
        }
    }
    let encoded = message.encode().unwrap();
    assert_eq!(AuthenticateMessage::decode(&encoded).unwrap(), message, "{id}");
}

fn check_ntlm_v2(id: &str, response: &[u8], expected: &Value) {
    let response = NtlmV2Response::decode(response).unwrap();
    let temp = ClientChallenge::decode(response.temp).unwrap();
    for (name, value) in object(expected) {
        match name.as_str() {
            "nt_proof_str" => assert_eq!(hex(&response.nt_proof_str), text(value), "{id}"),
            "resp_type" | "hi_resp_type" => assert_eq!(value.as_u64(), Some(1), "{id}"),
            "filetime" => assert_eq!(Some(temp.time_stamp.0), value.as_u64(), "{id}"),
            "client_challenge" => assert_eq!(hex(&temp.challenge_from_client), text(value), "{id}"),
            "target_info" => check_pairs(id, &temp.av_pairs, array(value)),
            "trailing_zero_bytes" => {
                let trailing = usize::try_from(value.as_u64().unwrap()).unwrap();
                let end = 28 + temp.av_pairs.encode().unwrap().len();
                assert_eq!(response.temp[end..], vec![0; trailing], "{id}");
            }
            name => panic!("{id}: no check for {name}"),
        }
    }
}

fn check_flags(id: &str, found: NegotiateFlags, expected: &Value) {
    assert_eq!(found, flags(&expected["value"]), "{id}");
    let names: Vec<&str> = array(&expected["names"]).iter().map(text).collect();
    assert_eq!(found.names().collect::<Vec<_>>(), names, "{id}");
    assert_eq!(found.unknown(), flags(&expected["unknown_bits"]), "{id}");
}

fn check_version(id: &str, found: Option<Version>, expected: &Value) {
    let Some(found) = found else { return assert!(expected.is_null(), "{id}: no version") };
    let parts = [
        ("major", u64::from(found.major())),
        ("minor", u64::from(found.minor())),
        ("build", u64::from(found.build())),
        ("revision", u64::from(found.revision())),
    ];
    for (name, value) in parts {
        assert_eq!(Some(value), expected[name].as_u64(), "{id}: {name}");
    }
}
