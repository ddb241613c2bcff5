//! The service's side of TLS.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;
use winrm_ntlm::ChannelBindings;
use winrm_transport::{TlsVersion, tls_server_end_point};

/// Where a certificate comes from.
pub(crate) enum Identity {
    /// Made at the start, for `localhost` and its addresses.
    SelfSigned,
    /// A chain and the key of its first certificate, in DER.
    Given(Vec<Vec<u8>>, Vec<u8>),
}

/// What every channel is opened with.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// In DER.
    pub(crate) certificate: Vec<u8>,
    /// `tls-server-end-point` of the certificate.
    pub(crate) bindings: ChannelBindings,
}

impl Tls {
    /// With `version` alone, or all there are.
    pub(crate) fn new(identity: Identity, version: Option<TlsVersion>) -> io::Result<Self> {
        let (chain, key) = match identity {
            Identity::Given(chain, key) => (chain, key),
            Identity::SelfSigned => self_signed()?,
        };
        let certificate = chain.first().cloned().ok_or_else(|| unusable("no certificate"))?;
        let bindings = tls_server_end_point(&certificate).map_err(unusable)?;
        let key = PrivateKeyDer::try_from(key).map_err(unusable)?;
        let versions = match version {
            Some(TlsVersion::Tls12) => &[&TLS12][..],
            Some(TlsVersion::Tls13) => &[&TLS13],
            _ => &[&TLS13, &TLS12],
        };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain.into_iter().map(CertificateDer::from).collect(), key)
            .map_err(unusable)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate, bindings })
    }
}

fn self_signed() -> io::Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    Ok((vec![made.cert.der().to_vec()], made.signing_key.serialize_der()))
}

fn unusable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
