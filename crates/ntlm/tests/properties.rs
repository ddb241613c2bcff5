//! What holds for all messages, all bytes and all sessions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::collection::vec;
use proptest::prelude::*;
use winrm_ntlm::av_pair::{AvId, AvPair, AvPairs};
use winrm_ntlm::message::{
    AuthenticateMessage, ChallengeMessage, ClientChallenge, NegotiateMessage, NtlmV2Response, PayloadLayout,
};
use winrm_ntlm::server::{self, AwaitAuthenticate};
use winrm_ntlm::{
    Credentials, Error, FileTime, Fresh, NegotiateFlags, Negotiated, ResponseVersion, Role, Session, Version,
    client,
};

fn version() -> impl Strategy<Value = Option<Version>> {
    prop::option::of(any::<[u8; 8]>().prop_map(Version))
}

/// Flags whose VERSION bit says whether there is one, as the encoders write them.
fn flags(version: Option<Version>, bits: u32) -> NegotiateFlags {
    NegotiateFlags(bits).with(NegotiateFlags::VERSION, version.is_some())
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..max)
}

prop_compose! {
    fn negotiate()(version in version(), bits in any::<u32>(), domain_name in bytes(20), workstation in bytes(20)) -> NegotiateMessage {
        NegotiateMessage { negotiate_flags: flags(version, bits), domain_name, workstation, version }
    }
}

prop_compose! {
    fn challenge()(
        version in version(), bits in any::<u32>(), server_challenge in any::<[u8; 8]>(),
        target_name in bytes(20), target_info in bytes(60),
    ) -> ChallengeMessage {
        ChallengeMessage { negotiate_flags: flags(version, bits), server_challenge, target_name, target_info, version }
    }
}

prop_compose! {
    /// With names and responses, so that the layout shows; the flag says whether there is a version.
    fn authenticate()(
        version in version(), bits in any::<u32>(), mic in prop::option::of(any::<[u8; 16]>()),
        lm in vec(any::<u8>(), 24), nt in bytes(80), domain_name in bytes(20), user_name in vec(any::<u8>(), 1..20),
        workstation in bytes(20), key in prop::option::of(vec(any::<u8>(), 16)), responses_first in any::<bool>(),
    ) -> AuthenticateMessage {
        AuthenticateMessage {
            lm_challenge_response: lm,
            nt_challenge_response: nt,
            domain_name,
            user_name,
            workstation,
            encrypted_random_session_key: key.unwrap_or_default(),
            negotiate_flags: flags(version, bits),
            version,
            mic,
            payload_layout: if responses_first { PayloadLayout::ResponsesFirst } else { PayloadLayout::NamesFirst },
        }
    }
}

