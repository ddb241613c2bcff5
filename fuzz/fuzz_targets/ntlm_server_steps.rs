#![no_main]
//! The NTLM server against any client: a NEGOTIATE, an AUTHENTICATE, then sealed messages.

use libfuzzer_sys::fuzz_target;
use winrm_fuzz::Steps;
use winrm_ntlm::server::{Config, Start};
use winrm_ntlm::{Credentials, FileTime, Fresh, NegotiateFlags};

fuzz_target!(|input: &[u8]| {
    let mut steps = Steps::new(input);
    let mut config = Config::new("SERVER").allow_anonymous(steps.option(0));
    if steps.option(1) {
        config = config.require(NegotiateFlags::NONE);
    }
    if steps.option(2) {
        config = config.insecure_allow_ntlm_v1(true).insecure_allow_lm(true);
    }
    let fresh = Fresh {
        client_challenge: [1; 8],
        server_challenge: [2; 8],
        exported_session_key: [3; 16],
        time: FileTime(0),
    };
    let Some(negotiate) = steps.next() else { return };
    let Ok((waiting, _)) = Start::new(config).challenge(negotiate, &fresh) else { return };
    let Some(authenticate) = steps.next() else { return };
    let Ok(logon) = waiting.authenticate(authenticate) else { return };
    let session = match logon.is_anonymous() {
        true => logon.accept_anonymous(),
        false => logon.verify(&Credentials::password("EXAMPLE\\alice", "Password01")),
    };
    let Ok(mut session) = session else { return };
    for message in steps {
        let (signature, message) = message.split_at(message.len().min(16));
        let mut message = message.to_vec();
        let _ = session.unseal(&mut message, signature);
    }
});
