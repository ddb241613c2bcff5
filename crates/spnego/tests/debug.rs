//! Mechanism tokens, from which passwords can be guessed, and MICs stay out of `Debug`.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fmt::Debug;

use winrm_spnego::token::{
    InitialContextToken, MechTypeList, NegState, NegTokenInit, NegTokenResp, NegotiationToken,
};
use winrm_spnego::{Progress, Step, oid};

/// A value that no identifier, tag or length of these tests has.
const SECRET: u8 = 231;

fn assert_hides(value: &dyn Debug, len: usize) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains("231") && !shown.to_lowercase().contains("e7"), "{shown}");
        assert!(shown.contains(&format!("{len} bytes")), "{shown}");
    }
}

#[test]
fn tokens_show_their_lengths_only() {
    let (token, mic) = (vec![SECRET; 77], vec![SECRET; 16]);
    let init = NegTokenInit {
        mech_token: Some(token.clone()),
        mech_list_mic: Some(mic.clone()),
        ..NegTokenInit::new(MechTypeList::new(&[oid::NTLMSSP]).unwrap())
    };
    let resp = NegTokenResp {
        neg_state: Some(NegState::ACCEPT_INCOMPLETE),
        supported_mech: Some(oid::NTLMSSP),
        response_token: Some(token.clone()),
        mech_list_mic: Some(mic),
    };
    for len in [77, 16] {
        assert_hides(&init, len);
        assert_hides(&resp, len);
        assert_hides(&NegotiationToken::Init(init.clone()), len);
        assert_hides(&NegotiationToken::Resp(resp.clone()), len);
    }
    assert_hides(&InitialContextToken { this_mech: oid::SPNEGO, inner_token: &token }, 77);
    assert_hides(&Step::Continue(token.clone()), 77);
    assert_hides(&Step::Done(Some(token.clone())), 77);
    assert_hides(&Progress::Continue(token.clone()), 77);
    assert_hides(&Progress::Established(Some(token)), 77);
    assert_eq!(
        format!("{:?} {:?}", Step::Done(None), Progress::Established(None)),
        "Done(None) Established(None)"
    );
}
