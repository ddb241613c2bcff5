//! The server's side of the exchange (MS-NLMP 3.2.5): [`Start`] → [`AwaitAuthenticate`] → [`Logon`] → [`Session`].

mod config;
mod logon;

pub use config::{ChannelBindingPolicy, Config};
pub use logon::Logon;

use crate::error::{Error, MessageType};
use crate::flags::NegotiateFlags;
use crate::fresh::Fresh;
use crate::message::{AuthenticateMessage, ChallengeMessage, NegotiateMessage};
#[cfg(doc)]
use crate::session::Session;
use crate::time::FileTime;

/// Nothing received yet.
#[derive(Debug)]
pub struct Start {
    config: Config,
}

impl Start {
    /// A log-on that is about to begin.
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// Answers a NEGOTIATE message: the CHALLENGE message to send.
    ///
    /// # Errors
    /// [`Error::Decode`] for a malformed NEGOTIATE, [`Error::NotNegotiated`] and [`Error::NoCharacterSet`] when the client
    /// offers too little, [`Error::Encode`] when the configured names are too long.
    pub fn challenge(self, negotiate: &[u8], fresh: &Fresh) -> Result<(AwaitAuthenticate, Vec<u8>), Error> {
        let encode = Error::encode(MessageType::Challenge);
        let message = NegotiateMessage::decode(negotiate).map_err(Error::decode(MessageType::Negotiate))?;
        let flags = self.config.choose(message.negotiate_flags)?;
        let challenge = ChallengeMessage {
            negotiate_flags: flags,
            server_challenge: fresh.server_challenge,
            target_name: self.config.target_name(flags).map_err(&encode)?,
            target_info: self.config.target_info(fresh.time).encode().map_err(&encode)?,
            version: flags.contains(NegotiateFlags::VERSION).then_some(self.config.version),
        };
        let bytes = challenge.encode().map_err(&encode)?;
        let state = AwaitAuthenticate {
            config: self.config,
            negotiate: negotiate.to_vec(),
            challenge: bytes.clone(),
            negotiate_flags: flags,
            server_challenge: fresh.server_challenge,
            time: Some(fresh.time),
        };
        Ok((state, bytes))
    }
}

/// CHALLENGE sent, AUTHENTICATE awaited.
#[derive(Debug)]
pub struct AwaitAuthenticate {
    config: Config,
    /// As received: the MIC covers these bytes (MS-NLMP 3.2.5.1.2).
    negotiate: Vec<u8>,
    /// As sent.
    challenge: Vec<u8>,
    negotiate_flags: NegotiateFlags,
    server_challenge: [u8; 8],
    /// MsvAvTimestamp of the CHALLENGE.
    time: Option<FileTime>,
}

impl AwaitAuthenticate {
    /// The state after both messages have crossed the wire, for who kept them elsewhere in the meantime.
    ///
    /// An empty `negotiate` stands for a log-on without one; a MIC covers no bytes for it then.
    ///
    /// # Errors
    /// [`Error::Decode`] when `challenge` is not a CHALLENGE message.
    pub fn resume(config: Config, negotiate: &[u8], challenge: &[u8]) -> Result<Self, Error> {
        let decode = Error::decode(MessageType::Challenge);
        let message = ChallengeMessage::decode(challenge).map_err(&decode)?;
        Ok(Self {
            config,
            negotiate: negotiate.to_vec(),
            challenge: challenge.to_vec(),
            negotiate_flags: message.negotiate_flags,
            server_challenge: message.server_challenge,
            time: message.av_pairs().map_err(&decode)?.timestamp(),
        })
    }

    /// Reads an AUTHENTICATE message: who wants to log on. Nothing is proved before [`Logon::verify`].
    ///
    /// # Errors
    /// [`Error::Decode`] for a malformed message, [`Error::NotNegotiated`] when the client took back what is required,
    /// [`Error::AnonymousRefused`], [`Error::NtlmV1Refused`] and [`Error::LmRefused`] for what the configuration excludes.
    pub fn authenticate(self, message: &[u8]) -> Result<Logon, Error> {
        let decode = Error::decode(MessageType::Authenticate);
        let authenticate = AuthenticateMessage::decode(message).map_err(&decode)?;
        let mic_range = AuthenticateMessage::mic_range(message).map_err(&decode)?;
        Logon::new(self, message.to_vec(), mic_range, authenticate)
    }
}
