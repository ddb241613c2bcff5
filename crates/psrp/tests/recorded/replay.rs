//! Whole conversations, as requests and answers of WS-Man.
//!
//! What the recorded client sent goes into our server, whose events tell our client to do the same; what the recorded
//! server sent goes into our client, whose events tell our server to do the same. Both must send what was recorded.

use std::collections::BTreeMap;

use serde_json::Value;
use winrm_clixml::{PsValue, Version};
use winrm_psrp::client::{self, Carrier};
use winrm_psrp::fragment::Defragmenter;
use winrm_psrp::key::{KeyPair, PublicKey, SessionKey, rand_core};
use winrm_psrp::server;
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Error, Message, MessageType, RawMessage, Scope};
use winrm_wsman::Body;

use crate::files::{array, folder, hex, json, text};
use crate::messages::{id, same_data};

/// Smaller than some of the recorded messages.
const SIZE: usize = 20_000;

/// Whether there is anything of PowerShell in it.
pub(crate) fn check(exchange: &Value) -> bool {
    let name = text(&exchange["id"]);
    // By the identifier of the shell.
    let mut pools: BTreeMap<String, Pool> = BTreeMap::new();
    // Some are recorded one after the other under one identifier.
    let mut ended = Vec::new();
    for step in array(&exchange["steps"]) {
        if !step["psrp"].as_bool().unwrap() || !step["response_xml"].is_string() {
            continue;
        }
        let [request, response] = ["request_xml", "response_xml"]
            .map(|field| winrm_wsman::Message::decode(text(&step[field]).as_bytes()).unwrap());
        let step = format!("{name} {}", step["n"]);
        let shell = match (&request.body, &response.body) {
            (Body::Create(_), Body::CreateResponse(created)) => created.shell_id().unwrap().to_owned(),
            _ => request.header.shell_id().unwrap_or_default().to_owned(),
        };
        if let Body::Create(created) = &request.body {
            let creation = created.creation_xml.as_ref().unwrap();
            ended.extend(pools.insert(shell.clone(), Pool::open(&step, creation, &exchange["expected"])));
        }
        // A shell that is asked about from outside.
        let Some(pool) = pools.get_mut(&shell) else { continue };
        pool.step(&step, &request.body, &response.body);
    }
    let pools: Vec<_> = ended.into_iter().chain(pools.into_values()).collect();
    for pool in &pools {
        pool.check_sent(name);
        pool.check_outcome(name, &exchange["expected"]);
    }
    !pools.is_empty()
}

/// What a message says, apart from its fragments: type, pool, pipeline, data.
type Said = (MessageType, Uuid, Uuid, PsValue);

