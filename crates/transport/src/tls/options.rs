//! What a client is told about certificates.

use std::path::PathBuf;

#[cfg(feature = "tls")]
use rustls::pki_types::CertificateDer;
#[cfg(feature = "tls")]
use rustls::pki_types::pem::PemObject;

#[cfg(feature = "tls")]
use super::Trust;
use super::{Pin, TlsBackend};
#[cfg(feature = "tls")]
use crate::config::ConfigError;

/// Which certificates to accept. Nothing set: those of the system's authorities, for the right host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// In place of the system's.
    pub(crate) authorities: Vec<Authorities>,
    pub(crate) pins: Vec<Pin>,
    pub(crate) accept_any: bool,
    pub(crate) backend: TlsBackend,
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

#[cfg(feature = "tls")]
impl Authorities {
    /// The certificates of a PEM file, other parts of which are passed over, or the one of a DER file; each in DER.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        match self {
            Self::Pem(bytes) => certificates(bytes).map_err(|reason| ConfigError::CaCertificates { reason }),
            Self::File(path) => std::fs::read(path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| certificates(&bytes))
                .map_err(|reason| ConfigError::CaFile { path: path.clone(), reason }),
        }
    }

    /// The error for one that cannot be used after all.
    pub(crate) fn unusable(&self, reason: String) -> ConfigError {
        match self {
            Self::Pem(_) => ConfigError::CaCertificates { reason },
            Self::File(path) => ConfigError::CaFile { path: path.clone(), reason },
        }
    }
}

#[cfg(feature = "tls")]
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    // A SEQUENCE; text in PEM never begins so.
    let certificates: Vec<_> = if bytes.first() == Some(&0x30) {
        vec![CertificateDer::from(bytes.to_vec())]
    } else {
        CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("damaged PEM: {error}"))?
    };
    if certificates.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(certificates) }
}

impl Options {
    /// Whether anything was said of certificates at all.
    pub(crate) fn is_default(&self) -> bool {
        self.authorities.is_empty() && self.pins.is_empty() && !self.accept_any
    }

    /// Whether there is a certificate of the client's own.
    #[cfg_attr(not(feature = "tls"), expect(clippy::unused_self, reason = "there is none without TLS"))]
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
