//! Where one side of NTLM is, and what either side does with a finished session.

use std::fmt;

use winrm_ntlm::Session;
use winrm_spnego::MechanismError;

/// A mechanism was stepped after it had finished or failed, or asked to seal before.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("NTLM is not at the step this call needs")]
pub struct OutOfOrder;

/// `H`: the states of one side's handshake.
pub(super) enum State<H> {
    Handshake(H),
    Established(Box<Session>),
    /// A step failed, or is running.
    Spent,
}

impl<H> State<H> {
    /// The handshake, taken out for a step: a step that fails leaves nothing to go on with.
    pub(super) fn take(&mut self) -> Result<H, OutOfOrder> {
        match std::mem::replace(self, Self::Spent) {
            Self::Handshake(handshake) => Ok(handshake),
            Self::Established(_) | Self::Spent => Err(OutOfOrder),
        }
    }

    pub(super) fn session(&self) -> Option<&Session> {
        match self {
            Self::Established(session) => Some(session),
            Self::Handshake(_) | Self::Spent => None,
        }
    }

    fn session_mut(&mut self) -> Result<&mut Session, OutOfOrder> {
        match self {
            Self::Established(session) => Ok(session),
            Self::Handshake(_) | Self::Spent => Err(OutOfOrder),
        }
    }

    /// The negotiation must be protected as well where the AUTHENTICATE message is (MS-SPNG 3.1.5.1).
    pub(super) fn requires_mech_list_mic(&self) -> bool {
        self.session().is_some_and(Session::mic_present)
    }

    /// Signs, then puts the RC4 state back but not the sequence number (MS-SPNG 3.3.5.1): the first sealed message
    /// has sequence number 1 and the key stream from its beginning.
    pub(super) fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        let session = self.session_mut()?;
        let mic = session.sign(mech_types)?.to_vec();
        session.reset_outgoing_cipher();
        Ok(mic)
    }

    /// The same for the peer's direction.
    pub(super) fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        let session = self.session_mut()?;
        session.verify(mech_types, mic)?;
        session.reset_incoming_cipher();
        Ok(())
    }

    pub(super) fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        Ok(self.session_mut()?.seal(message)?.to_vec())
    }

    pub(super) fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        Ok(self.session_mut()?.unseal(message, header)?)
    }
}

/// The name of the state: handshakes hold credentials, sessions hold keys.
impl<H> fmt::Debug for State<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake(_) => "Handshake",
            Self::Established(_) => "Established",
            Self::Spent => "Spent",
        })
    }
}
