#![no_main]
//! Messages: what is read is written, and reads back the same.

use libfuzzer_sys::fuzz_target;
use winrm_psrp::fragment::{Defragmenter, Fragments};
use winrm_psrp::message::Message;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::decode(bytes) else { return };
    // A reference to what is around it can be read, and not always be written elsewhere.
    let Ok(written) = message.encode() else { return };
    let again = Message::decode(&written).unwrap();
    // NaN is not equal to itself.
    assert_eq!(format!("{message:?}"), format!("{again:?}"));

    let mut wire = bytes::BytesMut::new();
    let mut fragments = Fragments::new(7, written.clone());
    while fragments.write(&mut wire, usize::MAX) {}
    let mut defragmenter = Defragmenter::default();
    for piece in wire.chunks(13) {
        defragmenter.push(piece);
    }
    assert_eq!(defragmenter.next().unwrap().unwrap(), written);
    assert!(defragmenter.is_idle());
});
