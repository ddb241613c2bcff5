//! `nlmp/vectors.json`: one figure each.

use des::cipher::{BlockCipherEncrypt, KeyInit};
use md4::{Digest, Md4};
use rc4::{Rc4, StreamCipher};
use serde_json::Value;
use std::time::Duration;
use winrm_ntlm::av_pair::{AvId, AvPairs};
use winrm_ntlm::keys::{self, Direction, SealKey};
use winrm_ntlm::message::ClientChallenge;
use winrm_ntlm::seal::Channel;
use winrm_ntlm::{
    ChannelBindings, Error, FileTime, GssChannelBindings, Negotiated, ResponseVersion, Role, Session, hash,
};

use super::support::{Fixtures, array, bytes, fixed, flags, hex, object, text, unhex};

pub(crate) fn check_all(fixtures: &Fixtures) -> usize {
    let index = fixtures.read("vectors.json");
    let vectors = array(&index["vectors"]);
    assert!(!vectors.is_empty());
    for vector in vectors {
        check(vector);
    }
    vectors.len()
}

/// Every output of the vector must be among those found.
fn expect(vector: &Value, found: &[(&str, String)]) {
    let id = text(&vector["id"]);
    let outputs = object(&vector["outputs"]);
    for (name, expected) in outputs {
        let (_, value) =
            found.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{id}: output {name}"));
        assert_eq!(value, text(expected), "{id}: {name}");
    }
    assert!(!outputs.is_empty(), "{id}: no output");
}

fn check(vector: &Value) {
    let id = text(&vector["id"]);
    let inputs = &vector["inputs"];
    let password = || text(&inputs["password"]);
    let server_challenge = || fixed(&inputs["server_challenge"]);
    let client_challenge = || fixed(&inputs["client_challenge"]);
    match text(&vector["op"]) {
        // Inputs of the examples of MS-NLMP 4.2; tests/spec.rs and the other vectors stand on them.
        "constants" => assert_eq!(flags(&vector["outputs"]["flags_ntlmv2"]).0, 0xe28a_8233),
        "lmowfv1" => expect(vector, &[("key", hex(&*hash::lmowf_v1(password()).unwrap()))]),
        "ntowfv1" => expect(vector, &[("key", hex(&*hash::ntowf_v1(password())))]),
        "ntowfv2" => {
            let key =
                hash::ntowf_v2(&hash::ntowf_v1(password()), text(&inputs["user"]), text(&inputs["domain"]));
            expect(vector, &[("key", hex(&*key))]);
        }
        "session_base_key_v1" => {
            let key = hash::session_base_key_v1(&fixed(&inputs["ntowfv1"]));
            expect(vector, &[("session_base_key", hex(&*key))]);
        }
        "session_base_key_v2" => {
            let key = hash::session_base_key_v2(&fixed(&inputs["ntowfv2"]), &fixed(&inputs["nt_proof_str"]));
            expect(vector, &[("session_base_key", hex(&*key))]);
        }
        "lm_response_v1" => {
            let response = hash::lm_response_v1(&fixed(&inputs["lmowfv1"]), &server_challenge());
            expect(vector, &[("response", hex(&response))]);
        }
        "nt_response_v1" => {
            let response = hash::nt_response_v1(&fixed(&inputs["ntowfv1"]), &server_challenge());
            expect(vector, &[("response", hex(&response))]);
        }
        "ntlmv1_ess_response" => {
            let key = fixed(&inputs["ntowfv1"]);
            let nt = hash::nt_response_v1_extended(&key, &server_challenge(), &client_challenge());
            let lm = hash::lm_response_v1_extended(&client_challenge());
            expect(vector, &[("nt_response", hex(&nt)), ("lm_response", hex(&lm))]);
        }
        "kxkey" => {
            let key = keys::key_exchange_key(
                flags(&inputs["flags"]),
                &fixed(&inputs["session_base_key"]),
                &fixed(&inputs["lm_response"]),
                &server_challenge(),
                Some(&fixed(&inputs["lmowfv1"])),
            );
            expect(vector, &[("key_exchange_key", hex(&*key))]);
        }
        "rc4k" => {
            let key: [u8; 16] = fixed(&inputs["key"]);
            let mut data = bytes(&inputs["data"]);
            if let Ok(data) = <[u8; 16]>::try_from(data.as_slice()) {
                expect(vector, &[("result", hex(&hash::rc4k(&key, data)))]);
            }
            // The figures need not have the length of a key: RC4 itself, then.
            Rc4::new_from_slice(&key).unwrap().apply_keystream(&mut data);
            expect(vector, &[("result", hex(&data))]);
        }
        "ntlmv2_temp" => {
            let temp = ClientChallenge {
                time_stamp: FileTime::from_le_bytes(fixed(&inputs["time"])),
                challenge_from_client: client_challenge(),
                av_pairs: AvPairs::decode(&bytes(&inputs["target_info"])).unwrap(),
            };
            let encoded = temp.encode().unwrap();
            expect(vector, &[("temp", hex(&encoded))]);
            assert_eq!(ClientChallenge::decode(&encoded).unwrap(), temp, "{id}");
        }
        "nt_response_v2" | "ntlmv2_response_full" => {
            let temp = bytes(&inputs["temp"]);
            let proof = hash::nt_proof_str(&fixed(&inputs["ntowfv2"]), &server_challenge(), &temp);
            let response = [&proof[..], &temp].concat();
            expect(vector, &[("nt_proof_str", hex(&proof)), ("response", hex(&response))]);
        }
        "lm_response_v2" => {
            let response =
                hash::lm_response_v2(&fixed(&inputs["ntowfv2"]), &server_challenge(), &client_challenge());
            expect(vector, &[("response", hex(&response))]);
        }
        _ => check_sealing(vector),
    }
}

