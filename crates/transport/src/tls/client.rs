//! The client's side of TLS, by rustls.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, OtherError, ProtocolVersion, RootCertStore,
    SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::verifier::{Accept, Verifier};
use super::{ClientCertificate, Opened, Options, TlsError, TlsVersion, Trust};
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::http::Stream;

/// What every channel of a client is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    /// The client's own certificate.
    identity: Option<Arc<CertifiedKey>>,
    trust: Trust,
}

impl Client {
    /// Reads authorities, of the options or of the system.
    pub(crate) fn new(options: &Options) -> Result<Self, ConfigError> {
        // Named here, so that nobody's process-wide default decides.
        let provider = Arc::new(ring::default_provider());
        let accept = accept(options, &provider)?;
        let verifier = Verifier { accept, provider: Arc::clone(&provider) };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::Tls { reason: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let identity = options.identity.as_ref().map(|identity| own(identity, &config)).transpose()?;
        Ok(Self { config: Arc::new(config), identity, trust: options.trust() })
    }

    /// Opens a channel over `stream`. The caller bounds the time.
    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
    ) -> Result<(Box<dyn Stream>, Opened), ErrorKind> {
        let host = endpoint.host().to_owned();
        let name =
            ServerName::try_from(host.clone()).map_err(|_| ErrorKind::Tls(TlsError::ServerName { host }))?;
        let asked = Arc::new(AtomicBool::new(false));
        let config = match &self.identity {
            None => Arc::clone(&self.config),
            Some(identity) => {
                let own = OwnCertificate { identity: Arc::clone(identity), asked: Arc::clone(&asked) };
                let mut config = ClientConfig::clone(&self.config);
                config.client_auth_cert_resolver = Arc::new(own);
                Arc::new(config)
            }
        };
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            let failed = failure(error);
            match failed {
                ErrorKind::Tls(TlsError::Handshake(cause)) if asked.load(Ordering::Relaxed) => {
                    ErrorKind::Tls(TlsError::ClientCertificateRefused(cause))
                }
                other => other,
            }
        })?;
        if self.identity.is_some() && !asked.load(Ordering::Relaxed) {
            return Err(ErrorKind::Tls(TlsError::ClientCertificateNotAsked));
        }
        let (_, session) = stream.get_ref();
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
            _ => TlsVersion::Tls13,
        };
        // A finished handshake has had a certificate.
        let certificate = session.peer_certificates().and_then(<[_]>::first).map_or(&[][..], AsRef::as_ref);
        let opened = Opened::new(certificate, version, self.trust)?;
        let channel = opened.channel;
        tracing::debug!(%endpoint, %channel, pin = %channel.certificate, "TLS channel opened");
        Ok((Box::new(stream), opened))
    }
}

fn own(identity: &ClientCertificate, config: &ClientConfig) -> Result<Arc<CertifiedKey>, ConfigError> {
    CertifiedKey::from_der(identity.chain().to_vec(), identity.key(), config.crypto_provider())
        .map(Arc::new)
        .map_err(|error| ConfigError::Tls { reason: error.to_string() })
}

/// Shows the client's certificate to a server that asks for one, and remembers that it did.
#[derive(Debug)]
struct OwnCertificate {
    identity: Arc<CertifiedKey>,
    asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        // Whose signature the server would like is up to it to say once it has seen it.
        self.identity.key.choose_scheme(schemes).map(|_| Arc::clone(&self.identity))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The alert in this error, by which a server ends a channel over a client certificate: that it has none, or not this one.
pub(super) fn certificate_alert(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    match error.downcast_ref() {
        Some(
            refusal @ Error::AlertReceived(
                AlertDescription::HandshakeFailure
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
                | AlertDescription::CertificateRequired,
            ),
        ) => Some(refusal.clone()),
        _ => None,
    }
}

fn accept(options: &Options, provider: &Arc<CryptoProvider>) -> Result<Accept, ConfigError> {
    if options.accept_any {
        return Ok(Accept::Anything);
    }
    if !options.pins.is_empty() {
        return Ok(Accept::Pins(options.pins.clone()));
    }
    if options.authorities.is_empty() {
        // A system without authorities trusts nobody, which is not an error before somebody is to be trusted.
        return Ok(match rustls_platform_verifier::Verifier::new(Arc::clone(provider)) {
            Ok(verifier) => Accept::Chain(Arc::new(verifier)),
            Err(error) => Accept::Nothing(format!("the system's authorities cannot be read ({error})")),
        });
    }
    let mut roots = RootCertStore::empty();
    for authorities in &options.authorities {
        for (number, certificate) in (1..).zip(authorities.certificates()?) {
            roots.add(certificate).map_err(|error| {
                authorities.unusable(format!("certificate {number} cannot be read: {error}"))
            })?;
        }
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| ConfigError::CaCertificates { reason: error.to_string() })?;
    Ok(Accept::Chain(verifier))
}

fn failure(error: io::Error) -> ErrorKind {
    let known = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).cloned();
    let Some(error) = known else { return ErrorKind::Io(error) };
    if let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = &error
        && let Some(refusal) = inner.downcast_ref::<TlsError>()
    {
        return ErrorKind::Tls(refusal.clone());
    }
    ErrorKind::Tls(match error {
        error @ (Error::PeerIncompatible(_)
        | Error::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity,
        )) => TlsError::Incompatible(Arc::new(error)),
        error @ Error::InvalidMessage(_) => TlsError::NotTls(Arc::new(error)),
        error => TlsError::Handshake(Arc::new(error)),
    })
}
