//! The server side of NTLM as a mechanism.

use std::fmt;
use std::sync::Arc;

use winrm_ntlm::{Credentials, Fresh, Session, server};
use winrm_spnego::{Mechanism, MechanismError, ObjectIdentifier, Step, oid};

use super::state::{OutOfOrder, State};

/// Who may log on.
pub trait Accounts: Send + Sync {
    /// The account's credentials, or `None` for nobody: the peer is told the same in both cases.
    ///
    /// `domain` is empty for `user@suffix` and for plain names.
    fn credentials(&self, domain: &str, user: &str) -> Option<Credentials>;
}

impl<F: Fn(&str, &str) -> Option<Credentials> + Send + Sync> Accounts for F {
    fn credentials(&self, domain: &str, user: &str) -> Option<Credentials> {
        self(domain, user)
    }
}

/// No such account; told apart from a wrong password only in the service's own log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no account {user:?} in domain {domain:?}")]
pub struct NoSuchAccount {
    /// UserName of the AUTHENTICATE message.
    pub user: String,
    /// DomainName of the AUTHENTICATE message.
    pub domain: String,
}

/// NTLM's server states in one type, as negotiation needs them.
pub struct NtlmAcceptor {
    state: State<Handshake>,
    accounts: Arc<dyn Accounts>,
    fresh: Option<Fresh>,
    user: Option<String>,
}

enum Handshake {
    Start(server::Start),
    AwaitAuthenticate(server::AwaitAuthenticate),
}

impl NtlmAcceptor {
    /// An acceptor for one connection.
    pub fn new(accounts: Arc<dyn Accounts>, config: server::Config) -> Self {
        let start = Handshake::Start(server::Start::new(config));
        Self { state: State::Handshake(start), accounts, fresh: None, user: None }
    }

    /// Waits for the AUTHENTICATE that answers a challenge which somebody else sent.
    pub fn resume(accounts: Arc<dyn Accounts>, waiting: server::AwaitAuthenticate) -> Self {
        let waiting = Handshake::AwaitAuthenticate(waiting);
        Self { state: State::Handshake(waiting), accounts, fresh: None, user: None }
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

    /// Who logged on, as `DOMAIN\user` or `user`; who tried to, after a failure.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

impl Mechanism for NtlmAcceptor {
    fn mech_type(&self) -> ObjectIdentifier {
        oid::NTLMSSP
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        match (self.state.take()?, token) {
            (Handshake::Start(start), Some(negotiate)) => {
                let fresh = match self.fresh.take() {
                    Some(fresh) => fresh,
                    None => Fresh::generate()?,
                };
                let (next, challenge) = start.challenge(negotiate, &fresh)?;
                self.state = State::Handshake(Handshake::AwaitAuthenticate(next));
                Ok(Step::Continue(challenge))
            }
            (Handshake::AwaitAuthenticate(waiting), Some(authenticate)) => {
                let logon = waiting.authenticate(authenticate)?;
                let (user, domain) = (logon.user_name().to_owned(), logon.domain_name().to_owned());
                self.user = Some(if domain.is_empty() { user.clone() } else { format!("{domain}\\{user}") });
                let Some(credentials) = self.accounts.credentials(&domain, &user) else {
                    return Err(NoSuchAccount { user, domain }.into());
                };
                self.state = State::Established(Box::new(logon.verify(&credentials)?));
                Ok(Step::Done(None))
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

impl fmt::Debug for NtlmAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtlmAcceptor")
            .field("state", &self.state)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
