//! Who is at the other end of a connection. Windows authenticates TCP connections, not requests.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use winrm_ntlm::{Credentials, server};
use winrm_spnego::{Acceptor, Error, Progress};
use winrm_transport::auth::{Accounts, NtlmAcceptor};

/// The scheme always offered.
pub(crate) const SCHEME: &str = "Negotiate";
/// A bare NTLM NEGOTIATE message (MS-NLMP 2.2.1.1), up to its type.
const NTLM_NEGOTIATE: &[u8] = b"NTLMSSP\0\x01";
/// What a NegTokenInit begins with: the application tag of GSS-API (RFC 2743 section 3.1).
const GSS_TAG: u8 = 0x60;
/// What stands in `Authorization` for who logs on by the certificate of the channel.
pub(crate) const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";
/// A client that needs more tokens than this for one log-on gets no further.
const MAX_TOKENS: u32 = 8;

/// Who may log on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(Vec<Credentials>);

impl Directory {
    pub(crate) fn add(&mut self, credentials: Credentials) {
        self.0.push(credentials);
    }

    /// Whether somebody may log on by Basic so. The user is written as in [`Credentials::password`].
    pub(crate) fn knows(&self, user: &str, password: &str) -> bool {
        let named = Credentials::password(user, "");
        self.credentials(named.domain_name(), named.user_name())
            .is_some_and(|account| account.is_password(password))
    }
}

impl Accounts for Directory {
    /// Names are compared without regard to case. An account without a domain passes under any, as a local account does
    /// whose computer is called what the client calls it; one with a domain passes under that and under none.
    fn credentials(&self, domain: &str, user: &str) -> Option<Credentials> {
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let found = self.0.iter().find(|account| {
            let of = account.domain_name();
            same(account.user_name(), user)
                && (of.is_empty() || domain.is_empty() || of == "." || same(of, domain))
        });
        found.cloned()
    }
}

/// The log-on of one connection.
#[derive(Default)]
pub(crate) enum Authentication {
    /// Nobody.
    #[default]
    Nobody,
    /// So many tokens have come.
    Negotiating(Box<Acceptor<NtlmAcceptor>>, u32),
    /// Logged on; requests without a token belong to the user.
    Established(Box<Acceptor<NtlmAcceptor>>, String),
    /// One request has brought user and password.
    Basic(String),
    /// One request goes by the certificate of the channel.
    Certificate(String),
}

/// What became of a token.
#[derive(Debug)]
pub(crate) enum Judgement {
    /// The client must send another, in answer to this.
    Continue(Vec<u8>),
    /// The client is logged on; it gets this token, if there is one.
    Accepted(Option<Vec<u8>>),
    /// It is not, and nobody is any more.
    Refused(Failure),
}

/// A log-on that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Who tried, as far as it was said.
    pub(crate) user: String,
    /// Why; for the service's log, never for the client.
    pub(crate) error: Error,
}

impl Authentication {
    /// Which token of its log-on this would be, counted from 1. A log-on may begin again at any time.
    pub(crate) fn number(&self, token: &[u8]) -> u32 {
        let begins = token.first() == Some(&GSS_TAG) || token.starts_with(NTLM_NEGOTIATE);
        match self {
            Self::Negotiating(_, count) if !begins => count + 1,
            _ => 1,
        }
    }

    /// Judges a token.
    pub(crate) fn step(
        &mut self,
        token: &[u8],
        accounts: &Arc<Directory>,
        config: server::Config,
    ) -> Judgement {
        let number = self.number(token);
        let mut acceptor = match std::mem::take(self) {
            Self::Negotiating(acceptor, _) if number > 1 => acceptor,
            _ => {
                let accounts = Arc::clone(accounts);
                let mechanism = NtlmAcceptor::new(accounts, config);
                Box::new(Acceptor::new(vec![mechanism]))
            }
        };
        let step = if number > MAX_TOKENS { Err(Error::EndedEarly) } else { acceptor.step(token) };
        let user = acceptor.mechanism().and_then(NtlmAcceptor::user).unwrap_or_default().to_owned();
        match step {
            Ok(Progress::Continue(token)) => {
                *self = Self::Negotiating(acceptor, number);
                Judgement::Continue(token)
            }
            Ok(Progress::Established(token)) => {
                *self = Self::Established(acceptor, user);
                Judgement::Accepted(token)
            }
            Err(error) => Judgement::Refused(Failure { user, error }),
        }
    }

    /// The context that seals and unseals.
    pub(crate) fn context(&mut self) -> Option<&mut Acceptor<NtlmAcceptor>> {
        match self {
            Self::Established(acceptor, _) => Some(acceptor),
            _ => None,
        }
    }

    /// Who is logged on.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Established(_, user) | Self::Basic(user) | Self::Certificate(user) => Some(user),
            _ => None,
        }
    }
}

/// What an `Authorization` header brings.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Presented {
    /// No header.
    Nothing,
    /// A token under the scheme offered.
    Token(Vec<u8>),
    /// User and password under Basic.
    Basic(String, String),
    /// The certificate of the channel.
    Certificate,
    /// Another scheme, or no token that can be read.
    Unusable,
}

impl Presented {
    /// Reads the header (RFC 9110 section 11.6.2).
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(AUTHORIZATION) else { return Self::Nothing };
        if value.as_bytes().trim_ascii().eq_ignore_ascii_case(MUTUAL.as_bytes()) {
            return Self::Certificate;
        }
        let token = value.to_str().ok().and_then(|value| value.trim().split_once(' '));
        match token {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => {
                STANDARD.decode(token.trim()).map_or(Self::Unusable, Self::Token)
            }
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("Basic") => {
                let decoded =
                    STANDARD.decode(encoded.trim()).ok().and_then(|text| String::from_utf8(text).ok());
                match decoded.as_ref().and_then(|text| text.split_once(':')) {
                    Some((user, password)) => Self::Basic(user.to_owned(), password.to_owned()),
                    None => Self::Unusable,
                }
            }
            _ => Self::Unusable,
        }
    }
}

/// The value of `WWW-Authenticate` with a token.
pub(crate) fn challenge(token: &[u8]) -> String {
    format!("{SCHEME} {}", STANDARD.encode(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_windows_finds_them() {
        let mut directory = Directory::default();
        directory.add(Credentials::password("ops", "1"));
        directory.add(Credentials::password(r"EXAMPLE\Admin", "2"));
        directory.add(Credentials::password("who@example.com", "3"));
        let found = |domain, user| directory.credentials(domain, user).is_some();
        assert!(found("", "OPS") && found("ANY", "ops"));
        assert!(found("example", "admin") && found("", "Admin"));
        assert!(found("", "who@example.com"));
        assert!(!found("OTHER", "admin") && !found("", "nobody") && !found("", ""));
    }

    #[test]
    fn headers_are_read() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            Presented::read(&headers)
        };
        assert_eq!(Presented::read(&HeaderMap::new()), Presented::Nothing);
        assert_eq!(read("negotiate  YQ== "), Presented::Token(b"a".to_vec()));
        assert_eq!(read("Negotiate !"), Presented::Unusable);
        assert_eq!(read("Negotiate"), Presented::Unusable);
        assert_eq!(read("basic YTpiOmM="), Presented::Basic("a".to_owned(), "b:c".to_owned()));
        assert_eq!(read("Basic YQ=="), Presented::Unusable);
        assert_eq!(read("Digest YTpi"), Presented::Unusable);
    }
}