struct Pool {
    client: client::RunspacePool,
    server: server::RunspacePool,
    /// Puts together what each side was recorded to send, and what ours sends.
    streams: BTreeMap<&'static str, Defragmenter>,
    recorded: [Vec<Said>; 2],
    sent: [Vec<Said>; 2],
    /// Names and numbers of what pipelines wrote, and their ends.
    seen: Vec<(Uuid, &'static str)>,
    states: Vec<String>,
    public_key: Option<PublicKey>,
    /// Messages that our client refused.
    refused: Vec<Error>,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;

impl Pool {
    fn open(step: &str, creation: &[u8], expected: &Value) -> Self {
        let mut config = client::Config::default();
        let mut pool = Uuid::nil();
        for raw in messages(&mut Defragmenter::default(), creation) {
            pool = raw.runspace_pool_id;
            match Message::decode(raw.message_type, &raw.data, &config.limits.clixml).unwrap() {
                Message::SessionCapability(capability) => config.capability = capability,
                Message::InitRunspacePool(init) => config.init = *init,
                other => panic!("{step}: {other:?}"),
            }
        }
        let mut client = client::RunspacePool::new(pool, config);
        client.open().unwrap();
        // The recorded server speaks what it says.
        let mut config = server::Config::default();
        let told =
            array(&expected["runspace_pools"]).iter().find(|told| id(&told["runspace_pool_id"]) == pool);
        let version = text(&told.unwrap()["server_protocol_version"]);
        config.capability.protocol_version = Version::new(version).unwrap();
        Self {
            client,
            server: server::RunspacePool::new(config),
            streams: BTreeMap::new(),
            recorded: Default::default(),
            sent: Default::default(),
            seen: Vec::new(),
            states: Vec::new(),
            public_key: None,
            refused: Vec::new(),
        }
    }

    fn step(&mut self, step: &str, request: &Body, response: &Body) {
        match request {
            Body::Create(shell) => {
                self.take_from_client(step, None, shell.creation_xml.as_ref().unwrap());
            }
            Body::Command(line) => {
                let first = base64(&line.arguments[0]);
                self.take_from_client(step, line.command_id.as_deref(), &first);
            }
            Body::Send(send) => {
                for stream in &send.streams {
                    self.take_from_client(step, stream.command_id.as_deref(), &stream.data);
                }
            }
            Body::Connect(connect) => {
                // Another client, who counts anew.
                self.streams.clear();
                let config = client::Config::default();
                self.client = client::RunspacePool::new(self.client.id(), config);
                self.client.connect().unwrap();
                self.take_from_client(step, None, connect.connect_xml.as_ref().unwrap());
            }
            _ => {}
        }
        match response {
            Body::ReceiveResponse(received) => {
                for stream in &received.streams {
                    self.take_from_server(step, stream.command_id.as_deref(), &stream.data);
                }
            }
            Body::ConnectResponse(connected) => {
                self.take_from_server(step, None, connected.connect_response_xml.as_ref().unwrap());
                self.client.handle_connected().unwrap();
                self.server.accept(PsValue::Nil).unwrap();
            }
            Body::DisconnectResponse => {
                self.client.handle_disconnected().unwrap();
                self.server.handle_disconnected().unwrap();
            }
            Body::ReconnectResponse => {
                self.client.handle_reconnected().unwrap();
                self.server.handle_reconnected().unwrap();
            }
            Body::DeleteResponse => {
                self.client.close().unwrap();
                self.client.handle_closed();
                self.server.handle_closed();
            }
            _ => {}
        }
    }

    fn take_from_client(&mut self, step: &str, command: Option<&str>, payload: &[u8]) {
        let recorded = messages(self.streams.entry("client").or_default(), payload);
        self.recorded[CLIENT].extend(recorded.iter().map(said));
        let stream = command.map(|command| Uuid::parse_str(command).unwrap());
        let mut rest = payload;
        while let Some(event) =
            self.server.handle_data(stream, &mut rest).unwrap_or_else(|e| panic!("{step}: {e:?}"))
        {
            self.act_as_client(step, event);
        }
        self.collect();
    }

    /// Lets our client do what the recorded one did.
    fn act_as_client(&mut self, step: &str, event: server::Event) {
        use server::{Event, PipelineEvent};
        let client = &mut self.client;
        match event {
            // Done when it was opened or connected.
            Event::Negotiated(_) | Event::Opening(_) | Event::Connecting(_) => {}
            Event::SetMaxRunspaces { max_runspaces, call_id } => {
                assert_eq!(client.set_max_runspaces(max_runspaces).unwrap(), call_id, "{step}");
            }
            Event::SetMinRunspaces { min_runspaces, call_id } => {
                assert_eq!(client.set_min_runspaces(min_runspaces).unwrap(), call_id, "{step}");
            }
            Event::GetAvailableRunspaces { call_id } => {
                assert_eq!(client.get_available_runspaces().unwrap(), call_id, "{step}");
            }
            Event::ResetRunspaceState { call_id } => {
                assert_eq!(client.reset_runspace_state().unwrap(), call_id, "{step}");
            }
            Event::PublicKey(key) => {
                self.public_key = Some(key);
                client.exchange_key(published_pair()).unwrap();
            }
            Event::Pipeline { id, event } => match event {
                PipelineEvent::Create(pipeline) => client.create_pipeline(id, *pipeline).unwrap(),
                PipelineEvent::GetCommandMetadata(metadata) => {
                    client.get_command_metadata(id, metadata).unwrap();
                }
                PipelineEvent::Input(value) => client.send_input(id, &value).unwrap(),
                PipelineEvent::EndOfInput => client.end_input(id).unwrap(),
                PipelineEvent::HostResponse(response) => {
                    let returned = response.returned().unwrap().unwrap();
                    client.respond(Some(id), response.call_id, Ok(&returned)).unwrap();
                }
                other => panic!("{step}: {other:?}"),
            },
            other => panic!("{step}: {other:?}"),
        }
    }

    fn take_from_server(&mut self, step: &str, command: Option<&str>, payload: &[u8]) {
        let recorded = messages(self.streams.entry("server").or_default(), payload);
        self.recorded[SERVER].extend(recorded.iter().map(said));
        let stream = command.map(|command| Uuid::parse_str(command).unwrap());
        let mut rest = payload;
        loop {
            match self.client.handle_data(stream, &mut rest) {
                Ok(Some(event)) => self.act_as_server(step, event),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.scope(), Scope::Message, "{step}: {error:?}");
                    self.refused.push(error);
                }
            }
        }
        self.collect();
    }

