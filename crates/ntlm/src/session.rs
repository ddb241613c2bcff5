//! The established context: what was negotiated, and sealing in both directions.

use std::fmt;

use crate::error::Error;
use crate::flags::NegotiateFlags;
use crate::hash::Key;
use crate::keys::{self, Direction};
use crate::seal::{Channel, SIGNATURE_LEN};

/// Which side of the exchange this is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// The initiator.
    Client,
    /// The acceptor.
    Server,
}

/// How the client proved itself.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ResponseVersion {
    /// NTLMv2.
    NtlmV2,
    /// NTLMv1 with extended session security, "NTLM2 session response".
    NtlmV1Extended,
    /// NTLMv1.
    NtlmV1,
    /// LM alone.
    Lm,
    /// Not at all.
    Anonymous,
}

impl fmt::Display for ResponseVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NtlmV2 => "NTLMv2",
            Self::NtlmV1Extended => "NTLMv1 with extended session security",
            Self::NtlmV1 => "NTLMv1",
            Self::Lm => "LM",
            Self::Anonymous => "anonymous",
        })
    }
}

/// What the handshake came to; for decisions and for logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Negotiated {
    /// What both sides agreed to.
    pub flags: NegotiateFlags,
    /// How the client proved itself.
    pub response: ResponseVersion,
    /// The AUTHENTICATE message carried a MIC over all three messages.
    pub mic: bool,
}

impl Negotiated {
    /// Length of the session keys, in bits: 128, 56 or 40.
    pub const fn key_bits(&self) -> u32 {
        self.flags.key_bits()
    }

    /// Messages can be signed.
    pub const fn signs(&self) -> bool {
        self.flags.contains(NegotiateFlags::SIGN)
    }

    /// Messages can be sealed.
    pub const fn seals(&self) -> bool {
        self.flags.contains(NegotiateFlags::SEAL)
    }

    /// The session key is random, not derived from the password.
    pub const fn exchanges_key(&self) -> bool {
        self.flags.contains(NegotiateFlags::KEY_EXCH)
    }

    /// Keys differ per direction and signatures are HMACs.
    pub const fn has_extended_session_security(&self) -> bool {
        self.flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY)
    }
}

/// One line, such as `NTLMv2, 128-bit key, MIC, signing, sealing, key exchange, extended session security`.
impl fmt::Display for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}-bit key", self.response, self.key_bits())?;
        let facts = [
            (self.mic, "MIC"),
            (self.signs(), "signing"),
            (self.seals(), "sealing"),
            (self.exchanges_key(), "key exchange"),
            (self.has_extended_session_security(), "extended session security"),
        ];
        facts.iter().filter(|(is_so, _)| *is_so).try_for_each(|(_, name)| write!(f, ", {name}"))
    }
}

/// An established security context: signs and seals, in order, in both directions.
pub struct Session {
    negotiated: Negotiated,
    exported_session_key: Key,
    outgoing: Channel,
    /// Only extended session security has keys per direction. Without it both sides work on one channel: one key, one
    /// RC4 stream and one sequence, which is how other implementations read MS-NLMP 3.4 too.
    incoming: Option<Channel>,
    /// A message failed: the peer's cipher state and ours no longer agree.
    broken: bool,
}

impl Session {
    /// From an exported session key, for who agreed on one elsewhere; the handshake calls this at its end.
    pub fn new(role: Role, negotiated: Negotiated, exported_session_key: Key) -> Self {
        let flags = negotiated.flags;
        let channel = |direction| {
            let sign_key = keys::sign_key(flags, &exported_session_key, direction);
            let seal_key = keys::seal_key(flags, &exported_session_key, direction);
            Channel::new(seal_key, sign_key.as_deref(), flags.contains(NegotiateFlags::KEY_EXCH))
        };
        let (outgoing, incoming) = match role {
            Role::Client => (Direction::ClientToServer, Direction::ServerToClient),
            Role::Server => (Direction::ServerToClient, Direction::ClientToServer),
        };
        let extended = negotiated.has_extended_session_security();
        let (outgoing, incoming) = (channel(outgoing), extended.then(|| channel(incoming)));
        Self { negotiated, exported_session_key, outgoing, incoming, broken: false }
    }

