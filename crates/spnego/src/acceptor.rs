//! The server's side of the negotiation.

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::error::Error;
use crate::mechanism::{Mechanism, Progress, Step};
use crate::mic::{self, MicExchange};
use crate::oid::{self, same_mechanism};
use crate::token::{NegState, NegTokenInit, NegTokenResp, NegotiationToken};

/// What an NTLM message starts with (MS-NLMP 2.2.1); no DER token does.
const NTLM_SIGNATURE: &[u8] = b"NTLMSSP\0";

/// The server's side of the negotiation (RFC 4178 section 4).
///
/// Feed it the initiator's tokens until [`Progress::Established`]. The first token decides how it talks: a
/// NegTokenInit is answered in SPNEGO, a bare NTLM message in bare NTLM, which Windows takes inside
/// `Negotiate` too.
///
/// Of the mechanisms that the initiator lists, it takes the first one it has. If that is not the first choice
/// of both sides it asks for mechListMIC; it also insists on one where the mechanism does.
///
/// To turn an initiator down, send `NegTokenResp::reject()`.
pub struct Acceptor<M> {
    /// In order of preference.
    mechanisms: Vec<M>,
    /// Index of the mechanism in use.
    selected: Option<usize>,
    bare: bool,
    state: State,
}

enum State {
    Start,
    Bare,
    Negotiating(Negotiating),
    Established,
    Failed,
}

struct Negotiating {
    mic: MicExchange,
    mechanism_done: bool,
}

/// What one token of the initiator carries.
struct Incoming<'a> {
    mech_token: Option<&'a [u8]>,
    mech_list_mic: Option<&'a [u8]>,
    /// The selection, to be told in the first reply.
    supported_mech: Option<ObjectIdentifier>,
}

impl<M: Mechanism> Acceptor<M> {
    /// Accepts these mechanisms, most preferred first.
    pub fn new(mechanisms: Vec<M>) -> Self {
        Self { mechanisms, selected: None, bare: false, state: State::Start }
    }

    /// Takes the initiator's token and returns what to do next.
    ///
    /// # Errors
    /// Whatever is wrong with the token, the mechanism or the mechListMIC. All are final.
    pub fn step(&mut self, token: &[u8]) -> Result<Progress, Error> {
        let result = match std::mem::replace(&mut self.state, State::Failed) {
            State::Start if token.starts_with(NTLM_SIGNATURE) => self.open_bare(token),
            State::Start => self.open(token),
            State::Bare => self.step_bare(token),
            State::Negotiating(negotiating) => self.answer(negotiating, token),
            State::Established => Err(Error::AlreadyEstablished),
            State::Failed => Err(Error::Failed),
        };
        let (state, progress) = result?;
        self.state = state;
        Ok(progress)
    }

    /// Whether the initiator talks NTLM without SPNEGO around it.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// Whether the negotiation has ended well.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Seals `message` in place and returns the header that travels before it.
    ///
    /// # Errors
    /// [`Error::NotEstablished`] before the end of the negotiation; [`Error::Protection`] from the
    /// mechanism.
    pub fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, Error> {
        mic::wrap(self.established()?, message)
    }

