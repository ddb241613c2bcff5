//! A mechanism that a fuzzer can please.

use winrm_spnego::{Mechanism, MechanismError, ObjectIdentifier, Step};

/// Takes any token of an even first byte for `tokens` tokens, and any MIC of an even first byte; so that the fuzzer
/// gets past them, as it would not past cryptography, and also learns to fail.
pub struct Scripted {
    pub mech_type: ObjectIdentifier,
    /// Of both sides together.
    pub tokens: u8,
    pub initiates: bool,
    pub wants_mic: bool,
}

fn judge(bytes: &[u8]) -> Result<(), MechanismError> {
    match bytes.first() {
        Some(first) if first % 2 == 0 => Ok(()),
        _ => Err("odd".into()),
    }
}

impl Mechanism for Scripted {
    fn mech_type(&self) -> ObjectIdentifier {
        self.mech_type
    }

    fn step(&mut self, token: Option<&[u8]>) -> Result<Step, MechanismError> {
        if let Some(token) = token {
            judge(token)?;
            self.tokens = self.tokens.checked_sub(1).ok_or("stepped after the end")?;
        } else if !self.initiates {
            return Err("an acceptor waits for a token".into());
        }
        if self.tokens == 0 {
            return Ok(Step::Done(None));
        }
        self.tokens -= 1;
        let token = vec![self.tokens; 3];
        Ok(if self.tokens == 0 { Step::Done(Some(token)) } else { Step::Continue(token) })
    }

    fn requires_mech_list_mic(&self) -> bool {
        self.wants_mic
    }

    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, MechanismError> {
        assert_eq!(self.tokens, 0, "signed before the mechanism was done");
        assert_eq!(mech_types.first(), Some(&0x30));
        Ok(vec![0; 4])
    }

    fn verify_mech_list(&mut self, mech_types: &[u8], mic: &[u8]) -> Result<(), MechanismError> {
        assert_eq!(self.tokens, 0, "verified before the mechanism was done");
        assert_eq!(mech_types.first(), Some(&0x30));
        judge(mic)
    }

    fn wrap(&mut self, _message: &mut [u8]) -> Result<Vec<u8>, MechanismError> {
        assert_eq!(self.tokens, 0, "sealed before the mechanism was done");
        Ok(vec![0; 4])
    }

    fn unwrap(&mut self, header: &[u8], _message: &mut [u8]) -> Result<(), MechanismError> {
        assert_eq!(self.tokens, 0, "unsealed before the mechanism was done");
        judge(header)
    }
}
