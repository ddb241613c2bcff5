//! The client's side of the negotiation.

use std::fmt;

use const_oid::ObjectIdentifier;

use crate::error::Error;
use crate::mechanism::{Mechanism, Progress, Step};
use crate::mic::{self, MicExchange};
use crate::oid::same_mechanism;
use crate::token::{MechTypeList, NegState, NegTokenInit, NegTokenResp, NegotiationToken};

/// The client's side of the negotiation (RFC 4178 section 4).
///
/// ```text
///            step(None)                    step(Some(token))
///   Start ──────────────► Negotiating ◄──────────────┐
///                              │  └──────────────────┘ Progress::Continue
///                              │ step(Some(closing token)), step(None): none came
///                              ▼
///                         Established                 any error: Failed
/// ```
///
/// A mechanism whose last token comes from the initiator, as NTLM's, is established here one message
/// before the acceptor has said yes. [`can_wrap`](Self::can_wrap) tells when sealed messages may travel with
/// that token; what comes back is unwrapped only after the closing token has been judged.
///
/// If the acceptor selects another mechanism than the first one, both must prove by mechListMIC that nobody
/// changed the list on the way, and nothing is sealed before.
pub struct Initiator<M> {
    /// In order of preference.
    mechanisms: Vec<M>,
    /// Index of the mechanism in use.
    selected: usize,
    state: State,
}

enum State {
    Start,
    /// The one mechanism talks without SPNEGO around it.
    Bare,
    Negotiating(Negotiating),
    Established,
    Failed,
}

struct Negotiating {
    mic: MicExchange,
    /// The acceptor has answered, so the selection stands.
    confirmed: bool,
    /// The mechanism is established on this side.
    mechanism_done: bool,
}

impl<M: Mechanism> Initiator<M> {
    /// Offers these mechanisms, most preferred first; the first one opens with the first token.
    pub fn new(mechanisms: Vec<M>) -> Self {
        Self { mechanisms, selected: 0, state: State::Start }
    }

    /// Runs one mechanism without SPNEGO, as Windows allows NTLM inside the `Negotiate` scheme.
    ///
    /// There is no mechListMIC, and no closing token: the context is established with the mechanism.
    pub fn bare(mechanism: M) -> Self {
        Self { mechanisms: vec![mechanism], selected: 0, state: State::Bare }
    }

    /// Takes the acceptor's token, `None` at first, and returns what to do next.
    ///
    /// `None` after [`Progress::Continue`] says that the acceptor sent no closing token, which is well
    /// where no mechListMIC is due; `None` after [`Progress::Established`] changes nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the token, the selection, the mechanism or the mechListMIC. All are final.
    pub fn step(&mut self, token: Option<&[u8]>) -> Result<Progress, Error> {
        let result = match (std::mem::replace(&mut self.state, State::Failed), token) {
            (State::Start, None) => self.open(),
            (State::Start, Some(_)) => {
                Err(Error::Unexpected { expected: "no token before the first", found: "one" })
            }
            (State::Bare, token) => self.step_bare(token),
            (State::Negotiating(negotiating), Some(token)) => self.answer(negotiating, token),
            (State::Negotiating(negotiating), None) => self.close_without_token(&negotiating),
            (State::Established, None) => Ok((State::Established, Progress::Established(None))),
            (State::Established, Some(_)) => Err(Error::AlreadyEstablished),
            (State::Failed, _) => Err(Error::Failed),
        };
        let (state, progress) = result?;
        self.state = state;
        Ok(progress)
    }

    /// Whether [`wrap`](Self::wrap) works: once established, or before the acceptor's closing token where
    /// the mechanism in use is the one we prefer, so that nobody can have talked us down to it.
    pub fn can_wrap(&self) -> bool {
        match &self.state {
            State::Negotiating(n) => n.confirmed && n.mechanism_done && self.selected == 0,
            State::Established => true,
            State::Start | State::Bare | State::Failed => false,
        }
    }

    /// Whether the negotiation has ended well.
    pub fn is_established(&self) -> bool {
        matches!(self.state, State::Established)
    }

