#![no_main]
//! The SPNEGO initiator against any acceptor.

use libfuzzer_sys::fuzz_target;
use winrm_fuzz::{Scripted, Steps};
use winrm_spnego::{Initiator, oid};

fuzz_target!(|input: &[u8]| {
    let steps = Steps::new(input);
    let mechanism = |mech_type, tokens| Scripted {
        mech_type,
        tokens: 1 + tokens % 4,
        initiates: true,
        wants_mic: steps.option(7),
    };
    let first = mechanism(oid::NTLMSSP, steps.options);
    let mut initiator = match steps.option(6) {
        true => Initiator::bare(first),
        false => Initiator::new(vec![first, mechanism(oid::KERBEROS, steps.options >> 2)]),
    };
    let _ = initiator.step(None);
    for message in steps {
        // An empty message stands for an answer without a token.
        let failed = initiator.step(Some(message).filter(|message| !message.is_empty())).is_err();
        assert!(!failed || (!initiator.can_wrap() && !initiator.is_established()));
        assert_eq!(initiator.wrap(&mut [1, 2, 3]).is_ok(), initiator.can_wrap());
        assert_eq!(initiator.unwrap(&[0; 4], &mut [1, 2, 3]).is_ok(), initiator.is_established());
    }
});
