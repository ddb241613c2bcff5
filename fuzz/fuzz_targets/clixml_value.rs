#![no_main]
//! Serialized objects: what decodes encodes again to the same values.

use libfuzzer_sys::fuzz_target;
use winrm_clixml::{Limits, decode_document, encode_document};

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    let Ok(entries) = decode_document(document, &limits) else { return };
    // Every walk is bounded, references or not.
    let _ = format!("{entries:?}");
    // Wrapped in a root, and with content before properties, it may be nested too deeply, or refer forwards.
    let Ok(encoded) = encode_document(&entries) else { return };
    // Numbers and escapes may be spelled longer than they were.
    let limits = limits.with_expanded_size(usize::MAX);
    let again = decode_document(&encoded, &limits).expect("our own document");
    assert_eq!(again.len(), entries.len());
    // Numbers of objects and NaN are the same only from the second time on: the text tells.
    let Ok(twice) = encode_document(&again) else { return };
    assert_eq!(encode_document(&decode_document(&twice, &limits).expect("again")).expect("again"), twice);
});
