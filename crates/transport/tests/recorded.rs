//! Recorded conversations through all layers at once: tokens by the mechanism adapters, bodies by the multipart
//! framing, envelopes by the SOAP model. Both sides of each conversation must make the recorded bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

// The same reader of the same files; what these tests do not need of it is used by the others.
#[allow(dead_code, unreachable_pub)]
#[path = "../../ntlm/tests/recorded/support.rs"]
mod support;

use std::sync::Arc;

use bytes::BytesMut;
use serde_json::Value;
use support::{Fixtures, Replay, array, text, unbase64, unhex};
use winrm_ntlm::server::{AwaitAuthenticate, Config};
use winrm_spnego::token::{NegTokenResp, NegotiationToken};
use winrm_spnego::{Acceptor, Initiator, Mechanism, MechanismError, ObjectIdentifier, Progress, Step};
use winrm_transport::Credentials;
use winrm_transport::auth::{NtlmAcceptor, NtlmInitiator};
use winrm_wsman::Message;
use winrm_wsman::encrypted::{self, Layout};

#[test]
fn capture() {
    let Some(fixtures) = Fixtures::folder("capture") else { return };
    let mut count = 0;
    for name in fixtures.names() {
        let capture = fixtures.read(&name);
        let spnego = capture["tokens_b64"].is_array();
        let mut tokens: Vec<Vec<u8>> = if spnego {
            array(&capture["tokens_b64"]).iter().map(unbase64).collect()
        } else if capture["negotiate_b64"].is_string() {
            ["negotiate_b64", "challenge_b64", "authenticate_b64"]
                .map(|field| unbase64(&capture[field]))
                .into()
        } else {
            // Bodies in clear: no framing, and the envelopes are read with the other recorded ones.
            continue;
        };
        let closing = (tokens.len() == 4).then(|| tokens.pop()).flatten();
        let key = unhex(text(&capture["expected"]["exported_session_key"])).try_into().unwrap();
        let credentials = credentials(&capture["username"], &capture["domain"], &capture["password"]);
        let mut sides = Sides::establish(&name, spnego, &tokens, closing.as_deref(), credentials, key);
        for exchange in array(&capture["exchanges"]) {
            for (direction, request) in [("request", true), ("response", false)] {
                let content_type = text(&exchange[format!("{direction}_headers")]["content-type"]);
                let body = unbase64(&exchange[format!("{direction}_body_b64")]);
                let plaintext = text(&exchange[format!("{direction}_plaintext")]);
                sides.check(&name, request, content_type, &body, plaintext.as_bytes());
            }
        }
        count += 1;
    }
    assert!(count > 0);
    println!("recorded: capture {count}");
}

#[test]
fn encryption() {
    let Some(fixtures) = Fixtures::folder("encryption") else { return };
    let handshakes = fixtures.read_from_root("nlmp/handshakes.json");
    let mut count = 0;
    for name in fixtures.names().into_iter().filter(|name| name.starts_with("ntlm_")) {
        let conversation = fixtures.read(&name);
        let (_, id) = text(&conversation["handshake"]).split_once('#').unwrap();
        let handshake = array(&handshakes["handshakes"]).iter().find(|entry| entry["id"] == id).unwrap();
        let spnego = handshake["spnego_tokens"].is_array();
        let (tokens, closing) = if spnego {
            let mut tokens: Vec<_> =
                array(&handshake["spnego_tokens"]).iter().map(|token| unhex(text(&token["hex"]))).collect();
            assert_eq!(tokens.len(), 4, "{name}");
            let closing = tokens.pop();
            (tokens, closing)
        } else {
            let messages = ["negotiate", "challenge", "authenticate"];
            (messages.map(|field| unhex(text(&handshake[field]))).into(), None)
        };
        let who = &handshake["credentials"];
        let credentials = credentials(&who["user"], &who["domain"], &who["password"]);
        let key = unhex(text(&conversation["exported_session_key"])).try_into().unwrap();
        let mut sides = Sides::establish(&name, spnego, &tokens, closing.as_deref(), credentials, key);
        for message in array(&conversation["messages"]) {
            let request = text(&message["direction"]) == "client_to_server";
            let body = unbase64(&message["body_base64"]);
            let plaintext = text(&message["expected"]["plaintext_utf8"]);
            sides.check(&name, request, text(&message["content_type"]), &body, plaintext.as_bytes());
        }
        count += 1;
    }
    assert!(count > 0);
    println!("recorded: encryption {count}");
}

fn credentials(user: &Value, domain: &Value, password: &Value) -> Credentials {
    Credentials::password(&format!("{}\\{}", text(domain), text(user)), text(password))
}

/// Client and server of one conversation, where its sealed messages begin.
struct Sides {
    client: Initiator<NtlmInitiator>,
    server: Acceptor<ReplayedChallenge>,
}

