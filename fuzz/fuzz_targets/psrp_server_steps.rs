#![no_main]
//! The server's pool under any order of calls, messages and bytes.

use libfuzzer_sys::fuzz_target;
use winrm_clixml::PsValue;
use winrm_fuzz::Steps;
use winrm_fuzz::session::{message, pipeline, typed, value};
use winrm_psrp::fragment::Fragmenter;
use winrm_psrp::host::HostCall;
use winrm_psrp::message::{
    Availability, ConnectRunspacePool, CreatePipeline, InitRunspacePool, PowerShell, SessionCapability,
};
use winrm_psrp::record::{ErrorRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::server::{Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Destination, ErrorCategory, Limits, Message, PipelineState, RunspacePoolState};

fuzz_target!(|input: &[u8]| {
    let steps = Steps::new(input);
    let limits = Limits::default().with_object_size(1 << 16).with_pipelines(3).with_calls(3);
    let mut pool = RunspacePool::new(Config::default().with_limits(limits));
    let mut fragmenter = Fragmenter::default();
    if steps.option(0) {
        greet(&mut pool, &mut fragmenter, &Message::InitRunspacePool(Box::new(InitRunspacePool::default())));
        pool.accept(PsValue::Nil).expect("asked for");
        assert_eq!(pool.state(), RunspacePoolState::Opened);
    }
    for step in steps {
        act(&mut pool, &mut fragmenter, step);
        assert!(pool.pipelines().count() <= 3);
    }
    let _ = format!("{pool:?}");
    while pool.poll_transmit(64).expect("large enough").is_some() {}
});

fn greet(pool: &mut RunspacePool, fragmenter: &mut Fragmenter, what: &Message) {
    for told in [&Message::SessionCapability(SessionCapability::default()), what] {
        let bytes = typed(fragmenter, Destination::Server, Uuid::nil(), told);
        feed(pool, None, &bytes);
    }
}

fn act(pool: &mut RunspacePool, fragmenter: &mut Fragmenter, step: &[u8]) {
    let Some((kind, rest)) = step.split_first() else { return };
    let id = rest.first().copied().map(pipeline).unwrap_or_default();
    let number = rest.first().copied().map_or(0, i64::from);
    let error = || ErrorRecord::new("System.Exception", "no", "No", ErrorCategory::NOT_SPECIFIED);
    match kind {
        0 => feed(pool, None, rest),
        1 => feed(pool, Some(id), rest),
        2 => {
            let bytes = message(fragmenter, Destination::Server, rest);
            feed(pool, Some(id), &bytes);
        }
        3 => greet(pool, fragmenter, &Message::ConnectRunspacePool(ConnectRunspacePool::default())),
        4 => _ = pool.accept(value(rest)),
        5 => _ = pool.fail(error()),
        6 => _ = pool.answer(number, Availability::Done(true)),
        7 => _ = pool.answer(number, Availability::Available(number)),
        8 => _ = pool.request_key(),
        9 => _ = pool.call_host(Some(id), &HostCall::ReadLine {}),
        10 => _ = pool.call_host(None, &HostCall::SetShouldExit { exit_code: 1 }),
        11 => _ = pool.write_output(id, &value(rest)),
        12 => _ = pool.write_error(id, error()),
        13 => _ = pool.write_warning(id, InformationalRecord::warning("w")),
        14 => _ = pool.write_progress(id, ProgressRecord::new(1, "a", "s")),
        15 => _ = pool.handle_stop(id),
        16 => _ = pool.end_pipeline(id, PipelineState::Completed, None),
        17 => _ = pool.end_pipeline(id, PipelineState::Running, None),
        18 => pool.handle_command_ended(id),
        19 => _ = pool.handle_disconnected(),
        20 => _ = pool.handle_reconnected(),
        21 => pool.handle_closed(),
        22 => _ = pool.poll_transmit(22 + rest.len()).expect("large enough"),
        _ => {
            let pipeline = CreatePipeline::new(PowerShell::script("1")).with_input();
            let bytes =
                typed(fragmenter, Destination::Server, id, &Message::CreatePipeline(Box::new(pipeline)));
            feed(pool, Some(id), &bytes);
        }
    }
}

fn feed(pool: &mut RunspacePool, stream: Option<Uuid>, mut bytes: &[u8]) {
    loop {
        let before = bytes.len();
        match pool.handle_data(stream, &mut bytes) {
            Ok(Some(Event::Pipeline { id, event: PipelineEvent::Create(_) })) => {
                assert_eq!(pool.pipeline_state(id), Some(PipelineState::Running));
            }
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