fn av_pairs() -> impl Strategy<Value = AvPairs> {
    let pair = (1..200_u16, bytes(40)).prop_map(|(id, mut value)| {
        match AvId(id) {
            AvId::FLAGS => value.resize(4, 0),
            AvId::TIMESTAMP => value.resize(8, 0),
            AvId::CHANNEL_BINDINGS => value.resize(16, 0),
            _ => {}
        }
        AvPair { id: AvId(id), value }
    });
    vec(pair, 0..8).prop_map(AvPairs)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn negotiate_round_trips_and_rejects_every_prefix(message in negotiate()) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(NegotiateMessage::decode(&bytes).unwrap(), message);
        // 16 bytes, without the names, are a message of their own.
        for end in (0..bytes.len()).filter(|end| *end != 16) {
            prop_assert!(NegotiateMessage::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn challenge_round_trips_and_rejects_every_prefix(message in challenge()) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(&ChallengeMessage::decode(&bytes).unwrap(), &message);
        for end in 0..bytes.len() {
            prop_assert!(ChallengeMessage::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn authenticate_round_trips_and_rejects_every_prefix(message in authenticate()) {
        let bytes = message.encode().unwrap();
        prop_assert_eq!(&AuthenticateMessage::decode(&bytes).unwrap(), &message);
        for end in 0..bytes.len() {
            prop_assert!(AuthenticateMessage::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn av_pairs_round_trip_and_reject_every_prefix(pairs in av_pairs(), trailing in bytes(10)) {
        let mut bytes = pairs.encode().unwrap();
        for end in 0..bytes.len() {
            prop_assert!(AvPairs::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
        bytes.extend(trailing);
        prop_assert_eq!(AvPairs::decode(&bytes).unwrap(), pairs);
    }

    #[test]
    fn client_challenge_round_trips(time in any::<u64>(), challenge_from_client in any::<[u8; 8]>(), av_pairs in av_pairs()) {
        let temp = ClientChallenge { time_stamp: FileTime(time), challenge_from_client, av_pairs };
        prop_assert_eq!(ClientChallenge::decode(&temp.encode().unwrap()).unwrap(), temp);
    }

    /// Whatever decodes can be encoded and decodes to the same again.
    #[test]
    fn any_bytes_decode_or_fail(noise in bytes(300), message_type in 1..4_u8, header in any::<bool>()) {
        let mut bytes = if header { [b"NTLMSSP\0", &[message_type, 0, 0, 0][..]].concat() } else { Vec::new() };
        bytes.extend(noise);
        if let Ok(message) = NegotiateMessage::decode(&bytes) {
            prop_assert_eq!(NegotiateMessage::decode(&message.encode().unwrap()).unwrap(), message);
        }
        if let Ok(message) = ChallengeMessage::decode(&bytes) {
            prop_assert_eq!(ChallengeMessage::decode(&message.encode().unwrap()).unwrap(), message);
        }
        if let Ok(message) = AuthenticateMessage::decode(&bytes) {
            prop_assert_eq!(AuthenticateMessage::decode(&message.encode().unwrap()).unwrap(), message);
        }
        if let Ok(pairs) = AvPairs::decode(&bytes) {
            prop_assert_eq!(AvPairs::decode(&pairs.encode().unwrap()).unwrap(), pairs);
        }
        let _ = ClientChallenge::decode(&bytes);
        let _ = NtlmV2Response::decode(&bytes);
    }

    #[test]
    fn any_message_sequence_crosses_both_ways(
        key in any::<[u8; 16]>(), bits in any::<u32>(),
        messages in vec((any::<bool>(), 0..4_u8, bytes(200)), 1..12),
    ) {
        let flags = NegotiateFlags(bits) | NegotiateFlags::SIGN | NegotiateFlags::SEAL;
        let (mut client, mut server) = pair(flags, key);
        for (to_server, kind, plaintext) in messages {
            let (sender, receiver) = if to_server { (&mut client, &mut server) } else { (&mut server, &mut client) };
            let mut message = plaintext.clone();
            match kind {
                0 | 1 => {
                    let signature = sender.seal(&mut message).unwrap();
                    prop_assert!(message.len() < 8 || message != plaintext, "sealed in clear");
                    receiver.unseal(&mut message, &signature).unwrap();
                }
                2 => {
                    let signature = sender.sign(&message).unwrap();
                    receiver.verify(&message, &signature).unwrap();
                }
                _ => {
                    sender.reset_outgoing_cipher();
                    receiver.reset_incoming_cipher();
                    // Where both directions share a channel, both sides must see every message of it.
                }
            }
            prop_assert_eq!(message, plaintext);
        }
    }

    #[test]
    fn a_changed_message_is_refused_wiped_and_final(
        key in any::<[u8; 16]>(), bits in any::<u32>(), plaintext in vec(any::<u8>(), 1..100),
        at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        // With extended session security: CRC32 keeps nobody from changing messages.
        let flags = NegotiateFlags(bits) | NegotiateFlags::STRONG;
        let (mut client, mut server) = pair(flags, key);
        let mut message = plaintext;
        let mut signature = client.seal(&mut message).unwrap();
        let at = at.index(message.len() + signature.len());
        match message.get_mut(at) {
            Some(byte) => *byte ^= 1 << bit,
            None => signature[at - message.len()] ^= 1 << bit,
        }
        prop_assert_eq!(server.unseal(&mut message, &signature), Err(Error::SignatureMismatch));
        prop_assert!(message.iter().all(|byte| *byte == 0), "plaintext left behind");
        let mut next = vec![1, 2, 3];
        let signature = client.seal(&mut next).unwrap();
        prop_assert_eq!(server.unseal(&mut next, &signature), Err(Error::Broken));
    }

    #[test]
    fn a_signature_of_another_length_is_refused(signature in bytes(40)) {
        prop_assume!(signature.len() != 16);
        let (mut client, _) = pair(NegotiateFlags::STRONG, [7; 16]);
        let expected = Err(Error::SignatureLength { found: signature.len() });
        prop_assert_eq!(client.verify(b"message", &signature), expected);
    }

    /// Users, domains and passwords of any characters log on, and nobody else does.
    #[test]
    fn any_credentials_log_on(user in "[^\\\\\u{0}]{1,12}", domain in "[^\\\\\u{0}]{0,12}", password in any::<String>()) {
        prop_assume!(domain != ".");
        let credentials = Credentials::password(&format!(r"{domain}\{user}"), &password);
        let (state, authenticate) = handshake(&credentials);
        let logon = state.authenticate(&authenticate).unwrap();
        prop_assert_eq!(logon.user_name(), user.as_str());
        prop_assert_eq!(logon.domain_name(), domain.as_str());
        let session = logon.verify(&credentials).unwrap();
        prop_assert!(session.mic_present());

        let (state, authenticate) = handshake(&credentials);
        let other = Credentials::password(&user, &format!("{password}x"));
        prop_assert_eq!(state.authenticate(&authenticate).unwrap().verify(&other).unwrap_err(), Error::WrongPassword);
    }
}

fn fresh() -> Fresh {
    Fresh {
        client_challenge: [1; 8],
        server_challenge: [2; 8],
        exported_session_key: [3; 16],
        time: FileTime(4),
    }
}

fn pair(flags: NegotiateFlags, key: [u8; 16]) -> (Session, Session) {
    let negotiated = Negotiated { flags, response: ResponseVersion::NtlmV2, mic: true };
    let session = |role| Session::new(role, negotiated, key.into());
    (session(Role::Client), session(Role::Server))
}

fn handshake(credentials: &Credentials) -> (AwaitAuthenticate, Vec<u8>) {
    let (client, negotiate) = client::Start::new(credentials.clone(), client::Config::default()).negotiate();
    let (server, challenge) =
        server::Start::new(server::Config::new("SERVER")).challenge(&negotiate, &fresh()).unwrap();
    let (_, authenticate) = client.authenticate(&challenge, &fresh()).unwrap();
    (server, authenticate)
}

/// Each bit of the CHALLENGE and of the AUTHENTICATE message, turned on its way: no panic, and never a log-on.
#[test]
fn no_changed_bit_of_a_handshake_passes_unseen() {
    let credentials = Credentials::password("user", "password");
    let attempt = |damage_challenge: Option<usize>, damage_authenticate: Option<usize>| {
        let turn = |message: &mut Vec<u8>, bit: Option<usize>| {
            let Some(bit) = bit else { return message.len() * 8 };
            message[bit / 8] ^= 1 << (bit % 8);
            message.len() * 8
        };
        let (client, negotiate) =
            client::Start::new(credentials.clone(), client::Config::default()).negotiate();
        let (server, mut challenge) =
            server::Start::new(server::Config::new("SERVER")).challenge(&negotiate, &fresh()).unwrap();
        let challenge_bits = turn(&mut challenge, damage_challenge);
        let (_, mut authenticate) = client.authenticate(&challenge, &fresh())?;
        let authenticate_bits = turn(&mut authenticate, damage_authenticate);
        server.authenticate(&authenticate)?.verify(&credentials)?;
        Ok::<_, Error>((challenge_bits, authenticate_bits))
    };
    let (challenge_bits, authenticate_bits) = attempt(None, None).unwrap();
    for bit in 0..challenge_bits {
        assert!(attempt(Some(bit), None).is_err(), "bit {bit} of the CHALLENGE");
    }
    for bit in 0..authenticate_bits {
        assert!(attempt(None, Some(bit)).is_err(), "bit {bit} of the AUTHENTICATE");
    }
}
