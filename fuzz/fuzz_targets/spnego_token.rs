#![no_main]
//! SPNEGO tokens: what decodes encodes again to the same fields.

use libfuzzer_sys::fuzz_target;
use winrm_spnego::token::{InitialContextToken, MechTypeList, NegotiationToken};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(token) = InitialContextToken::decode(bytes) {
        assert_eq!(token.encode().as_deref(), Ok(bytes));
    }
    if let Ok(list) = MechTypeList::decode(bytes) {
        assert_eq!(list.as_der(), bytes, "the MIC covers the bytes as sent");
    }
    if let Ok(token) = NegotiationToken::decode(bytes) {
        // Nearly as long as allowed, a bare NegTokenInit has no room for its framing.
        let Ok(encoded) = token.encode() else { return };
        assert_eq!(NegotiationToken::decode(&encoded), Ok(token));
    }
});
