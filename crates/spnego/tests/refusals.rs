//! What either side refuses, and what it does not do before it knows.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod fake;
#[allow(dead_code, reason = "shared with the tests of what succeeds")]
mod pair;

use fake::{Fake, KERBEROS, NTLM};
use pair::{negotiate_through, resp};
use winrm_spnego::token::{MechTypeList, NegState, NegTokenInit, NegTokenResp, NegotiationToken};
use winrm_spnego::{Acceptor, Error, Initiator, Mechanism, Progress, oid};

#[test]
fn a_list_shortened_on_the_way_is_noticed_by_both() {
    let sides = || {
        let initiator = Initiator::new(vec![Fake::initiator(KERBEROS, 2), Fake::initiator(NTLM, 3)]);
        (initiator, Acceptor::new(vec![Fake::acceptor(NTLM, 3)]))
    };
    let shorten = |number: usize, token: &mut NegotiationToken| {
        if let (0, NegotiationToken::Init(init)) = (number, token) {
            init.mech_types = MechTypeList::new(&[NTLM]).unwrap();
            init.mech_token = None;
        }
    };
    let (mut initiator, mut acceptor) = sides();
    let error = negotiate_through(&mut initiator, &mut acceptor, shorten).unwrap_err();
    assert!(matches!(error, Error::WrongMechListMic { .. }), "{error:?}");
    assert!(!acceptor.is_established());

    // Cutting the MIC out as well leaves the acceptor content, which saw its first choice, but not the
    // initiator, which did not get its own.
    let (mut initiator, mut acceptor) = sides();
    let error = negotiate_through(&mut initiator, &mut acceptor, |number, token| {
        shorten(number, token);
        if let NegotiationToken::Resp(resp) = token
            && number % 2 == 0
        {
            resp.mech_list_mic = None;
        }
    })
    .unwrap_err();
    assert!(matches!(error, Error::MissingMechListMic), "{error:?}");
    assert!(acceptor.is_established() && !initiator.is_established() && !initiator.can_wrap());
}

#[test]
fn nothing_is_sealed_under_a_second_choice_before_its_mic() {
    let mut initiator = Initiator::new(vec![Fake::initiator(KERBEROS, 2), Fake::initiator(NTLM, 1)]);
    initiator.step(None).unwrap();
    let select = NegTokenResp {
        neg_state: Some(NegState::REQUEST_MIC),
        supported_mech: Some(NTLM),
        ..Default::default()
    };
    let progress = initiator.step(Some(&select.encode().unwrap())).unwrap();
    let Progress::Continue(token) = progress else { panic!("the acceptor's MIC is still due") };
    assert!(resp(&NegotiationToken::decode(&token).unwrap()).mech_list_mic.is_some());
    assert!(!initiator.can_wrap());
    assert!(matches!(initiator.wrap(&mut [1, 2, 3]), Err(Error::NotEstablished)));
    assert!(matches!(initiator.step(None), Err(Error::MissingMechListMic)));
}

/// The initiator after the third of four tokens, and the acceptor's closing token.
fn before_closing(wanting_mic: bool) -> (Initiator<Fake>, NegTokenResp) {
    let want = |fake: Fake| if wanting_mic { fake.wanting_mic() } else { fake };
    let mut initiator = Initiator::new(vec![want(Fake::initiator(NTLM, 3))]);
    let mut acceptor = Acceptor::new(vec![want(Fake::acceptor(NTLM, 3))]);
    let Progress::Continue(negotiate) = initiator.step(None).unwrap() else { panic!("established") };
    let Progress::Continue(challenge) = acceptor.step(&negotiate).unwrap() else { panic!("established") };
    assert!(!initiator.can_wrap());
    let Progress::Continue(authenticate) = initiator.step(Some(&challenge)).unwrap() else {
        panic!("established before the closing token")
    };
    let Progress::Established(Some(closing)) = acceptor.step(&authenticate).unwrap() else {
        panic!("not established")
    };
    let NegotiationToken::Resp(closing) = NegotiationToken::decode(&closing).unwrap() else {
        panic!("NegTokenInit where NegTokenResp belongs")
    };
    (initiator, closing)
}

#[test]
fn sealed_message_may_leave_before_the_closing_token_but_none_is_read() {
    let (mut initiator, closing) = before_closing(true);
    assert!(initiator.can_wrap() && !initiator.is_established());
    initiator.wrap(&mut [1, 2, 3]).unwrap();
    assert!(matches!(initiator.unwrap(&[0; 4], &mut [1, 2, 3]), Err(Error::NotEstablished)));
    let progress = initiator.step(Some(&closing.encode().unwrap())).unwrap();
    assert_eq!(progress, Progress::Established(None));
    assert_eq!(initiator.step(None).unwrap(), Progress::Established(None));
    assert!(matches!(initiator.step(Some(&[])), Err(Error::AlreadyEstablished)));
}

