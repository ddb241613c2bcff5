//! A mechanism for tests: a set number of tokens in turn, a MIC and a seal that anyone could forge but
//! that notice every change the tests make.

use winrm_spnego::{Mechanism, MechanismError, ObjectIdentifier, Step, oid};

/// Any three identifiers would do; the first is the one that a bare token stands for.
pub(crate) const NTLM: ObjectIdentifier = oid::NTLMSSP;
pub(crate) const KERBEROS: ObjectIdentifier = oid::KERBEROS;

const NTLM_SIGNATURE: &[u8] = b"NTLMSSP\0";

#[derive(Clone, Debug)]
pub(crate) struct Fake {
    mech_type: ObjectIdentifier,
    /// In the whole exchange, the initiator's first.
    tokens: u8,
    seen: u8,
    wants_mic: bool,
    initiates: bool,
    sent: u8,
    received: u8,
}

impl Fake {
    pub(crate) fn initiator(mech_type: ObjectIdentifier, tokens: u8) -> Self {
        Self { mech_type, tokens, seen: 0, wants_mic: false, initiates: true, sent: 0, received: 0 }
    }

    pub(crate) fn acceptor(mech_type: ObjectIdentifier, tokens: u8) -> Self {
        Self { initiates: false, ..Self::initiator(mech_type, tokens) }
    }

    pub(crate) fn wanting_mic(self) -> Self {
        Self { wants_mic: true, ..self }
    }

    pub(crate) fn token(&self, number: u8) -> Vec<u8> {
        let mut token = if self.mech_type == NTLM { NTLM_SIGNATURE.to_vec() } else { Vec::new() };
        token.extend_from_slice(self.mech_type.as_bytes());
        token.push(number);
        token
    }

    fn checksum(&self, from_initiator: bool, number: u8, data: &[u8]) -> Vec<u8> {
        let seed = u32::from(number) * 2 + u32::from(from_initiator) + u32::from(self.tokens) * 1000;
        let sum = data.iter().fold(seed, |sum, byte| sum.wrapping_mul(16_777_619) ^ u32::from(*byte));
        sum.to_be_bytes().to_vec()
    }
}

impl Mechanism for Fake {
    fn mech_type(&self) -> ObjectIdentifier {
        self.mech_type
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        if token.is_some() || !self.initiates {
            if self.seen >= self.tokens || token != Some(&self.token(self.seen)) {
                return Err("not the token expected".into());
            }
            self.seen += 1;
        }
        if self.seen == self.tokens {
            return Ok(Step::Done(None));
        }
        let ours = self.token(self.seen);
        self.seen += 1;
        Ok(if self.seen == self.tokens { Step::Done(Some(ours)) } else { Step::Continue(ours) })
    }

    fn requires_mech_list_mic(&self) -> bool {
        self.wants_mic
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        let mic = self.checksum(self.initiates, self.sent, mech_types);
        self.sent += 1;
        Ok(mic)
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        if mic != self.checksum(!self.initiates, self.received, mech_types) {
            return Err("MIC differs".into());
        }
        self.received += 1;
        Ok(())
    }

    fn wrap(&mut self, message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        let header = self.checksum(self.initiates, self.sent, message);
        for byte in &mut *message {
            *byte ^= 0x5a;
        }
        self.sent += 1;
        Ok(header)
    }

    fn unwrap(&mut self, header: &[u8], message: &mut [u8]) -> Result<(), MechanismError> {
        for byte in &mut *message {
            *byte ^= 0x5a;
        }
        if header != self.checksum(!self.initiates, self.received, message) {
            return Err("seal differs".into());
        }
        self.received += 1;
        Ok(())
    }
}
