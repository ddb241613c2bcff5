//! The client's side of the exchange (MS-NLMP 3.1.5): [`Start`] → [`AwaitChallenge`] → [`Session`].

use zeroize::Zeroizing;

use crate::av_pair::{AvFlags, AvId, AvPairs};
use crate::channel_bindings::ChannelBindings;
use crate::credentials::Credentials;
use crate::error::{Error, MessageType};
use crate::flags::NegotiateFlags;
use crate::fresh::Fresh;
use crate::hash::{self, Key};
use crate::keys;
use crate::message::{
    AuthenticateMessage, ChallengeMessage, ClientChallenge, NegotiateMessage, PayloadLayout,
};
use crate::session::{Negotiated, ResponseVersion, Role, Session};
use crate::text;
use crate::version::Version;

/// What the client offers and what it insists on.
///
/// The default answers with NTLMv2 only, offers all session security there is and insists on
/// [`NegotiateFlags::STRONG`].
#[derive(Clone, Debug)]
pub struct Config {
    negotiate_flags: NegotiateFlags,
    require: NegotiateFlags,
    version: Option<Version>,
    workstation: String,
    target_name: Option<String>,
    channel_bindings: Option<ChannelBindings>,
    response: Response,
    payload_layout: PayloadLayout,
}

/// Which response the client computes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Response {
    /// NTLMv2: the only one that is not broken.
    #[default]
    NtlmV2,
    /// NTLMv1; whoever sees the exchange can find the NT hash. With extended session security where that is agreed.
    InsecureNtlmV1,
    /// NTLMv1 and, from a password and without extended session security, the LM response too: finds the password.
    InsecureNtlmV1AndLm,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            negotiate_flags: NegotiateFlags::STRONG
                | NegotiateFlags::UNICODE
                | NegotiateFlags::REQUEST_TARGET
                | NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN
                | NegotiateFlags::NEGOTIATE_56,
            require: NegotiateFlags::STRONG,
            version: Some(Version::new(10, 0, 0)),
            workstation: String::new(),
            target_name: None,
            channel_bindings: None,
            response: Response::NtlmV2,
            payload_layout: PayloadLayout::NamesFirst,
        }
    }
}

impl Config {
    /// For protocols that only log on and sign or seal nothing by NTLM, such as SMTP or HTTP over TLS: offers no
    /// signing or sealing and insists on extended session security only.
    pub fn authentication_only() -> Self {
        let unused = NegotiateFlags::SIGN | NegotiateFlags::SEAL | NegotiateFlags::KEY_EXCH;
        let config = Self::default();
        let offered = config.negotiate_flags.with(unused, false);
        config.negotiate_flags(offered).require(NegotiateFlags::EXTENDED_SESSIONSECURITY)
    }

    /// Offers exactly these flags; VERSION follows [`Self::version`]. Connectionless NTLM is not implemented, so
    /// DATAGRAM leads nowhere.
    pub fn negotiate_flags(self, negotiate_flags: NegotiateFlags) -> Self {
        Self { negotiate_flags, ..self }
    }

    /// Refuses a CHALLENGE that does not agree to all of these; [`NegotiateFlags::NONE`] insists on nothing.
    pub fn require(self, require: NegotiateFlags) -> Self {
        Self { require, ..self }
    }

    /// Version to send; `None` leaves the field out.
    pub fn version(self, version: Option<Version>) -> Self {
        Self { version, ..self }
    }

    /// Name of this machine, which goes into the server's logs; empty by default.
    pub fn workstation(self, workstation: impl Into<String>) -> Self {
        Self { workstation: workstation.into(), ..self }
    }

    /// Service principal name of the server, such as `HTTP/server.example.com`, for `MsvAvTargetName`.
    pub fn target_name(self, target_name: impl Into<String>) -> Self {
        Self { target_name: Some(target_name.into()), ..self }
    }

    /// Binds the log-on to a TLS channel.
    pub fn channel_bindings(self, channel_bindings: ChannelBindings) -> Self {
        Self { channel_bindings: Some(channel_bindings), ..self }
    }

