//! What must hold for every token and every sequence of steps.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod fake;

use fake::{Fake, KERBEROS, NTLM};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use winrm_spnego::token::{
    ContextFlags, InitialContextToken, MAX_MECH_TYPES, MAX_TOKEN_LEN, MechTypeList, NegHints, NegState,
    NegTokenInit, NegTokenResp, NegotiationToken,
};
use winrm_spnego::{Acceptor, DecodeError, EncodeError, Initiator, ObjectIdentifier, Progress, oid};

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 0..400)]
}

fn mech_type() -> impl Strategy<Value = ObjectIdentifier> {
    prop_oneof![
        Just(NTLM),
        Just(KERBEROS),
        Just(oid::MS_KERBEROS),
        Just(oid::NEGOEX),
        vec(any::<u32>(), 0..6)
            .prop_map(|arcs| ObjectIdentifier::from_arcs([1, 3].into_iter().chain(arcs)).unwrap())
    ]
}

fn context_flags() -> impl Strategy<Value = ContextFlags> {
    (0u8..8, vec(any::<u8>(), 0..6)).prop_map(|(unused_bits, bytes)| {
        let unused_bits = if bytes.is_empty() { 0 } else { unused_bits };
        ContextFlags { unused_bits, bytes }
    })
}

prop_compose! {
    fn neg_hints()(hint_name in of(octets()), hint_address in of(octets())) -> NegHints {
        NegHints { hint_name, hint_address }
    }
}

prop_compose! {
    fn neg_token_init()(
        mech_types in vec(mech_type(), 0..6),
        req_flags in of(context_flags()),
        mech_token in of(octets()),
        neg_hints in of(neg_hints()),
        mech_list_mic in of(octets()),
    ) -> NegTokenInit {
        let mech_types = MechTypeList::new(&mech_types).unwrap();
        NegTokenInit { mech_types, req_flags, mech_token, neg_hints, mech_list_mic }
    }
}

prop_compose! {
    fn neg_token_resp()(
        neg_state in of(prop_oneof![0u8..4, any::<u8>()].prop_map(NegState)),
        supported_mech in of(mech_type()),
        response_token in of(octets()),
        mech_list_mic in of(octets()),
    ) -> NegTokenResp {
        NegTokenResp { neg_state, supported_mech, response_token, mech_list_mic }
    }
}

fn token() -> impl Strategy<Value = NegotiationToken> {
    prop_oneof![
        neg_token_init().prop_map(NegotiationToken::Init),
        neg_token_resp().prop_map(NegotiationToken::Resp)
    ]
}

/// Tokens that fit a negotiation often enough to get far into one.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let inner = prop_oneof![
        (0u8..5, any::<bool>())
            .prop_map(|(n, ntlm)| Some(Fake::acceptor(if ntlm { NTLM } else { KERBEROS }, 9).token(n))),
        Just(None)
    ];
    let mic = of(prop_oneof![octets(), Just(vec![0; 4])]);
    let resp = (of(0u8..4), of(mech_type()), inner.clone(), mic.clone()).prop_map(
        |(state, supported_mech, response_token, mech_list_mic)| {
            let neg_state = state.map(NegState);
            NegTokenResp { neg_state, supported_mech, response_token, mech_list_mic }.encode().unwrap()
        },
    );
    let init = (vec(mech_type(), 0..4), inner.clone(), mic).prop_map(|(list, mech_token, mech_list_mic)| {
        let init = NegTokenInit::new(MechTypeList::new(&list).unwrap());
        NegTokenInit { mech_token, mech_list_mic, ..init }.encode().unwrap()
    });
    prop_oneof![4 => resp, 2 => init, 1 => inner.prop_map(Option::unwrap_or_default), 1 => octets()]
}

