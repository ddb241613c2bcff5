//! A client's pool and a server's, one talking to the other.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests may fail")]

use bytes::BytesMut;
use uuid::Uuid;
use winrm_clixml::{PsObject, PsValue, SecureString};
use winrm_psrp::client::{self, PipelineEvent, PoolOptions};
use winrm_psrp::host::{HostCall, HostMethod};
use winrm_psrp::key::KeyPair;
use winrm_psrp::message::{
    Availability, Body, Destination, GetCommandMetadata, Message, RunspacePoolInitData,
};
use winrm_psrp::pipeline::{Command, Pipeline};
use winrm_psrp::record::{ErrorCategory, ErrorRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::server::{self, Request};
use winrm_psrp::{Error, PipelineState, PoolState, Rejected};

/// Both of them.
struct Pair {
    client: client::Pool,
    server: server::Pool,
    /// Bytes of a fragment at most.
    room: usize,
}

impl Pair {
    fn new(room: usize) -> Self {
        Self { client: client::Pool::new(PoolOptions::default()), server: server::Pool::new(), room }
    }

    fn open(room: usize) -> Self {
        let mut pair = Self::new(room);
        pair.client.open().unwrap();
        let asked = pair.ask_server(None);
        assert!(matches!(asked.as_slice(), [server::Event::Init(_)]), "{asked:?}");
        pair.server.opened(PsValue::Nil).unwrap();
        pair.tell_client(None);
        assert_eq!((pair.client.state(), pair.server.state()), (PoolState::Opened, PoolState::Opened));
        pair
    }

    fn ask_server(&mut self, target: Option<Uuid>) -> Vec<server::Event> {
        let mut events = Vec::new();
        for responses in [false, true] {
            loop {
                let mut buffer = BytesMut::new();
                let more = if responses {
                    self.client.take_responses(target, &mut buffer, self.room)
                } else {
                    self.client.take_output(target, &mut buffer, self.room)
                };
                assert!(buffer.len() <= self.room);
                events.extend(self.server.receive(target, &buffer).unwrap());
                if !more {
                    break;
                }
            }
        }
        events
    }

    fn tell_client(&mut self, target: Option<Uuid>) -> Vec<client::Event> {
        let mut events = Vec::new();
        loop {
            let mut buffer = BytesMut::new();
            let more = self.server.take_output(target, &mut buffer, self.room);
            events.extend(self.client.receive(target, &buffer).unwrap());
            if !more {
                return events;
            }
        }
    }

    fn start(&mut self, pipeline: &Pipeline) -> Uuid {
        let id = self.client.start(pipeline).unwrap();
        let events = self.ask_server(Some(id));
        assert!(
            matches!(&events[..], [server::Event::Start { id: started, .. }] if *started == id),
            "{events:?}"
        );
        id
    }

    fn pipeline_events(&mut self, id: Uuid) -> Vec<PipelineEvent> {
        let events = self.tell_client(Some(id)).into_iter().map(|event| match event {
            client::Event::Pipeline { id: found, event } if found == id => event,
            other => panic!("{other:?}"),
        });
        events.collect()
    }
}

#[test]
fn objects_go_in_and_come_out_whatever_the_size_of_fragments() {
    for room in [22, 100, 32 * 1024] {
        let mut pair = Pair::open(room);
        let id = pair.start(&Pipeline::command(Command::new("Sort-Object")).with_input(true));
        for number in [3, 1, 2] {
            pair.client.input(id, &number.into()).unwrap();
        }
        pair.client.end_input(id).unwrap();
        let taken = pair.ask_server(Some(id));
        assert_eq!(taken.len(), 4);
        assert_eq!(taken[3], server::Event::EndOfInput { id });
        let error = pair.client.input(id, &4.into()).unwrap_err();
        assert!(matches!(error, Error::PipelineState { .. }), "{error}");
        for number in [1, 2, 3] {
            pair.server.pipeline_output(id, &number.into()).unwrap();
        }
        let warning = InformationalRecord::new("WarningRecord", "careful");
        pair.server.pipeline_message(id, Body::WarningRecord(warning)).unwrap();
        let progress = ProgressRecord::new("Sorting", 1, "nearly", 90);
        pair.server.pipeline_message(id, Body::ProgressRecord(progress)).unwrap();
        pair.server.pipeline_state(id, PipelineState::Completed, None).unwrap();
        let events = pair.pipeline_events(id);
        assert_eq!(events.len(), 6);
        let [
            _,
            _,
            PipelineEvent::Output(last),
            PipelineEvent::Warning(warning),
            PipelineEvent::Progress(progress),
            _,
        ] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!(last.as_i64(), Some(3));
        assert_eq!(warning.message(), "careful");
        assert_eq!((progress.percent_complete(), progress.is_completed()), (Some(90), false));
        assert_eq!(pair.client.pipeline_state(id), None);
        assert!(!pair.server.is_running(id));
    }
}

#[test]
fn errors_and_host_calls_arrive_with_all_they_have() {
    let mut pair = Pair::open(1000);
    let id = pair.start(&Pipeline::script("Read-Host"));
    let call = pair.server.host_call(Some(id), HostMethod::ReadLine, Vec::new()).unwrap();
    let events = pair.pipeline_events(id);
    let [PipelineEvent::HostCall(asked @ HostCall { method: HostMethod::ReadLine, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(asked.wants_response());
    pair.client.respond(Some(id), asked.returning("typed".into())).unwrap();
    let answered = pair.ask_server(Some(id));
    let [server::Event::HostResponse { pipeline: Some(of), response }] = &answered[..] else {
        panic!("{answered:?}")
    };
    assert_eq!((*of, response.call), (id, call));
    assert_eq!(response.result.as_ref().and_then(PsValue::as_str), Some("typed"));
    let error =
        ErrorRecord::new("no such thing", "NotFound,Test", ErrorCategory::ObjectNotFound, "System.Exception");
    pair.server.pipeline_state(id, PipelineState::Failed, Some(error)).unwrap();
    let events = pair.pipeline_events(id);
    let [PipelineEvent::State { state: PipelineState::Failed, error: Some(error) }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(error.message(), "no such thing");
    assert_eq!(error.category(), Some(ErrorCategory::ObjectNotFound));
    assert!(matches!(
        pair.client.respond(Some(id), asked.returning(PsValue::Nil)),
        Err(Error::UnknownPipeline(_))
    ));
}

#[test]
fn calls_about_runspaces_are_answered_once() {
    let mut pair = Pair::open(1000);
    let calls = [
        (pair.client.set_max_runspaces(5).unwrap(), Request::SetMax(5), Availability::Done(true)),
        (pair.client.set_min_runspaces(2).unwrap(), Request::SetMin(2), Availability::Done(false)),
        (pair.client.available_runspaces().unwrap(), Request::Available, Availability::Available(4)),
        (pair.client.reset().unwrap(), Request::Reset, Availability::Done(true)),
    ];
    let asked = pair.ask_server(None);
    for ((call, request, availability), asked) in calls.iter().zip(&asked) {
        assert_eq!(*asked, server::Event::Call { call: *call, request: *request });
        pair.server.availability(*call, *availability).unwrap();
        assert!(pair.server.availability(*call, *availability).is_err());
    }
    let answered = pair.tell_client(None);
    for ((call, _, availability), answered) in calls.iter().zip(&answered) {
        assert_eq!(*answered, client::Event::Availability { call: *call, availability: *availability });
    }
    assert_eq!(answered.len(), 4);
}

#[test]
fn secure_strings_are_read_by_the_other_side_alone() {
    let mut pair = Pair::open(1000);
    pair.server.request_key().unwrap();
    assert_eq!(pair.tell_client(None), [client::Event::KeyRequested]);
    pair.client.exchange_key(KeyPair::generate().unwrap()).unwrap();
    assert_eq!(pair.ask_server(None), [server::Event::KeyExchanged]);
    assert_eq!(pair.tell_client(None), [client::Event::KeyExchanged]);
    let secret = pair.client.session_key().unwrap().encrypt("hunter2");
    assert!(!format!("{secret:?} {:?}", pair.client).contains("hunter2"));
    let id = pair.start(&Pipeline::command(Command::new("x").argument(secret)));
    assert!(pair.server.is_running(id));
    let echoed = pair.server.session_key().unwrap().encrypt("answer");
    pair.server.pipeline_output(id, &echoed.into()).unwrap();
    let events = pair.pipeline_events(id);
    let [PipelineEvent::Output(PsValue::SecureString(secret))] = &events[..] else { panic!("{events:?}") };
    assert_eq!(pair.client.session_key().unwrap().decrypt(secret).unwrap().as_str(), "answer");
    assert!(pair.client.session_key().unwrap().decrypt(&SecureString::new("AAAA")).is_err());
    // A key that nobody has asked for is none.
    let body = Body::EncryptedSessionKey(vec![0; 268]);
    let message = Message::of_pool(Destination::Client, pair.client.id(), body);
    let events = receive(&mut pair.client, &message);
    assert!(matches!(&events[..], [client::Event::Rejected(Rejected::Unexpected { .. })]), "{events:?}");
}

#[test]
fn another_client_connects_and_takes_pipelines_over() {
    let mut pair = Pair::open(1000);
    let id = pair.start(&Pipeline::script("Start-Sleep 100"));
    pair.client.disconnected().unwrap();
    assert!(matches!(pair.client.start(&Pipeline::script("x")), Err(Error::PoolState { .. })));
    let mut options = PoolOptions::default();
    options.id = pair.client.id();
    pair.client = client::Pool::new(options);
    pair.client.connect().unwrap();
    let asked = pair.ask_server(None);
    assert!(matches!(&asked[..], [server::Event::Connect(_)]), "{asked:?}");
    let bounds = RunspacePoolInitData { min_runspaces: 1, max_runspaces: 7 };
    pair.server.connected(bounds, PsValue::Nil).unwrap();
    let told = pair.tell_client(None);
    assert!(told.contains(&client::Event::InitData(bounds)), "{told:?}");
    assert_eq!((pair.client.state(), pair.client.options().max_runspaces), (PoolState::Opened, 7));
    pair.client.attach(id).unwrap();
    pair.server.pipeline_state(id, PipelineState::Completed, None).unwrap();
    assert_eq!(pair.pipeline_events(id).len(), 1);
}

fn receive(client: &mut client::Pool, message: &Message) -> Vec<client::Event> {
    let mut fragments = winrm_psrp::fragment::Fragments::new(99, message.encode().unwrap());
    let mut buffer = BytesMut::new();
    fragments.write(&mut buffer, usize::MAX);
    client.receive(None, &buffer).unwrap()
}

#[test]
fn what_makes_no_sense_is_passed_over_and_named() {
    let mut pair = Pair::open(1000);
    let (ours, other) = (pair.client.id(), Uuid::from_u128(7));
    let opened = Body::RunspacePoolState { state: PoolState::Opened, error: None };
    let rejected = |client: &mut client::Pool, message: &Message| match &receive(client, message)[..] {
        [client::Event::Rejected(rejected)] => rejected.clone(),
        events => panic!("{events:?}"),
    };
    let cases = [
        (Message::of_pool(Destination::Client, other, opened.clone()), "for runspace pool 0000"),
        (Message::of_pool(Destination::Server, ours, opened.clone()), "for the server"),
        (
            Message::of_pool(Destination::Client, ours, opened),
            "RUNSPACEPOOL_STATE while the runspace pool is Opened",
        ),
        (Message::of_pool(Destination::Client, ours, Body::PublicKey(Vec::new())), "PUBLIC_KEY while"),
        (
            Message::of_pipeline(Destination::Client, ours, other, Body::PipelineOutput(1.into())),
            "PIPELINE_OUTPUT for pipeline",
        ),
        (
            Message::of_pool(
                Destination::Client,
                ours,
                Body::RunspaceAvailability { call: 5, availability: Availability::Done(true) },
            ),
            "RUNSPACE_AVAILABILITY while",
        ),
    ];
    for (message, told) in &cases {
        let rejected = rejected(&mut pair.client, message).to_string();
        assert!(rejected.contains(told), "{rejected}");
    }
    // And all goes on.
    let id = pair.start(&Pipeline::script("1"));
    pair.server.pipeline_output(id, &PsObject::new().into()).unwrap();
    assert_eq!(pair.pipeline_events(id).len(), 1);
    // Until fragments make no sense.
    let error = pair.client.receive(None, &[0xff; 21]).unwrap_err();
    assert!(matches!(error, Error::Fragment(_)), "{error}");
    assert_eq!(pair.client.state(), PoolState::Broken);
    assert!(pair.client.start(&Pipeline::script("1")).is_err());
}

#[test]
fn a_server_is_asked_in_order() {
    let mut server = server::Pool::new();
    let id = Uuid::from_u128(1);
    let body = Body::CreatePipeline(Box::new(Pipeline::script("x")));
    let message = Message::of_pipeline(Destination::Server, id, id, body);
    let mut fragments = winrm_psrp::fragment::Fragments::new(1, message.encode().unwrap());
    let mut buffer = BytesMut::new();
    fragments.write(&mut buffer, usize::MAX);
    let events = server.receive(Some(id), &buffer).unwrap();
    assert!(matches!(&events[..], [server::Event::Rejected(Rejected::Unexpected { .. })]), "{events:?}");
    assert!(server.opened(PsValue::Nil).is_err());
    let mut pair = Pair::open(1000);
    let metadata = pair.client.start_metadata(&GetCommandMetadata::new(["Get-*"])).unwrap();
    let events = pair.ask_server(Some(metadata));
    assert!(matches!(&events[..], [server::Event::Metadata { .. }]), "{events:?}");
    // An id that runs already is no other pipeline's.
    let again = pair.client.start_as(metadata, &Pipeline::script("x")).unwrap();
    let events = pair.ask_server(Some(again));
    assert!(matches!(&events[..], [server::Event::Rejected(Rejected::UnknownPipeline { .. })]), "{events:?}");
}
