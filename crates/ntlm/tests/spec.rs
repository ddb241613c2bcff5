//! The worked examples of MS-NLMP 4.2.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use winrm_ntlm::av_pair::{AvId, AvPairs};
use winrm_ntlm::client::{self, Response};
use winrm_ntlm::keys::{self, Direction};
use winrm_ntlm::message::{
    AuthenticateMessage, ChallengeMessage, ClientChallenge, NegotiateMessage, NtlmV2Response,
};
use winrm_ntlm::{
    Credentials, FileTime, Fresh, NegotiateFlags, Negotiated, ResponseVersion, Role, Session, Version, hash,
};

// MS-NLMP 4.2.1, common values.
const USER: &str = "User";
const DOMAIN: &str = "Domain";
const PASSWORD: &str = "Password";
const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
const CLIENT_CHALLENGE: [u8; 8] = [0xaa; 8];
const RANDOM_SESSION_KEY: [u8; 16] = [0x55; 16];
/// "Plaintext" in UTF-16LE, the message of every sealing example.
const PLAINTEXT: &[u8] = b"P\0l\0a\0i\0n\0t\0e\0x\0t\0";
const FLAGS_V1: NegotiateFlags = NegotiateFlags(0xe202_8233);
const FLAGS_V1_EXTENDED: NegotiateFlags = NegotiateFlags(0x820a_8233);
const FLAGS_V2: NegotiateFlags = NegotiateFlags(0xe28a_8233);

fn fresh() -> Fresh {
    Fresh {
        client_challenge: CLIENT_CHALLENGE,
        server_challenge: SERVER_CHALLENGE,
        exported_session_key: RANDOM_SESSION_KEY,
        time: FileTime(0),
    }
}

fn target_info() -> AvPairs {
    let mut pairs = AvPairs::default();
    pairs.set_text(AvId::NB_DOMAIN_NAME, "Domain");
    pairs.set_text(AvId::NB_COMPUTER_NAME, "Server");
    pairs
}

fn challenge(negotiate_flags: NegotiateFlags, target_info: Vec<u8>) -> ChallengeMessage {
    ChallengeMessage {
        negotiate_flags,
        server_challenge: SERVER_CHALLENGE,
        target_name: b"S\0e\0r\0v\0e\0r\0".to_vec(),
        target_info,
        version: Some(Version::new(6, 0, 6000)),
    }
}

/// The client of the examples answers `challenge`.
fn authenticate(
    response: Response,
    offered: NegotiateFlags,
    challenge: &ChallengeMessage,
) -> (Session, AuthenticateMessage) {
    let config = client::Config::default()
        .negotiate_flags(offered)
        .require(NegotiateFlags::NONE)
        .version(Some(Version::new(5, 1, 2600)))
        .workstation("COMPUTER")
        .response(response);
    let credentials = Credentials::password(&format!(r"{DOMAIN}\{USER}"), PASSWORD);
    let (state, _) = client::Start::new(credentials, config).negotiate();
    let (session, bytes) = state.authenticate(&challenge.encode().unwrap(), &fresh()).unwrap();
    (session, AuthenticateMessage::decode(&bytes).unwrap())
}

fn session(flags: NegotiateFlags, role: Role) -> Session {
    let negotiated = Negotiated { flags, response: ResponseVersion::NtlmV2, mic: false };
    Session::new(role, negotiated, RANDOM_SESSION_KEY.into())
}

#[test]
fn challenge_of_4_2_4_3() {
    let bytes = challenge(FLAGS_V2, target_info().encode().unwrap()).encode().unwrap();
    let expected = [
        b"NTLMSSP\0\x02\0\0\0\x0c\0\x0c\0\x38\0\0\0\x33\x82\x8a\xe2\x01\x23\x45\x67\x89\xab\xcd\xef"
            .as_slice(),
        b"\0\0\0\0\0\0\0\0\x24\0\x24\0\x44\0\0\0\x06\0\x70\x17\0\0\0\x0fS\0e\0r\0v\0e\0r\0".as_slice(),
        b"\x02\0\x0c\0D\0o\0m\0a\0i\0n\0\x01\0\x0c\0S\0e\0r\0v\0e\0r\0\0\0\0\0".as_slice(),
    ]
    .concat();
    assert_eq!(bytes, expected);
    assert_eq!(ChallengeMessage::decode(&bytes).unwrap().encode().unwrap(), expected);
}

