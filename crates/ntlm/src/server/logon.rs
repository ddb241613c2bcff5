//! A log-on that was asked for, and its proof.

use std::fmt;
use std::ops::Range;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{AwaitAuthenticate, ChannelBindingPolicy};
use crate::av_pair::{AvFlags, AvId, AvPairs};
use crate::credentials::Credentials;
use crate::error::{DecodeError, Error, MessageType};
use crate::flags::NegotiateFlags;
use crate::hash::{self, Key};
use crate::keys;
use crate::message::{AuthenticateMessage, ClientChallenge, NtlmV2Response};
use crate::session::{Negotiated, ResponseVersion, Role, Session};
use crate::text;

/// Somebody wants to log on. Nothing here is proved yet: look up the account and call [`Self::verify`].
pub struct Logon {
    state: AwaitAuthenticate,
    /// As received: the MIC covers these bytes.
    message: Vec<u8>,
    mic_range: Option<Range<usize>>,
    authenticate: AuthenticateMessage,
    flags: NegotiateFlags,
    response: ResponseVersion,
    user_name: String,
    domain_name: String,
    workstation: String,
}

impl Logon {
    pub(super) fn new(
        state: AwaitAuthenticate,
        message: Vec<u8>,
        mic_range: Option<Range<usize>>,
        authenticate: AuthenticateMessage,
    ) -> Result<Self, Error> {
        let decode = Error::decode(MessageType::Authenticate);
        // A client may take back what was agreed, never add to it.
        let flags = authenticate.negotiate_flags & state.negotiate_flags;
        state.config.check(flags)?;
        let response = response_version(&authenticate, flags);
        match response {
            ResponseVersion::Anonymous if !state.config.allow_anonymous => {
                return Err(Error::AnonymousRefused);
            }
            ResponseVersion::NtlmV1 | ResponseVersion::NtlmV1Extended
                if !state.config.insecure_allow_ntlm_v1 =>
            {
                return Err(Error::NtlmV1Refused);
            }
            ResponseVersion::Lm if !state.config.insecure_allow_lm => return Err(Error::LmRefused),
            _ => {}
        }
        Ok(Self {
            user_name: authenticate.user_name_text().map_err(&decode)?,
            domain_name: authenticate.domain_name_text().map_err(&decode)?,
            workstation: authenticate.workstation_text().map_err(&decode)?,
            state,
            message,
            mic_range,
            authenticate,
            flags,
            response,
        })
    }

    /// `UserName` as sent; may be `user@suffix`. Empty for an anonymous log-on.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// `DomainName` as sent; may be empty.
    pub fn domain_name(&self) -> &str {
        &self.domain_name
    }

    /// Workstation as sent: the client's word only.
    pub fn workstation(&self) -> &str {
        &self.workstation
    }

    /// True when the client does not want to be anybody.
    pub fn is_anonymous(&self) -> bool {
        self.response == ResponseVersion::Anonymous
    }

    /// Service principal name that the client asked for (`MsvAvTargetName`), if it sent exactly one. Proved by
    /// [`Self::verify`] like the rest of the response.
    pub fn target_name(&self) -> Option<String> {
        let response = NtlmV2Response::decode(&self.authenticate.nt_challenge_response).ok()?;
        judged_pairs(response.temp).ok()?.text(AvId::TARGET_NAME).ok()?
    }

    /// Checks that the client knows the password (or NT hash) of this account, and that nobody changed a message or
    /// stands in between.
    ///
    /// The user name must be that of the log-on, whatever its case; the domain names are the caller's business, because
    /// clients may leave theirs out or name the server's.
    ///
    /// # Errors
    /// [`Error::UnknownUser`], [`Error::WrongPassword`]; [`Error::MicMissing`], [`Error::MicMismatch`] and
    /// [`Error::ChallengeChanged`];
    /// [`Error::ChannelBindingsMissing`] and [`Error::ChannelBindingsMismatch`]; [`Error::NoSessionKey`] and
    /// [`Error::MalformedResponse`] for broken messages; [`Error::WrongLogonKind`] for an anonymous log-on.
    pub fn verify(self, credentials: &Credentials) -> Result<Session, Error> {
        let nt_hash = match self.response {
            ResponseVersion::Anonymous => return Err(Error::WrongLogonKind),
            _ => credentials.ntowf_v1().ok_or(Error::WrongLogonKind)?,
        };
        if !same_user(&self.user_name, credentials.user_name()) {
            return Err(Error::UnknownUser);
        }
        match self.response {
            ResponseVersion::NtlmV2 => self.verify_v2(&nt_hash),
            _ => self.verify_v1(&nt_hash, credentials),
        }
    }

