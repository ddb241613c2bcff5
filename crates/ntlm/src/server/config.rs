//! What the server offers, insists on and calls itself.

use crate::av_pair::{AvId, AvPairs};
use crate::channel_bindings::ChannelBindings;
use crate::error::{EncodeError, Error};
use crate::flags::NegotiateFlags;
use crate::text;
use crate::time::FileTime;
use crate::version::Version;

/// Names and policy of an acceptor.
///
/// The default policy takes NTLMv2 only, from users only, and insists on [`NegotiateFlags::STRONG`].
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) negotiate_flags: NegotiateFlags,
    pub(super) require: NegotiateFlags,
    pub(super) version: Version,
    pub(super) channel_bindings: ChannelBindingPolicy,
    pub(super) allow_anonymous: bool,
    pub(super) insecure_allow_ntlm_v1: bool,
    pub(super) insecure_allow_lm: bool,
    computer_name: String,
    domain: Option<Domain>,
}

/// Names of the domain that the server belongs to.
#[derive(Clone, Debug)]
struct Domain {
    netbios_name: String,
    dns_name: String,
}

/// What the server does about `MsvAvChannelBindings`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ChannelBindingPolicy {
    /// Nothing is checked, as there is no TLS channel or the server does not know it.
    #[default]
    Ignore,
    /// A client that sends none, or zeros for "none", passes; a wrong one does not.
    WhenSent(ChannelBindings),
    /// Only the right ones pass: Extended Protection "required".
    Require(ChannelBindings),
}

impl Config {
    /// A stand-alone server with this NetBIOS name (upper case, at most 15 characters, on Windows).
    pub fn new(computer_name: impl Into<String>) -> Self {
        Self {
            negotiate_flags: NegotiateFlags::STRONG
                | NegotiateFlags::UNICODE
                | NegotiateFlags::OEM
                | NegotiateFlags::REQUEST_TARGET
                | NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN
                | NegotiateFlags::TARGET_INFO
                | NegotiateFlags::VERSION
                | NegotiateFlags::NEGOTIATE_56,
            require: NegotiateFlags::STRONG,
            version: Version::new(10, 0, 0),
            channel_bindings: ChannelBindingPolicy::Ignore,
            allow_anonymous: false,
            insecure_allow_ntlm_v1: false,
            insecure_allow_lm: false,
            computer_name: computer_name.into(),
            domain: None,
        }
    }

    /// Member of a domain, by its NetBIOS and its DNS name.
    pub fn domain(self, netbios_name: impl Into<String>, dns_name: impl Into<String>) -> Self {
        let domain = Domain { netbios_name: netbios_name.into(), dns_name: dns_name.into() };
        Self { domain: Some(domain), ..self }
    }

    /// Agrees to these flags where the client offers them.
    pub fn negotiate_flags(self, negotiate_flags: NegotiateFlags) -> Self {
        Self { negotiate_flags, ..self }
    }

    /// Refuses a client that does not offer all of these; [`NegotiateFlags::NONE`] insists on nothing.
    pub fn require(self, require: NegotiateFlags) -> Self {
        Self { require, ..self }
    }

    /// Version to send to clients that send theirs.
    pub fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// What to do about channel bindings.
    pub fn channel_bindings(self, channel_bindings: ChannelBindingPolicy) -> Self {
        Self { channel_bindings, ..self }
    }

    /// Takes anonymous log-ons too; [`Logon::accept_anonymous`](super::Logon::accept_anonymous) completes them.
    pub fn allow_anonymous(self, allow_anonymous: bool) -> Self {
        Self { allow_anonymous, ..self }
    }

    /// Takes NTLMv1 responses too: who records one can find the NT hash.
    pub fn insecure_allow_ntlm_v1(self, insecure_allow_ntlm_v1: bool) -> Self {
        Self { insecure_allow_ntlm_v1, ..self }
    }

    /// Takes LM responses without an NT response too: who records one can find the password.
    pub fn insecure_allow_lm(self, insecure_allow_lm: bool) -> Self {
        Self { insecure_allow_lm, ..self }
    }

    /// The flags of the CHALLENGE for a client that offers `offered` (MS-NLMP 3.2.5.1.1).
    pub(super) fn choose(&self, offered: NegotiateFlags) -> Result<NegotiateFlags, Error> {
        let target_type = if self.domain.is_some() {
            NegotiateFlags::TARGET_TYPE_DOMAIN
        } else {
            NegotiateFlags::TARGET_TYPE_SERVER
        };
        let flags = (offered & self.negotiate_flags)
            | NegotiateFlags::NTLM
            | NegotiateFlags::TARGET_INFO
            | target_type;
        let flags = match (flags.contains(NegotiateFlags::UNICODE), flags.contains(NegotiateFlags::OEM)) {
            (true, _) => flags.with(NegotiateFlags::OEM, false),
            (false, true) => flags,
            (false, false) => return Err(Error::NoCharacterSet),
        };
        let extended = flags.contains(NegotiateFlags::EXTENDED_SESSIONSECURITY);
        let flags = if extended { flags.with(NegotiateFlags::LM_KEY, false) } else { flags };
        self.check(flags).map(|()| flags)
    }

    /// Refuses flags without something that is required.
    pub(super) fn check(&self, flags: NegotiateFlags) -> Result<(), Error> {
        let missing = flags.missing(self.require);
        if missing == NegotiateFlags::NONE { Ok(()) } else { Err(Error::NotNegotiated { missing }) }
    }

    /// `TargetName` in the character set of `flags`.
    pub(super) fn target_name(&self, flags: NegotiateFlags) -> Result<Vec<u8>, EncodeError> {
        let name = self.domain.as_ref().map_or(&self.computer_name, |domain| &domain.netbios_name);
        text::encode("TargetName", name, flags)
    }

    /// `TargetInfo`, in the order in which Windows sends it.
    pub(super) fn target_info(&self, now: FileTime) -> AvPairs {
        let computer = &self.computer_name;
        let mut pairs = AvPairs::default();
        // A stand-alone Windows host names itself as its domain (recorded).
        pairs.set_text(
            AvId::NB_DOMAIN_NAME,
            self.domain.as_ref().map_or(computer, |domain| &domain.netbios_name),
        );
        pairs.set_text(AvId::NB_COMPUTER_NAME, computer);
        pairs.set_text(
            AvId::DNS_DOMAIN_NAME,
            self.domain.as_ref().map_or(computer, |domain| &domain.dns_name),
        );
        match &self.domain {
            Some(Domain { dns_name, .. }) => {
                pairs.set_text(AvId::DNS_COMPUTER_NAME, &format!("{computer}.{dns_name}"));
                pairs.set_text(AvId::DNS_TREE_NAME, dns_name);
            }
            None => pairs.set_text(AvId::DNS_COMPUTER_NAME, computer),
        }
        pairs.set(AvId::TIMESTAMP, now.to_le_bytes().to_vec());
        pairs
    }
}