proptest! {
    #[test]
    fn round_trips_and_rejects_every_prefix(token in token()) {
        let bytes = token.encode().unwrap();
        prop_assert_eq!(&NegotiationToken::decode(&bytes).unwrap(), &token);
        for end in 0..bytes.len() {
            prop_assert!(NegotiationToken::decode(&bytes[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..300)) {
        let _ = InitialContextToken::decode(&bytes);
        let _ = MechTypeList::decode(&bytes);
        if let Ok(token) = NegotiationToken::decode(&bytes) {
            prop_assert_eq!(NegotiationToken::decode(&token.encode().unwrap()).unwrap(), token);
        }
    }

    #[test]
    fn changed_tokens_are_judged(token in token(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = token.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(token) = NegotiationToken::decode(&bytes) {
            prop_assert_eq!(NegotiationToken::decode(&token.encode().unwrap()).unwrap(), token);
        }
    }

    #[test]
    fn initiator_bears_any_steps(
        steps in vec(of(plausible()), 0..8), tokens in 1u8..5, wants in any::<bool>(), bare in any::<bool>()
    ) {
        let fake = Fake::initiator(NTLM, tokens);
        let fake = if wants { fake.wanting_mic() } else { fake };
        let mut initiator = if bare {
            Initiator::bare(fake)
        } else {
            Initiator::new(vec![fake, Fake::initiator(KERBEROS, 2)])
        };
        let _ = initiator.step(None);
        for step in steps {
            let progress = initiator.step(step.as_deref());
            prop_assert_eq!(matches!(progress, Ok(Progress::Established(_))), initiator.is_established());
            if progress.is_err() {
                prop_assert!(!initiator.can_wrap());
                prop_assert!(initiator.wrap(&mut [1]).is_err());
            }
            if !initiator.is_established() {
                prop_assert!(initiator.unwrap(&[1, 2, 3, 4], &mut [1]).is_err());
            }
        }
    }

    #[test]
    fn acceptor_bears_any_steps(steps in vec(plausible(), 0..8), tokens in 1u8..5, wants in any::<bool>()) {
        let fake = Fake::acceptor(NTLM, tokens);
        let fake = if wants { fake.wanting_mic() } else { fake };
        let mut acceptor = Acceptor::new(vec![fake, Fake::acceptor(KERBEROS, 2)]);
        for step in steps {
            let progress = acceptor.step(&step);
            prop_assert_eq!(matches!(progress, Ok(Progress::Established(_))), acceptor.is_established());
            if !acceptor.is_established() {
                prop_assert!(acceptor.wrap(&mut [1]).is_err());
                prop_assert!(acceptor.unwrap(&[1, 2, 3, 4], &mut [1]).is_err());
            }
        }
    }
}

#[test]
fn lengths_and_counts_are_bounded() {
    let resp = |len: usize| NegTokenResp { response_token: Some(vec![7; len]), ..Default::default() };
    // 4 + 4 + 4 + 4 bytes of headers: [1], SEQUENCE, [2], OCTET STRING; each length takes three bytes here.
    let most = MAX_TOKEN_LEN - 20;
    let bytes = resp(most).encode().unwrap();
    assert_eq!(bytes.len(), MAX_TOKEN_LEN);
    assert_eq!(NegotiationToken::decode(&bytes), Ok(NegotiationToken::Resp(resp(most))));
    let too_long = EncodeError::TooLong { len: MAX_TOKEN_LEN + 1, max: MAX_TOKEN_LEN };
    assert_eq!(resp(most + 1).encode(), Err(too_long));
    let too_long = DecodeError::TooLong { len: MAX_TOKEN_LEN + 1, max: MAX_TOKEN_LEN };
    assert_eq!(NegotiationToken::decode(&vec![0x60; MAX_TOKEN_LEN + 1]), Err(too_long));

    let many = vec![NTLM; MAX_MECH_TYPES];
    let list = MechTypeList::new(&many).unwrap();
    assert_eq!(MechTypeList::decode(list.as_der()), Ok(list));
    let many = vec![NTLM; MAX_MECH_TYPES + 1];
    assert_eq!(MechTypeList::new(&many), Err(EncodeError::TooManyMechTypes { max: MAX_MECH_TYPES }));
    let entry = [&[0x06, 10], NTLM.as_bytes()].concat();
    let list = [&[0x30, 0x82, 0x01, 0x8c][..], &entry.repeat(MAX_MECH_TYPES + 1)].concat();
    assert_eq!(list.len(), 4 + 0x18c);
    assert_eq!(MechTypeList::decode(&list), Err(DecodeError::TooManyMechTypes { max: MAX_MECH_TYPES }));
}

#[test]
fn later_fields_are_skipped_and_disordered_ones_refused() {
    // accept-completed, then an element [5] that no revision has defined.
    let extended = [0xa1, 0x0c, 0x30, 0x0a, 0xa0, 3, 0x0a, 1, 0, 0xa5, 3, 2, 1, 9];
    let expected = NegTokenResp { neg_state: Some(NegState::ACCEPT_COMPLETED), ..Default::default() };
    assert_eq!(NegotiationToken::decode(&extended), Ok(NegotiationToken::Resp(expected)));
    // The same field twice; a later one before an earlier one; a value that is not tagged.
    for bad in [
        &[0xa1, 0x0c, 0x30, 0x0a, 0xa0, 3, 0x0a, 1, 0, 0xa0, 3, 0x0a, 1, 0][..],
        &[0xa1, 0x0b, 0x30, 0x09, 0xa2, 2, 4, 0, 0xa0, 3, 0x0a, 1, 0],
        &[0xa1, 0x05, 0x30, 0x03, 0x0a, 1, 0],
    ] {
        let error = NegotiationToken::decode(bad).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed { field: "NegTokenResp", .. }), "{error:?}");
    }
    // The offset points at the value in question.
    let wide_state = [0xa1, 0x08, 0x30, 0x06, 0xa0, 4, 0x0a, 2, 1, 0];
    let error = NegotiationToken::decode(&wide_state).unwrap_err();
    assert!(matches!(error, DecodeError::Malformed { field: "negState", offset: 8, .. }), "{error:?}");
    // The framing is for NegTokenInit alone, and mechTypes must be there.
    let framed = InitialContextToken { this_mech: oid::SPNEGO, inner_token: &extended }.encode().unwrap();
    assert!(NegotiationToken::decode(&framed).is_err());
    let empty = [0xa0, 2, 0x30, 0];
    let framed = InitialContextToken { this_mech: oid::SPNEGO, inner_token: &empty }.encode().unwrap();
    let missing = Err(DecodeError::Missing { field: "mechTypes" });
    assert_eq!(NegotiationToken::decode(&framed), missing);
    assert_eq!(NegotiationToken::decode(&empty), missing);
}
