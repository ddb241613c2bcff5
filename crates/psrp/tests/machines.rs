//! Client and server in memory, from opening to the end, and all that they refuse on the way.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use support::pair::{Pair, SIZE};
use winrm_clixml::{DateTime, PsString, PsValue};
use winrm_psrp::client::{Carrier, Event, PipelineEvent};
use winrm_psrp::host::{HostCall, HostReturn};
use winrm_psrp::key::{KeyPair, SessionKey};
use winrm_psrp::message::{
    Availability, Command, CreatePipeline, GetCommandMetadata, PowerShell, UserEvent, primitive_dictionary,
};
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{
    Error, ErrorCategory, Limits, Message, MessageType, PipelineResultTypes, PipelineState,
    RunspacePoolState, Scope, client, server,
};

fn time() -> DateTime {
    DateTime::new("2024-02-29T12:00:00Z").unwrap()
}

fn failure() -> ErrorRecord {
    ErrorRecord::new("System.Exception", "it failed", "Failed", ErrorCategory::NOT_SPECIFIED)
}

fn pipeline_events(events: Vec<Event>) -> Vec<PipelineEvent> {
    let event = |event| match event {
        Event::Pipeline { event, .. } => event,
        other => panic!("{other:?}"),
    };
    events.into_iter().map(event).collect()
}

#[test]
fn opens() {
    let mut pair = Pair::new();
    assert_eq!(pair.client.state(), RunspacePoolState::BeforeOpen);
    pair.client.open().unwrap();
    assert_eq!(pair.client.state(), RunspacePoolState::NegotiationSent);
    let events = pair.serve().unwrap();
    assert!(matches!(events[..], [server::Event::Negotiated(_), server::Event::Opening(_)]), "{events:?}");
    assert_eq!(pair.server.state(), RunspacePoolState::NegotiationSucceeded);
    assert_eq!(pair.server.id(), Some(pair.client.id()));
    assert!(matches!(pair.answer().unwrap()[..], [Event::Negotiated(_)]));
    assert_eq!(pair.client.state(), RunspacePoolState::NegotiationSucceeded);
    pair.server.accept(primitive_dictionary([("k", PsValue::I32(7))])).unwrap();
    let events = pair.answer().unwrap();
    let [Event::PrivateData(data), Event::Opened] = &events[..] else { panic!("{events:?}") };
    assert_eq!(data.get("k"), Some(&PsValue::I32(7)));
    assert_eq!(pair.client.state(), RunspacePoolState::Opened);
}

