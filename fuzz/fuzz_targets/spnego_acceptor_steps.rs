#![no_main]
//! The SPNEGO acceptor against any initiator.

use libfuzzer_sys::fuzz_target;
use winrm_fuzz::{Scripted, Steps};
use winrm_spnego::{Acceptor, oid};

fuzz_target!(|input: &[u8]| {
    let steps = Steps::new(input);
    let mechanism = |mech_type, tokens| Scripted {
        mech_type,
        tokens: 1 + tokens % 4,
        initiates: false,
        wants_mic: steps.option(7),
    };
    let mut acceptor = Acceptor::new(vec![
        mechanism(oid::NTLMSSP, steps.options),
        mechanism(oid::KERBEROS, steps.options >> 2),
    ]);
    for message in steps {
        let failed = acceptor.step(message).is_err();
        assert!(!failed || !acceptor.is_established());
        assert_eq!(acceptor.wrap(&mut [1, 2, 3]).is_ok(), acceptor.is_established());
        assert_eq!(acceptor.unwrap(&[0; 4], &mut [1, 2, 3]).is_ok(), acceptor.is_established());
    }
});