    /// Which response to compute.
    pub fn response(self, response: Response) -> Self {
        Self { response, ..self }
    }

    /// Order of the payloads in the AUTHENTICATE message.
    pub fn payload_layout(self, payload_layout: PayloadLayout) -> Self {
        Self { payload_layout, ..self }
    }
}

/// Nothing sent yet.
#[derive(Debug)]
pub struct Start {
    credentials: Credentials,
    config: Config,
}

impl Start {
    /// A log-on that is about to begin.
    pub const fn new(credentials: Credentials, config: Config) -> Self {
        Self { credentials, config }
    }

    /// The NEGOTIATE message to send.
    pub fn negotiate(self) -> (AwaitChallenge, Vec<u8>) {
        let message = NegotiateMessage {
            negotiate_flags: self.config.negotiate_flags,
            version: self.config.version,
            ..NegotiateMessage::default()
        };
        // Without names nothing in it can be too long.
        let negotiate = message.encode().unwrap_or_default();
        let state = AwaitChallenge {
            credentials: self.credentials,
            config: self.config,
            negotiate: negotiate.clone(),
        };
        (state, negotiate)
    }
}

/// NEGOTIATE sent, CHALLENGE awaited.
///
/// Answering takes the state, so that a handshake cannot be continued twice:
///
/// ```compile_fail,E0382
/// # fn twice(state: winrm_ntlm::client::AwaitChallenge, challenge: &[u8], fresh: &winrm_ntlm::Fresh) {
/// let first = state.authenticate(challenge, fresh);
/// let second = state.authenticate(challenge, fresh);
/// # }
/// ```
#[derive(Debug)]
pub struct AwaitChallenge {
    credentials: Credentials,
    config: Config,
    /// As sent: the MIC covers these bytes (MS-NLMP 3.1.5.1.2).
    negotiate: Vec<u8>,
}

/// A computed response, before it goes into a message.
struct Computed {
    lm: Vec<u8>,
    nt: Vec<u8>,
    key_exchange_key: Key,
    version: ResponseVersion,
    mic: bool,
}

impl AwaitChallenge {
    /// Answers the CHALLENGE message: the established context, and the AUTHENTICATE message to send.
    ///
    /// Whether the server takes it, only what comes next tells.
    ///
    /// # Errors
    /// [`Error::Decode`] for a malformed CHALLENGE, [`Error::NotNegotiated`] and [`Error::NoCharacterSet`] when it agrees
    /// to too little, [`Error::Encode`] when a name does not fit the message.
    pub fn authenticate(self, challenge: &[u8], fresh: &Fresh) -> Result<(Session, Vec<u8>), Error> {
        let decode = Error::decode(MessageType::Challenge);
        let encode = Error::encode(MessageType::Authenticate);
        let message = ChallengeMessage::decode(challenge).map_err(&decode)?;
        let target_info = message.av_pairs().map_err(&decode)?;
        let flags = self.agree(message.negotiate_flags)?;
        let computer_name = target_info.text(AvId::NB_COMPUTER_NAME).map_err(&decode)?;
        let domain = self.credentials.domain_name_for(computer_name.as_deref());
        let computed = self.respond(flags, &message, target_info, &domain, fresh)?;

        let (session_key, encrypted_random_session_key) = if exchanges_key(flags) {
            let encrypted = hash::rc4k(&computed.key_exchange_key, fresh.exported_session_key);
            (Zeroizing::new(fresh.exported_session_key), encrypted.to_vec())
        } else {
            (computed.key_exchange_key, Vec::new())
        };
        let authenticate = AuthenticateMessage {
            lm_challenge_response: computed.lm,
            nt_challenge_response: computed.nt,
            domain_name: text::encode("DomainName", &domain, flags).map_err(&encode)?,
            user_name: text::encode("UserName", self.credentials.user_name(), flags).map_err(&encode)?,
            workstation: text::encode("Workstation", &self.config.workstation, flags).map_err(&encode)?,
            encrypted_random_session_key,
            negotiate_flags: flags,
            version: self.config.version,
            mic: computed.mic.then_some([0; 16]),
            payload_layout: self.config.payload_layout,
        };
        let bytes = if computed.mic {
            let zeroed = authenticate.encode().map_err(&encode)?;
            let mic = hash::mic(&session_key, [&self.negotiate, challenge, &zeroed]);
            AuthenticateMessage { mic: Some(mic), ..authenticate }.encode()
        } else {
            authenticate.encode()
        };
        let negotiated = Negotiated { flags, response: computed.version, mic: computed.mic };
        Ok((Session::new(Role::Client, negotiated, session_key), bytes.map_err(&encode)?))
    }