#[test]
fn a_server_may_refuse() {
    let mut pair = Pair::new();
    pair.client.open().unwrap();
    pair.serve().unwrap();
    pair.server.fail(failure()).unwrap();
    let events = pair.answer().unwrap();
    let [Event::Negotiated(_), Event::Ended { state: RunspacePoolState::Broken, error: Some(error) }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(error.message().unwrap(), "it failed");
    assert_eq!(pair.client.state(), RunspacePoolState::Broken);
    assert!(matches!(pair.server.fail(failure()), Err(Error::InvalidState { .. })));
}

#[test]
fn creation_that_does_not_fit_is_finished_by_sends() {
    let mut pair = Pair::new();
    pair.client.open().unwrap();
    let mut carriers = Vec::new();
    while let Some(sent) = pair.client.poll_transmit(SIZE).unwrap() {
        carriers.push(sent.carrier);
    }
    assert_eq!(carriers[0], Carrier::Create);
    assert!(carriers.len() > 2);
    assert!(carriers[1..].iter().all(|carrier| *carrier == Carrier::Input), "{carriers:?}");
}

#[test]
fn the_first_fragment_goes_with_the_command() {
    let mut pair = Pair::opened();
    let id = Uuid::from_u128(9);
    let script = PowerShell::script("x".repeat(SIZE));
    pair.client.create_pipeline(id, CreatePipeline::new(script).with_input()).unwrap();
    pair.client.end_input(id).unwrap();
    let mut carriers = Vec::new();
    while let Some(sent) = pair.client.poll_transmit(SIZE).unwrap() {
        carriers.push(sent.carrier);
    }
    assert_eq!(carriers[0], Carrier::Command(id));
    assert!(carriers[1..].iter().all(|carrier| *carrier == Carrier::CommandInput(id)), "{carriers:?}");
}

#[test]
fn an_object_without_data_is_null() {
    for message in [MessageType::PIPELINE_INPUT, MessageType::PIPELINE_OUTPUT] {
        let read = Message::decode(message, b"", &winrm_clixml::Limits::default()).unwrap();
        assert!(matches!(read, Message::PipelineInput(PsValue::Nil) | Message::PipelineOutput(PsValue::Nil)));
        assert_eq!(read.message_type(), message);
    }
    assert!(Message::decode(MessageType::ERROR_RECORD, b"", &winrm_clixml::Limits::default()).is_err());
}

#[test]
fn a_pipeline_takes_and_writes_everything() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    pair.client.send_input(id, &PsValue::I32(1)).unwrap();
    pair.client.end_input(id).unwrap();
    let events = pair.serve().unwrap();
    assert!(matches!(
        &events[..],
        [
            server::Event::Pipeline { event: server::PipelineEvent::Input(PsValue::I32(1)), .. },
            server::Event::Pipeline { event: server::PipelineEvent::EndOfInput, .. },
        ]
    ));
    let server = &mut pair.server;
    server.write_output(id, &PsValue::from("x".repeat(1_000))).unwrap();
    server.write_error(id, failure()).unwrap();
    server.write_warning(id, InformationalRecord::warning("w")).unwrap();
    server.write_verbose(id, InformationalRecord::verbose("v")).unwrap();
    server.write_debug(id, InformationalRecord::debug("d")).unwrap();
    server.write_progress(id, ProgressRecord::new(1, "a", "s").with_percent_complete(50)).unwrap();
    server.write_information(id, InformationRecord::new("i", "me", time()).with_tags(["t"])).unwrap();
    server.end_pipeline(id, PipelineState::Completed, None).unwrap();
    let events = pipeline_events(pair.answer().unwrap());
    let names: Vec<_> = events
        .iter()
        .map(|event| match event {
            PipelineEvent::Output(value) => value.as_str().map(|text| text.len().to_string()).unwrap(),
            PipelineEvent::Error(record) => record.message().unwrap().to_string(),
            PipelineEvent::Warning(record)
            | PipelineEvent::Verbose(record)
            | PipelineEvent::Debug(record) => record.message().unwrap().to_string(),
            PipelineEvent::Progress(record) => record.percent_complete().unwrap().to_string(),
            PipelineEvent::Information(record) => record.tags().next().unwrap().to_string(),
            PipelineEvent::State(told) => told.state.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["1000", "it failed", "w", "v", "d", "50", "t", "Completed"]);
    assert_eq!(pair.client.pipeline_state(id), None);
    assert_eq!(pair.server.pipeline_state(id), None);
    // One of the same name may follow.
    pair.pipeline(5);
}

#[test]
fn pipelines_run_at_once() {
    let mut pair = Pair::opened();
    let ids = [pair.pipeline(5), pair.pipeline(6), pair.pipeline(7)];
    for number in 0..20_i32 {
        for id in ids {
            pair.server.write_output(id, &PsValue::I32(number)).unwrap();
        }
    }
    let mut next = [0_i32; 3];
    for event in pair.answer().unwrap() {
        let Event::Pipeline { id, event: PipelineEvent::Output(value) } = event else { panic!("{event:?}") };
        let position = ids.iter().position(|known| *known == id).unwrap();
        assert_eq!(value, PsValue::I32(next[position]));
        next[position] += 1;
    }
    assert_eq!(next, [20; 3]);
}

#[test]
fn the_host_is_called() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    let line = HostCall::WriteLine { value: "hello".into() };
    assert_eq!(pair.server.call_host(Some(id), &line).unwrap(), None);
    let prompt = HostCall::ReadLine {};
    let asked = pair.server.call_host(Some(id), &prompt).unwrap().unwrap();
    let pool = pair.server.call_host(None, &HostCall::GetName {}).unwrap().unwrap();
    let events = pair.answer().unwrap();
    let [
        Event::Pipeline { event: PipelineEvent::HostCall(write), .. },
        Event::Pipeline { event: PipelineEvent::HostCall(read), .. },
        Event::HostCall(name),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(write.call().unwrap(), line);
    assert!(!write.wants_answer());
    assert_eq!((read.call().unwrap(), read.call_id), (prompt, asked));
    assert_eq!(name.call_id, pool);

    // An answer goes before input that waits, and only once.
    pair.client.send_input(id, &PsValue::Nil).unwrap();
    pair.client.respond(Some(id), asked, Ok(&HostReturn::Text("typed".into()))).unwrap();
    assert!(matches!(
        pair.client.respond(Some(id), asked, Ok(&HostReturn::Bool(true))),
        Err(Error::NoCall { .. })
    ));
    pair.client.respond(None, pool, Err(failure())).unwrap();
    let events = pair.serve().unwrap();
    let text = |event: &server::Event| match event {
        server::Event::Pipeline { event: server::PipelineEvent::HostResponse(it), .. } => {
            format!("{:?}", it.returned().unwrap().unwrap() == HostReturn::Text("typed".into()))
        }
        server::Event::Pipeline { event: server::PipelineEvent::Input(_), .. } => "input".to_owned(),
        server::Event::HostResponse(it) => it.error.as_ref().unwrap().message().unwrap().to_string(),
        other => panic!("{other:?}"),
    };
    let mut found: Vec<_> = events.iter().map(text).collect();
    assert_eq!(found.pop().unwrap(), "input");
    found.sort();
    assert_eq!(found, ["it failed", "true"]);
}

#[test]
fn the_session_key_is_exchanged() {
    let mut pair = Pair::opened();
    pair.server.request_key().unwrap();
    assert!(matches!(pair.answer().unwrap()[..], [Event::KeyRequested]));
    assert!(!pair.client.is_key_asked());
    pair.client.exchange_key(KeyPair::generate().unwrap()).unwrap();
    assert!(pair.client.is_key_asked());
    let again = pair.client.exchange_key(KeyPair::generate().unwrap());
    assert!(matches!(again, Err(Error::KeyAskedBefore)));
    let events = pair.serve().unwrap();
    let [server::Event::PublicKey(key)] = &events[..] else { panic!("{events:?}") };
    let session_key = SessionKey::generate().unwrap();
    pair.server.send_session_key(key, session_key, &mut getrandom::SysRng).unwrap();
    assert!(matches!(pair.answer().unwrap()[..], [Event::KeyExchanged]));
    let secret = PsString::from("Passw\u{f6}rd");
    let encrypted = pair.client.session_key().unwrap().encrypt(&secret);
    let decrypted = pair.server.session_key().unwrap().decrypt(&encrypted).unwrap();
    assert_eq!(decrypted.expose_text().unwrap().as_str(), "Passw\u{f6}rd");
    assert!(matches!(pair.server.request_key(), Err(Error::KeyAskedBefore)));
    let shown = format!("{:?} {:?}", pair.client, pair.server);
    assert!(shown.contains("hidden"));
}

#[test]
fn the_pool_changes_its_size() {
    let mut pair = Pair::opened();
    let max = pair.client.set_max_runspaces(5).unwrap();
    let min = pair.client.set_min_runspaces(9).unwrap();
    let free = pair.client.get_available_runspaces().unwrap();
    let reset = pair.client.reset_runspace_state().unwrap();
    assert_eq!(pair.serve().unwrap().len(), 4);
    assert!(matches!(pair.server.answer(max, Availability::Available(1)), Err(Error::NoCall { .. })));
    pair.server.answer(max, Availability::Done(true)).unwrap();
    pair.server.answer(min, Availability::Done(false)).unwrap();
    pair.server.answer(free, Availability::Available(4)).unwrap();
    pair.server.answer(reset, Availability::Done(true)).unwrap();
    assert!(matches!(pair.server.answer(reset, Availability::Done(true)), Err(Error::NoCall { .. })));
    let events = pair.answer().unwrap();
    assert_eq!(events.len(), 4);
    assert_eq!(events[2], Event::Availability { call_id: free, response: Availability::Available(4) });
    assert_eq!((pair.client.min_runspaces(), pair.client.max_runspaces()), (1, 5));
    assert_eq!((pair.server.min_runspaces(), pair.server.max_runspaces()), (1, 5));
}

#[test]
fn a_pipeline_stops() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    pair.client.send_input(id, &PsValue::Nil).unwrap();
    pair.client.stop_pipeline(id).unwrap();
    assert_eq!(pair.client.pipeline_state(id), Some(PipelineState::Stopping));
    // Input that was not sent is not sent any more.
    assert!(pair.serve().unwrap().is_empty());
    assert!(matches!(pair.client.send_input(id, &PsValue::Nil), Err(Error::InvalidPipelineState { .. })));
    pair.server.handle_stop(id).unwrap();
    pair.server.write_output(id, &PsValue::Nil).unwrap();
    pair.server.end_pipeline(id, PipelineState::Stopped, Some(failure())).unwrap();
    let events = pipeline_events(pair.answer().unwrap());
    let [PipelineEvent::Output(_), PipelineEvent::State(told)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(told.state, PipelineState::Stopped);
    assert!(matches!(pair.client.stop_pipeline(id), Err(Error::NoPipeline { .. })));
}

#[test]
fn a_pipeline_stops_while_it_is_created() {
    let mut pair = Pair::opened();
    let id = Uuid::from_u128(5);
    let script = PowerShell::script("x".repeat(10 * SIZE));
    pair.client.create_pipeline(id, CreatePipeline::new(script).with_input()).unwrap();
    pair.client.send_input(id, &PsValue::Nil).unwrap();
    let first = pair.client.poll_transmit(SIZE).unwrap().unwrap();
    let mut rest = first.payload.as_slice();
    assert!(pair.server.handle_data(Some(id), &mut rest).unwrap().is_none());
    pair.client.stop_pipeline(id).unwrap();
    // The server gets to know what it is to stop, and no input.
    let events = pair.serve().unwrap();
    let [server::Event::Pipeline { event: server::PipelineEvent::Create(_), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(pair.server.pipeline_state(id), Some(PipelineState::Running));
}

#[test]
fn a_pool_is_left_and_found_again() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    let stopping = pair.pipeline(6);
    pair.client.stop_pipeline(stopping).unwrap();
    pair.client.handle_disconnected().unwrap();
    pair.server.handle_disconnected().unwrap();
    assert_eq!(pair.client.pipeline_state(id), Some(PipelineState::Disconnected));
    assert!(matches!(pair.client.get_available_runspaces(), Err(Error::InvalidState { .. })));
    assert!(matches!(pair.client.handle_disconnected(), Err(Error::InvalidState { .. })));
    pair.client.handle_reconnected().unwrap();
    pair.server.handle_reconnected().unwrap();
    assert_eq!(pair.client.pipeline_state(id), Some(PipelineState::Running));
    assert_eq!(pair.client.pipeline_state(stopping), Some(PipelineState::Stopping));
    pair.server.write_output(id, &PsValue::I32(1)).unwrap();
    assert_eq!(pair.answer().unwrap().len(), 1);
}

#[test]
fn another_client_connects() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    pair.server.write_output(id, &PsValue::I32(1)).unwrap();
    pair.server.handle_disconnected().unwrap();
    pair.client = client::RunspacePool::new(pair.client.id(), client::Config::default());
    pair.client.connect().unwrap();
    let events = pair.serve().unwrap();
    assert!(matches!(events[..], [server::Event::Negotiated(_), server::Event::Connecting(_)]), "{events:?}");
    pair.server.accept(PsValue::Nil).unwrap();
    let response = pair.server.poll_transmit(10_000).unwrap().unwrap();
    assert_eq!(response.carrier, server::Carrier::ConnectResponse);
    let mut rest = response.payload.as_slice();
    let mut events = Vec::new();
    while let Some(event) = pair.client.handle_data(None, &mut rest).unwrap() {
        events.push(event);
    }
    assert!(matches!(events[..], [Event::Negotiated(_), Event::InitData(_)]), "{events:?}");
    pair.client.handle_connected().unwrap();
    pair.client.attach_pipeline(id).unwrap();
    // What the first client did not fetch is still there.
    let events = pair.answer().unwrap();
    let [Event::Pipeline { event: PipelineEvent::Output(value), .. }, Event::PrivateData(_)] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(*value, PsValue::I32(1));
}

#[test]
fn a_pool_closes() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    pair.server.write_output(id, &PsValue::I32(1)).unwrap();
    pair.client.close().unwrap();
    assert!(matches!(pair.client.close(), Err(Error::InvalidState { .. })));
    // What was on its way arrives.
    assert_eq!(pair.answer().unwrap().len(), 1);
    pair.client.handle_closed();
    pair.server.handle_closed();
    assert_eq!(pair.client.state(), RunspacePoolState::Closed);
    assert_eq!(pair.client.pipelines().count(), 0);
    assert!(pair.server.write_output(id, &PsValue::Nil).is_err());
}

