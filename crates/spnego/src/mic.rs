//! The mechListMIC exchange (RFC 4178 section 5), the same from both sides.

use crate::error::Error;
use crate::mechanism::{Mechanism, Step};
use crate::token::MechTypeList;

/// Which MICs are due and which have been seen.
#[derive(Debug)]
pub(crate) struct MicExchange {
    /// The list as the initiator sent it.
    mech_types: MechTypeList,
    /// By the negotiation itself, whatever the mechanism thinks: the acceptor asked, or the mechanism is not
    /// the first choice of both.
    pub(crate) required: bool,
    sent: bool,
    verified: bool,
}

impl MicExchange {
    pub(crate) fn new(mech_types: MechTypeList) -> Self {
        Self { mech_types, required: false, sent: false, verified: false }
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.sent
    }

    /// Whether the exchange takes place under this mechanism. One MIC calls for the other.
    pub(crate) fn is_due<M: Mechanism>(&self, mechanism: &M) -> bool {
        self.required || self.sent || self.verified || mechanism.requires_mech_list_mic()
    }

    /// Whether the peer still owes its MIC.
    pub(crate) fn is_owed<M: Mechanism>(&self, mechanism: &M) -> bool {
        self.is_due(mechanism) && !self.verified
    }

    /// Checks the peer's MIC, if there is one.
    pub(crate) fn verify<M: Mechanism>(
        &mut self,
        mechanism: &mut M,
        mic: Option<&[u8]>,
    ) -> Result<(), Error> {
        let Some(mic) = mic else { return Ok(()) };
        if self.verified {
            // A second one would cover nothing new and move the mechanism's sequence number.
            return Err(Error::Unexpected { expected: "one mechListMIC", found: "a second one" });
        }
        mechanism
            .verify_mech_list(self.mech_types.as_der(), mic)
            .map_err(|source| Error::WrongMechListMic { source })?;
        self.verified = true;
        Ok(())
    }

    /// Makes our MIC if the exchange is on and it has not been sent.
    pub(crate) fn sign<M: Mechanism>(&mut self, mechanism: &mut M) -> Result<Option<Vec<u8>>, Error> {
        if self.sent || !self.is_due(mechanism) {
            return Ok(None);
        }
        let mic = mechanism
            .sign_mech_list(self.mech_types.as_der())
            .map_err(|source| Error::Mechanism { mech_type: mechanism.mech_type(), source })?;
        self.sent = true;
        Ok(Some(mic))
    }
}

/// A step of the mechanism with its identifier on the error.
pub(crate) fn step<M: Mechanism>(mechanism: &mut M, token: Option<&[u8]>) -> Result<Step, Error> {
    mechanism.step(token).map_err(|source| Error::Mechanism { mech_type: mechanism.mech_type(), source })
}

pub(crate) fn wrap<M: Mechanism>(mechanism: &mut M, message: &mut [u8]) -> Result<Vec<u8>, Error> {
    mechanism.wrap(message).map_err(|source| Error::Protection { mech_type: mechanism.mech_type(), source })
}

pub(crate) fn unwrap<M: Mechanism>(
    mechanism: &mut M,
    header: &[u8],
    message: &mut [u8],
) -> Result<(), Error> {
    mechanism
        .unwrap(header, message)
        .map_err(|source| Error::Protection { mech_type: mechanism.mech_type(), source })
}
