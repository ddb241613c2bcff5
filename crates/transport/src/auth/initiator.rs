//! The client side of NTLM as a mechanism.

use winrm_ntlm::{Credentials, Fresh, Session, client};
use winrm_spnego::{Mechanism, MechanismError, ObjectIdentifier, Step, oid};

use super::state::{OutOfOrder, State};

/// NTLM's client states in one type, as negotiation needs them.
#[derive(Debug)]
pub struct NtlmInitiator {
    state: State<Handshake>,
    fresh: Option<Fresh>,
}

enum Handshake {
    Start(client::Start),
    AwaitChallenge(client::AwaitChallenge),
}

impl NtlmInitiator {
    /// Nonces and time come from the operating system when the challenge has arrived.
    pub fn new(credentials: Credentials, config: client::Config) -> Self {
        let start = client::Start::new(credentials, config);
        Self { state: State::Handshake(Handshake::Start(start)), fresh: None }
    }

    /// With nonces and time given, so that a recorded conversation can be replayed. Never reuse them on a network.
    #[must_use]
    pub fn with_fresh(self, fresh: Fresh) -> Self {
        Self { fresh: Some(fresh), ..self }
    }

    /// The finished context.
    pub fn session(&self) -> Option<&Session> {
        self.state.session()
    }
}

impl Mechanism for NtlmInitiator {
    fn mech_type(&self) -> ObjectIdentifier {
        oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        match (self.state.take()?, token) {
            (Handshake::Start(start), None) => {
                let (next, negotiate) = start.negotiate();
                self.state = State::Handshake(Handshake::AwaitChallenge(next));
                Ok(Step::Continue(negotiate))
            }
            (Handshake::AwaitChallenge(waiting), Some(challenge)) => {
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
        self.state.requires_mech_list_mic()
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        self.state.sign_mech_list(mech_types)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        self.state.verify_mech_list(mech_types, mic)
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        self.state.wrap(message)
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        self.state.unwrap(header, message)
    }
}
