//! Which certificate is accepted.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::{Pin, TlsError, certificate};

/// Wraps the verification of chains, so that refusals carry the pin that would accept the certificate.
///
/// That the server has the certificate's key is proved in any case.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) accept: Accept,
    pub(super) provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
pub(super) enum Accept {
    /// What this verifier accepts.
    Chain(Arc<dyn ServerCertVerifier>),
    /// Nothing, because there is no authority to trust; with the reason.
    Nothing(String),
    /// Certificates with one of these.
    Pins(Vec<Pin>),
    Anything,
}

impl Verifier {
    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), TlsError> {
        let pin = certificate::pin(certificate);
        match &self.accept {
            Accept::Anything => Ok(()),
            Accept::Nothing(reason) => Err(TlsError::Untrusted { reason: reason.clone(), pin }),
            Accept::Pins(pins) => {
                let public_key = certificate::public_key_pin(certificate);
                if pins.iter().any(|known| *known == pin || Some(*known) == public_key) {
                    Ok(())
                } else {
                    Err(TlsError::PinMismatch { found: pin, public_key })
                }
            }
            Accept::Chain(chain) => chain
                .verify_server_cert(certificate, intermediates, host, ocsp, now)
                .map(|_| ())
                .map_err(|error| refusal(error, host, pin)),
        }
    }
}

fn refusal(error: Error, host: &ServerName<'_>, pin: Pin) -> TlsError {
    match error {
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            TlsError::HostName { host: host.to_str().into_owned(), names: presented, pin }
        }
        Error::InvalidCertificate(CertificateError::NotValidForName) => {
            TlsError::HostName { host: host.to_str().into_owned(), names: Vec::new(), pin }
        }
        Error::InvalidCertificate(error) => TlsError::Untrusted { reason: reason(&error), pin },
        error => TlsError::Untrusted { reason: error.to_string(), pin },
    }
}

/// In words of our own where it is about the usual cases.
fn reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "it is self-signed, or signed by an authority that is not trusted here".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::Revoked => "it has been revoked".to_owned(),
        error => error.to_string(),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.judge(end_entity, intermediates, server_name, ocsp_response, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error)))))
            }
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