    /// The flags of the CHALLENGE, without capabilities that were not offered.
    fn agree(&self, chosen: NegotiateFlags) -> Result<NegotiateFlags, Error> {
        const CAPABILITIES: NegotiateFlags = NegotiateFlags(
            NegotiateFlags::STRONG.0
                | NegotiateFlags::UNICODE.0
                | NegotiateFlags::OEM.0
                | NegotiateFlags::DATAGRAM.0
                | NegotiateFlags::LM_KEY.0
                | NegotiateFlags::ALWAYS_SIGN.0
                | NegotiateFlags::IDENTIFY.0
                | NegotiateFlags::REQUEST_NON_NT_SESSION_KEY.0
                | NegotiateFlags::NEGOTIATE_56.0,
        );
        let not_offered = self.config.negotiate_flags.missing(CAPABILITIES);
        let flags = chosen
            .with(not_offered, false)
            .with(NegotiateFlags::VERSION, self.config.version.is_some())
            .with(NegotiateFlags::ANONYMOUS, self.credentials.is_anonymous());
        // UNICODE goes first where a server leaves both (MS-NLMP 2.2.2.5).
        let flags = match (flags.contains(NegotiateFlags::UNICODE), flags.contains(NegotiateFlags::OEM)) {
            (true, _) => flags.with(NegotiateFlags::OEM, false),
            (false, true) => flags,
            (false, false) => return Err(Error::NoCharacterSet),
        };
        // Extended session security takes the place of LM_KEY (MS-NLMP 2.2.2.5).
        let extended = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
        let flags = if extended { flags.with(NegotiateFlags::LM_KEY, false) } else { flags };
        let missing = flags.missing(self.config.require);
        if missing == NegotiateFlags::NONE { Ok(flags) } else { Err(Error::NotNegotiated { missing }) }
    }

    /// The response that credentials and configuration call for.
    fn respond(
        &self,
        flags: NegotiateFlags,
        challenge: &ChallengeMessage,
        target_info: AvPairs,
        domain: &str,
        fresh: &Fresh,
    ) -> Result<Computed, Error> {
        let Some(nt_hash) = self.credentials.ntowf_v1() else {
            return Ok(Computed {
                lm: vec![0], // Z(1), MS-NLMP 3.3.1
                nt: Vec::new(),
                key_exchange_key: Zeroizing::new([0; 16]),
                version: ResponseVersion::Anonymous,
                mic: false,
            });
        };
        let server_challenge = challenge.server_challenge;
        match self.config.response {
            Response::NtlmV2 => {
                let key = hash::ntowf_v2(&nt_hash, self.credentials.user_name(), domain);
                self.respond_v2(&key, server_challenge, target_info, fresh)
            }
            Response::InsecureNtlmV1 => self.respond_v1(flags, &nt_hash, server_challenge, false, fresh),
            Response::InsecureNtlmV1AndLm => self.respond_v1(flags, &nt_hash, server_challenge, true, fresh),
        }
    }