    /// Seals `message` in place and returns the header that travels before it.
    ///
    /// # Errors
    /// [`Error::NotEstablished`] unless [`can_wrap`](Self::can_wrap); [`Error::Protection`] from the
    /// mechanism.
    pub fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, Error> {
        if !self.can_wrap() {
            return Err(Error::NotEstablished);
        }
        let mechanism = self.mechanisms.get_mut(self.selected).ok_or(Error::NotEstablished)?;
        mic::wrap(mechanism, message)
    }

    /// Unseals `message` in place after its `header`.
    ///
    /// # Errors
    /// [`Error::NotEstablished`] before the negotiation has ended; [`Error::Protection`] when the message
    /// is not what the acceptor sealed, and its content is then unspecified.
    pub fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), Error> {
        if !self.is_established() {
            return Err(Error::NotEstablished);
        }
        let mechanism = self.mechanisms.get_mut(self.selected).ok_or(Error::NotEstablished)?;
        mic::unwrap(mechanism, header, message)
    }

    /// The mechanism in use: the preferred one until the acceptor selects.
    pub fn mechanism(&self) -> Option<&M> {
        self.mechanisms.get(self.selected)
    }

    /// The mechanism in use, taken out, for instance to keep its session.
    pub fn into_mechanism(mut self) -> Option<M> {
        (self.selected < self.mechanisms.len()).then(|| self.mechanisms.swap_remove(self.selected))
    }

    /// The mechanism that the acceptor agreed to, once it has.
    pub fn selected(&self) -> Option<ObjectIdentifier> {
        let confirmed = match &self.state {
            State::Negotiating(n) => n.confirmed,
            State::Established => true,
            State::Start | State::Bare | State::Failed => false,
        };
        self.mechanism().filter(|_| confirmed).map(Mechanism::mech_type)
    }

    fn current(&mut self) -> Result<&mut M, Error> {
        self.mechanisms.get_mut(self.selected).ok_or(Error::NoCommonMechanism)
    }

    fn step_bare(&mut self, token: Option<&[u8]>) -> Result<(State, Progress), Error> {
        Ok(match mic::step(self.current()?, token)? {
            Step::Continue(token) => (State::Bare, Progress::Continue(token)),
            Step::Done(token) => (State::Established, Progress::Established(token)),
        })
    }

    /// NegTokenInit with the first mechanism's token, in the hope that it will be selected.
    fn open(&mut self) -> Result<(State, Progress), Error> {
        let offered: Vec<_> = self.mechanisms.iter().map(Mechanism::mech_type).collect();
        let mech_types = MechTypeList::new(&offered)?;
        let (mech_token, mechanism_done) = match mic::step(self.current()?, None)? {
            Step::Continue(token) => (Some(token), false),
            Step::Done(token) => (token, true),
        };
        let mic = MicExchange::new(mech_types.clone());
        let token = NegTokenInit { mech_token, ..NegTokenInit::new(mech_types) }.encode()?;
        let negotiating = Negotiating { mic, confirmed: false, mechanism_done };
        Ok((State::Negotiating(negotiating), Progress::Continue(token)))
    }

    fn answer(&mut self, mut negotiating: Negotiating, token: &[u8]) -> Result<(State, Progress), Error> {
        let resp = match NegotiationToken::decode(token)? {
            NegotiationToken::Resp(resp) => resp,
            NegotiationToken::Init(_) => {
                return Err(Error::Unexpected { expected: "NegTokenResp", found: "NegTokenInit" });
            }
        };
        let completed = match resp.neg_state {
            Some(NegState::ACCEPT_COMPLETED) => true,
            None | Some(NegState::ACCEPT_INCOMPLETE) => false,
            Some(NegState::REQUEST_MIC) => {
                negotiating.mic.required = true;
                false
            }
            Some(NegState::REJECT) => return Err(Error::Rejected),
            Some(_) => return Err(Error::Unexpected { expected: "a known negState", found: "another" }),
        };
        let restarts = self.select(&mut negotiating, resp.supported_mech)?;
        let out = self.step_mechanism(&mut negotiating, &resp, restarts, completed)?;
        if !negotiating.mechanism_done || (completed && out.is_some()) {
            if completed {
                return Err(Error::EndedEarly);
            }
            return proceed(negotiating, out, None);
        }
        let mechanism = self.current()?;
        negotiating.mic.verify(mechanism, resp.peer_mech_list_mic())?;
        if completed {
            return self.finish(&negotiating);
        }
        let mic = negotiating.mic.sign(mechanism)?;
        if out.is_some() || mic.is_some() {
            return proceed(negotiating, out, mic);
        }
        // negState is optional after the first reply (RFC 4178 section 4.2.2): without one, nothing left to
        // send means the end.
        if resp.neg_state.is_none() {
            return self.finish(&negotiating);
        }
        Err(Error::Unexpected { expected: "accept-completed", found: "a request for one more token" })
    }

    /// Takes note of what the acceptor selected; true when that makes another mechanism start.
    fn select(
        &mut self,
        negotiating: &mut Negotiating,
        supported_mech: Option<ObjectIdentifier>,
    ) -> Result<bool, Error> {
        let first_reply = !std::mem::replace(&mut negotiating.confirmed, true);
        let Some(wanted) = supported_mech else { return Ok(false) };
        if same_mechanism(wanted, self.current()?.mech_type()) {
            return Ok(false);
        }
        if !first_reply {
            return Err(Error::Unexpected { expected: "the mechanism selected before", found: "another" });
        }
        self.selected = self
            .mechanisms
            .iter()
            .position(|mechanism| same_mechanism(wanted, mechanism.mech_type()))
            .ok_or(Error::NotOffered { selected: wanted })?;
        // Not our first choice: somebody may have shortened the list (RFC 4178 section 5).
        negotiating.mic.required = true;
        negotiating.mechanism_done = false;
        Ok(true)
    }

    /// Hands the acceptor's token to the mechanism and returns the mechanism's.
    fn step_mechanism(
        &mut self,
        negotiating: &mut Negotiating,
        resp: &NegTokenResp,
        restarts: bool,
        completed: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        let token = resp.response_token.as_deref().filter(|token| !token.is_empty());
        match token {
            // It would be for a mechanism that is done, or that has not begun.
            Some(_) if negotiating.mechanism_done || restarts => {
                return Err(Error::Unexpected { expected: "no responseToken", found: "one" });
            }
            None if negotiating.mechanism_done => return Ok(None),
            None if completed => return Err(Error::EndedEarly),
            None if !restarts => return Err(Error::MissingResponseToken),
            _ => {}
        }
        Ok(match mic::step(self.current()?, token)? {
            Step::Continue(token) => Some(token),
            Step::Done(token) => {
                negotiating.mechanism_done = true;
                token
            }
        })
    }

    fn close_without_token(&self, negotiating: &Negotiating) -> Result<(State, Progress), Error> {
        if !negotiating.confirmed || !negotiating.mechanism_done {
            return Err(Error::EndedEarly);
        }
        self.finish(negotiating)
    }

    fn finish(&self, negotiating: &Negotiating) -> Result<(State, Progress), Error> {
        let mechanism = self.mechanism().ok_or(Error::NoCommonMechanism)?;
        if negotiating.mic.is_owed(mechanism) {
            return Err(Error::MissingMechListMic);
        }
        Ok((State::Established, Progress::Established(None)))
    }
}

/// Our next NegTokenResp. Windows writes accept-incomplete into each of its own.
fn proceed(
    negotiating: Negotiating,
    response_token: Option<Vec<u8>>,
    mech_list_mic: Option<Vec<u8>>,
) -> Result<(State, Progress), Error> {
    let neg_state = Some(NegState::ACCEPT_INCOMPLETE);
    let token = NegTokenResp { neg_state, supported_mech: None, response_token, mech_list_mic }.encode()?;
    Ok((State::Negotiating(negotiating), Progress::Continue(token)))
}

impl<M> fmt::Debug for Initiator<M> {
    // The state only: mechanisms hold credentials and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Start => "Start",
            State::Bare => "Bare",
            State::Negotiating(_) => "Negotiating",
            State::Established => "Established",
            State::Failed => "Failed",
        };
        f.debug_struct("Initiator")
            .field("mechanisms", &self.mechanisms.len())
            .field("selected", &self.selected)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}