#[test]
fn ntlm_v1_of_4_2_2() {
    let nt_hash = hash::ntowf_v1(PASSWORD);
    assert_eq!(*nt_hash, 0xa4f4_9c40_6510_bdca_b682_4ee7_c30f_d852_u128.to_be_bytes());
    let lm_hash = hash::lmowf_v1(PASSWORD).unwrap();
    assert_eq!(*lm_hash, 0xe52c_ac67_419a_9a22_4a3b_108f_3fa6_cb6d_u128.to_be_bytes());

    let (session, message) =
        authenticate(Response::InsecureNtlmV1AndLm, FLAGS_V1, &challenge(FLAGS_V1, Vec::new()));
    let lm =
        b"\x98\xde\xf7\xb8\x7f\x88\xaa\x5d\xaf\xe2\xdf\x77\x96\x88\xa1\x72\xde\xf1\x1c\x7d\x5c\xcd\xef\x13";
    let nt =
        b"\x67\xc4\x30\x11\xf3\x02\x98\xa2\xad\x35\xec\xe6\x4f\x16\x33\x1c\x44\xbd\xbe\xd9\x27\x84\x1f\x94";
    assert_eq!(message.lm_challenge_response, lm);
    assert_eq!(message.nt_challenge_response, nt);
    assert_eq!(
        message.encrypted_random_session_key,
        0x5188_22b1_b3f3_50c8_9586_82ec_bb3e_3cb7_u128.to_be_bytes()
    );
    assert_eq!(message.user_name_text().unwrap(), USER);
    assert_eq!(message.domain_name_text().unwrap(), DOMAIN);
    assert_eq!(message.workstation_text().unwrap(), "COMPUTER");
    assert_eq!(session.negotiated().response, ResponseVersion::NtlmV1);
    assert_eq!(session.session_key(), &RANDOM_SESSION_KEY);
}

#[test]
fn sealing_of_4_2_2_4() {
    let (mut client, mut server) = (session(FLAGS_V1, Role::Client), session(FLAGS_V1, Role::Server));
    let mut message = PLAINTEXT.to_vec();
    let signature = client.seal(&mut message).unwrap();
    assert_eq!(message, b"\x56\xfe\x04\xd8\x61\xf9\x31\x9a\xf0\xd7\x23\x8a\x2e\x3b\x4d\x45\x7f\xb8");
    // The example prints what RC4 made of RandomPad, which section 3.4.4.1 sets to zero; both must be read.
    assert_eq!(signature, 0x0100_0000_0000_0000_09dc_d1df_2e45_9d36_u128.to_be_bytes());
    let printed = 0x0100_0000_45c8_44e5_09dc_d1df_2e45_9d36_u128.to_be_bytes();
    server.unseal(&mut message, &printed).unwrap();
    assert_eq!(message, PLAINTEXT);
}

#[test]
fn keys_of_4_2_2_1_3_with_lm_key() {
    let flags = FLAGS_V1.with(NegotiateFlags::LM_KEY, true);
    let (_, message) = authenticate(Response::InsecureNtlmV1AndLm, flags, &challenge(flags, Vec::new()));
    assert_eq!(
        message.encrypted_random_session_key,
        0x4cd7_bb57_d697_ef9b_549f_02b8_f9b3_7864_u128.to_be_bytes()
    );
    // MS-NLMP 4.2.2.2.3, RequestNonNTSessionKey: the first half of LMOWFv1 and zeros.
    let lm_hash = hash::lmowf_v1(PASSWORD).unwrap();
    let flags = FLAGS_V1.with(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY, true);
    let key = keys::key_exchange_key(flags, &[1; 16], &[2; 24], &SERVER_CHALLENGE, Some(&lm_hash));
    assert_eq!(*key, 0xe52c_ac67_419a_9a22_0000_0000_0000_0000_u128.to_be_bytes());
}

