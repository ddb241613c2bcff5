//! `nlmp/handshakes.json`: from credentials and messages to every key, on both sides.

use serde_json::Value;
use winrm_ntlm::client;
use winrm_ntlm::keys::{self, Direction};
use winrm_ntlm::message::{AuthenticateMessage, ChallengeMessage, ClientChallenge, NtlmV2Response};
use winrm_ntlm::server::{self, AwaitAuthenticate};
use winrm_ntlm::{Credentials, Error, NegotiateFlags, ResponseVersion, Session, hash};

use super::support::{Fixtures, Replay, array, bytes, fixed, hex, object, text};

pub(crate) fn check_all(fixtures: &Fixtures) -> usize {
    let index = fixtures.read("handshakes.json");
    let handshakes = array(&index["handshakes"]);
    assert!(!handshakes.is_empty());
    for handshake in handshakes {
        let handshake = Handshake::read(handshake);
        let acceptor = handshake.accept();
        handshake.check_expected(&acceptor);
        handshake.refuse_others();
        handshake.check_initiator(&acceptor);
    }
    handshakes.len()
}

/// One entry.
pub(crate) struct Handshake<'a> {
    entry: &'a Value,
    id: &'a str,
    negotiate: Option<Vec<u8>>,
    challenge: Vec<u8>,
    authenticate: Vec<u8>,
}

impl<'a> Handshake<'a> {
    pub(crate) fn read(entry: &'a Value) -> Self {
        Self {
            entry,
            id: text(&entry["id"]),
            negotiate: entry["negotiate"].as_str().map(|_| bytes(&entry["negotiate"])),
            challenge: bytes(&entry["challenge"]),
            authenticate: bytes(&entry["authenticate"]),
        }
    }

