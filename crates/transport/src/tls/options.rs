//! What a client is told about certificates.

use std::path::PathBuf;

use super::Pin;
#[cfg(feature = "tls")]
use super::Trust;

/// Which certificates to accept. Nothing set: those of the system's authorities, for the right host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// In place of the system's.
    pub(crate) authorities: Vec<Authorities>,
    pub(crate) pins: Vec<Pin>,
    pub(crate) accept_any: bool,
    /// Shown to a server that asks for one.
    #[cfg(feature = "tls")]
    pub(crate) identity: Option<super::ClientCertificate>,
}

/// Where certificates of authorities are.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "read by TLS alone"))]
pub(crate) enum Authorities {
    File(PathBuf),
    Pem(Vec<u8>),
}

impl Options {
    /// Whether anything was said at all.
    pub(crate) fn is_default(&self) -> bool {
        self.authorities.is_empty() && self.pins.is_empty() && !self.accept_any
    }

    /// Whether there is a certificate of the client's own.
    pub(crate) fn has_identity(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.identity.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether different options say different things.
    pub(crate) fn is_contradictory(&self) -> bool {
        self.accept_any && !(self.pins.is_empty() && self.authorities.is_empty())
    }

    #[cfg(feature = "tls")]
    pub(crate) fn trust(&self) -> Trust {
        match (self.accept_any, self.pins.is_empty()) {
            (true, _) => Trust::Nothing,
            (false, false) => Trust::Pin,
            (false, true) => Trust::Authority,
        }
    }
}
