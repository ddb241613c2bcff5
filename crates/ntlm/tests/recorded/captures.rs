//! `capture/*.json`: conversations with live servers, from tokens and password to plaintext.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use winrm_ntlm::keys::{self, Direction};
use winrm_ntlm::message::{AuthenticateMessage, ChallengeMessage, NtlmV2Response};
use winrm_ntlm::server::{self, AwaitAuthenticate};
use winrm_ntlm::{Credentials, Error, NegotiateFlags, ResponseVersion, Session, client, hash};

use super::support::{Fixtures, Replay, array, check_sealed, hex, object, text, unbase64};

pub(crate) fn check_all(fixtures: &Fixtures) -> usize {
    let mut count = 0;
    for name in fixtures.names() {
        let capture = fixtures.read(&name);
        if capture["negotiate_b64"].is_string() {
            sealed_session(&name, &capture);
            count += 1;
        } else if capture["tokens_b64"].is_array() {
            // Wrapped in SPNEGO, which this crate does not know.
            assert_eq!(capture["negotiate_header_carries"], "SPNEGO", "{name}");
        } else {
            count += clear_session(&name, &capture);
        }
    }
    assert!(count > 0);
    count
}

/// Bare NTLM and sealed bodies.
fn sealed_session(name: &str, capture: &Value) {
    let (negotiate, challenge) = (unbase64(&capture["negotiate_b64"]), unbase64(&capture["challenge_b64"]));
    let authenticate = unbase64(&capture["authenticate_b64"]);
    let (user, domain) = (text(&capture["username"]), text(&capture["domain"]));
    let credentials = |password| Credentials::password(&format!(r"{domain}\{user}"), password);
    let credentials_ok = credentials(text(&capture["password"]));
    // The default policy: these contexts have everything that is required.
    let logon = |authenticate: &[u8]| {
        let state = AwaitAuthenticate::resume(server::Config::new("HOST"), &negotiate, &challenge).unwrap();
        state.authenticate(authenticate).unwrap()
    };

    let mut server =
        logon(&authenticate).verify(&credentials_ok).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(server.mic_present(), "{name}");
    check_keys(name, &server, &authenticate, &credentials_ok, &capture["expected"]);
    assert_eq!(
        logon(&authenticate).verify(&credentials("wrong")).unwrap_err(),
        Error::WrongPassword,
        "{name}"
    );
    let mut changed = authenticate.clone();
    changed[72] ^= 1;
    assert_eq!(logon(&changed).verify(&credentials_ok).unwrap_err(), Error::MicMismatch, "{name}");

    let replay = Replay::of(Some(&negotiate), &authenticate);
    let (state, bytes) = client::Start::new(credentials_ok.clone(), replay.config.clone()).negotiate();
    assert_eq!(hex(&bytes), hex(&negotiate), "{name}: NEGOTIATE");
    let (mut client, bytes) = state.authenticate(&challenge, &replay.fresh(*server.session_key())).unwrap();
    assert_eq!(hex(&bytes), hex(&authenticate), "{name}: AUTHENTICATE");
    assert_eq!(client.negotiated(), server.negotiated(), "{name}");

    let exchanges = array(&capture["exchanges"]);
    assert!(!exchanges.is_empty(), "{name}");
    for exchange in exchanges {
        let request = unbase64(&exchange["request_body_b64"]);
        check_sealed(name, &request, plaintext(&exchange["request_plaintext"]), &mut client, &mut server);
        let response = unbase64(&exchange["response_body_b64"]);
        check_sealed(name, &response, plaintext(&exchange["response_plaintext"]), &mut server, &mut client);
    }
}

fn plaintext(value: &Value) -> &[u8] {
    text(value).as_bytes()
}

fn check_keys(
    name: &str,
    session: &Session,
    authenticate: &[u8],
    credentials: &Credentials,
    expected: &Value,
) {
    let message = AuthenticateMessage::decode(authenticate).unwrap();
    let proof = NtlmV2Response::decode(&message.nt_challenge_response).unwrap().nt_proof_str;
    let (flags, key) = (session.negotiate_flags(), session.session_key());
    let sign_key = |direction| hex(&*keys::sign_key(flags, key, direction).unwrap());
    let seal_key = |direction| hex(keys::seal_key(flags, key, direction).as_bytes());
    for (field, value) in object(expected) {
        let found = match field.as_str() {
            "nt_proof_str" => hex(&proof),
            "session_base_key" => {
                // RC4 is its own inverse: the base key is what turns the exported key into the one sent.
                let base: [u8; 16] = super::support::fixed(value);
                let sent = message.encrypted_random_session_key.as_slice().try_into().unwrap();
                assert_eq!(&hash::rc4k(&base, sent), key, "{name}: {field}");
                continue;
            }
            "exported_session_key" => hex(key),
            "client_signing_key" => sign_key(Direction::ClientToServer),
            "server_signing_key" => sign_key(Direction::ServerToClient),
            "client_sealing_key" => seal_key(Direction::ClientToServer),
            "server_sealing_key" => seal_key(Direction::ServerToClient),
            "mic" => hex(&message.mic.unwrap()),
            field => panic!("{name}: no check for {field} of {credentials:?}"),
        };
        assert_eq!(found, text(value), "{name}: {field}");
    }
}

/// NTLM for the log-on only, bodies in clear: the handshakes in the headers.
fn clear_session(name: &str, capture: &Value) -> usize {
    // User and password of these machines, as the description says.
    assert!(text(&capture["what"]).contains("user vagrant, password vagrant"), "{name}: whose password?");
    let mut logons = 0;
    let mut pending: Option<(Vec<u8>, Vec<u8>)> = None;
    for exchange in array(&capture["exchanges"]) {
        let Some(token) = token(&exchange["request_headers"]["authorization"]) else { continue };
        let Some((negotiate, challenge)) = pending.take() else {
            pending = Some((token, self::token(&exchange["response_headers"]["www-authenticate"]).unwrap()));
            continue;
        };
        let state = || {
            let config = server::Config::new("HOST").require(NegotiateFlags::NONE);
            AwaitAuthenticate::resume(config, &negotiate, &challenge).unwrap()
        };
        let session =
            state().authenticate(&token).unwrap().verify(&Credentials::password("vagrant", "vagrant"));
        let session = session.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(session.negotiated().response, ResponseVersion::NtlmV2, "{name}");
        assert_eq!(
            ChallengeMessage::decode(&challenge).unwrap().negotiate_flags & session.negotiate_flags(),
            session.negotiate_flags()
        );
        let wrong = state().authenticate(&token).unwrap().verify(&Credentials::password("vagrant", "other"));
        assert_eq!(wrong.unwrap_err(), Error::WrongPassword, "{name}");
        // By default such a context is refused: it can neither sign nor seal.
        let strict = AwaitAuthenticate::resume(server::Config::new("HOST"), &negotiate, &challenge).unwrap();
        assert!(matches!(strict.authenticate(&token), Err(Error::NotNegotiated { .. })), "{name}");
        logons += 1;
    }
    assert!(logons > 0 && pending.is_none(), "{name}");
    logons
}

/// The token of a `Negotiate` header, if it carries one.
fn token(header: &Value) -> Option<Vec<u8>> {
    let header = header.as_str().map(Cow::Borrowed)?;
    STANDARD.decode(header.strip_prefix("Negotiate ")?).ok()
}