#[test]
fn events_of_scripts_arrive() {
    let mut pair = Pair::opened();
    let event = UserEvent {
        event_identifier: 1,
        source_identifier: "Source".into(),
        time_generated: time(),
        sender: PsValue::Nil,
        source_args: PsValue::Nil,
        message_data: PsValue::from("data"),
        computer_name: None,
        runspace_id: Uuid::from_u128(3),
    };
    pair.server.raise_event(event.clone()).unwrap();
    assert_eq!(pair.answer().unwrap(), [Event::UserEvent(Box::new(event))]);
}

#[test]
fn what_is_asked_too_early_or_too_late_is_refused() {
    let mut pair = Pair::new();
    let id = Uuid::from_u128(5);
    let pipeline = || CreatePipeline::new(PowerShell::script("1"));
    let client = &mut pair.client;
    let early: Vec<Error> = [
        client.create_pipeline(id, pipeline()).unwrap_err(),
        client.get_command_metadata(id, GetCommandMetadata::new(["*"])).unwrap_err(),
        client.attach_pipeline(id).unwrap_err(),
        client.send_input(id, &PsValue::Nil).unwrap_err(),
        client.end_input(id).unwrap_err(),
        client.set_max_runspaces(1).unwrap_err(),
        client.set_min_runspaces(1).unwrap_err(),
        client.get_available_runspaces().unwrap_err(),
        client.reset_runspace_state().unwrap_err(),
        client.respond(None, 1, Err(failure())).unwrap_err(),
        client.handle_disconnected().unwrap_err(),
        client.handle_reconnected().unwrap_err(),
        client.handle_connected().unwrap_err(),
        client.close().unwrap_err(),
        pair.server.accept(PsValue::Nil).unwrap_err(),
        pair.server.fail(failure()).unwrap_err(),
        pair.server.request_key().unwrap_err(),
        pair.server.call_host(None, &HostCall::GetName {}).unwrap_err(),
        pair.server.write_output(id, &PsValue::Nil).unwrap_err(),
        pair.server.end_pipeline(id, PipelineState::Completed, None).unwrap_err(),
        pair.server.handle_disconnected().unwrap_err(),
        pair.server.handle_reconnected().unwrap_err(),
    ]
    .into();
    for error in early {
        assert!(
            matches!(error, Error::InvalidState { state: RunspacePoolState::BeforeOpen, .. }),
            "{error:?}"
        );
        assert_eq!(error.scope(), Scope::Call);
    }
    pair.open();
    assert!(matches!(pair.client.open(), Err(Error::InvalidState { .. })));
    assert!(matches!(pair.client.connect(), Err(Error::InvalidState { .. })));
    assert!(matches!(pair.server.accept(PsValue::Nil), Err(Error::InvalidState { .. })));
    assert!(matches!(pair.client.end_input(id), Err(Error::NoPipeline { .. })));
    let id = pair.pipeline(5);
    assert!(matches!(pair.client.create_pipeline(id, pipeline()), Err(Error::DuplicatePipeline { .. })));
    pair.client.end_input(id).unwrap();
    assert!(matches!(pair.client.end_input(id), Err(Error::InvalidPipelineState { .. })));
    let running = pair.server.end_pipeline(id, PipelineState::Running, None);
    assert!(matches!(running, Err(Error::InvalidPipelineState { .. })));
}

