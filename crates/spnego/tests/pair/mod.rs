//! An initiator and an acceptor in one place, with somebody in between where a test wants that.

use winrm_spnego::token::{NegTokenInit, NegTokenResp, NegotiationToken};
use winrm_spnego::{Acceptor, Error, Initiator, Progress};

use crate::fake::Fake;

pub(crate) fn resp(token: &NegotiationToken) -> &NegTokenResp {
    match token {
        NegotiationToken::Resp(resp) => resp,
        NegotiationToken::Init(_) => panic!("NegTokenInit where NegTokenResp belongs"),
    }
}

pub(crate) fn init(token: &NegotiationToken) -> &NegTokenInit {
    match token {
        NegotiationToken::Init(init) => init,
        NegotiationToken::Resp(_) => panic!("NegTokenResp where NegTokenInit belongs"),
    }
}

/// Runs both sides to the end and returns every token in order; `meddle` may change each on its way.
pub(crate) fn negotiate_through(
    initiator: &mut Initiator<Fake>,
    acceptor: &mut Acceptor<Fake>,
    mut meddle: impl FnMut(usize, &mut NegotiationToken),
) -> Result<Vec<NegotiationToken>, Error> {
    let mut transcript = Vec::new();
    let mut pass = |token: Vec<u8>, transcript: &mut Vec<NegotiationToken>| {
        let mut token = NegotiationToken::decode(&token).unwrap();
        meddle(transcript.len(), &mut token);
        transcript.push(token.clone());
        token.encode().unwrap()
    };
    let mut answer = None;
    loop {
        let token = match initiator.step(answer.as_deref())? {
            Progress::Continue(token) => token,
            Progress::Established(None) => return Ok(transcript),
            Progress::Established(Some(_)) => panic!("SPNEGO's initiator never has the last word"),
        };
        let token = pass(token, &mut transcript);
        answer = Some(match acceptor.step(&token)? {
            Progress::Continue(token) | Progress::Established(Some(token)) => pass(token, &mut transcript),
            Progress::Established(None) => panic!("SPNEGO's acceptor always has the last word"),
        });
    }
}

pub(crate) fn negotiate(
    initiator: &mut Initiator<Fake>,
    acceptor: &mut Acceptor<Fake>,
) -> Result<Vec<NegotiationToken>, Error> {
    negotiate_through(initiator, acceptor, |_, _| {})
}

/// One sealed message each way, and one that was changed.
pub(crate) fn assert_protected(initiator: &mut Initiator<Fake>, acceptor: &mut Acceptor<Fake>) {
    assert!(initiator.is_established() && initiator.can_wrap() && acceptor.is_established());
    assert_eq!(initiator.selected(), acceptor.selected());
    let mut message = b"request".to_vec();
    let header = initiator.wrap(&mut message).unwrap();
    assert_ne!(message, b"request");
    acceptor.unwrap(&header, &mut message).unwrap();
    assert_eq!(message, b"request");
    let header = acceptor.wrap(&mut message).unwrap();
    initiator.unwrap(&header, &mut message).unwrap();
    assert_eq!(message, b"request");
    let header = acceptor.wrap(&mut message).unwrap();
    *message.last_mut().unwrap() ^= 1;
    assert!(matches!(initiator.unwrap(&header, &mut message), Err(Error::Protection { mech_type, .. })
        if Some(mech_type) == initiator.selected()));
}