/// Keys of a session, signatures, ciphertexts.
fn check_sealing(vector: &Value) {
    let id = text(&vector["id"]);
    let inputs = &vector["inputs"];
    match text(&vector["op"]) {
        "seal_key" => {
            let key = fixed(&inputs["exported_session_key"]);
            let key = keys::seal_key(flags(&inputs["flags"]), &key, direction(text(&inputs["mode"])));
            expect(vector, &[("seal_key", hex(key.as_bytes()))]);
        }
        "sign_key" => {
            let key = fixed(&inputs["exported_session_key"]);
            let key = keys::sign_key(flags(&inputs["flags"]), &key, direction(text(&inputs["mode"])));
            expect(vector, &[("sign_key", key.map_or(String::new(), |key| hex(&*key)))]);
        }
        "seal" => check_seal(vector),
        "seal_with_keys" => {
            let mut message = bytes(&inputs["plaintext"]);
            let signature = channel(inputs).seal(&mut message);
            expect(vector, &[("ciphertext", hex(&message)), ("signature", hex(&signature))]);
            channel(inputs).unseal(&mut message, &signature).unwrap();
            assert_eq!(message, bytes(&inputs["plaintext"]), "{id}");
        }
        "sign_with_keys" => {
            let signature = channel(inputs).sign(&bytes(&inputs["message"]));
            expect(vector, &[("signature", hex(&signature))]);
        }
        "verify_signature" => {
            let mut message = bytes(&inputs["ciphertext"]);
            let outcome = channel(inputs).unseal(&mut message, &bytes(&inputs["signature"]));
            match vector["outputs"]["valid"].as_bool() {
                Some(true) => assert_eq!(outcome, Ok(()), "{id}"),
                Some(false) => {
                    assert_eq!(outcome, Err(Error::SignatureMismatch), "{id}");
                    assert!(message.iter().all(|byte| *byte == 0), "{id}: plaintext left behind");
                }
                None => panic!("{id}: valid or not?"),
            }
        }
        _ => check_primitive(vector),
    }
}

/// Primitives, and the structures beside the handshake.
fn check_primitive(vector: &Value) {
    let id = text(&vector["id"]);
    let inputs = &vector["inputs"];
    match text(&vector["op"]) {
        "md4" => expect(vector, &[("digest", hex(&Md4::digest(bytes(&inputs["data"]))))]),
        "des_key56_to_key64" => expect(vector, &[("key64", hex(&hash::des_key(&fixed(&inputs["key56"]))))]),
        "des_ecb" => {
            let mut block = fixed::<8>(&inputs["data"]).into();
            des::Des::new(&fixed::<8>(&inputs["key64"]).into()).encrypt_block(&mut block);
            expect(vector, &[("result", hex(&block))]);
        }
        "crc32" => {
            let crc = crc32fast::hash(&bytes(&inputs["data"])).to_le_bytes();
            expect(vector, &[("crc32_le", hex(&crc))]);
        }
        "filetime" => {
            let time = FileTime::from_unix(since_1970(text(&inputs["utc"])));
            expect(vector, &[("bytes", hex(&time.to_le_bytes()))]);
        }
        "target_info" => {
            let encoded = bytes(&inputs["bytes"]);
            let pairs = AvPairs::decode(&encoded).unwrap();
            check_pairs(id, &pairs, array(&vector["outputs"]["pairs"]));
            assert_eq!(hex(&pairs.encode().unwrap()), hex(&encoded), "{id}");
        }
        "target_info_reject" => {
            assert_eq!(vector["outputs"]["valid"].as_bool(), Some(false), "{id}");
            assert!(AvPairs::decode(&bytes(&inputs["bytes"])).is_err(), "{id}");
        }
        "gss_channel_bindings" => {
            let (initiator, acceptor) =
                (bytes(&inputs["initiator_address"]), bytes(&inputs["acceptor_address"]));
            let addrtype = |name: &str| u32::try_from(inputs[name].as_u64().unwrap()).unwrap();
            let bindings = GssChannelBindings {
                initiator_addrtype: addrtype("initiator_addrtype"),
                initiator_address: &initiator,
                acceptor_addrtype: addrtype("acceptor_addrtype"),
                acceptor_address: &acceptor,
                application_data: &bytes(&inputs["application_data"]),
            };
            let md5 = ChannelBindings::new(&bindings).unwrap();
            expect(vector, &[("packed", hex(&bindings.pack().unwrap())), ("md5", hex(md5.as_bytes()))]);
        }
        "channel_bindings_from_certificate" => {
            // The hash of the certificate comes from whoever holds the TLS connection.
            let outputs = &vector["outputs"];
            let hash = bytes(&outputs["certificate_hash"]);
            let application_data = [b"tls-server-end-point:".as_slice(), &hash].concat();
            let packed = GssChannelBindings { application_data: &application_data, ..Default::default() };
            let bindings = ChannelBindings::tls_server_end_point(&hash).unwrap();
            assert_eq!(bindings, ChannelBindings::from_application_data(&application_data).unwrap(), "{id}");
            expect(
                vector,
                &[
                    ("certificate_hash", hex(&hash)),
                    ("application_data", hex(&application_data)),
                    ("gss_packed", hex(&packed.pack().unwrap())),
                    ("msv_av_channel_bindings", hex(bindings.as_bytes())),
                ],
            );
        }
        op => panic!("{id}: no check for {op}"),
    }
}