impl Sides {
    /// `tokens`: client, server, client. The client must make the recorded ones from what is injected.
    fn establish(
        id: &str,
        spnego: bool,
        tokens: &[Vec<u8>],
        closing: Option<&[u8]>,
        credentials: Credentials,
        key: [u8; 16],
    ) -> Self {
        let [first, second, third] = tokens else { panic!("{id}: {} tokens", tokens.len()) };
        let ntlm: Vec<Vec<u8>> = if spnego { inner(tokens) } else { tokens.to_vec() };
        let replay = Replay::of(Some(&ntlm[0]), &ntlm[2]);
        let mechanism =
            NtlmInitiator::new(credentials.clone(), replay.config.clone()).with_fresh(replay.fresh(key));
        let mut client = if spnego { Initiator::new(vec![mechanism]) } else { Initiator::bare(mechanism) };
        let accounts = Arc::new(move |_: &str, _: &str| Some(credentials.clone()));
        let state = AwaitAuthenticate::resume(Config::new("HOST"), &ntlm[0], &ntlm[1]).unwrap();
        let mechanism = ReplayedChallenge {
            challenge: Some(ntlm[1].clone()),
            acceptor: NtlmAcceptor::resume(accounts, state),
        };
        let mut server = Acceptor::new(vec![mechanism]);

        assert_eq!(client.step(None).unwrap(), Progress::Continue(first.clone()), "{id}: first token");
        let Progress::Continue(challenge) = server.step(first).unwrap() else { panic!("{id}: no challenge") };
        if !spnego {
            assert_eq!(&challenge, second, "{id}: challenge");
        }
        let last = match client.step(Some(second)).unwrap() {
            Progress::Continue(token) | Progress::Established(Some(token)) => token,
            Progress::Established(None) => panic!("{id}: no AUTHENTICATE"),
        };
        assert_eq!(&last, third, "{id}: last token");
        assert!(client.can_wrap(), "{id}");
        let Progress::Established(ours) = server.step(third).unwrap() else {
            panic!("{id}: not established")
        };
        let session = server.mechanism().unwrap().acceptor.session().unwrap();
        assert_eq!(session.session_key(), &key, "{id}: exported session key");
        if spnego {
            // The recorded closing token, and the proof in ours, which has no freedom in it.
            let closing = closing.unwrap_or_else(|| panic!("{id}: no closing token"));
            assert_eq!(mech_list_mic(&ours.unwrap()), mech_list_mic(closing), "{id}: mechListMIC");
            assert!(mech_list_mic(closing).is_some(), "{id}");
            client.step(Some(closing)).unwrap();
        }
        assert!(client.is_established(), "{id}");
        Self { client, server }
    }

    /// One message: the receiver gets the plaintext out of the recorded body, the sender the body out of the plaintext.
    fn check(&mut self, id: &str, request: bool, content_type: &str, body: &[u8], plaintext: &[u8]) {
        let Self { client, server } = self;
        let opened = encrypted::open(content_type, BytesMut::from(body), |header, message| {
            if request { server.unwrap(header, message) } else { client.unwrap(header, message) }
        });
        let opened = opened.unwrap_or_else(|error| panic!("{id}: {error:?}"));
        assert!(opened == plaintext, "{id}: plaintext");

        let mut layout = Layout::from_content_type(content_type).unwrap();
        if body.starts_with(b"--Encrypted Boundary\r\n\t") {
            layout = layout.indented();
        }
        let mut buffer = encrypted::buffer(plaintext.len());
        buffer.extend_from_slice(plaintext);
        let sealed = encrypted::seal(&layout, buffer, |message| {
            if request { client.wrap(message) } else { server.wrap(message) }
        })
        .unwrap();
        // OMI puts an empty line behind the closing boundary.
        let body = body.strip_suffix(b"\r\n\r\n").map_or(body, |rest| &body[..rest.len() + 2]);
        assert!(sealed == body, "{id}: body");

        let message = Message::decode(plaintext).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        let again = message.encode().unwrap();
        assert_eq!(Message::decode(&again).unwrap(), message, "{id}: round trip");
    }
}

/// The NTLM messages inside of the three tokens.
fn inner(tokens: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let token = |token: &Vec<u8>| match NegotiationToken::decode(token).unwrap() {
        NegotiationToken::Init(init) => init.mech_token.unwrap(),
        NegotiationToken::Resp(resp) => resp.response_token.unwrap(),
    };
    tokens.iter().map(token).collect()
}

fn mech_list_mic(token: &[u8]) -> Option<Vec<u8>> {
    match NegotiationToken::decode(token).unwrap() {
        NegotiationToken::Resp(NegTokenResp { mech_list_mic, .. }) => mech_list_mic,
        NegotiationToken::Init(_) => None,
    }
}

/// An acceptor whose challenge was made by somebody else.
struct ReplayedChallenge {
    challenge: Option<Vec<u8>>,
    acceptor: NtlmAcceptor,
}

impl Mechanism for ReplayedChallenge {
    fn mech_type(&self) -> ObjectIdentifier {
        self.acceptor.mech_type()
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        match self.challenge.take() {
            Some(challenge) => Ok(Step::Continue(challenge)),
            None => self.acceptor.step(token),
        }
    }

    fn requires_mech_list_mic(&self) -> bool {
        self.acceptor.requires_mech_list_mic()
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        self.acceptor.sign_mech_list(mech_types)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        self.acceptor.verify_mech_list(mech_types, mic)
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        self.acceptor.wrap(message)
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        self.acceptor.unwrap(header, message)
    }
}
