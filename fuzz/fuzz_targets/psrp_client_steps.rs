#![no_main]
//! The client's pool, told anything in any order.

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;
use winrm_fuzz::Steps;
use winrm_psrp::client::{Event, PipelineEvent, Pool, PoolOptions};
use winrm_psrp::clixml::PsValue;
use winrm_psrp::fragment::Fragments;
use winrm_psrp::pipeline::Pipeline;

fuzz_target!(|input: &[u8]| {
    let mut options = PoolOptions::default();
    options.id = Uuid::nil();
    let mut pool = Pool::new(options);
    let id = Uuid::from_u128(1);
    for (number, step) in (1..).zip(Steps::new(input)) {
        let Some((what, rest)) = step.split_first() else { continue };
        let target = (what & 0x80 != 0).then_some(id);
        let received = match what & 0x7f {
            0 => pool.open().map(|()| Vec::new()),
            1 => pool.connect().map(|()| Vec::new()),
            2 => pool.disconnected().map(|()| Vec::new()),
            3 => pool.reconnected().map(|()| Vec::new()),
            4 => pool.start_as(id, &Pipeline::script("x").with_input(true)).map(|_| Vec::new()),
            5 => pool.input(id, &PsValue::Nil).map(|()| Vec::new()),
            6 => pool.end_input(id).map(|()| Vec::new()),
            7 => pool.set_max_runspaces(3).map(|_| Vec::new()),
            8 => pool.attach(id).map(|()| Vec::new()),
            9 => {
                pool.forget(id);
                continue;
            }
            // As it came.
            10 => pool.receive(target, rest),
            // As a message.
            _ => {
                let mut wire = BytesMut::new();
                let mut fragments = Fragments::new(number, rest.to_vec());
                while fragments.write(&mut wire, usize::MAX) {}
                pool.receive(target, &wire)
            }
        };
        for event in received.unwrap_or_default() {
            let answer = match &event {
                Event::HostCall(call) => pool.respond(None, call.returning(PsValue::Nil)),
                Event::Pipeline { id, event: PipelineEvent::HostCall(call) } => {
                    pool.respond(Some(*id), call.returning(PsValue::Nil))
                }
                _ => Ok(()),
            };
            let _ = answer;
        }
        let mut buffer = BytesMut::new();
        while pool.take_output(target, &mut buffer, 500) {
            assert!(buffer.len() <= 500);
            buffer.clear();
        }
    }
});
