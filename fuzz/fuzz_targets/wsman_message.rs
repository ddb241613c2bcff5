#![no_main]
//! SOAP requests, responses and faults: what decodes encodes again to the same message.

use libfuzzer_sys::fuzz_target;
use winrm_wsman::Message;

fuzz_target!(|document: &[u8]| {
    let Ok(message) = Message::decode(document) else { return };
    // Not everything that is read can be written: a value may be one that we would refuse to send.
    let Ok(encoded) = message.encode() else { return };
    assert_eq!(Message::decode(&encoded).expect("our own message"), message);
});
