#![no_main]
//! The NTLM client against any server: a challenge, then sealed messages.

use libfuzzer_sys::fuzz_target;
use winrm_fuzz::Steps;
use winrm_ntlm::client::{Config, Response, Start};
use winrm_ntlm::{Credentials, FileTime, Fresh, NegotiateFlags};

fuzz_target!(|input: &[u8]| {
    let mut steps = Steps::new(input);
    let mut config = Config::default().target_name("HTTP/server.example.com").workstation("WS");
    if steps.option(0) {
        config = config.require(NegotiateFlags::NONE);
    }
    if steps.option(1) {
        config = config.response(Response::InsecureNtlmV1AndLm);
    }
    let credentials = match steps.option(2) {
        true => Credentials::anonymous(),
        false => Credentials::password("EXAMPLE\\alice", "Password01"),
    };
    let fresh = Fresh {
        client_challenge: [1; 8],
        server_challenge: [2; 8],
        exported_session_key: [3; 16],
        time: FileTime(0),
    };
    let (waiting, _) = Start::new(credentials, config).negotiate();
    let Some(challenge) = steps.next() else { return };
    let Ok((mut session, _)) = waiting.authenticate(challenge, &fresh) else { return };
    for message in steps {
        let mut sealed = message.to_vec();
        let _ = session.seal(&mut sealed);
        let (signature, message) = message.split_at(message.len().min(16));
        let mut message = message.to_vec();
        let _ = session.unseal(&mut message, signature);
    }
});
