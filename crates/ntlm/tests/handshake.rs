//! Client and server against each other: what is agreed, what is refused and by which error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use winrm_ntlm::av_pair::AvId;
use winrm_ntlm::client::{self, Response};
use winrm_ntlm::message::{AuthenticateMessage, ChallengeMessage, ClientChallenge, NtlmV2Response};
use winrm_ntlm::server::{self, AwaitAuthenticate, ChannelBindingPolicy, Logon};
use winrm_ntlm::{
    ChannelBindings, Credentials, DecodeError, EncodeError, Error, FileTime, Fresh, MessageType,
    NegotiateFlags, ResponseVersion, Session, hash,
};

const TIME: FileTime = FileTime(0x01dc_0000_0000_0000);

fn fresh() -> Fresh {
    Fresh { client_challenge: [1; 8], server_challenge: [2; 8], exported_session_key: [3; 16], time: TIME }
}

fn credentials() -> Credentials {
    Credentials::password(r"EXAMPLE\ops", "correct horse")
}

fn server() -> server::Config {
    server::Config::new("SERVER")
}

/// Up to the AUTHENTICATE message.
fn start(
    credentials: &Credentials,
    client: client::Config,
    server: server::Config,
) -> Result<(AwaitAuthenticate, Session, Vec<u8>), Error> {
    let (client, negotiate) = client::Start::new(credentials.clone(), client).negotiate();
    let (server, challenge) = server::Start::new(server).challenge(&negotiate, &fresh())?;
    let (session, authenticate) = client.authenticate(&challenge, &fresh())?;
    Ok((server, session, authenticate))
}

fn logon(
    credentials: &Credentials,
    client: client::Config,
    server: server::Config,
) -> Result<(Logon, Session), Error> {
    let (server, session, authenticate) = start(credentials, client, server)?;
    Ok((server.authenticate(&authenticate)?, session))
}

/// Both sessions of the same account.
fn establish(
    credentials: &Credentials,
    client: client::Config,
    server: server::Config,
) -> Result<(Session, Session), Error> {
    let (logon, session) = logon(credentials, client, server)?;
    let accepted =
        if logon.is_anonymous() { logon.accept_anonymous()? } else { logon.verify(credentials)? };
    Ok((session, accepted))
}

fn talk(client: &mut Session, server: &mut Session) {
    for plaintext in [b"first".as_slice(), b"", b"and another one"] {
        let mut message = plaintext.to_vec();
        let signature = client.seal(&mut message).unwrap();
        server.unseal(&mut message, &signature).unwrap();
        assert_eq!(message, plaintext);
        let signature = server.seal(&mut message).unwrap();
        client.unseal(&mut message, &signature).unwrap();
        assert_eq!(message, plaintext);
    }
}

#[test]
fn the_default_is_everything() {
    let (mut client, mut server) = establish(&credentials(), client::Config::default(), server()).unwrap();
    for session in [&client, &server] {
        let negotiated = session.negotiated();
        assert!(negotiated.flags.contains(NegotiateFlags::STRONG));
        assert_eq!(
            (negotiated.response, negotiated.mic, negotiated.key_bits()),
            (ResponseVersion::NtlmV2, true, 128)
        );
        assert_eq!(
            negotiated.to_string(),
            "NTLMv2, 128-bit key, MIC, signing, sealing, key exchange, extended session security"
        );
    }
    assert_eq!(client.session_key(), server.session_key());
    talk(&mut client, &mut server);
}

#[test]
fn wrong_secrets_and_users_have_errors_of_their_own() {
    let verify = |with: &Credentials| {
        let (logon, _) = logon(&credentials(), client::Config::default(), server()).unwrap();
        logon.verify(with).map(drop)
    };
    assert_eq!(verify(&Credentials::password("ops", "wrong")), Err(Error::WrongPassword));
    assert_eq!(verify(&Credentials::password("other", "correct horse")), Err(Error::UnknownUser));
    assert_eq!(verify(&Credentials::anonymous()), Err(Error::WrongLogonKind));
    assert_eq!(verify(&Credentials::password("OPS", "correct horse")), Ok(()), "users have no case");
    assert_eq!(verify(&Credentials::nt_hash("ops", *hash::ntowf_v1("correct horse"))), Ok(()));
}

