#![no_main]
//! The multipart framing, written and read back: any message, however much it looks like framing.

use libfuzzer_sys::fuzz_target;
use winrm_wsman::encrypted::{self, Layout};

fuzz_target!(|input: &[u8]| {
    let Some((options, message)) = input.split_first() else { return };
    let mut layout = Layout::spnego();
    layout.indent = options & 1 != 0;
    if options & 2 != 0 {
        layout.chunk_size = Some(1 + usize::from(options >> 2));
    }
    let mut buffer = encrypted::buffer(message.len());
    buffer.extend_from_slice(message);
    // Sealed as itself: the worst that ciphertext can look like.
    let body =
        encrypted::seal(&layout, buffer, |_| Ok::<_, &str>(b"--Encrypted Boundary".to_vec())).expect("room");
    let content_type = layout.content_type_for(message.len());
    let opened = encrypted::open(&content_type, body.into(), |header, _| {
        assert_eq!(header, b"--Encrypted Boundary");
        Ok::<(), &str>(())
    });
    assert_eq!(opened.expect("our own framing"), message);
});
