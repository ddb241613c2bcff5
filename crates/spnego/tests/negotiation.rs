//! Initiator and acceptor against each other, and all the ways that lead to a context.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod fake;
mod pair;

use fake::{Fake, KERBEROS, NTLM};
use pair::{assert_protected, init, negotiate, negotiate_through, resp};
use winrm_spnego::token::{MechTypeList, NegState, NegTokenInit, NegotiationToken};
use winrm_spnego::{Acceptor, Error, Initiator, Mechanism, Progress, oid};

#[test]
fn preferred_mechanism_needs_no_mic_whoever_speaks_last() {
    for tokens in 1..=6 {
        let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, tokens), Fake::initiator(KERBEROS, 2)]);
        let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, tokens)]);
        let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
        // An even number ends with the acceptor's mechanism token inside its closing one.
        assert_eq!(transcript.len(), usize::from(tokens).next_multiple_of(2), "{tokens} tokens");
        let last = resp(transcript.last().unwrap());
        assert_eq!(last.neg_state, Some(NegState::ACCEPT_COMPLETED));
        assert_eq!(last.response_token.is_some(), tokens % 2 == 0);
        assert!(transcript.iter().skip(1).all(|token| resp(token).mech_list_mic.is_none()));
        assert_eq!(resp(&transcript[1]).supported_mech, Some(NTLM));
        assert!(transcript.iter().skip(2).all(|token| resp(token).supported_mech.is_none()));
        assert_protected(&mut initiator, &mut acceptor);
    }
}

#[test]
fn mechanism_that_wants_mics_gets_them_with_its_last_token() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3).wanting_mic()]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3).wanting_mic()]);
    let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
    assert_eq!(transcript.len(), 4);
    assert_eq!(resp(&transcript[1]).neg_state, Some(NegState::ACCEPT_INCOMPLETE));
    let third = resp(&transcript[2]);
    assert!(third.response_token.is_some() && third.mech_list_mic.is_some());
    let last = resp(&transcript[3]);
    assert_eq!(last.neg_state, Some(NegState::ACCEPT_COMPLETED));
    assert!(last.response_token.is_none() && last.mech_list_mic.is_some());
    assert_protected(&mut initiator, &mut acceptor);
}

#[test]
fn even_mechanism_exchanges_mics_in_one_more_round() {
    let mut initiator = Initiator::new(vec![Fake::initiator(KERBEROS, 2).wanting_mic()]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2).wanting_mic()]);
    let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
    assert_eq!(transcript.len(), 4);
    let second = resp(&transcript[1]);
    assert_eq!(second.neg_state, Some(NegState::ACCEPT_INCOMPLETE));
    assert!(second.response_token.is_some() && second.mech_list_mic.is_some());
    assert!(resp(&transcript[2]).response_token.is_none() && resp(&transcript[2]).mech_list_mic.is_some());
    assert_eq!(resp(&transcript[3]).neg_state, Some(NegState::ACCEPT_COMPLETED));
    assert_protected(&mut initiator, &mut acceptor);
}

#[test]
fn acceptor_that_wants_mics_asks_an_initiator_that_sent_none() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3).wanting_mic()]);
    let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
    assert_eq!(transcript.len(), 6);
    assert!(resp(&transcript[2]).mech_list_mic.is_none());
    assert_eq!(resp(&transcript[3]).neg_state, Some(NegState::ACCEPT_INCOMPLETE));
    assert!(resp(&transcript[3]).mech_list_mic.is_some());
    assert!(resp(&transcript[4]).mech_list_mic.is_some());
    assert_protected(&mut initiator, &mut acceptor);
}

#[test]
fn acceptor_answers_the_mic_of_an_initiator_that_need_not_have_sent_one() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3).wanting_mic()]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3)]);
    let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
    assert_eq!(transcript.len(), 4);
    assert!(resp(&transcript[3]).mech_list_mic.is_some());
    assert_protected(&mut initiator, &mut acceptor);
}

#[test]
fn other_mechanism_starts_afresh_and_both_prove_the_list() {
    for tokens in 1..=5 {
        let mut initiator = Initiator::new(vec![Fake::initiator(KERBEROS, 2), Fake::initiator(NTLM, tokens)]);
        let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, tokens)]);
        let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
        assert!(init(&transcript[0]).mech_token.is_some());
        let first = resp(&transcript[1]);
        assert_eq!(first.neg_state, Some(NegState::REQUEST_MIC));
        assert_eq!(first.supported_mech, Some(NTLM));
        assert_eq!(first.response_token, None);
        assert_eq!(
            resp(&transcript[2]).response_token.as_deref(),
            Some(&*Fake::initiator(NTLM, tokens).token(0))
        );
        let mics = transcript.iter().skip(1).filter(|token| resp(token).mech_list_mic.is_some());
        assert_eq!(mics.count(), 2, "{tokens} tokens");
        assert_eq!(initiator.selected(), Some(NTLM));
        assert_protected(&mut initiator, &mut acceptor);
    }
}

