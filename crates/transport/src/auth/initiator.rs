//! The client side of NTLM as a mechanism.

use winrm_ntlm::{Credentials, Fresh, Session, client};
use winrm_spnego::{Mechanism, MechanismError, ObjectIdentifier, Step, oid};

use super::OutOfOrder;

/// NTLM's client states in one type, as negotiation needs them.
pub struct NtlmInitiator {
    state: State,
    fresh: Option<Fresh>,
}

enum State {
    Start(client::Start),
    AwaitChallenge(client::AwaitChallenge),
    Established(Box<Session>),
    /// A step failed, or is running.
    Spent,
}

impl NtlmInitiator {
    /// Nonces and time come from the operating system when the challenge has arrived.
    pub fn new(credentials: Credentials, config: client::Config) -> Self {
        Self { state: State::Start(client::Start::new(credentials, config)), fresh: None }
    }

    /// With nonces and time given, so that a recorded conversation can be replayed. Never reuse them on a network.
    #[must_use]
    pub fn with_fresh(self, fresh: Fresh) -> Self {
        Self { fresh: Some(fresh), ..self }
    }

    /// The finished context.
    pub fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Established(session) => Some(session),
            _ => None,
        }
    }

    fn session_mut(&mut self) -> Result<&mut Session, MechanismError> {
        match &mut self.state {
            State::Established(session) => Ok(session),
            _ => Err(OutOfOrder.into()),
        }
    }
}

impl Mechanism for NtlmInitiator {
    fn mech_type(&self) -> ObjectIdentifier {
        oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        match (std::mem::replace(&mut self.state, State::Spent), token) {
            (State::Start(start), None) => {
                let (next, negotiate) = start.negotiate();
                self.state = State::AwaitChallenge(next);
                Ok(Step::Continue(negotiate))
            }
            (State::AwaitChallenge(waiting), Some(challenge)) => {
                let fresh = match self.fresh.take() {
                    Some(fresh) => fresh,
                    None => Fresh::generate()?,
                };
                let (session, authenticate) = waiting.authenticate(challenge, &fresh)?;
                self.state = State::Established(Box::new(session));
                Ok(Step::Done(Some(authenticate)))
            }
            _ => Err(OutOfOrder.into()),
        }
    }

    fn requires_mech_list_mic(&self) -> bool {
        self.session().is_some_and(|session| session.negotiated().mic)
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        super::strength::sign_mech_list(self.session_mut()?, mech_types)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        super::strength::verify_mech_list(self.session_mut()?, mech_types, mic)
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        Ok(self.session_mut()?.seal(message)?.to_vec())
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        Ok(self.session_mut()?.unseal(message, header)?)
    }
}

impl std::fmt::Debug for NtlmInitiator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.state {
            State::Start(_) => "NtlmInitiator(start)",
            State::AwaitChallenge(_) => "NtlmInitiator(await challenge)",
            State::Established(_) => "NtlmInitiator(established)",
            State::Spent => "NtlmInitiator(spent)",
        })
    }
}