#[test]
fn closing_token_may_be_absent_only_where_no_mic_is_due() {
    let (mut initiator, _) = before_closing(false);
    assert_eq!(initiator.step(None).unwrap(), Progress::Established(None));
    let (mut initiator, _) = before_closing(true);
    assert!(matches!(initiator.step(None), Err(Error::MissingMechListMic)));
    assert!(!initiator.can_wrap());
}

#[test]
fn closing_token_must_hold_the_right_mic() {
    let judge = |change: &dyn Fn(&mut NegTokenResp)| {
        let (mut initiator, mut closing) = before_closing(true);
        change(&mut closing);
        let result = initiator.step(Some(&closing.encode().unwrap()));
        assert!(!initiator.is_established() || result.is_ok());
        result
    };
    assert!(matches!(judge(&|t| t.mech_list_mic = None), Err(Error::MissingMechListMic)));
    assert!(matches!(judge(&|t| t.mech_list_mic = Some(vec![0; 4])), Err(Error::WrongMechListMic { .. })));
    assert!(matches!(judge(&|t| t.mech_list_mic = Some(Vec::new())), Err(Error::WrongMechListMic { .. })));
    assert!(matches!(judge(&|t| t.neg_state = Some(NegState::REJECT)), Err(Error::Rejected)));
    assert!(matches!(judge(&|t| t.neg_state = Some(NegState(9))), Err(Error::Unexpected { .. })));
    assert!(matches!(judge(&|t| t.supported_mech = Some(KERBEROS)), Err(Error::Unexpected { .. })));
    assert!(matches!(judge(&|t| t.response_token = Some(vec![1])), Err(Error::Unexpected { .. })));
    assert!(matches!(
        judge(&|t| t.neg_state = Some(NegState::ACCEPT_INCOMPLETE)),
        Err(Error::Unexpected { .. })
    ));
    // negState is optional after the first reply, and an empty token is none.
    assert!(judge(&|t| t.neg_state = None).is_ok());
    assert!(judge(&|t| t.response_token = Some(Vec::new())).is_ok());
    assert!(judge(&|t| t.supported_mech = Some(NTLM)).is_ok());
}

#[test]
fn a_second_mic_is_refused_even_if_it_is_right() {
    let closing = |second: bool| {
        let mut initiator = Initiator::new(vec![Fake::initiator(KERBEROS, 2).wanting_mic()]);
        let mut acceptor = Acceptor::new(vec![Fake::acceptor(KERBEROS, 2).wanting_mic()]);
        let list = MechTypeList::new(&[KERBEROS]).unwrap();
        let mut signer = Fake::acceptor(KERBEROS, 2);
        let mics = [(); 2].map(|()| signer.sign_mech_list(list.as_der()).unwrap());
        let result = negotiate_through(&mut initiator, &mut acceptor, |number, token| match token {
            NegotiationToken::Resp(resp) if number == 1 => {
                assert_eq!(resp.mech_list_mic, Some(mics[0].clone()));
            }
            NegotiationToken::Resp(resp) if number == 3 && second => {
                resp.mech_list_mic = Some(mics[1].clone());
            }
            _ => {}
        });
        assert_eq!(result.is_ok(), initiator.is_established());
        result
    };
    closing(false).unwrap();
    assert!(matches!(closing(true), Err(Error::Unexpected { expected: "one mechListMIC", .. })));
}

#[test]
fn a_copy_of_the_response_token_is_no_mic() {
    let copy = |wanting: bool| {
        let ours = Fake::initiator(KERBEROS, 2);
        let ours = if wanting { ours.wanting_mic() } else { ours };
        let token = ours.token(1);
        let mut initiator = Initiator::new(vec![ours]);
        initiator.step(None).unwrap();
        let reply = NegTokenResp {
            neg_state: Some(NegState::ACCEPT_COMPLETED),
            supported_mech: Some(KERBEROS),
            response_token: Some(token.clone()),
            mech_list_mic: Some(token),
        };
        initiator.step(Some(&reply.encode().unwrap()))
    };
    assert_eq!(copy(false).unwrap(), Progress::Established(None));
    assert!(matches!(copy(true), Err(Error::MissingMechListMic)));
}

