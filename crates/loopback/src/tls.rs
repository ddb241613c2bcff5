//! The service's side of TLS.

use std::io;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, ServerConnection,
    SignatureScheme,
};
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
    clients: Arc<Clients>,
}

impl Tls {
    /// With `version` alone, or all there are.
    pub(crate) fn new(
        identity: Identity,
        version: Option<TlsVersion>,
        clients: Vec<(Vec<u8>, String)>,
    ) -> io::Result<Self> {
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
        let provider = Arc::new(ring::default_provider());
        let clients = Arc::new(Clients { known: clients, provider: Arc::clone(&provider) });
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(unusable)?;
        let builder = if clients.known.is_empty() {
            builder.with_no_client_auth()
        } else {
            builder.with_client_cert_verifier(Arc::<Clients>::clone(&clients))
        };
        let config = builder
            .with_single_cert(chain.into_iter().map(CertificateDer::from).collect(), key)
            .map_err(unusable)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate, bindings, clients })
    }
}

/// The clients' certificates, in DER, and the accounts that they stand for.
#[derive(Debug)]
struct Clients {
    known: Vec<(Vec<u8>, String)>,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// The account of who opened this channel.
    pub(crate) fn user(&self, session: &ServerConnection) -> Option<String> {
        let own = session.peer_certificates()?.first()?;
        self.clients.user(own).map(str::to_owned)
    }
}

impl Clients {
    fn user(&self, certificate: &[u8]) -> Option<&str> {
        self.known.iter().find(|(known, _)| known == certificate).map(|(_, user)| user.as_str())
    }
}

/// As a host whose listener asks in the first handshake: who has no certificate may log on another way, whose certificate
/// stands for nobody gets no channel.
impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.user(end_entity) {
            Some(_) => Ok(ClientCertVerified::assertion()),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The first certificate in PEM, or the one in DER.
pub(crate) fn first_certificate(file: &[u8]) -> io::Result<Vec<u8>> {
    // A SEQUENCE; text in PEM never begins so.
    if file.first() == Some(&0x30) {
        return Ok(file.to_vec());
    }
    CertificateDer::from_pem_slice(file).map(|certificate| certificate.to_vec()).map_err(unusable)
}

fn self_signed() -> io::Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    Ok((vec![made.cert.der().to_vec()], made.signing_key.serialize_der()))
}

fn unusable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