    fn credential(&self, name: &str) -> &'a str {
        text(&self.entry["credentials"][name])
    }

    fn credentials(&self, password: &str) -> Credentials {
        Credentials::password(
            &format!(r"{}\{}", self.credential("domain"), self.credential("user")),
            password,
        )
    }

    fn state(&self) -> AwaitAuthenticate {
        let config = server::Config::new("").require(NegotiateFlags::NONE).insecure_allow_ntlm_v1(true);
        AwaitAuthenticate::resume(config, self.negotiate.as_deref().unwrap_or_default(), &self.challenge)
            .unwrap()
    }

    /// The acceptor takes the recorded messages.
    pub(crate) fn accept(&self) -> Session {
        let logon = self.state().authenticate(&self.authenticate).unwrap();
        assert_eq!(logon.user_name(), self.credential("user"), "{}", self.id);
        assert_eq!(logon.domain_name(), self.credential("domain"), "{}", self.id);
        let session = logon.verify(&self.credentials(self.credential("password")));
        session.unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }

    /// It takes no other password or user, and no message that was changed where a MIC covers it.
    fn refuse_others(&self) {
        let id = self.id;
        let verify = |credentials: &Credentials| {
            self.state().authenticate(&self.authenticate).unwrap().verify(credentials).map(drop)
        };
        assert_eq!(verify(&self.credentials("wrong")), Err(Error::WrongPassword), "{id}");
        assert_eq!(verify(&Credentials::password("nobody", "wrong")), Err(Error::UnknownUser), "{id}");
        let hash = *hash::ntowf_v1(self.credential("password"));
        assert_eq!(
            verify(&Credentials::nt_hash(self.credential("user"), hash)),
            Ok(()),
            "{id}: by the NT hash"
        );
        if self.entry["mic_offset"].is_u64() {
            let mut changed = self.authenticate.clone();
            changed[64] ^= 1; // A byte of Version, which nothing else covers.
            let logon = self.state().authenticate(&changed).unwrap();
            let outcome = logon.verify(&self.credentials(self.credential("password"))).map(drop);
            assert_eq!(outcome, Err(Error::MicMismatch), "{id}");
        }
    }

    /// Every figure listed under `expected`.
    fn check_expected(&self, acceptor: &Session) {
        let (id, user, domain) = (self.id, self.credential("user"), self.credential("domain"));
        let message = AuthenticateMessage::decode(&self.authenticate).unwrap();
        let challenge = ChallengeMessage::decode(&self.challenge).unwrap();
        let nt_hash = hash::ntowf_v1(self.credential("password"));
        let ntowf_v2 = hash::ntowf_v2(&nt_hash, user, domain);
        let flags = acceptor.negotiate_flags();
        let version = acceptor.negotiated().response;
        let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
        let (session_base_key, key_exchange_key) = if version == ResponseVersion::NtlmV2 {
            let base = hash::session_base_key_v2(&ntowf_v2, &response.nt_proof_str);
            (base.clone(), base)
        } else {
            let base = hash::session_base_key_v1(&nt_hash);
            let lm = message.lm_challenge_response.as_slice().try_into().unwrap();
            let key = keys::key_exchange_key(flags, &base, lm, &challenge.server_challenge, None);
            (base, key)
        };
        let session_key = acceptor.session_key();
        let seal_key = |direction| hex(keys::seal_key(flags, session_key, direction).as_bytes());
        let sign_key = |direction| hex(&*keys::sign_key(flags, session_key, direction).unwrap());
        for (name, value) in object(&self.entry["expected"]) {
            let found = match name.as_str() {
                "version" => version.to_string().to_lowercase(),
                "ntowfv1" => hex(&*nt_hash),
                "ntowfv2" => hex(&*ntowf_v2),
                "nt_proof_str" => hex(&response.nt_proof_str),
                "session_base_key" => hex(&*session_base_key),
                "key_exchange_key" => hex(&*key_exchange_key),
                "exported_session_key" => hex(session_key),
                "client_challenge" => hex(&message.lm_challenge_response[..8]),
                "mic" => hex(&message.mic.filter(|_| acceptor.mic_present()).unwrap()),
                "client_seal_key" => seal_key(Direction::ClientToServer),
                "server_seal_key" => seal_key(Direction::ServerToClient),
                "client_sign_key" => sign_key(Direction::ClientToServer),
                "server_sign_key" => sign_key(Direction::ServerToClient),
                // `accept` has seen to it.
                "proof_valid" | "response_valid" => {
                    assert_eq!(value.as_bool(), Some(true), "{id}");
                    continue;
                }
                "msv_av_channel_bindings" => {
                    let bindings =
                        ClientChallenge::decode(response.temp).unwrap().av_pairs.channel_bindings();
                    assert_eq!(bindings.map(|bindings| hex(&bindings)).as_deref(), value.as_str(), "{id}");
                    continue;
                }
                // `pair` sees to them.
                "client_mech_list_mic" | "server_mech_list_mic" => continue,
                name => panic!("{id}: no check for {name}"),
            };
            assert_eq!(found, text(value), "{id}: {name}");
        }
    }

    /// The initiator, given nonce, time and flags, says what was recorded.
    fn check_initiator(&self, acceptor: &Session) {
        let id = self.id;
        let recorded = AuthenticateMessage::decode(&self.authenticate).unwrap();
        match acceptor.negotiated().response {
            ResponseVersion::NtlmV2 if acceptor.mic_present() => drop(self.pair()),
            ResponseVersion::NtlmV2 => {
                let time_named =
                    ChallengeMessage::decode(&self.challenge).unwrap().av_pairs().unwrap().timestamp();
                let replay = Replay::of(self.negotiate.as_deref(), &self.authenticate);
                let (_, bytes) = self.initiate(replay.config.clone(), &replay, acceptor);
                let made = AuthenticateMessage::decode(&bytes).unwrap();
                // A client that sends no MIC although the server named its time is older than the rule.
                if time_named.is_none() {
                    assert_eq!(
                        hex(&made.nt_challenge_response),
                        hex(&recorded.nt_challenge_response),
                        "{id}"
                    );
                    assert_eq!(
                        hex(&made.lm_challenge_response),
                        hex(&recorded.lm_challenge_response),
                        "{id}"
                    );
                    assert_eq!(
                        made.encrypted_random_session_key, recorded.encrypted_random_session_key,
                        "{id}"
                    );
                } else {
                    assert_eq!((made.mic.is_some(), recorded.mic), (true, None), "{id}");
                }
            }
            ResponseVersion::NtlmV1Extended => {
                let replay = Replay {
                    config: client::Config::default(),
                    client_challenge: recorded.lm_challenge_response[..8].try_into().unwrap(),
                    fresh_time: winrm_ntlm::FileTime::default(),
                };
                let config = replay.config.clone().response(client::Response::InsecureNtlmV1);
                let (_, bytes) = self.initiate(config, &replay, acceptor);
                let made = AuthenticateMessage::decode(&bytes).unwrap();
                assert_eq!(made.nt_challenge_response, recorded.nt_challenge_response, "{id}");
                assert_eq!(made.lm_challenge_response, recorded.lm_challenge_response, "{id}");
                assert_eq!(made.encrypted_random_session_key, recorded.encrypted_random_session_key, "{id}");
            }
            other => panic!("{id}: no check for {other}"),
        }
    }

    fn initiate(&self, config: client::Config, replay: &Replay, acceptor: &Session) -> (Session, Vec<u8>) {
        let credentials = self.credentials(self.credential("password"));
        let (state, negotiate) = client::Start::new(credentials, config).negotiate();
        if let Some(recorded) = self.negotiate.as_ref().filter(|_| acceptor.mic_present()) {
            assert_eq!(hex(&negotiate), hex(recorded), "{}: NEGOTIATE", self.id);
        }
        state.authenticate(&self.challenge, &replay.fresh(*acceptor.session_key())).unwrap()
    }

    /// Both sides of an entry with a MIC, the initiator's messages to the byte; after the mechListMIC where one was
    /// recorded.
    pub(crate) fn pair(&self) -> (Session, Session) {
        let id = self.id;
        let mut server = self.accept();
        let replay = Replay::of(self.negotiate.as_deref(), &self.authenticate);
        let (mut client, authenticate) = self.initiate(replay.config.clone(), &replay, &server);
        assert_eq!(hex(&authenticate), hex(&self.authenticate), "{id}: AUTHENTICATE");
        assert_eq!(client.session_key(), server.session_key(), "{id}");
        assert_eq!(client.negotiated(), server.negotiated(), "{id}");

        if let Some(mech_list) = self.entry["mech_list"].as_str() {
            let mech_list = super::support::unhex(mech_list);
            let expected = &self.entry["expected"];
            let client_mic = client.sign(&mech_list).unwrap();
            assert_eq!(client_mic, fixed(&expected["client_mech_list_mic"]), "{id}");
            server.verify(&mech_list, &client_mic).unwrap();
            let server_mic = server.sign(&mech_list).unwrap();
            assert_eq!(server_mic, fixed(&expected["server_mech_list_mic"]), "{id}");
            client.verify(&mech_list, &server_mic).unwrap();
            client.reset_ciphers();
            server.reset_ciphers();
        }
        (client, server)
    }
}
