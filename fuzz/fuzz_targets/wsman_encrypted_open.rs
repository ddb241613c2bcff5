#![no_main]
//! The multipart framing, read: any body, under both content types.

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use winrm_wsman::encrypted::{self, Layout};

fuzz_target!(|body: &[u8]| {
    let layout = Layout::credssp();
    for content_type in [Layout::spnego().content_type(), layout.content_type_for(usize::MAX)] {
        let mut sealed = 0;
        let opened = encrypted::open(&content_type, BytesMut::from(body), |header, message| {
            sealed += header.len() + message.len();
            Ok::<(), &str>(())
        });
        assert!(sealed <= body.len());
        if let Ok(message) = opened {
            assert!(message.len() <= sealed);
        }
    }
    if let Ok(text) = str::from_utf8(body) {
        let _ = Layout::from_content_type(text);
    }
});