    /// Completes an anonymous log-on. Its session key is known to everybody: sealing hides nothing.
    ///
    /// # Errors
    /// [`Error::WrongLogonKind`] when the log-on names a user, [`Error::NoSessionKey`] for a broken message, and
    /// [`Error::ChannelBindingsMissing`] where channel bindings are required.
    pub fn accept_anonymous(self) -> Result<Session, Error> {
        if !self.is_anonymous() {
            return Err(Error::WrongLogonKind);
        }
        self.check_channel_bindings(None)?;
        self.establish(&[0; 16], false)
    }

    /// NTLMv2 (MS-NLMP 3.3.2, 3.2.5.1.2).
    fn verify_v2(self, nt_hash: &[u8; 16]) -> Result<Session, Error> {
        let key = hash::ntowf_v2(nt_hash, &self.user_name, &self.domain_name);
        let response = NtlmV2Response::decode(&self.authenticate.nt_challenge_response);
        let response = response.map_err(Error::MalformedResponse)?;
        let expected = hash::nt_proof_str(&key, &self.state.server_challenge, response.temp);
        if !bool::from(expected.ct_eq(&response.nt_proof_str)) {
            return Err(Error::WrongPassword);
        }
        let base = hash::session_base_key_v2(&key, &expected);
        let av_pairs = judged_pairs(response.temp).map_err(Error::MalformedResponse)?;
        let mic_provided = av_pairs.flags().unwrap_or_default().contains(AvFlags::MIC_PROVIDED);
        if mic_provided {
            let session_key = self.exported_session_key(&base)?;
            self.check_mic(&session_key)?;
        }
        self.check_time(&av_pairs)?;
        self.check_channel_bindings(Some(&av_pairs))?;
        self.establish(&base, mic_provided)
    }

    /// NTLMv1 and LM (MS-NLMP 3.3.1). Nothing in these responses can carry channel bindings.
    fn verify_v1(self, nt_hash: &[u8; 16], credentials: &Credentials) -> Result<Session, Error> {
        let lm_hash = credentials.lmowf_v1().ok().flatten();
        let (lm, nt) = (&self.authenticate.lm_challenge_response, &self.authenticate.nt_challenge_response);
        let challenge = &self.state.server_challenge;
        let expected = match self.response {
            ResponseVersion::NtlmV1Extended => {
                let client_challenge = lm.first_chunk().ok_or(Error::WrongPassword)?;
                hash::nt_response_v1_extended(nt_hash, challenge, client_challenge)
            }
            ResponseVersion::NtlmV1 => hash::nt_response_v1(nt_hash, challenge),
            // An NT hash cannot check an LM response.
            _ => hash::lm_response_v1(lm_hash.as_ref().ok_or(Error::LmRefused)?, challenge),
        };
        let sent = if self.response == ResponseVersion::Lm { lm } else { nt };
        if !bool::from(expected.as_slice().ct_eq(sent)) {
            return Err(Error::WrongPassword);
        }
        self.check_channel_bindings(None)?;
        let base = hash::session_base_key_v1(nt_hash);
        let lm = lm.first_chunk().copied().unwrap_or([0; 24]);
        let key = keys::key_exchange_key(self.flags, &base, &lm, challenge, lm_hash.as_deref());
        self.establish(&key, false)
    }

    /// The MIC covers the three messages as they crossed the wire, its own field zero (MS-NLMP 3.2.5.1.2).
    fn check_mic(&self, session_key: &[u8; 16]) -> Result<(), Error> {
        let sent = self.authenticate.mic.ok_or(Error::MicMissing)?;
        let mut zeroed = self.message.clone();
        let field =
            self.mic_range.clone().and_then(|range| zeroed.get_mut(range)).ok_or(Error::MicMissing)?;
        field.fill(0);
        let expected = hash::mic(session_key, [&self.state.negotiate, &self.state.challenge, &zeroed]);
        if expected.ct_eq(&sent).into() { Ok(()) } else { Err(Error::MicMismatch) }
    }