#[test]
fn older_servers_are_asked_for_less() {
    let mut config = server::Config::default();
    config.capability.protocol_version = winrm_clixml::Version::new("2.1").unwrap();
    let mut pair = Pair::with(client::Config::default(), config);
    pair.open();
    assert!(matches!(pair.client.reset_runspace_state(), Err(Error::NotSupported { .. })));
    let merged = |to| PowerShell::default().with(Command::named("x").merge_all(to));
    let id = Uuid::from_u128(5);
    let refused = pair.client.create_pipeline(id, CreatePipeline::new(merged(PipelineResultTypes::OUTPUT)));
    assert!(matches!(refused, Err(Error::NotSupported { .. })), "{refused:?}");
    assert_eq!(pair.client.pipeline_state(id), None);
    pair.client.create_pipeline(id, CreatePipeline::new(merged(PipelineResultTypes::NONE))).unwrap();
    let events = pair.serve().unwrap();
    let [server::Event::Pipeline { event: server::PipelineEvent::Create(pipeline), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(pipeline.powershell.statements[0][0].merge, None);
}

#[test]
fn other_versions_are_not_understood() {
    let mut config = server::Config::default();
    config.capability.protocol_version = winrm_clixml::Version::new("3.0").unwrap();
    let mut pair = Pair::with(client::Config::default(), config);
    pair.client.open().unwrap();
    let error = pair.serve().unwrap_err();
    assert!(matches!(error, Error::Incompatible { .. }));
    assert_eq!(error.scope(), Scope::Pool);
}

#[test]
fn pipelines_and_calls_are_counted() {
    let limits = Limits::default().with_pipelines(2).with_calls(1);
    let mut pair = Pair::with(
        client::Config::default().with_limits(limits.clone()),
        server::Config::default().with_limits(limits),
    );
    pair.open();
    let id = pair.pipeline(5);
    pair.pipeline(6);
    let third = CreatePipeline::new(PowerShell::script("1"));
    let third = pair.client.create_pipeline(Uuid::from_u128(7), third);
    assert!(matches!(third, Err(Error::TooManyPipelines { maximum: 2 })));
    pair.server.call_host(Some(id), &HostCall::ReadLine {}).unwrap();
    let second = pair.server.call_host(Some(id), &HostCall::ReadLine {});
    assert!(matches!(second, Err(Error::TooManyCalls { maximum: 1 })));
}