    /// NTLMv2 (MS-NLMP 3.3.2); with a MIC where the server named its time (3.1.5.1.2).
    fn respond_v2(
        &self,
        key: &[u8; 16],
        server_challenge: [u8; 8],
        target_info: AvPairs,
        fresh: &Fresh,
    ) -> Result<Computed, Error> {
        let server_time = target_info.timestamp();
        let temp = ClientChallenge {
            time_stamp: server_time.unwrap_or(fresh.time),
            challenge_from_client: fresh.client_challenge,
            av_pairs: self.answer_pairs(target_info, server_time.is_some()),
        };
        let temp = temp.encode().map_err(Error::encode(MessageType::Authenticate))?;
        let proof = hash::nt_proof_str(key, &server_challenge, &temp);
        let lm = match server_time {
            Some(_) => [0; 24], // Z(24), MS-NLMP 3.1.5.1.2
            None => hash::lm_response_v2(key, &server_challenge, &fresh.client_challenge),
        };
        Ok(Computed {
            lm: lm.to_vec(),
            nt: [&proof[..], &temp].concat(),
            key_exchange_key: hash::session_base_key_v2(key, &proof),
            version: ResponseVersion::NtlmV2,
            mic: server_time.is_some(),
        })
    }

    /// The server's pairs with what is the client's to say put in place of the server's (MS-NLMP 3.1.5.1.2).
    ///
    /// Which channel and which service the log-on is for only the client may say. The response goes out under its MAC, so a
    /// channel binding or target name taken over from the CHALLENGE would be the client's word for the channel or service
    /// that the peer named: just what somebody who relays the log-on to that service needs.
    fn answer_pairs(&self, mut av_pairs: AvPairs, mic: bool) -> AvPairs {
        av_pairs.remove(AvId::CHANNEL_BINDINGS);
        av_pairs.remove(AvId::TARGET_NAME);
        if let Some(bindings) = &self.config.channel_bindings {
            av_pairs.set(AvId::CHANNEL_BINDINGS, bindings.as_bytes().to_vec());
        }
        if let Some(target_name) = &self.config.target_name {
            av_pairs.set_text(AvId::TARGET_NAME, target_name);
        }
        // Of the three flags CONSTRAINED is the server's, the others tell what the client does (MS-NLMP 2.2.2.1).
        let sent = av_pairs.flags();
        let own = if mic { AvFlags::MIC_PROVIDED } else { AvFlags::default() };
        if mic || sent.is_some() {
            let av_flags = sent.unwrap_or_default().intersection(AvFlags::CONSTRAINED).union(own);
            av_pairs.set(AvId::FLAGS, av_flags.0.to_le_bytes().to_vec());
        }
        av_pairs
    }

    /// NTLMv1, with and without extended session security (MS-NLMP 3.3.1).
    fn respond_v1(
        &self,
        flags: NegotiateFlags,
        nt_hash: &[u8; 16],
        server_challenge: [u8; 8],
        with_lm: bool,
        fresh: &Fresh,
    ) -> Result<Computed, Error> {
        let extended = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
        let lm_hash = if with_lm && !extended {
            self.credentials.lmowf_v1().map_err(Error::encode(MessageType::Authenticate))?
        } else {
            None
        };
        let (lm, nt) = if extended {
            let nt = hash::nt_response_v1_extended(nt_hash, &server_challenge, &fresh.client_challenge);
            (hash::lm_response_v1_extended(&fresh.client_challenge), nt)
        } else {
            let nt = hash::nt_response_v1(nt_hash, &server_challenge);
            // NoLMResponseNTLMv1: the NT response stands in for LM's (MS-NLMP 3.3.1).
            (lm_hash.as_ref().map_or(nt, |lm_hash| hash::lm_response_v1(lm_hash, &server_challenge)), nt)
        };
        let base = hash::session_base_key_v1(nt_hash);
        Ok(Computed {
            lm: lm.to_vec(),
            nt: nt.to_vec(),
            key_exchange_key: keys::key_exchange_key(
                flags,
                &base,
                &lm,
                &server_challenge,
                lm_hash.as_deref(),
            ),
            version: if extended { ResponseVersion::NtlmV1Extended } else { ResponseVersion::NtlmV1 },
            mic: false,
        })
    }
}

/// A random session key is sent where something will be signed or sealed with it (MS-NLMP 3.1.5.1.2).
fn exchanges_key(flags: NegotiateFlags) -> bool {
    flags.contains(NegotiateFlags::KEY_EXCH) && flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL)
}