    /// Encrypts `message` in place; the signature goes before it on the wire.
    ///
    /// # Errors
    /// [`Error::NotNegotiated`] without SEAL.
    pub fn seal(&mut self, message: &mut [u8]) -> Result<[u8; SIGNATURE_LEN], Error> {
        self.require(NegotiateFlags::SEAL)?;
        Ok(self.outgoing.seal(message))
    }

    /// Decrypts `message` in place and checks its signature. A message that fails is wiped, and the context refuses
    /// everything that follows: RC4 cannot find its place again.
    ///
    /// # Errors
    /// [`Error::NotNegotiated`] without SEAL, [`Error::SignatureLength`], [`Error::SignatureMismatch`], and
    /// [`Error::Broken`] after an earlier failure.
    pub fn unseal(&mut self, message: &mut [u8], signature: &[u8]) -> Result<(), Error> {
        self.require(NegotiateFlags::SEAL)?;
        let outcome = self.incoming().unseal(message, signature);
        self.broken = outcome.is_err();
        outcome
    }

    /// Signs `message`, which travels as it is.
    ///
    /// # Errors
    /// [`Error::NotNegotiated`] when neither SIGN, SEAL nor `ALWAYS_SIGN` was agreed.
    pub fn sign(&mut self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], Error> {
        self.require_signing()?;
        Ok(self.outgoing.sign(message))
    }

    /// Checks the signature of a message that was signed only; a failure breaks the context as with [`Self::unseal`].
    ///
    /// # Errors
    /// [`Error::NotNegotiated`] when neither SIGN, SEAL nor `ALWAYS_SIGN` was agreed, [`Error::SignatureLength`],
    /// [`Error::SignatureMismatch`], and [`Error::Broken`] after an earlier failure.
    pub fn verify(&mut self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.require_signing()?;
        let outcome = self.incoming().verify(message, signature);
        self.broken = outcome.is_err();
        outcome
    }

    /// Puts the RC4 state for messages to the peer back to its start; the sequence number goes on.
    ///
    /// SPNEGO does so after its mechListMIC (MS-SPNG 3.3.5.1).
    pub fn reset_outgoing_cipher(&mut self) {
        self.outgoing.reset_cipher();
    }

    /// As [`Self::reset_outgoing_cipher`], for messages from the peer.
    pub fn reset_incoming_cipher(&mut self) {
        self.incoming().reset_cipher();
    }

    /// Both resets.
    pub fn reset_ciphers(&mut self) {
        self.reset_outgoing_cipher();
        self.reset_incoming_cipher();
    }

    /// What the handshake came to.
    pub const fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// What both sides agreed to.
    pub const fn negotiate_flags(&self) -> NegotiateFlags {
        self.negotiated.flags
    }

    /// True when the AUTHENTICATE message carried a MIC: SPNEGO owes a mechListMIC then (MS-SPNG 3.3.5.1).
    pub const fn mic_present(&self) -> bool {
        self.negotiated.mic
    }

    /// `ExportedSessionKey`, for protocols that derive keys of their own. A secret.
    pub fn session_key(&self) -> &[u8; 16] {
        &self.exported_session_key
    }

    fn incoming(&mut self) -> &mut Channel {
        self.incoming.as_mut().unwrap_or(&mut self.outgoing)
    }

    fn require(&self, flag: NegotiateFlags) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let missing = self.negotiated.flags.missing(flag);
        if missing == NegotiateFlags::NONE { Ok(()) } else { Err(Error::NotNegotiated { missing }) }
    }

    fn require_signing(&self) -> Result<(), Error> {
        let any = NegotiateFlags::SIGN | NegotiateFlags::SEAL | NegotiateFlags::ALWAYS_SIGN;
        self.require(if self.negotiated.flags.intersects(any) {
            NegotiateFlags::NONE
        } else {
            NegotiateFlags::SIGN
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("negotiated", &self.negotiated).finish_non_exhaustive()
    }
}
