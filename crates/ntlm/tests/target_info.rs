//! `AV_PAIR`s that decide something: the client says its own whatever the server sends, and the server takes each once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use winrm_ntlm::av_pair::{AvFlags, AvId, AvPair, AvPairs};
use winrm_ntlm::message::{AuthenticateMessage, ChallengeMessage, ClientChallenge, NtlmV2Response};
use winrm_ntlm::server::{self, ChannelBindingPolicy, Logon};
use winrm_ntlm::{ChannelBindings, Credentials, DecodeError, Error, FileTime, Fresh, client, hash};

const SPN: &str = "HTTP/server.example.com";

fn fresh() -> Fresh {
    Fresh {
        client_challenge: [1; 8],
        server_challenge: [2; 8],
        exported_session_key: [3; 16],
        time: FileTime(0x01dc_0000_0000_0000),
    }
}

fn credentials() -> Credentials {
    Credentials::password(r"EXAMPLE\ops", "correct horse")
}

fn ours() -> ChannelBindings {
    ChannelBindings::tls_server_end_point(&[1; 32]).unwrap()
}

fn theirs() -> ChannelBindings {
    ChannelBindings::tls_server_end_point(&[2; 32]).unwrap()
}

fn pair(id: AvId, value: &[u8]) -> AvPair {
    AvPair { id, value: value.to_vec() }
}

fn flags(flags: u32) -> AvPair {
    pair(AvId::FLAGS, &flags.to_le_bytes())
}

fn bindings(bindings: ChannelBindings) -> AvPair {
    pair(AvId::CHANNEL_BINDINGS, bindings.as_bytes())
}

fn target_name(name: &str) -> AvPair {
    let value: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    pair(AvId::TARGET_NAME, &value)
}

fn pairs_of(message: &AuthenticateMessage) -> AvPairs {
    let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
    ClientChallenge::decode(response.temp).unwrap().av_pairs
}

fn with_id(pairs: &AvPairs, id: AvId) -> Vec<AvPair> {
    pairs.0.iter().filter(|pair| pair.id == id).cloned().collect()
}

/// What a client answers to a CHALLENGE whose pairs somebody has changed: the pairs, and whether it sends a MIC.
fn answer(config: client::Config, change: impl FnOnce(&mut Vec<AvPair>)) -> (AvPairs, bool) {
    let (client, negotiate) = client::Start::new(credentials(), config).negotiate();
    let server = server::Start::new(server::Config::new("SERVER"));
    let (_, challenge) = server.challenge(&negotiate, &fresh()).unwrap();
    let mut message = ChallengeMessage::decode(&challenge).unwrap();
    let mut pairs = message.av_pairs().unwrap();
    change(&mut pairs.0);
    message.target_info = pairs.encode().unwrap();
    let (session, bytes) = client.authenticate(&message.encode().unwrap(), &fresh()).unwrap();
    let message = AuthenticateMessage::decode(&bytes).unwrap();
    assert_eq!(message.mic.is_some(), session.mic_present());
    (pairs_of(&message), session.mic_present())
}

/// A log-on by a client that knows the password and sends other pairs than ours would: all of it fits together.
fn log_on(policy: ChannelBindingPolicy, change: impl FnOnce(&mut Vec<AvPair>)) -> (Logon, AvPairs) {
    let (client, negotiate) = client::Start::new(credentials(), client::Config::default()).negotiate();
    let config = server::Config::new("SERVER").channel_bindings(policy);
    let (server, challenge) = server::Start::new(config).challenge(&negotiate, &fresh()).unwrap();
    let (_, bytes) = client.authenticate(&challenge, &fresh()).unwrap();
    let mut message = AuthenticateMessage::decode(&bytes).unwrap();
    let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
    let mut temp = ClientChallenge::decode(response.temp).unwrap();
    change(&mut temp.av_pairs.0);

    let key = hash::ntowf_v2(&hash::ntowf_v1("correct horse"), "ops", "EXAMPLE");
    let encoded = temp.encode().unwrap();
    let proof = hash::nt_proof_str(&key, &fresh().server_challenge, &encoded);
    message.nt_challenge_response = [&proof[..], &encoded].concat();
    let session_key = fresh().exported_session_key;
    let encrypted = hash::rc4k(&hash::session_base_key_v2(&key, &proof), session_key);
    message.encrypted_random_session_key = encrypted.to_vec();
    message.mic = Some([0; 16]);
    message.mic = Some(hash::mic(&session_key, [&negotiate, &challenge, &message.encode().unwrap()]));
    (server.authenticate(&message.encode().unwrap()).unwrap(), temp.av_pairs)
}