    /// Lets our server do what the recorded one did.
    fn act_as_server(&mut self, step: &str, event: client::Event) {
        use client::{Event, PipelineEvent};
        let server = &mut self.server;
        let (id, event) = match event {
            Event::Negotiated(_) | Event::InitData(_) => return,
            Event::PrivateData(data) => return server.accept(data.data).unwrap(),
            Event::Opened => return self.states.push("Opened".to_owned()),
            Event::Availability { call_id, response } => return server.answer(call_id, response).unwrap(),
            Event::KeyExchanged => {
                let key = SessionKey::from_bytes(&[1; 32]);
                let public = self.public_key.as_ref().unwrap();
                return server.send_session_key(public, key, &mut NotRandom).unwrap();
            }
            Event::Pipeline { id, event } => (id, event),
            other => panic!("{step}: {other:?}"),
        };
        let name = match event {
            PipelineEvent::Output(value) => {
                server.write_output(id, &value).unwrap();
                "output"
            }
            PipelineEvent::Error(record) => {
                server.write_error(id, record).unwrap();
                "error"
            }
            PipelineEvent::Debug(record) => {
                server.write_debug(id, record).unwrap();
                "debug"
            }
            PipelineEvent::Verbose(record) => {
                server.write_verbose(id, record).unwrap();
                "verbose"
            }
            PipelineEvent::Warning(record) => {
                server.write_warning(id, record).unwrap();
                "warning"
            }
            PipelineEvent::Progress(record) => {
                server.write_progress(id, record).unwrap();
                "progress"
            }
            PipelineEvent::Information(record) => {
                server.write_information(id, record).unwrap();
                "information"
            }
            PipelineEvent::HostCall(call) => {
                let call_id = server.call_host(Some(id), &call.call().unwrap()).unwrap();
                assert_eq!(call_id, call.wants_answer().then_some(call.call_id), "{step}");
                "host_calls"
            }
            PipelineEvent::State(told) => {
                let name = match told.state.to_string().as_str() {
                    "Completed" => "Completed",
                    "Failed" => "Failed",
                    other => panic!("{step}: {other}"),
                };
                server.end_pipeline(id, told.state, told.error).unwrap();
                name
            }
            other => panic!("{step}: {other:?}"),
        };
        self.seen.push((id, name));
    }

    /// Takes what both of ours have to send.
    fn collect(&mut self) {
        while let Some(sent) = self.client.poll_transmit(SIZE).unwrap() {
            assert!(sent.payload.len() <= SIZE);
            let first = self.sent[CLIENT].is_empty();
            assert_eq!(first && sent.carrier == Carrier::Create, first);
            let found = messages(self.streams.entry("our client").or_default(), &sent.payload);
            self.sent[CLIENT].extend(found.iter().map(said));
        }
        while let Some(sent) = self.server.poll_transmit(SIZE).unwrap() {
            let found = messages(self.streams.entry("our server").or_default(), &sent.payload);
            self.sent[SERVER].extend(found.iter().map(said));
        }
    }