#[test]
fn acceptor_that_would_have_preferred_another_asks_for_mics() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2), Fake::acceptor(NTLM, 3)]);
    let transcript = negotiate(&mut initiator, &mut acceptor).unwrap();
    assert_eq!(transcript.len(), 4);
    assert_eq!(resp(&transcript[1]).neg_state, Some(NegState::REQUEST_MIC));
    assert!(resp(&transcript[1]).response_token.is_some());
    assert!(resp(&transcript[2]).mech_list_mic.is_some() && resp(&transcript[3]).mech_list_mic.is_some());
    assert_protected(&mut initiator, &mut acceptor);
}

#[test]
fn acceptor_finds_its_mechanism_behind_unknown_ones() {
    // A 128-bit arc, as 2.25 (UUID) has them, fits no ObjectIdentifier; it is kept and passed over.
    let mut entries = vec![0x06, 20, 0x69];
    entries.extend([0x83].into_iter().chain([0xff; 17]).chain([0x7f]));
    for mech_type in [oid::NEGOEX, oid::MS_KERBEROS, NTLM] {
        entries.extend([0x06, u8::try_from(mech_type.as_bytes().len()).unwrap()]);
        entries.extend(mech_type.as_bytes());
    }
    let list = [&[0x30, u8::try_from(entries.len()).unwrap()], &*entries].concat();
    let mech_types = MechTypeList::decode(&list).unwrap();
    assert_eq!(mech_types.as_der(), list);
    assert_eq!(
        mech_types.iter().collect::<Vec<_>>(),
        [None, Some(oid::NEGOEX), Some(oid::MS_KERBEROS), Some(NTLM)]
    );
    let mut init = NegTokenInit::new(mech_types);
    init.mech_token = Some(b"NEGOEXTS".to_vec());
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3)]);
    let Progress::Continue(reply) = acceptor.step(&init.encode().unwrap()).unwrap() else {
        panic!("established")
    };
    let reply = NegotiationToken::decode(&reply).unwrap();
    assert_eq!(resp(&reply).neg_state, Some(NegState::REQUEST_MIC));
    assert_eq!(resp(&reply).supported_mech, Some(NTLM));
    assert_eq!(resp(&reply).response_token, None);

    let init = NegTokenInit::new(MechTypeList::new(&[oid::NEGOEX]).unwrap());
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3)]);
    assert!(matches!(acceptor.step(&init.encode().unwrap()), Err(Error::NoCommonMechanism)));
    assert!(matches!(acceptor.step(&init.encode().unwrap()), Err(Error::Failed)));
}

#[test]
fn both_kerberos_identifiers_are_one_mechanism() {
    let mut initiator = Initiator::new(vec![Fake::initiator(oid::KERBEROS, 2)]);
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2)]);
    let transcript = negotiate_through(&mut initiator, &mut acceptor, |number, token| {
        if let (1, NegotiationToken::Resp(resp)) = (number, token) {
            resp.supported_mech = Some(oid::MS_KERBEROS);
        }
    })
    .unwrap();
    assert_eq!(transcript.len(), 2);
    assert_protected(&mut initiator, &mut acceptor);

    let mut init = NegTokenInit::new(MechTypeList::new(&[oid::MS_KERBEROS]).unwrap());
    init.mech_token = Some(Fake::initiator(KERBEROS, 2).token(0));
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2)]);
    let Progress::Established(Some(reply)) = acceptor.step(&init.encode().unwrap()).unwrap() else {
        panic!("not established")
    };
    // Named as the initiator named it.
    let reply = NegotiationToken::decode(&reply).unwrap();
    assert_eq!(resp(&reply).supported_mech, Some(oid::MS_KERBEROS));
}

#[test]
fn bare_tokens_are_answered_bare() {
    let mut initiator = Initiator::bare(Fake::initiator(NTLM, 3).wanting_mic());
    let mut acceptor =
        Acceptor::new(vec![Fake::acceptor(KERBEROS, 2), Fake::acceptor(NTLM, 3).wanting_mic()]);
    let Progress::Continue(negotiate) = initiator.step(None).unwrap() else { panic!("established") };
    assert!(negotiate.starts_with(b"NTLMSSP\0"));
    let Progress::Continue(challenge) = acceptor.step(&negotiate).unwrap() else { panic!("established") };
    assert!(acceptor.is_bare() && challenge.starts_with(b"NTLMSSP\0"));
    let Progress::Established(Some(last)) = initiator.step(Some(&challenge)).unwrap() else {
        panic!("not established")
    };
    assert_eq!(acceptor.step(&last).unwrap(), Progress::Established(None));
    assert_protected(&mut initiator, &mut acceptor);
    assert_eq!(acceptor.into_mechanism().unwrap().mech_type(), NTLM);
    assert_eq!(initiator.into_mechanism().unwrap().mech_type(), NTLM);

    let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2)]);
    assert!(matches!(acceptor.step(&negotiate), Err(Error::NoCommonMechanism)));
}

#[test]
fn debug_shows_states_only() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    initiator.step(None).unwrap();
    let text = format!("{initiator:?} {:?}", Acceptor::new(vec![Fake::acceptor(NTLM, 3)]));
    assert!(text.contains("Negotiating") && text.contains("Start") && !text.contains("Fake"), "{text}");
}
