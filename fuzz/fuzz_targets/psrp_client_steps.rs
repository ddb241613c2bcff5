#![no_main]
//! The client's pool under any order of calls, messages and bytes.

use libfuzzer_sys::fuzz_target;
use winrm_fuzz::Steps;
use winrm_fuzz::session::{POOL, message, pipeline, typed, value};
use winrm_psrp::client::{Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::fragment::Fragmenter;
use winrm_psrp::host::HostReturn;
use winrm_psrp::message::{
    CreatePipeline, GetCommandMetadata, PipelineStateMessage, PowerShell, RunspacePoolStateMessage,
    SessionCapability,
};
use winrm_psrp::record::ErrorRecord;
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Destination, ErrorCategory, Limits, Message, PipelineState, RunspacePoolState};

fuzz_target!(|input: &[u8]| {
    let steps = Steps::new(input);
    let limits = Limits::default().with_object_size(1 << 16).with_pipelines(3).with_calls(3);
    let mut pool = RunspacePool::new(POOL, Config::default().with_limits(limits));
    let mut fragmenter = Fragmenter::default();
    if steps.option(0) {
        pool.open().expect("new");
    }
    if steps.option(1) {
        let greeting = Message::SessionCapability(SessionCapability::default());
        let opened = RunspacePoolStateMessage { state: RunspacePoolState::Opened, error: None };
        for told in [greeting, Message::RunspacePoolState(opened)] {
            let bytes = typed(&mut fragmenter, Destination::Client, Uuid::nil(), &told);
            feed(&mut pool, None, &bytes);
        }
    }
    for step in steps {
        act(&mut pool, &mut fragmenter, step);
        assert!(pool.pipelines().count() <= 3);
        if matches!(pool.state(), RunspacePoolState::Closed | RunspacePoolState::Broken) {
            assert_eq!(pool.pending(), 0);
        }
    }
    let _ = format!("{pool:?}");
    while pool.poll_transmit(64).expect("large enough").is_some() {}
});

fn act(pool: &mut RunspacePool, fragmenter: &mut Fragmenter, step: &[u8]) {
    let Some((kind, rest)) = step.split_first() else { return };
    let id = rest.first().copied().map(pipeline).unwrap_or_default();
    let number = rest.first().copied().map_or(0, i64::from);
    match kind {
        0 => feed(pool, None, rest),
        1 => feed(pool, Some(id), rest),
        2 => {
            let bytes = message(fragmenter, Destination::Client, rest);
            feed(pool, Some(id), &bytes);
        }
        3 => _ = pool.open(),
        4 => _ = pool.connect(),
        5 => {
            let ran = pool.create_pipeline(id, CreatePipeline::new(PowerShell::script("1")).with_input());
            assert!(ran.is_err() || pool.pipeline_state(id) == Some(PipelineState::Running));
        }
        6 => _ = pool.get_command_metadata(id, GetCommandMetadata::new(["*"])),
        7 => _ = pool.attach_pipeline(id),
        8 => _ = pool.send_input(id, &value(rest)),
        9 => _ = pool.end_input(id),
        10 => _ = pool.stop_pipeline(id),
        11 => _ = pool.respond(Some(id), number, Ok(&HostReturn::Bool(true))),
        12 => {
            let error = ErrorRecord::new("System.Exception", "no", "No", ErrorCategory::NOT_SPECIFIED);
            _ = pool.respond(None, number, Err(error));
        }
        13 => _ = pool.set_max_runspaces(7),
        14 => _ = pool.set_min_runspaces(7),
        15 => _ = pool.get_available_runspaces(),
        16 => _ = pool.reset_runspace_state(),
        17 => _ = pool.handle_disconnected(),
        18 => _ = pool.handle_reconnected(),
        19 => _ = pool.handle_connected(),
        20 => pool.handle_command_ended(id),
        21 => _ = pool.close(),
        22 => pool.handle_closed(),
        23 => pool.handle_broken(),
        24 => _ = pool.poll_transmit(22 + rest.len()).expect("large enough"),
        _ => {
            let state = PipelineState::from_number(i32::from(*kind) & 7).unwrap_or(PipelineState::Running);
            let told = Message::PipelineState(PipelineStateMessage { state, error: None });
            let bytes = typed(fragmenter, Destination::Client, id, &told);
            feed(pool, Some(id), &bytes);
        }
    }
}

fn feed(pool: &mut RunspacePool, stream: Option<Uuid>, mut bytes: &[u8]) {
    loop {
        let before = bytes.len();
        match pool.handle_data(stream, &mut bytes) {
            Ok(Some(Event::Pipeline { id, event: PipelineEvent::State(told) })) if told.state.is_final() => {
                assert_eq!(pool.pipeline_state(id), None);
            }
            Ok(Some(Event::Ended { .. })) => assert_eq!(pool.pipelines().count(), 0),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                let _ = (error.scope(), error.to_string());
                assert!(bytes.len() < before);
            }
        }
    }
    assert!(bytes.is_empty());
}
