//! Who logs on, and with which secret.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::EncodeError;
use crate::hash::{self, Key};

/// User, domain and secret of one account; the secret is wiped when dropped and never shown.
///
/// How a user is written, as everywhere on Windows:
///
/// | written | UserName | DomainName |
/// |---|---|---|
/// | `DOMAIN\user` | `user` | `DOMAIN` |
/// | `user@suffix` | `user@suffix` | empty: the server's side resolves the suffix |
/// | `.\user` | `user` | the target's own NetBIOS name from its CHALLENGE, empty if it names none: a local account |
/// | `user` | `user` | empty: the server decides |
///
/// ```
/// use winrm_ntlm::Credentials;
///
/// let credentials = Credentials::password(r"EXAMPLE\ops", "correct horse");
/// assert_eq!((credentials.domain_name(), credentials.user_name()), ("EXAMPLE", "ops"));
/// assert!(!format!("{credentials:?}").contains("horse"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    user_name: String,
    domain: Domain,
    secret: Secret,
}

/// Where `DomainName` comes from.
#[derive(Clone, Eq, PartialEq)]
enum Domain {
    Name(String),
    /// Written as `.`: whatever the target calls itself.
    Target,
}

#[derive(Clone)]
enum Secret {
    Password(Zeroizing<String>),
    NtHash(Key),
    Anonymous,
}

impl Credentials {
    /// A user, written in one of the four forms, and the password.
    pub fn password(user: &str, password: &str) -> Self {
        Self::new(user, Secret::Password(Zeroizing::new(password.to_owned())))
    }

    /// A user and the MD4 of the password in UTF-16LE, as `NTOWFv1` makes it.
    pub fn nt_hash(user: &str, nt_hash: [u8; 16]) -> Self {
        Self::new(user, Secret::NtHash(Zeroizing::new(nt_hash)))
    }

    /// Nobody: the server knows the client by nothing, and the session key is public.
    pub const fn anonymous() -> Self {
        Self { user_name: String::new(), domain: Domain::Name(String::new()), secret: Secret::Anonymous }
    }

    fn new(user: &str, secret: Secret) -> Self {
        let (domain, user_name) = match user.split_once('\\') {
            Some((".", user)) => (Domain::Target, user),
            Some((domain, user)) => (Domain::Name(domain.to_owned()), user),
            None => (Domain::Name(String::new()), user),
        };
        Self { user_name: user_name.to_owned(), domain, secret }
    }

    /// `UserName`.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// `DomainName` as far as it is known beforehand: `.` stands for the target's own name.
    pub fn domain_name(&self) -> &str {
        match &self.domain {
            Domain::Name(name) => name,
            Domain::Target => ".",
        }
    }

    /// True for [`Self::anonymous`].
    pub const fn is_anonymous(&self) -> bool {
        matches!(self.secret, Secret::Anonymous)
    }

    /// The password, where it is known: for schemes such as Basic that send it. A secret.
    pub fn password_text(&self) -> Option<&str> {
        match &self.secret {
            Secret::Password(password) => Some(password),
            Secret::NtHash(_) | Secret::Anonymous => None,
        }
    }

    /// Whether this is the password; compared by its hash, in constant time. Nobody has none.
    pub fn is_password(&self, password: &str) -> bool {
        self.ntowf_v1().is_some_and(|known| known.ct_eq(&*hash::ntowf_v1(password)).into())
    }

    /// `DomainName` for a target that calls itself `computer_name`.
    pub(crate) fn domain_name_for(&self, computer_name: Option<&str>) -> String {
        match &self.domain {
            Domain::Name(name) => name.clone(),
            Domain::Target => computer_name.unwrap_or_default().to_owned(),
        }
    }

    /// `NTOWFv1`, or nothing for nobody.
    pub(crate) fn ntowf_v1(&self) -> Option<Key> {
        match &self.secret {
            Secret::Password(password) => Some(hash::ntowf_v1(password)),
            Secret::NtHash(key) => Some(key.clone()),
            Secret::Anonymous => None,
        }
    }

    /// `LMOWFv1`, which only a password yields.
    pub(crate) fn lmowf_v1(&self) -> Result<Option<Key>, EncodeError> {
        match &self.secret {
            Secret::Password(password) => hash::lmowf_v1(password).map(Some),
            Secret::NtHash(_) | Secret::Anonymous => Ok(None),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user_name", &self.user_name)
            .field("domain_name", &self.domain_name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_as_windows_does() {
        let read = |user| {
            let credentials = Credentials::password(user, "x");
            (credentials.domain_name().to_owned(), credentials.user_name().to_owned())
        };
        let pair = |domain: &str, user: &str| (domain.to_owned(), user.to_owned());
        assert_eq!(read(r"DOMAIN\user"), pair("DOMAIN", "user"));
        assert_eq!(read("user@example.com"), pair("", "user@example.com"));
        assert_eq!(read(r".\user"), pair(".", "user"));
        assert_eq!(read("user"), pair("", "user"));
        assert_eq!(read(r"DOMAIN\user@example.com"), pair("DOMAIN", "user@example.com"));
        assert_eq!(read(r"\user"), pair("", "user"));
    }

    #[test]
    fn the_domain_of_a_local_account_is_the_target() {
        let local = Credentials::password(r".\user", "x");
        assert_eq!(local.domain_name_for(Some("SERVER")), "SERVER");
        assert_eq!(local.domain_name_for(None), "");
        assert_eq!(Credentials::password("user", "x").domain_name_for(Some("SERVER")), "");
    }

    #[test]
    fn debug_keeps_the_secret() {
        let shown = format!(
            "{:?} {:?}",
            Credentials::password("user", "secret"),
            Credentials::nt_hash("user", [0xab; 16])
        );
        assert!(!shown.contains("secret") && !shown.contains("ab, ab") && !shown.contains("171"), "{shown}");
    }
}
