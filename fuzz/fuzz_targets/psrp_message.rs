#![no_main]
//! Messages with their headers: what decodes encodes again to the same.

use libfuzzer_sys::fuzz_target;
use winrm_clixml::Limits;
use winrm_psrp::{Message, RawMessage};

fuzz_target!(|input: &[u8]| {
    let Ok(raw) = RawMessage::decode(input.to_vec()) else { return };
    assert_eq!(raw.encode(), input);
    let limits = Limits::default();
    let Ok(message) = Message::decode(raw.message_type, &raw.data, &limits) else { return };
    // Every walk is bounded, references or not.
    let _ = format!("{message:?}");
    if let Message::PipelineHostCall(call) | Message::RunspacePoolHostCall(call) = &message
        && let Ok(typed) = call.call()
    {
        let parameters = typed.parameters();
        assert_eq!(parameters.len(), call.parameters.len());
    }
    if let Message::PipelineHostResponse(response) | Message::RunspacePoolHostResponse(response) = &message {
        let _ = response.returned();
    }
    // What the message adds around a value may nest it too deeply.
    let Ok(encoded) = message.encode() else { return };
    // Numbers and escapes may be spelled longer than they were.
    let limits = limits.with_expanded_size(usize::MAX);
    let again = Message::decode(raw.message_type, &encoded, &limits).expect("our own message");
    assert_eq!(again.message_type(), raw.message_type);
    // Numbers of objects and NaN are the same only from the second time on: the text tells.
    let Ok(twice) = again.encode() else { return };
    let third = Message::decode(raw.message_type, &twice, &limits).expect("again");
    assert_eq!(third.encode().expect("again"), twice);
});