fn verify(policy: ChannelBindingPolicy, change: impl FnOnce(&mut Vec<AvPair>)) -> Result<(), Error> {
    log_on(policy, change).0.verify(&credentials()).map(drop)
}

#[test]
fn the_server_does_not_choose_the_channel() {
    let sent = |pairs: &mut Vec<AvPair>| pairs.extend([bindings(theirs()), bindings(theirs())]);
    let (pairs, _) = answer(client::Config::default(), sent);
    assert_eq!(with_id(&pairs, AvId::CHANNEL_BINDINGS), [], "no channel of ours, none at all");
    let (pairs, _) = answer(client::Config::default().channel_bindings(ours()), sent);
    assert_eq!(with_id(&pairs, AvId::CHANNEL_BINDINGS), [bindings(ours())]);
}

#[test]
fn the_server_does_not_choose_the_service() {
    let sent = |pairs: &mut Vec<AvPair>| {
        pairs.insert(0, target_name(SPN));
        pairs.push(target_name("cifs/victim.example.com"));
    };
    let (pairs, _) = answer(client::Config::default(), sent);
    assert_eq!(with_id(&pairs, AvId::TARGET_NAME), [], "no service named, none at all");
    let (pairs, _) = answer(client::Config::default().target_name(SPN), sent);
    assert_eq!(with_id(&pairs, AvId::TARGET_NAME), [target_name(SPN)]);
}

#[test]
fn flags_go_out_once_with_the_clients_own_bits() {
    let cases: [(&[u32], u32); 5] = [
        (&[], 0b10),
        (&[0b10, 0], 0b10),
        (&[0, 0b10], 0b10),
        // CONSTRAINED is the server's to say, the rest is not: neither the origin of the name nor unknown bits.
        (&[0b1, 0b110], 0b11),
        (&[0xffff_fffc], 0b10),
    ];
    for (sent, expected) in cases {
        let (pairs, mic) = answer(client::Config::default(), |pairs| {
            pairs.extend(sent.iter().copied().map(flags));
        });
        assert!(mic);
        assert_eq!(with_id(&pairs, AvId::FLAGS), [flags(expected)], "{sent:?}");
    }
}

#[test]
fn no_mic_is_announced_where_none_is_sent() {
    let without_time = |pairs: &mut Vec<AvPair>| pairs.retain(|pair| pair.id != AvId::TIMESTAMP);
    let (pairs, mic) = answer(client::Config::default(), without_time);
    assert!(!mic && pairs.flags().is_none());
    let (pairs, mic) = answer(client::Config::default(), |pairs| {
        without_time(pairs);
        pairs.extend([flags(0b11), flags(0b10)]);
    });
    assert!(!mic);
    assert_eq!(with_id(&pairs, AvId::FLAGS), [flags(AvFlags::CONSTRAINED.0)]);
}

#[test]
fn other_pairs_come_back_as_they_were_sent() {
    let unknown = [pair(AvId(300), b"new"), pair(AvId(300), b"newer"), pair(AvId::SINGLE_HOST, &[7; 48])];
    let (pairs, _) = answer(client::Config::default(), |pairs| pairs.extend(unknown.clone()));
    assert_eq!(pairs.0[pairs.0.len() - 4..pairs.0.len() - 1], unknown);
    assert_eq!(pairs.text(AvId::NB_COMPUTER_NAME).unwrap().as_deref(), Some("SERVER"));
}

