//! The client's side of TLS by OpenSSL, for hosts that rustls does not get along with: those that offer AES-GCM only with
//! static RSA, and those that ask for client certificates after the handshake, by renegotiation. TLS 1.2 alone, which has
//! both.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode,
    SslVersion,
};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509CheckFlags;
use openssl::x509::{X509, X509Ref, X509StoreContextRef, X509VerifyResult};
use tokio_openssl::SslStream;

use super::options::Authorities;
use super::{
    ClientCertificate, Opened, Options, Pin as CertificatePin, TlsError, TlsVersion, Trust, certificate,
};
use crate::config::ConfigError;
use crate::endpoint::Endpoint;
use crate::error::ErrorKind;
use crate::http::Stream;

/// AEAD only. Static RSA has no forward secrecy; it comes last, for the hosts that have nothing else.
const CIPHERS: &str = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:kRSA+AESGCM";

/// What every channel of a client is opened with.
#[derive(Clone)]
pub(crate) struct Client {
    context: SslContext,
    pins: Vec<CertificatePin>,
    accept_any: bool,
    trust: Trust,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("trust", &self.trust).finish_non_exhaustive()
    }
}

impl Client {
    /// Reads authorities, of the options or of the system.
    pub(crate) fn new(options: &Options) -> Result<Self, ConfigError> {
        let mut context = context().map_err(unusable)?;
        if options.authorities.is_empty() {
            context.set_default_verify_paths().map_err(unusable)?;
        } else {
            context.set_cert_store(store(&options.authorities)?);
        }
        if let Some(identity) = &options.identity {
            show(&mut context, identity).map_err(unusable)?;
        }
        Ok(Self {
            context: context.build(),
            pins: options.pins.clone(),
            accept_any: options.accept_any,
            trust: options.trust(),
        })
    }

    /// Opens a channel over `stream`. The caller bounds the time.
    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
    ) -> Result<(Box<dyn Stream>, Opened), ErrorKind> {
        let refusal = Arc::new(Mutex::new(None));
        let ssl = self.session(endpoint.host(), &refusal).map_err(setup)?;
        let mut stream = SslStream::new(ssl, stream).map_err(setup)?;
        if let Err(error) = Pin::new(&mut stream).connect().await {
            let refusal = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(refusal.map_or_else(|| failure(error), ErrorKind::Tls));
        }
        let certificate =
            stream.ssl().peer_certificate().map(|own| own.to_der()).transpose().map_err(setup)?;
        // A finished handshake has had a certificate.
        let certificate = certificate.unwrap_or_default();
        let opened = Opened::new(&certificate, TlsVersion::Tls12, self.trust)?;
        tracing::debug!(%endpoint, channel = %opened.channel, pin = %opened.channel.certificate, "TLS channel opened");
        Ok((Box::new(stream), opened))
    }

    /// One session. The certificate is judged in every handshake of it, for a renegotiation may bring another one; why it was
    /// refused is put into `refusal`.
    fn session(&self, host: &str, refusal: &Arc<Mutex<Option<TlsError>>>) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        if let Ok(address) = host.parse() {
            ssl.param_mut().set_ip(address)?;
        } else {
            ssl.set_hostname(host)?;
            ssl.param_mut().set_host(host)?;
        }
        ssl.param_mut().set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
        let (pins, accept_any, host) = (self.pins.clone(), self.accept_any, host.to_owned());
        let refusal = Arc::clone(refusal);
        ssl.set_verify_callback(SslVerifyMode::PEER, move |verified, chain| {
            let judged = if accept_any {
                Ok(())
            } else if pins.is_empty() {
                if verified { Ok(()) } else { Err(untrusted(chain, &host)) }
            } else {
                pinned(chain, &pins)
            };
            match judged {
                Ok(()) => true,
                Err(error) => {
                    refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    false
                }
            }
        });
        Ok(ssl)
    }
}

fn context() -> Result<SslContextBuilder, ErrorStack> {
    let mut context = SslContextBuilder::new(SslMethod::tls_client())?;
    context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_cipher_list(CIPHERS)?;
    context.set_session_cache_mode(SslSessionCacheMode::OFF);
    context.set_options(SslOptions::NO_TICKET | SslOptions::NO_COMPRESSION);
    Ok(context)
}

fn store(authorities: &[Authorities]) -> Result<openssl::x509::store::X509Store, ConfigError> {
    let mut store = X509StoreBuilder::new().map_err(unusable)?;
    for authorities in authorities {
        for (number, certificate) in (1..).zip(authorities.certificates()?) {
            X509::from_der(&certificate).and_then(|parsed| store.add_cert(parsed)).map_err(|error| {
                let first = error.errors().first().and_then(openssl::error::Error::reason);
                let reason = first.unwrap_or("unknown");
                authorities.unusable(format!("certificate {number} cannot be read: {reason}"))
            })?;
        }
    }
    Ok(store.build())
}

/// Shows the client's certificate to a server that asks for one, whenever it does.
fn show(context: &mut SslContextBuilder, identity: &ClientCertificate) -> Result<(), ErrorStack> {
    let mut chain = identity.chain().iter();
    if let Some(own) = chain.next() {
        context.set_certificate(&*X509::from_der(own)?)?;
    }
    for authority in chain {
        context.add_extra_chain_cert(X509::from_der(authority)?)?;
    }
    context.set_private_key(&*PKey::private_key_from_der(identity.key().secret_der())?)?;
    context.check_private_key()
}