/// Decoded pairs against the recorded ones, which list `MsvAvEOL` too.
pub(crate) fn check_pairs(id: &str, pairs: &AvPairs, expected: &[Value]) {
    let (end, expected) = expected.split_last().unwrap();
    assert_eq!(end["id"].as_u64(), Some(0), "{id}");
    assert_eq!(pairs.0.len(), expected.len(), "{id}: number of pairs");
    for (pair, expected) in pairs.0.iter().zip(expected) {
        assert_eq!(Some(u64::from(pair.id.0)), expected["id"].as_u64(), "{id}");
        for (name, value) in object(expected) {
            match name.as_str() {
                "id" => {}
                "name" => assert_eq!(pair.id.name(), value.as_str(), "{id}"),
                "value" => assert_eq!(hex(&pair.value), text(value), "{id}"),
                "text" => assert_eq!(pairs.text(pair.id).unwrap().as_deref(), value.as_str(), "{id}"),
                "filetime" => assert_eq!(pairs.timestamp().map(|time| time.0), value.as_u64(), "{id}"),
                "flags" => assert_eq!(pairs.flags().map(|flags| u64::from(flags.0)), value.as_u64(), "{id}"),
                name => panic!("{id}: {:?} has an unknown field {name}", pair.id),
            }
        }
    }
    assert!(pairs.get(AvId::EOL).is_none(), "{id}");
}

/// A whole session, both sides.
fn check_seal(vector: &Value) {
    let (id, inputs) = (text(&vector["id"]), &vector["inputs"]);
    let flags = flags(&inputs["flags"]);
    let key: [u8; 16] = fixed(&inputs["session_key"]);
    assert_eq!(inputs["sequence_number"].as_u64(), Some(0), "{id}: a session starts at 0");
    let negotiated = Negotiated { flags, response: ResponseVersion::NtlmV2, mic: false };
    let session = |role| Session::new(role, negotiated, key.into());
    let (direction, mut sender, mut receiver) = match text(&inputs["direction"]) {
        "client_to_server" => (Direction::ClientToServer, session(Role::Client), session(Role::Server)),
        "server_to_client" => (Direction::ServerToClient, session(Role::Server), session(Role::Client)),
        other => panic!("{id}: {other}"),
    };
    let mut message = bytes(&inputs["plaintext"]);
    let signature = sender.seal(&mut message).unwrap();
    expect(
        vector,
        &[
            ("seal_key", hex(keys::seal_key(flags, &key, direction).as_bytes())),
            ("sign_key", keys::sign_key(flags, &key, direction).map_or(String::new(), |key| hex(&*key))),
            ("ciphertext", hex(&message)),
            ("signature", hex(&signature)),
        ],
    );
    receiver.unseal(&mut message, &signature).unwrap();
    assert_eq!(message, bytes(&inputs["plaintext"]), "{id}");
}

fn channel(inputs: &Value) -> Channel {
    let number = u32::try_from(inputs["sequence_number"].as_u64().unwrap()).unwrap();
    let (seal_key, sign_key) = (SealKey::new(fixed(&inputs["seal_key"])), fixed(&inputs["sign_key"]));
    Channel::new(seal_key, Some(&sign_key), inputs["key_exch"].as_bool().unwrap())
        .with_sequence_number(number)
}

fn direction(mode: &str) -> Direction {
    match mode {
        "client" => Direction::ClientToServer,
        "server" => Direction::ServerToClient,
        other => panic!("mode {other}"),
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, by counting days.
fn since_1970(utc: &str) -> Duration {
    let number = |range: std::ops::Range<usize>| utc[range].parse::<u64>().unwrap();
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: u64 = lengths[..usize::try_from(month - 1).unwrap()].iter().sum();
    let days = years + months + day - 1;
    Duration::from_secs(((days * 24 + number(11..13)) * 60 + number(14..16)) * 60 + number(17..19))
}

#[test]
fn the_calendar_of_this_test_is_right() {
    assert_eq!(since_1970("2000-03-01T01:02:03Z"), Duration::from_secs(951_872_523));
    assert_eq!(unhex("00ff"), [0, 255]);
}
