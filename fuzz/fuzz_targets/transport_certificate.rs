#![no_main]
//! Certificates as a TLS server sends them: what is read of them never panics, and stays within them.

use libfuzzer_sys::fuzz_target;
use winrm_transport::{Pin, tls_server_end_point};

fuzz_target!(|bytes: &[u8]| {
    let bindings = tls_server_end_point(bytes);
    assert_eq!(bindings, tls_server_end_point(bytes), "the same for both sides");
    let pin = Pin::of_certificate(bytes);
    assert_eq!(pin.to_string().parse(), Ok(pin));
    if let Some(key) = Pin::of_public_key(bytes) {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(pin) = text.parse::<Pin>()
    {
        assert_eq!(pin.to_string().parse(), Ok(pin));
    }
});