#[test]
fn a_server_takes_each_deciding_pair_once() {
    let right = ChannelBindingPolicy::Require(ours());
    let malformed = |field| Err(Error::MalformedResponse(DecodeError::Repeated { field }));
    // As it should be, so that what follows fails for the repetition alone.
    assert_eq!(verify(right, |pairs| pairs.push(bindings(ours()))), Ok(()));

    let both = |pairs: &mut Vec<AvPair>| pairs.extend([bindings(ours()), bindings(theirs())]);
    for policy in [right, ChannelBindingPolicy::WhenSent(ours()), ChannelBindingPolicy::Ignore] {
        assert_eq!(verify(policy, both), malformed("MsvAvChannelBindings"), "{policy:?}");
    }
    let zero_first = |pairs: &mut Vec<AvPair>| {
        pairs.extend([pair(AvId::CHANNEL_BINDINGS, &[0; 16]), bindings(theirs())]);
    };
    let when_sent = ChannelBindingPolicy::WhenSent(ours());
    assert_eq!(verify(when_sent, zero_first), malformed("MsvAvChannelBindings"));

    let ignore = ChannelBindingPolicy::Ignore;
    assert_eq!(verify(ignore, |pairs| pairs.push(flags(0))), malformed("MsvAvFlags"));
    assert_eq!(verify(ignore, |pairs| pairs.insert(0, flags(0))), malformed("MsvAvFlags"));
    let time = pair(AvId::TIMESTAMP, &[9; 8]);
    assert_eq!(verify(ignore, |pairs| pairs.push(time)), malformed("MsvAvTimestamp"));
}

#[test]
fn of_two_target_names_none_is_told() {
    let ignore = ChannelBindingPolicy::Ignore;
    let (logon, _) = log_on(ignore, |pairs| pairs.push(target_name(SPN)));
    assert_eq!(logon.target_name().as_deref(), Some(SPN));
    logon.verify(&credentials()).unwrap();

    let (logon, sent) =
        log_on(ignore, |pairs| pairs.extend([target_name(SPN), target_name("cifs/victim.example.com")]));
    assert_eq!(with_id(&sent, AvId::TARGET_NAME).len(), 2);
    assert_eq!(logon.target_name(), None);
    let repeated = DecodeError::Repeated { field: "MsvAvTargetName" };
    assert_eq!(logon.verify(&credentials()).unwrap_err(), Error::MalformedResponse(repeated));
}

/// Sixteen zero bytes, which some clients send for "none".
#[test]
fn zero_channel_bindings_are_none() {
    let zero = |pairs: &mut Vec<AvPair>| pairs.push(pair(AvId::CHANNEL_BINDINGS, &[0; 16]));
    assert_eq!(verify(ChannelBindingPolicy::WhenSent(ours()), zero), Ok(()));
    assert_eq!(verify(ChannelBindingPolicy::Require(ours()), zero), Err(Error::ChannelBindingsMissing));
}

#[test]
fn set_leaves_one_pair_where_the_first_stood() {
    let mut pairs = AvPairs(vec![flags(1), target_name("a"), flags(2), target_name("b")]);
    pairs.set(AvId::FLAGS, vec![5, 0, 0, 0]);
    assert_eq!(pairs.0, [flags(5), target_name("a"), target_name("b")]);
    pairs.set_text(AvId::TARGET_NAME, "c");
    pairs.set(AvId::TIMESTAMP, vec![0; 8]);
    assert_eq!(pairs.0, [flags(5), target_name("c"), pair(AvId::TIMESTAMP, &[0; 8])]);
    pairs.remove(AvId::FLAGS);
    assert_eq!(pairs.0, [target_name("c"), pair(AvId::TIMESTAMP, &[0; 8])]);
}
