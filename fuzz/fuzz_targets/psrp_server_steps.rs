#![no_main]
//! The server's pool, told anything in any order.

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;
use winrm_fuzz::Steps;
use winrm_psrp::PipelineState;
use winrm_psrp::clixml::PsValue;
use winrm_psrp::fragment::Fragments;
use winrm_psrp::message::Availability;
use winrm_psrp::server::{Event, Pool};

fuzz_target!(|input: &[u8]| {
    let mut pool = Pool::new();
    let id = Uuid::from_u128(1);
    for (number, step) in (1..).zip(Steps::new(input)) {
        let Some((what, rest)) = step.split_first() else { continue };
        let target = (what & 0x80 != 0).then_some(id);
        let received = match what & 0x7f {
            0 => pool.opened(PsValue::Nil).map(|()| Vec::new()),
            1 => pool.request_key().map(|()| Vec::new()),
            2 => pool.close(None).map(|()| Vec::new()),
            3 => pool.receive(target, rest),
            _ => {
                let mut wire = BytesMut::new();
                let mut fragments = Fragments::new(number, rest.to_vec());
                while fragments.write(&mut wire, usize::MAX) {}
                pool.receive(target, &wire)
            }
        };
        for event in received.unwrap_or_default() {
            let answer = match event {
                Event::Start { id, .. } | Event::Metadata { id, .. } => {
                    assert!(pool.is_running(id));
                    pool.pipeline_state(id, PipelineState::Completed, None)
                }
                Event::Call { call, .. } => pool.availability(call, Availability::Done(true)),
                _ => Ok(()),
            };
            answer.unwrap();
        }
        let mut buffer = BytesMut::new();
        while pool.take_output(target, &mut buffer, 500) {
            buffer.clear();
        }
    }
});