#[test]
fn an_nt_hash_is_as_good_as_the_password() {
    let hash = Credentials::nt_hash(r"EXAMPLE\ops", *hash::ntowf_v1("correct horse"));
    let (logon, _) = logon(&hash, client::Config::default(), server()).unwrap();
    assert_eq!((logon.domain_name(), logon.user_name()), ("EXAMPLE", "ops"));
    logon.verify(&credentials()).unwrap();
}

#[test]
fn a_local_account_belongs_to_the_target() {
    let local = Credentials::password(r".\ops", "correct horse");
    let domain = server().domain("EXAMPLE", "example.com");
    let (logon, _) = logon(&local, client::Config::default(), domain).unwrap();
    assert_eq!((logon.domain_name(), logon.user_name()), ("SERVER", "ops"));
    logon.verify(&credentials()).unwrap();
}

#[test]
fn key_lengths_follow_the_flags() {
    let strong = NegotiateFlags::STRONG | NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
    let without_128 = strong.with(NegotiateFlags::NEGOTIATE_128, false);
    let no_extended = NegotiateFlags::EXTENDED_SESSIONSECURITY;
    let cases = [
        (strong, 128),
        (without_128 | NegotiateFlags::NEGOTIATE_56, 56),
        (without_128, 40),
        (strong.with(no_extended, false), 128),
        (strong.with(no_extended, false) | NegotiateFlags::LM_KEY | NegotiateFlags::NEGOTIATE_56, 56),
        (without_128.with(no_extended, false) | NegotiateFlags::LM_KEY, 40),
        (strong.with(NegotiateFlags::KEY_EXCH, false), 128),
    ];
    for (flags, bits) in cases {
        let client = client::Config::default().negotiate_flags(flags).require(NegotiateFlags::NONE);
        let config = server().negotiate_flags(flags | NegotiateFlags::VERSION).require(NegotiateFlags::NONE);
        let (mut client, mut server) = establish(&credentials(), client, config).unwrap();
        assert_eq!(client.negotiated(), server.negotiated());
        assert_eq!(client.negotiated().key_bits(), bits, "{flags}");
        talk(&mut client, &mut server);
    }
}

#[test]
fn too_little_is_refused_by_both_sides() {
    let weak = client::Config::default().negotiate_flags(NegotiateFlags::UNICODE | NegotiateFlags::NTLM);
    let missing = NegotiateFlags::STRONG;
    let refused = |outcome: Result<(Session, Session), Error>| outcome.map(drop).unwrap_err();
    let lax = || server().require(NegotiateFlags::NONE);
    assert_eq!(refused(establish(&credentials(), weak.clone(), server())), Error::NotNegotiated { missing });
    assert_eq!(refused(establish(&credentials(), weak.clone(), lax())), Error::NotNegotiated { missing });

    // What nobody insists on may be missing; then there is no sealing and no signing.
    let (mut client, _) = establish(&credentials(), weak.require(NegotiateFlags::NONE), lax()).unwrap();
    let missing = NegotiateFlags::SEAL;
    assert_eq!(client.seal(&mut [1, 2]), Err(Error::NotNegotiated { missing }));
    let missing = NegotiateFlags::SIGN;
    assert_eq!(client.sign(&[1, 2]), Err(Error::NotNegotiated { missing }));
}

