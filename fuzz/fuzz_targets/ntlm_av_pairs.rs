#![no_main]
//! AV_PAIR lists and the structure they stand in: what decodes encodes again to the same pairs.

use libfuzzer_sys::fuzz_target;
use winrm_ntlm::av_pair::AvPairs;
use winrm_ntlm::message::{ClientChallenge, NtlmV2Response};

fuzz_target!(|bytes: &[u8]| {
    let _ = NtlmV2Response::decode(bytes);
    if let Ok(temp) = ClientChallenge::decode(bytes) {
        let encoded = temp.encode().expect("decoded pairs fit");
        assert_eq!(ClientChallenge::decode(&encoded).as_ref(), Ok(&temp));
    }
    let Ok(pairs) = AvPairs::decode(bytes) else { return };
    let encoded = pairs.encode().expect("decoded pairs fit their 16-bit lengths");
    assert_eq!(AvPairs::decode(&encoded).as_ref(), Ok(&pairs));
    let _ = (pairs.flags(), pairs.timestamp(), pairs.channel_bindings());
});