    /// The response repeats the CHALLENGE's pairs under its MAC (MS-NLMP 3.3.2). Whoever takes the time out of the CHALLENGE
    /// on its way keeps the client from sending a MIC, and shows here.
    fn check_time(&self, av_pairs: &AvPairs) -> Result<(), Error> {
        match self.state.time {
            Some(sent) if av_pairs.timestamp() != Some(sent) => Err(Error::ChallengeChanged),
            _ => Ok(()),
        }
    }

    /// Sixteen zero bytes mean "none" (MS-NLMP 2.2.2.1).
    fn check_channel_bindings(&self, av_pairs: Option<&AvPairs>) -> Result<(), Error> {
        let sent = av_pairs.and_then(AvPairs::channel_bindings).filter(|sent| *sent != [0; 16]);
        match (self.state.config.channel_bindings, sent) {
            (ChannelBindingPolicy::Ignore, _) | (ChannelBindingPolicy::WhenSent(_), None) => Ok(()),
            (ChannelBindingPolicy::Require(_), None) => Err(Error::ChannelBindingsMissing),
            (
                ChannelBindingPolicy::WhenSent(bindings) | ChannelBindingPolicy::Require(bindings),
                Some(sent),
            ) => {
                if bindings.matches(&sent) {
                    Ok(())
                } else {
                    Err(Error::ChannelBindingsMismatch)
                }
            }
        }
    }

    /// `ExportedSessionKey` (MS-NLMP 3.2.5.1.2).
    ///
    /// Clients were recorded that send a session key with `KEY_EXCH` although nothing is signed or sealed, where the
    /// specification has none: there a key counts if it is sent.
    fn exported_session_key(&self, key_exchange_key: &[u8; 16]) -> Result<Key, Error> {
        let sent = &self.authenticate.encrypted_random_session_key;
        let protects = self.flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL);
        if !self.flags.contains(NegotiateFlags::KEY_EXCH) || (sent.is_empty() && !protects) {
            return Ok(Zeroizing::new(*key_exchange_key));
        }
        let encrypted = sent.as_slice().try_into().map_err(|_| Error::NoSessionKey)?;
        Ok(Zeroizing::new(hash::rc4k(key_exchange_key, encrypted)))
    }

    fn establish(&self, key_exchange_key: &[u8; 16], mic: bool) -> Result<Session, Error> {
        let session_key = self.exported_session_key(key_exchange_key)?;
        let negotiated = Negotiated { flags: self.flags, response: self.response, mic };
        Ok(Session::new(Role::Server, negotiated, session_key))
    }
}

impl fmt::Debug for Logon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logon")
            .field("user_name", &self.user_name)
            .field("domain_name", &self.domain_name)
            .field("workstation", &self.workstation)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

/// The pairs of the response. Each one that something here depends on may stand there once: of two values the client can
/// have meant only one, and which of them another reader takes nobody knows.
fn judged_pairs(temp: &[u8]) -> Result<AvPairs, DecodeError> {
    let av_pairs = ClientChallenge::decode(temp)?.av_pairs;
    av_pairs.require_unique(&[AvId::FLAGS, AvId::TIMESTAMP, AvId::TARGET_NAME, AvId::CHANNEL_BINDINGS])?;
    Ok(av_pairs)
}

/// Which response was sent, by its lengths (MS-NLMP 3.2.5.1.2, 3.3).
fn response_version(message: &AuthenticateMessage, flags: NegotiateFlags) -> ResponseVersion {
    let (lm, nt) = (&message.lm_challenge_response, &message.nt_challenge_response);
    match nt.len() {
        0 if message.user_name.is_empty() && lm.iter().all(|byte| *byte == 0) && lm.len() <= 1 => {
            ResponseVersion::Anonymous
        }
        0 => ResponseVersion::Lm,
        24 if flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) => ResponseVersion::NtlmV1Extended,
        24 => ResponseVersion::NtlmV1,
        _ => ResponseVersion::NtlmV2,
    }
}

/// Windows compares user names without regard to case.
fn same_user(a: &str, b: &str) -> bool {
    a.encode_utf16().map(text::uppercase_unit).eq(b.encode_utf16().map(text::uppercase_unit))
}