#[test]
fn first_reply_is_judged() {
    let reply = |reply: NegTokenResp| {
        let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3), Fake::initiator(KERBEROS, 2)]);
        initiator.step(None).unwrap();
        let result = initiator.step(Some(&reply.encode().unwrap()));
        if result.is_err() {
            assert!(matches!(initiator.step(None), Err(Error::Failed)));
            assert!(matches!(initiator.step(Some(&reply.encode().unwrap())), Err(Error::Failed)));
        }
        result
    };
    let challenge = NegTokenResp {
        neg_state: Some(NegState::ACCEPT_INCOMPLETE),
        supported_mech: Some(NTLM),
        response_token: Some(Fake::acceptor(NTLM, 3).token(1)),
        mech_list_mic: None,
    };
    assert!(reply(challenge.clone()).is_ok());
    // Servers older than RFC 4178 may leave these out.
    assert!(reply(NegTokenResp { supported_mech: None, neg_state: None, ..challenge.clone() }).is_ok());
    assert!(matches!(reply(NegTokenResp::reject()), Err(Error::Rejected)));
    assert!(matches!(
        reply(NegTokenResp { supported_mech: Some(oid::NEGOEX), ..challenge.clone() }),
        Err(Error::NotOffered { selected: oid::NEGOEX })
    ));
    assert!(matches!(
        reply(NegTokenResp { response_token: None, ..challenge.clone() }),
        Err(Error::MissingResponseToken)
    ));
    assert!(matches!(
        reply(NegTokenResp { response_token: Some(vec![7]), ..challenge.clone() }),
        Err(Error::Mechanism { mech_type: NTLM, .. })
    ));
    let completed = Some(NegState::ACCEPT_COMPLETED);
    assert!(matches!(
        reply(NegTokenResp { neg_state: completed, response_token: None, ..challenge.clone() }),
        Err(Error::EndedEarly)
    ));
    assert!(matches!(
        reply(NegTokenResp { neg_state: completed, ..challenge.clone() }),
        Err(Error::EndedEarly)
    ));
    // A selection and a token for what was not selected do not go together.
    assert!(matches!(
        reply(NegTokenResp { supported_mech: Some(KERBEROS), ..challenge }),
        Err(Error::Unexpected { .. })
    ));
}

#[test]
fn initiator_needs_an_answer_and_something_to_offer() {
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    initiator.step(None).unwrap();
    assert!(matches!(initiator.step(None), Err(Error::EndedEarly)));
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 1)]);
    initiator.step(None).unwrap();
    assert!(!initiator.can_wrap());
    assert!(matches!(initiator.step(None), Err(Error::EndedEarly)));
    assert!(matches!(Initiator::<Fake>::new(Vec::new()).step(None), Err(Error::NoCommonMechanism)));
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    assert!(matches!(initiator.step(Some(&[])), Err(Error::Unexpected { .. })));
    let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3)]);
    let Progress::Continue(token) = initiator.step(None).unwrap() else { panic!("established") };
    assert!(matches!(initiator.step(Some(&token)), Err(Error::Unexpected { .. })));
}

#[test]
fn acceptor_refuses_what_does_not_follow() {
    let third = |change: &dyn Fn(&mut NegTokenResp)| {
        let mut initiator = Initiator::new(vec![Fake::initiator(NTLM, 3).wanting_mic()]);
        let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3).wanting_mic()]);
        let error = negotiate_through(&mut initiator, &mut acceptor, |number, token| {
            if let (2, NegotiationToken::Resp(resp)) = (number, token) {
                change(resp);
            }
        })
        .unwrap_err();
        assert!(!acceptor.is_established());
        assert!(matches!(acceptor.wrap(&mut [1]), Err(Error::NotEstablished)));
        assert!(matches!(acceptor.unwrap(&[1], &mut [1]), Err(Error::NotEstablished)));
        error
    };
    assert!(matches!(third(&|t| t.mech_list_mic = Some(vec![0; 4])), Error::WrongMechListMic { .. }));
    assert!(matches!(third(&|t| t.neg_state = Some(NegState::REJECT)), Error::Rejected));
    assert!(matches!(third(&|t| t.response_token = None), Error::MissingResponseToken));
    assert!(matches!(third(&|t| t.response_token = Some(vec![1])), Error::Mechanism { .. }));
    // Asked again by accept-incomplete, the initiator has nothing more to send.
    assert!(matches!(third(&|t| t.mech_list_mic = None), Error::Unexpected { .. }));

    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3)]);
    let resp = NegTokenResp::default().encode().unwrap();
    assert!(matches!(acceptor.step(&resp), Err(Error::Unexpected { expected: "NegTokenInit", .. })));
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3)]);
    let init = NegTokenInit::new(MechTypeList::new(&[NTLM]).unwrap()).encode().unwrap();
    acceptor.step(&init).unwrap();
    assert!(matches!(acceptor.step(&init), Err(Error::Unexpected { expected: "NegTokenResp", .. })));
}

#[test]
fn initiator_that_still_sends_no_mic_when_asked_is_refused() {
    let mut acceptor = Acceptor::new(vec![Fake::acceptor(NTLM, 3).wanting_mic()]);
    let mut mechanism = Fake::initiator(NTLM, 3);
    let mut init = NegTokenInit::new(MechTypeList::new(&[NTLM]).unwrap());
    init.mech_token = Some(mechanism.token(0));
    acceptor.step(&init.encode().unwrap()).unwrap();
    mechanism.step(None).unwrap();
    let authenticate = NegTokenResp { response_token: Some(mechanism.token(2)), ..Default::default() };
    assert!(matches!(acceptor.step(&authenticate.encode().unwrap()), Ok(Progress::Continue(_))));
    assert!(!acceptor.is_established());
    let nothing = NegTokenResp::default().encode().unwrap();
    assert!(matches!(acceptor.step(&nothing), Err(Error::MissingMechListMic)));
}