#[test]
fn logging_on_alone_needs_no_session_security() {
    let lax = server().require(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    let (client, server) = establish(&credentials(), client::Config::authentication_only(), lax).unwrap();
    assert!(!client.negotiated().seals() && !client.negotiated().signs());
    assert!(server.mic_present());
    assert_eq!(client.session_key(), server.session_key());
}

#[test]
fn a_client_cannot_add_what_the_server_did_not_offer() {
    let offered = NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
    let client = client::Config::default().negotiate_flags(offered).require(NegotiateFlags::NONE);
    let (server, _, bytes) = start(&credentials(), client, server().require(NegotiateFlags::NONE)).unwrap();
    let mut message = AuthenticateMessage::decode(&bytes).unwrap();
    message.negotiate_flags = message.negotiate_flags | NegotiateFlags::STRONG;
    let logon = server.authenticate(&message.encode().unwrap()).unwrap();
    assert_eq!(logon.verify(&credentials()).unwrap_err(), Error::MicMismatch);
}

#[test]
fn a_server_cannot_add_what_the_client_did_not_offer() {
    let offered = NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
    let config = client::Config::default().negotiate_flags(offered).require(NegotiateFlags::NONE);
    let (client, negotiate) = client::Start::new(credentials(), config).negotiate();
    let config = server().require(NegotiateFlags::NONE);
    let (_, challenge) = server::Start::new(config).challenge(&negotiate, &fresh()).unwrap();
    let mut message = ChallengeMessage::decode(&challenge).unwrap();
    let added = NegotiateFlags::STRONG
        | NegotiateFlags::OEM
        | NegotiateFlags::DATAGRAM
        | NegotiateFlags::LM_KEY
        | NegotiateFlags::ALWAYS_SIGN
        | NegotiateFlags::IDENTIFY
        | NegotiateFlags::REQUEST_NON_NT_SESSION_KEY
        | NegotiateFlags::NEGOTIATE_56;
    message.negotiate_flags = message.negotiate_flags | added;
    let (mut session, bytes) = client.authenticate(&message.encode().unwrap(), &fresh()).unwrap();
    let answered = AuthenticateMessage::decode(&bytes).unwrap();
    for flags in [session.negotiate_flags(), answered.negotiate_flags] {
        assert!(flags.contains(offered) && !flags.intersects(added), "{flags}");
    }
    assert!(answered.encrypted_random_session_key.is_empty(), "nothing to exchange a key for");
    assert_eq!(session.seal(&mut [1]), Err(Error::NotNegotiated { missing: NegotiateFlags::SEAL }));
}

#[test]
fn a_signature_that_fails_breaks_the_context_too() {
    let (mut client, mut server) = establish(&credentials(), client::Config::default(), server()).unwrap();
    let signature = client.sign(b"first").unwrap();
    assert_eq!(server.verify(b"other", &signature), Err(Error::SignatureMismatch));
    let next = client.sign(b"second").unwrap();
    assert_eq!(server.verify(b"second", &next), Err(Error::Broken));
    assert_eq!(server.unseal(&mut [1, 2], &next), Err(Error::Broken));
    assert_eq!(server.sign(b"answer"), Err(Error::Broken));
    assert_eq!(server.seal(&mut [1, 2]), Err(Error::Broken));
}

#[test]
fn oem_strings_cross_where_unicode_does_not() {
    let flags = NegotiateFlags::STRONG | NegotiateFlags::OEM | NegotiateFlags::NTLM;
    let config = || client::Config::default().negotiate_flags(flags).workstation("café");
    let (logon, _) = logon(&credentials(), config(), server()).unwrap();
    assert_eq!((logon.user_name(), logon.workstation()), ("ops", "café"));
    logon.verify(&credentials()).unwrap();

    let cyrillic = Credentials::password("юзер", "x");
    let refused = establish(&cyrillic, config(), server()).map(drop).unwrap_err();
    let source = EncodeError::NotOem { field: "UserName" };
    assert_eq!(refused, Error::Encode { message: MessageType::Authenticate, source });

    let neither = config().negotiate_flags(NegotiateFlags::STRONG);
    assert_eq!(establish(&credentials(), neither, server()).map(drop).unwrap_err(), Error::NoCharacterSet);
}

#[test]
fn weak_responses_need_two_loud_options() {
    let plain = NegotiateFlags::STRONG.with(NegotiateFlags::EXTENDED_SESSIONSECURITY, false)
        | NegotiateFlags::UNICODE
        | NegotiateFlags::NTLM;
    let client = |response, flags| {
        client::Config::default().negotiate_flags(flags).require(NegotiateFlags::NONE).response(response)
    };
    let extended = plain | NegotiateFlags::EXTENDED_SESSIONSECURITY;
    let cases = [
        (Response::InsecureNtlmV1, plain, ResponseVersion::NtlmV1),
        (Response::InsecureNtlmV1, extended, ResponseVersion::NtlmV1Extended),
        (Response::InsecureNtlmV1AndLm, plain, ResponseVersion::NtlmV1),
        (Response::InsecureNtlmV1AndLm, extended, ResponseVersion::NtlmV1Extended),
        (Response::InsecureNtlmV1AndLm, plain | NegotiateFlags::LM_KEY, ResponseVersion::NtlmV1),
    ];
    for (response, flags, version) in cases {
        let lax = || server().negotiate_flags(flags).require(NegotiateFlags::NONE);
        let refused = establish(&credentials(), client(response, flags), lax()).map(drop).unwrap_err();
        assert_eq!(refused, Error::NtlmV1Refused);
        let open = || lax().insecure_allow_ntlm_v1(true);
        let (mut ours, mut theirs) = establish(&credentials(), client(response, flags), open()).unwrap();
        assert_eq!(theirs.negotiated().response, version, "{flags}");
        talk(&mut ours, &mut theirs);
        let (logon, _) = logon(&credentials(), client(response, flags), open()).unwrap();
        assert_eq!(logon.verify(&Credentials::password("ops", "wrong")).unwrap_err(), Error::WrongPassword);
    }
}

#[test]
fn lm_alone_needs_an_option_of_its_own() {
    let flags = NegotiateFlags::UNICODE | NegotiateFlags::NTLM;
    let config = client::Config::default()
        .negotiate_flags(flags)
        .require(NegotiateFlags::NONE)
        .response(Response::InsecureNtlmV1AndLm);
    let lm_only = |server: server::Config| {
        let server = server.require(NegotiateFlags::NONE);
        let (state, _, bytes) = start(&credentials(), config.clone(), server).unwrap();
        let message = AuthenticateMessage {
            nt_challenge_response: Vec::new(),
            ..AuthenticateMessage::decode(&bytes).unwrap()
        };
        state.authenticate(&message.encode().unwrap())
    };
    assert_eq!(lm_only(server().insecure_allow_ntlm_v1(true)).unwrap_err(), Error::LmRefused);
    let verify = |with: &Credentials| lm_only(server().insecure_allow_lm(true)).unwrap().verify(with);
    assert_eq!(verify(&credentials()).unwrap().negotiated().response, ResponseVersion::Lm);
    assert_eq!(verify(&Credentials::password("ops", "wrong")).unwrap_err(), Error::WrongPassword);
}

#[test]
fn nobody_needs_an_invitation() {
    let nobody = Credentials::anonymous();
    let refused = establish(&nobody, client::Config::default(), server()).map(drop).unwrap_err();
    assert_eq!(refused, Error::AnonymousRefused);

    let open = || server().allow_anonymous(true);
    let (mut client, mut server) = establish(&nobody, client::Config::default(), open()).unwrap();
    assert_eq!(server.negotiated().response, ResponseVersion::Anonymous);
    assert!(client.negotiate_flags().contains(NegotiateFlags::ANONYMOUS));
    talk(&mut client, &mut server);

    let (somebody, _) = logon(&credentials(), client::Config::default(), open()).unwrap();
    assert_eq!(somebody.accept_anonymous().unwrap_err(), Error::WrongLogonKind);
    let (nobody, _) = logon(&nobody, client::Config::default(), open()).unwrap();
    assert_eq!(nobody.verify(&credentials()).unwrap_err(), Error::WrongLogonKind);
}

#[test]
fn a_mic_cannot_be_dropped_or_forged() {
    let (server, _, bytes) = start(&credentials(), client::Config::default(), server()).unwrap();
    let message = AuthenticateMessage::decode(&bytes).unwrap();
    let challenge_time =
        ClientChallenge::decode(NtlmV2Response::decode(&message.nt_challenge_response).unwrap().temp);
    assert_eq!(challenge_time.unwrap().time_stamp, TIME);
    assert_eq!(message.lm_challenge_response, [0; 24], "with a MIC there is no LM response");

    let stripped = AuthenticateMessage { mic: None, version: None, ..message.clone() };
    let stripped = server.authenticate(&stripped.encode().unwrap()).unwrap();
    assert_eq!(stripped.verify(&credentials()).unwrap_err(), Error::MicMissing);

    let (server, _, _) = start(&credentials(), client::Config::default(), self::server()).unwrap();
    let forged = AuthenticateMessage { mic: Some([9; 16]), ..message };
    let forged = server.authenticate(&forged.encode().unwrap()).unwrap();
    assert_eq!(forged.verify(&credentials()).unwrap_err(), Error::MicMismatch);
}

#[test]
fn without_the_servers_time_there_is_no_mic() {
    let (client, negotiate) = client::Start::new(credentials(), client::Config::default()).negotiate();
    let (_, challenge) = server::Start::new(server()).challenge(&negotiate, &fresh()).unwrap();
    let mut challenge = ChallengeMessage::decode(&challenge).unwrap();
    let mut pairs = challenge.av_pairs().unwrap();
    pairs.0.retain(|pair| pair.id != AvId::TIMESTAMP);
    challenge.target_info = pairs.encode().unwrap();
    let challenge = challenge.encode().unwrap();
    let (session, authenticate) = client.authenticate(&challenge, &fresh()).unwrap();
    assert!(!session.mic_present());
    let server = AwaitAuthenticate::resume(server(), &negotiate, &challenge).unwrap();
    let accepted = server.authenticate(&authenticate).unwrap().verify(&credentials()).unwrap();
    assert!(!accepted.mic_present());
    assert_eq!(accepted.session_key(), session.session_key());

    // The same CHALLENGE is a forgery where the server did name its time.
    let (client, negotiate) = client::Start::new(credentials(), client::Config::default()).negotiate();
    let (server, _) = server::Start::new(self::server()).challenge(&negotiate, &fresh()).unwrap();
    let (_, authenticate) = client.authenticate(&challenge, &fresh()).unwrap();
    let logon = server.authenticate(&authenticate).unwrap();
    assert_eq!(logon.verify(&credentials()).unwrap_err(), Error::ChallengeChanged);
}

#[test]
fn channel_bindings_are_enforced_as_told() {
    let right = ChannelBindings::tls_server_end_point(&[1; 32]).unwrap();
    let wrong = ChannelBindings::tls_server_end_point(&[2; 32]).unwrap();
    let client = client::Config::default;
    let (when_sent, require) = (ChannelBindingPolicy::WhenSent(right), ChannelBindingPolicy::Require(right));
    let cases = [
        (client(), ChannelBindingPolicy::Ignore, Ok(())),
        (client().channel_bindings(wrong), ChannelBindingPolicy::Ignore, Ok(())),
        (client(), when_sent, Ok(())),
        (client().channel_bindings(right), when_sent, Ok(())),
        (client().channel_bindings(wrong), when_sent, Err(Error::ChannelBindingsMismatch)),
        (client(), require, Err(Error::ChannelBindingsMissing)),
        (client().channel_bindings(right), require, Ok(())),
        (client().channel_bindings(wrong), require, Err(Error::ChannelBindingsMismatch)),
    ];
    for (config, policy, expected) in cases {
        let outcome = establish(&credentials(), config, server().channel_bindings(policy)).map(drop);
        assert_eq!(outcome, expected, "{policy:?}");
    }

    // Neither nobody nor NTLMv1 can send any, so neither gets past the requirement.
    let open = server().channel_bindings(require).allow_anonymous(true).insecure_allow_ntlm_v1(true);
    let nobody = establish(&Credentials::anonymous(), client(), open.clone()).map(drop);
    assert_eq!(nobody, Err(Error::ChannelBindingsMissing));
    let old = establish(&credentials(), client().response(Response::InsecureNtlmV1), open).map(drop);
    assert_eq!(old, Err(Error::ChannelBindingsMissing));
}

#[test]
fn the_server_learns_the_target_name() {
    let config = client::Config::default().target_name("HTTP/server.example.com").workstation("DESK");
    let (logon, _) = logon(&credentials(), config, server()).unwrap();
    assert_eq!(logon.target_name().as_deref(), Some("HTTP/server.example.com"));
    assert_eq!(logon.workstation(), "DESK");
    let (logon, _) = self::logon(&credentials(), client::Config::default(), server()).unwrap();
    assert_eq!(logon.target_name(), None);
}

#[test]
fn malformed_tokens_name_the_message_and_the_field() {
    let (state, _) = client::Start::new(credentials(), client::Config::default()).negotiate();
    let refused = state.authenticate(b"<html>", &fresh()).map(drop).unwrap_err();
    let source = DecodeError::BadSignature;
    assert_eq!(refused, Error::Decode { message: MessageType::Challenge, source });

    let refused =
        server::Start::new(server()).challenge(b"NTLMSSP\0\x03\0\0\0", &fresh()).map(drop).unwrap_err();
    let source = DecodeError::WrongType { expected: MessageType::Negotiate, found: 3 };
    assert_eq!(refused, Error::Decode { message: MessageType::Negotiate, source });

    let (state, _, bytes) = start(&credentials(), client::Config::default(), server()).unwrap();
    let mut message = AuthenticateMessage::decode(&bytes).unwrap();
    message.encrypted_random_session_key.pop();
    let logon = state.authenticate(&message.encode().unwrap()).unwrap();
    assert_eq!(logon.verify(&credentials()).unwrap_err(), Error::NoSessionKey);
}

#[test]
fn secrets_stay_out_of_debug() {
    let secret = Credentials::password(r"EXAMPLE\ops", "hunter2");
    let (state, _) = client::Start::new(secret.clone(), client::Config::default()).negotiate();
    let (logon, session) = logon(&secret, client::Config::default(), server()).unwrap();
    let shown = format!("{secret:?} {state:?} {logon:?} {session:?} {:?}", fresh());
    assert!(shown.contains("ops") && !shown.contains("hunter2"), "{shown}");
    assert!(!shown.contains("3, 3, 3"), "the session key shows: {shown}");
}

#[test]
fn what_a_password_can_be_guessed_from_stays_out_of_debug() {
    let config = client::Config::default();
    let (_, _, bytes) = start(&credentials(), config, server().require(NegotiateFlags::NONE)).unwrap();
    let message = AuthenticateMessage::decode(&bytes).unwrap();
    let message = AuthenticateMessage { lm_challenge_response: vec![201; 24], ..message };
    let mut nt = message.nt_challenge_response.clone();
    nt[..16].fill(202);
    let response = NtlmV2Response::decode(&nt).unwrap();
    let temp = ClientChallenge::decode(response.temp).unwrap();
    let temp = ClientChallenge { challenge_from_client: [203; 8], ..temp };
    let session_key = vec![204; 16];
    let message = AuthenticateMessage {
        nt_challenge_response: nt.clone(),
        encrypted_random_session_key: session_key,
        mic: Some([205; 16]),
        ..message
    };
    let shown = format!("{message:?} {response:?} {temp:?} {message:#?} {response:#?} {temp:#?}");
    for byte in 201..=205 {
        assert!(!shown.contains(&byte.to_string()), "{byte} shows: {shown}");
    }
    let first_of_temp = format!("{:?}", &response.temp[..8]);
    assert!(!shown.contains(first_of_temp.trim_matches(['[', ']'])), "temp shows: {shown}");
    assert!(shown.contains(&response.temp.len().to_string()), "the length is shown: {shown}");
}

#[test]
fn sessions_can_move_between_threads() {
    fn is_send<T: Send + Sync + 'static>(_: &T) {}
    let (mut client, mut server) = establish(&credentials(), client::Config::default(), server()).unwrap();
    is_send(&client);
    std::thread::spawn(move || talk(&mut client, &mut server)).join().unwrap();
}

/// Random values and time of the operating system.
#[cfg(feature = "fresh")]
#[test]
fn fresh_values_differ_and_the_clock_runs() {
    let (a, b) = (Fresh::generate().unwrap(), Fresh::generate().unwrap());
    assert_ne!(a.client_challenge, b.client_challenge);
    assert_ne!(a.server_challenge, a.client_challenge);
    assert_ne!(a.exported_session_key, b.exported_session_key);
    // 2025-01-01 in FILETIME.
    assert!(a.time > FileTime(133_801_632_000_000_000) && b.time >= a.time);
}