    /// Ours have sent what was recorded.
    fn check_sent(&self, name: &str) {
        let refused: Vec<_> = match name {
            // Pasted in from elsewhere, as its index says.
            "client_copy_file_warning" => self.recorded[SERVER]
                .iter()
                .filter(|(message, pool, _, _)| {
                    *message == MessageType::WARNING_RECORD && *pool != self.client.id()
                })
                .collect(),
            _ => Vec::new(),
        };
        assert_eq!(self.refused.len(), refused.len(), "{name}: {:?}", self.refused);
        assert!(self.refused.iter().all(|error| matches!(error, Error::WrongPool { .. })), "{name}");
        let connected =
            self.recorded[CLIENT].iter().any(|(message, ..)| *message == MessageType::CONNECT_RUNSPACEPOOL);
        for (side, found) in self.sent.iter().enumerate() {
            // A session key is random.
            let keyless = |(message, pool, pipeline, data): &Said| {
                let secret = *message == MessageType::ENCRYPTED_SESSION_KEY;
                (*message, *pool, *pipeline, if secret { PsValue::Nil } else { data.clone() })
            };
            // Who connects is told what differs between versions of Windows.
            let differs = |said: &&Said| {
                connected
                    && matches!(
                        said.0,
                        MessageType::APPLICATION_PRIVATE_DATA | MessageType::RUNSPACEPOOL_STATE
                    )
            };
            let expected: Vec<_> = self.recorded[side]
                .iter()
                .filter(|said| side == CLIENT || !refused.contains(said))
                .filter(|said| !differs(said))
                .map(keyless)
                .collect();
            let found: Vec<_> = found.iter().filter(|said| !differs(said)).map(keyless).collect();
            let types = |said: &[Said]| said.iter().map(|said| said.0).collect::<Vec<_>>();
            assert_eq!(types(&found), types(&expected), "{name} side {side}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{name} side {side}");
            }
        }
    }

    /// Our client has seen what happened.
    fn check_outcome(&self, name: &str, expected: &Value) {
        let pools = array(&expected["runspace_pools"]);
        let pool = pools.iter().find(|pool| id(&pool["runspace_pool_id"]) == self.client.id());
        let pool = pool.unwrap_or_else(|| panic!("{name}: no outcome of {}", self.client.id()));
        // Once more for who has connected, which is no event.
        let states: Vec<_> = array(&pool["pool_states"]).iter().take(1).map(text).collect();
        assert_eq!(self.states, states, "{name}");
        let peer = self.client.peer_capability().unwrap();
        assert_eq!(peer.protocol_version.as_str(), text(&pool["server_protocol_version"]), "{name}");
        // One identifier may have run several times.
        let mut seen: BTreeMap<(Uuid, &str), usize> = BTreeMap::new();
        for key in &self.seen {
            *seen.entry(*key).or_default() += 1;
        }
        let mut counted: BTreeMap<(Uuid, &str), usize> = BTreeMap::new();
        for pipeline in array(&pool["pipelines"]) {
            let pipeline_id = id(&pipeline["pipeline_id"]);
            let streams =
                ["output", "error", "debug", "verbose", "warning", "progress", "information", "host_calls"];
            for stream in streams {
                let count = pipeline[stream].as_array().map_or(0, Vec::len);
                if count > 0 {
                    *counted.entry((pipeline_id, stream)).or_default() += count;
                }
            }
            *counted.entry((pipeline_id, text(&pipeline["final_state"]))).or_default() += 1;
        }
        assert_eq!(seen, counted, "{name}");
    }
}

fn said(raw: &RawMessage) -> Said {
    (raw.message_type, raw.runspace_pool_id, raw.pipeline_id, same_data(raw.message_type, &raw.data))
}

fn messages(defragmenter: &mut Defragmenter, mut payload: &[u8]) -> Vec<RawMessage> {
    let mut found = Vec::new();
    while let Some(object) = defragmenter.read(&mut payload).unwrap() {
        found.push(RawMessage::decode(object).unwrap());
    }
    found
}

fn base64(text: &str) -> Vec<u8> {
    crate::files::bytes(&Value::from(text))
}

/// The key of the recorded client.
fn published_pair() -> KeyPair {
    let file = json(&folder("encryption").unwrap().join("psrp_session_key_psrp_multiple_commands.json"));
    let [p, q] = ["p", "q"].map(|prime| hex(&file["rsa_private_key"][prime]));
    KeyPair::from_primes(&p, &q).unwrap()
}

/// Padding that nobody needs to guess.
struct NotRandom;

impl rand_core::TryRng for NotRandom {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0x0101_0101)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0x0101_0101_0101_0101)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(1);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for NotRandom {}