    /// Unseals `message` in place after its `header`.
    ///
    /// # Errors
    /// [`Error::NotEstablished`] before the end of the negotiation; [`Error::Protection`] when the message
    /// is not what the initiator sealed, and its content is then unspecified.
    pub fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), Error> {
        mic::unwrap(self.established()?, header, message)
    }

    /// The mechanism in use, once one is.
    pub fn mechanism(&self) -> Option<&M> {
        self.selected.and_then(|index| self.mechanisms.get(index))
    }

    /// The mechanism in use, taken out, for instance to keep its session.
    pub fn into_mechanism(mut self) -> Option<M> {
        let index = self.selected.filter(|index| *index < self.mechanisms.len())?;
        Some(self.mechanisms.swap_remove(index))
    }

    /// The mechanism agreed on, once one is.
    pub fn selected(&self) -> Option<ObjectIdentifier> {
        self.mechanism().map(Mechanism::mech_type)
    }

    fn current(&mut self) -> Result<&mut M, Error> {
        self.selected.and_then(|index| self.mechanisms.get_mut(index)).ok_or(Error::NoCommonMechanism)
    }

    fn established(&mut self) -> Result<&mut M, Error> {
        if !self.is_established() {
            return Err(Error::NotEstablished);
        }
        self.current()
    }

    fn position(&self, mech_type: ObjectIdentifier) -> Option<usize> {
        self.mechanisms.iter().position(|mechanism| same_mechanism(mech_type, mechanism.mech_type()))
    }

    fn open_bare(&mut self, token: &[u8]) -> Result<(State, Progress), Error> {
        self.bare = true;
        self.selected = self.position(oid::NTLMSSP);
        self.step_bare(token)
    }

    fn step_bare(&mut self, token: &[u8]) -> Result<(State, Progress), Error> {
        Ok(match mic::step(self.current()?, Some(token))? {
            Step::Continue(token) => (State::Bare, Progress::Continue(token)),
            Step::Done(token) => (State::Established, Progress::Established(token)),
        })
    }

    fn open(&mut self, token: &[u8]) -> Result<(State, Progress), Error> {
        let init = match NegotiationToken::decode(token)? {
            NegotiationToken::Init(init) => init,
            NegotiationToken::Resp(_) => {
                return Err(Error::Unexpected { expected: "NegTokenInit", found: "NegTokenResp" });
            }
        };
        let (rank, mech_type, index) = self.choose(&init).ok_or(Error::NoCommonMechanism)?;
        self.selected = Some(index);
        let mut negotiating =
            Negotiating { mic: MicExchange::new(init.mech_types.clone()), mechanism_done: false };
        // Optional only for what both like best (RFC 4178 section 5).
        negotiating.mic.required = rank != 0 || index != 0;
        // The optimistic token belongs to the first mechanism listed.
        let mech_token = init.mech_token.as_deref().filter(|_| rank == 0);
        let mech_list_mic = init.mech_list_mic.as_deref();
        self.reply(negotiating, &Incoming { mech_token, mech_list_mic, supported_mech: Some(mech_type) })
    }

    /// Rank in the initiator's list, identifier as it is written there, and index in ours.
    fn choose(&self, init: &NegTokenInit) -> Option<(usize, ObjectIdentifier, usize)> {
        init.mech_types.iter().enumerate().find_map(|(rank, mech_type)| {
            let mech_type = mech_type?;
            Some((rank, mech_type, self.position(mech_type)?))
        })
    }

    fn answer(&mut self, negotiating: Negotiating, token: &[u8]) -> Result<(State, Progress), Error> {
        let resp = match NegotiationToken::decode(token)? {
            NegotiationToken::Resp(resp) => resp,
            NegotiationToken::Init(_) => {
                return Err(Error::Unexpected { expected: "NegTokenResp", found: "NegTokenInit" });
            }
        };
        if resp.neg_state == Some(NegState::REJECT) {
            return Err(Error::Rejected);
        }
        let mech_token = resp.response_token.as_deref();
        let mech_list_mic = resp.mech_list_mic.as_deref();
        self.reply(negotiating, &Incoming { mech_token, mech_list_mic, supported_mech: None })
    }

    fn reply(
        &mut self,
        mut negotiating: Negotiating,
        incoming: &Incoming<'_>,
    ) -> Result<(State, Progress), Error> {
        let response_token = self.step_mechanism(&mut negotiating, incoming)?;
        let mechanism = self.current()?;
        let mut reply = NegTokenResp {
            neg_state: Some(NegState::ACCEPT_INCOMPLETE),
            supported_mech: incoming.supported_mech,
            response_token,
            mech_list_mic: None,
        };
        // request-mic is for the first reply only (RFC 4178 section 4.2.2).
        if negotiating.mic.required && incoming.supported_mech.is_some() {
            reply.neg_state = Some(NegState::REQUEST_MIC);
        }
        if negotiating.mechanism_done {
            negotiating.mic.verify(mechanism, incoming.mech_list_mic)?;
            let owed = negotiating.mic.is_owed(mechanism);
            if owed && negotiating.mic.is_sent() {
                return Err(Error::MissingMechListMic);
            }
            reply.mech_list_mic = negotiating.mic.sign(mechanism)?;
            if !owed {
                reply.neg_state = Some(NegState::ACCEPT_COMPLETED);
                return Ok((State::Established, Progress::Established(Some(reply.encode()?))));
            }
        }
        Ok((State::Negotiating(negotiating), Progress::Continue(reply.encode()?)))
    }

    /// Hands the initiator's token to the mechanism and returns the mechanism's.
    fn step_mechanism(
        &mut self,
        negotiating: &mut Negotiating,
        incoming: &Incoming<'_>,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(token) = incoming.mech_token.filter(|token| !token.is_empty()) else {
            // None is needed for a MIC alone, nor in the first token, where it would only save a round.
            if negotiating.mechanism_done || incoming.supported_mech.is_some() {
                return Ok(None);
            }
            return Err(Error::MissingResponseToken);
        };
        if negotiating.mechanism_done {
            return Err(Error::Unexpected { expected: "no responseToken", found: "one" });
        }
        Ok(match mic::step(self.current()?, Some(token))? {
            Step::Continue(token) => Some(token),
            Step::Done(token) => {
                negotiating.mechanism_done = true;
                token
            }
        })
    }
}

impl<M> fmt::Debug for Acceptor<M> {
    // The state only: mechanisms hold credentials and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Start => "Start",
            State::Bare => "Bare",
            State::Negotiating(_) => "Negotiating",
            State::Established => "Established",
            State::Failed => "Failed",
        };
        f.debug_struct("Acceptor")
            .field("mechanisms", &self.mechanisms.len())
            .field("selected", &self.selected)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