#[test]
fn ntlm_v1_with_extended_session_security_of_4_2_3() {
    let (client, message) =
        authenticate(Response::InsecureNtlmV1, FLAGS_V1_EXTENDED, &challenge(FLAGS_V1_EXTENDED, Vec::new()));
    let lm = [CLIENT_CHALLENGE.as_slice(), &[0; 16]].concat();
    let nt =
        b"\x75\x37\xf8\x03\xae\x36\x71\x28\xca\x45\x82\x04\xbd\xe7\xca\xf8\x1e\x97\xed\x26\x83\x26\x72\x32";
    assert_eq!(message.lm_challenge_response, lm);
    assert_eq!(message.nt_challenge_response, nt);
    // Without KEY_EXCH the key exchange key is the session key, and 56 bits of it seal.
    assert_eq!(client.session_key(), &0xeb93_429a_8bd9_52f8_b89c_55b8_7f47_5edc_u128.to_be_bytes());
    assert_eq!(client.negotiated().key_bits(), 56);
    let mut client = client;
    let mut sealed = PLAINTEXT.to_vec();
    let signature = client.seal(&mut sealed).unwrap();
    assert_eq!(sealed, b"\xa0\x23\x72\xf6\x53\x02\x73\xf3\xaa\x1e\xb9\x01\x90\xce\x52\x00\xc9\x9d");
    assert_eq!(signature, 0x0100_0000_ff2a_eb52_f681_793a_0000_0000_u128.to_be_bytes());
}

#[test]
fn ntlm_v2_of_4_2_4() {
    let key = hash::ntowf_v2(&hash::ntowf_v1(PASSWORD), USER, DOMAIN);
    assert_eq!(*key, 0x0c86_8a40_3bfd_7a93_a300_1ef2_2ef0_2e3f_u128.to_be_bytes());

    let challenge = challenge(FLAGS_V2, target_info().encode().unwrap());
    let (client, message) = authenticate(Response::NtlmV2, FLAGS_V2, &challenge);
    let lm =
        b"\x86\xc3\x50\x97\xac\x9c\xec\x10\x25\x54\x76\x4a\x57\xcc\xcc\x19\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa";
    assert_eq!(message.lm_challenge_response, lm);
    let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
    assert_eq!(response.nt_proof_str, 0x68cd_0ab8_51e5_1c96_aabc_927b_ebef_6a1c_u128.to_be_bytes());
    let temp = ClientChallenge::decode(response.temp).unwrap();
    assert_eq!(temp.av_pairs, target_info());
    assert_eq!(temp.encode().unwrap(), response.temp);
    assert_eq!(
        message.encrypted_random_session_key,
        0xc5da_d254_4fc9_7990_94ce_1ce9_0bc9_d03e_u128.to_be_bytes()
    );
    assert_eq!(message.mic, None, "the example's CHALLENGE has no timestamp");
    assert_eq!(client.session_key(), &RANDOM_SESSION_KEY);
}

#[test]
fn sealing_of_4_2_4_4() {
    let key = RANDOM_SESSION_KEY;
    let sign_key = keys::sign_key(FLAGS_V2, &key, Direction::ClientToServer).unwrap();
    assert_eq!(*sign_key, 0x4788_dc86_1b47_82f3_5d43_fd98_fe1a_2d39_u128.to_be_bytes());
    let seal_key = keys::seal_key(FLAGS_V2, &key, Direction::ClientToServer);
    assert_eq!(seal_key.as_bytes(), 0x59f6_0097_3cc4_960a_2548_0a7c_196e_4c58_u128.to_be_bytes());

    let (mut client, mut server) = (session(FLAGS_V2, Role::Client), session(FLAGS_V2, Role::Server));
    let mut message = PLAINTEXT.to_vec();
    let signature = client.seal(&mut message).unwrap();
    assert_eq!(message, b"\x54\xe5\x01\x65\xbf\x19\x36\xdc\x99\x60\x20\xc1\x81\x1b\x0f\x06\xfb\x5f");
    assert_eq!(signature, 0x0100_0000_7fb3_8ec5_c55d_4976_0000_0000_u128.to_be_bytes());
    server.unseal(&mut message, &signature).unwrap();
    assert_eq!(message, PLAINTEXT);
}

/// MS-NLMP 2.2.1.1 allows a NEGOTIATE of 32 bytes; the oldest clients stop after the flags.
#[test]
fn the_shortest_negotiate_is_read() {
    let message = NegotiateMessage::decode(b"NTLMSSP\0\x01\0\0\0\x05\x82\0\0").unwrap();
    assert_eq!(
        message,
        NegotiateMessage { negotiate_flags: NegotiateFlags(0x8205), ..NegotiateMessage::default() }
    );
}
