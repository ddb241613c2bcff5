#![no_main]
//! NegotiateMessage: what decodes encodes again to the same fields.

use libfuzzer_sys::fuzz_target;
use winrm_ntlm::message::NegotiateMessage;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = NegotiateMessage::decode(bytes) else { return };
    let encoded = message.encode().expect("decoded fields fit their 16-bit lengths");
    assert_eq!(NegotiateMessage::decode(&encoded).as_ref(), Ok(&message));
});