/// Whether the server's own certificate has one of the pins. What else may be wrong with it, or with its authorities, does
/// not count.
fn pinned(chain: &X509StoreContextRef, pins: &[CertificatePin]) -> Result<(), TlsError> {
    if chain.error_depth() != 0 {
        return Ok(());
    }
    let der = chain.current_cert().and_then(|own| own.to_der().ok()).unwrap_or_default();
    let (found, public_key) = (certificate::pin(&der), certificate::public_key_pin(&der));
    if pins.iter().any(|known| *known == found || Some(*known) == public_key) {
        Ok(())
    } else {
        Err(TlsError::PinMismatch { found, public_key })
    }
}

/// Why the chain is not accepted. The pin is that of the server's own certificate, whichever one is at fault.
fn untrusted(chain: &X509StoreContextRef, host: &str) -> TlsError {
    let own = chain.chain().and_then(|chain| chain.get(0)).or_else(|| chain.current_cert());
    let der = own.and_then(|own| own.to_der().ok()).unwrap_or_default();
    let pin = certificate::pin(&der);
    let error = chain.error();
    match error.as_raw() {
        HOSTNAME_MISMATCH | IP_ADDRESS_MISMATCH => {
            TlsError::HostName { host: host.to_owned(), names: own.map(names).unwrap_or_default(), pin }
        }
        _ => TlsError::Untrusted { reason: reason(error), pin },
    }
}

/// X509_V_ERR_HOSTNAME_MISMATCH.
const HOSTNAME_MISMATCH: i32 = 62;
/// X509_V_ERR_IP_ADDRESS_MISMATCH.
const IP_ADDRESS_MISMATCH: i32 = 64;
/// X509_V_ERR_CERT_NOT_YET_VALID.
const NOT_YET_VALID: i32 = 9;
/// X509_V_ERR_CERT_HAS_EXPIRED.
const HAS_EXPIRED: i32 = 10;
/// X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
/// UNABLE_TO_VERIFY_LEAF_SIGNATURE.
const NO_TRUSTED_ISSUER: [i32; 4] = [18, 19, 20, 21];

/// In words of our own where it is about the usual cases, as the other backend has them.
fn reason(error: X509VerifyResult) -> String {
    match error.as_raw() {
        NOT_YET_VALID => "it is not valid yet".to_owned(),
        HAS_EXPIRED => "it has expired".to_owned(),
        code if NO_TRUSTED_ISSUER.contains(&code) => {
            "it is self-signed, or signed by an authority that is not trusted here".to_owned()
        }
        _ => error.error_string().to_owned(),
    }
}

fn names(certificate: &X509Ref) -> Vec<String> {
    let names = certificate.subject_alt_names();
    let names = names.iter().flatten().filter_map(|name| name.dnsname().map(str::to_owned));
    names.collect()
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn unusable(error: ErrorStack) -> ConfigError {
    ConfigError::Tls { reason: error.to_string() }
}

fn setup(error: ErrorStack) -> ErrorKind {
    ErrorKind::Tls(TlsError::Handshake(Arc::new(error)))
}

/// The alert in this error, by which a server ends a channel over a client certificate.
pub(super) fn certificate_alert(error: &(dyn std::error::Error + 'static)) -> Option<Arc<ErrorStack>> {
    let stack = match error.downcast_ref::<Error>() {
        Some(error) => error.ssl_error(),
        None => error.downcast_ref::<ErrorStack>(),
    }?;
    let is_alert = |reason: &str| {
        reason.contains("alert") && (reason.contains("certificate") || reason.contains("handshake failure"))
            || reason.contains("alert unknown ca")
            || reason.contains("alert access denied")
    };
    let alert = stack.errors().iter().filter_map(openssl::error::Error::reason).any(is_alert);
    alert.then(|| Arc::new(stack.clone()))
}

/// What OpenSSL calls its reasons for what has an error of its own here.
fn failure(error: Error) -> ErrorKind {
    let has = |reasons: &[&str]| {
        let stack = error.ssl_error().map(ErrorStack::errors).unwrap_or_default();
        stack.iter().filter_map(openssl::error::Error::reason).any(|found| reasons.contains(&found))
    };
    if has(&["wrong version number", "packet length too long", "record layer failure"]) {
        return ErrorKind::Tls(TlsError::NotTls(Arc::new(error)));
    }
    if has(&[
        "sslv3 alert handshake failure",
        "ssl/tls alert handshake failure",
        "tlsv1 alert protocol version",
        "tlsv1 alert insufficient security",
        "no cipher match",
        "unsupported protocol",
    ]) {
        return ErrorKind::Tls(TlsError::Incompatible(Arc::new(error)));
    }
    if has(&[
        "sslv3 alert bad certificate",
        "sslv3 alert certificate unknown",
        "tlsv1 alert unknown ca",
        "tlsv13 alert certificate required",
    ]) {
        return ErrorKind::Tls(TlsError::ClientCertificateRefused(Arc::new(error)));
    }
    match error.into_io_error() {
        Ok(error) => ErrorKind::Io(error),
        Err(error) if error.ssl_error().is_none() => {
            ErrorKind::Io(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, error))
        }
        Err(error) => ErrorKind::Tls(TlsError::Handshake(Arc::new(error))),
    }
}
