//! HTTPS: which certificates are accepted, what the log-on is bound to, and what travels inside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SignatureAlgorithm};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::io::{AsyncWriteExt, copy_bidirectional, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use winrm_loopback::{AuthStep, Builder, Invocation, Io, Service};
use winrm_ntlm::ChannelBindings;
use winrm_transport::{
    AuthMethod, Client, ClientBuilder, ConfigError, Connecting, Connector, Credentials, Endpoint, Error,
    ErrorKind, MessageEncryption, Pin, Step, Stream, TlsBackend, TlsError, TlsVersion, Trust, probe,
    tls_server_end_point,
};

/// These tests are `tls`, and once more `tls_native`, of the other backend.
fn backend() -> TlsBackend {
    if module_path!().starts_with("tls_native") { TlsBackend::Native } else { TlsBackend::Rustls }
}

/// What the backend speaks.
fn versions() -> &'static [TlsVersion] {
    match backend() {
        TlsBackend::Native => &[TlsVersion::Tls12],
        _ => &[TlsVersion::Tls12, TlsVersion::Tls13],
    }
}

/// A certificate and its key, in DER.
#[derive(Clone)]
struct Made {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Made {
    fn pin(&self) -> Pin {
        Pin::of_certificate(&self.certificate)
    }
}

fn names() -> Vec<String> {
    ["localhost", "127.0.0.1"].map(str::to_owned).to_vec()
}

fn self_signed(algorithm: &'static SignatureAlgorithm) -> Made {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(names()).unwrap().self_signed(&key).unwrap();
    Made { certificate: certificate.der().to_vec(), key: key.serialize_der() }
}

fn ecdsa() -> Made {
    self_signed(&rcgen::PKCS_ECDSA_P256_SHA256)
}

/// A key made for these tests, and certificates of it with signatures that no library here makes.
fn rsa(certificate: &[u8]) -> Made {
    Made { certificate: certificate.to_vec(), key: include_bytes!("certificates/rsa.pk8").to_vec() }
}

fn service(made: &Made) -> Builder {
    Service::builder()
        .account("user", "right")
        .handler(|_: Invocation, _: Io| async { 0 })
        .tls(vec![made.certificate.clone()], made.key.clone())
}

fn builder(service: &Service) -> ClientBuilder {
    Client::builder(service.url())
        .unwrap()
        .tls_backend(backend())
        .credentials(Credentials::password("user", "right"))
}

fn pinned(service: &Service) -> ClientBuilder {
    builder(service).pin(service.pin().unwrap())
}

async fn error_of(builder: ClientBuilder) -> Error {
    let error = builder.build().unwrap().identify().await.unwrap_err();
    assert!(!error.is_outcome_unknown());
    error
}

fn tls_error(error: &Error) -> &TlsError {
    assert_eq!(error.step(), Step::Tls, "{error}");
    match error.kind() {
        ErrorKind::Tls(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn log_ons_are_bound_to_the_certificate_whatever_signed_it() {
    type Hash = fn(&[u8]) -> Vec<u8>;
    let sha256: Hash = |bytes| Sha256::digest(bytes).to_vec();
    let sha384: Hash = |bytes| Sha384::digest(bytes).to_vec();
    let sha512: Hash = |bytes| Sha512::digest(bytes).to_vec();
    let certificates: [(&str, Made, Hash); 7] = [
        ("ECDSA P-256 SHA-256", ecdsa(), sha256),
        ("ECDSA P-384 SHA-384", self_signed(&rcgen::PKCS_ECDSA_P384_SHA384), sha384),
        ("Ed25519", self_signed(&rcgen::PKCS_ED25519), sha256),
        ("RSA SHA-1", rsa(include_bytes!("certificates/rsa_sha1.der")), sha256),
        ("RSA SHA-512", rsa(include_bytes!("certificates/rsa_sha512.der")), sha512),
        ("RSA-PSS SHA-256", rsa(include_bytes!("certificates/rsa_pss_sha256.der")), sha256),
        ("RSA-PSS SHA-384", rsa(include_bytes!("certificates/rsa_pss_sha384.der")), sha384),
    ];
    for (what, made, hash) in certificates {
        let expected = ChannelBindings::tls_server_end_point(&hash(&made.certificate)).unwrap();
        assert_eq!(tls_server_end_point(&made.certificate).unwrap(), expected, "{what}");
        for version in versions().iter().copied() {
            let service =
                service(&made).tls_version(version).require_channel_binding().start().await.unwrap();
            let client = pinned(&service).build().unwrap();
            client.identify().await.unwrap_or_else(|error| panic!("{what}, {version}: {error}"));
            let security = client.security().unwrap();
            assert!(security.channel_bound && !security.sealed, "{what}: {security:?}");
            let tls = security.tls.unwrap();
            assert_eq!(
                (tls.version, tls.trust, tls.certificate),
                (version, Trust::Pin, made.pin()),
                "{what}"
            );
        }
    }
}

/// Speaks TLS to the service for a client that knows nothing of it, or believes in another certificate.
#[derive(Debug)]
struct Between {
    service: std::net::SocketAddr,
    /// TLS towards the client as well.
    acceptor: Option<Acceptor>,
}

struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

impl Connector for Between {
    fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect(self.service).await?;
            let connector = TlsConnector::from(trusting_anybody());
            let mut service = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
            let Some(Acceptor(acceptor)) = &self.acceptor else {
                let stream: Box<dyn Stream> = Box::new(service);
                return Ok(stream);
            };
            let (ours, theirs) = duplex(64 * 1024);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(theirs).await?;
                copy_bidirectional(&mut client, &mut service).await
            });
            let stream: Box<dyn Stream> = Box::new(ours);
            Ok(stream)
        })
    }
}

/// As an attacker is.
fn trusting_anybody() -> Arc<ClientConfig> {
    #[derive(Debug)]
    struct Anybody;
    impl rustls::client::danger::ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: rustls::pki_types::UnixTime,
        ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            ring::default_provider().signature_verification_algorithms.supported_schemes()
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.dangerous().set_certificate_verifier(Arc::new(Anybody));
    Arc::new(config)
}

/// A server that shows `certificate` and signs with `key`, whether they belong together or not.
fn acceptor(certificate: &[u8], key: &[u8], version: TlsVersion) -> TlsAcceptor {
    #[derive(Debug)]
    struct Always(Arc<CertifiedKey>);
    impl ResolvesServerCert for Always {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let key = ring::sign::any_supported_type(&PrivateKeyDer::try_from(key.to_vec()).unwrap()).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from(certificate.to_vec())], key);
    let versions = if version == TlsVersion::Tls12 { [&TLS12] } else { [&TLS13] };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(shown))));
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn who_stands_between_with_another_certificate_is_refused() {
    let evil = ecdsa();
    for version in versions().iter().copied() {
        for required in [true, false] {
            let service = service(&ecdsa()).tls_version(version);
            let service = if required { service.require_channel_binding() } else { service };
            let service = service.start().await.unwrap();
            let acceptor = Some(Acceptor(acceptor(&evil.certificate, &evil.key, version)));
            let between = Between { service: service.addr(), acceptor };
            let client = builder(&service).dangerous_accept_any_certificate().connector(Arc::new(between));
            let error = error_of(client).await;
            assert!(matches!(error.kind(), ErrorKind::CredentialsRefused { .. }), "{version}: {error}");
            assert!(error.remedy().unwrap().contains("channel binding"), "{error:?}");
            let failure = service.log().logons()[0].failure.clone().unwrap();
            assert!(failure.contains("another channel"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_log_on_without_binding_is_refused_where_it_is_required() {
    for version in versions().iter().copied() {
        for required in [true, false] {
            let service = service(&ecdsa()).tls_version(version);
            let service = if required { service.require_channel_binding() } else { service };
            let service = service.start().await.unwrap();
            // The client believes it speaks http, so it has no channel to bind to.
            let between = Between { service: service.addr(), acceptor: None };
            let client = Client::builder("http://localhost")
                .unwrap()
                .credentials(Credentials::password("user", "right"))
                .connector(Arc::new(between))
                .build()
                .unwrap();
            let outcome = client.identify().await;
            assert_eq!(outcome.is_err(), required, "{version}: {outcome:?}");
            assert_eq!(service.log().logons().len(), 1);
            assert_eq!(service.log().logons()[0].is_success(), !required);
        }
    }
}

#[tokio::test]
async fn first_contact_tells_the_pin_that_would_accept() {
    let service = service(&ecdsa()).start().await.unwrap();
    let error = error_of(builder(&service)).await;
    let TlsError::Untrusted { pin, .. } = tls_error(&error) else { panic!("{error:?}") };
    assert_eq!(Some(*pin), service.pin());
    assert!(error.to_string().contains(&pin.to_string()), "{error}");
    assert!(error.remedy().unwrap().contains(&format!("--pin {pin}")), "{error:?}");
    assert!(service.log().is_empty());
    builder(&service).pin(*pin).build().unwrap().identify().await.unwrap();
    let key = Pin::of_public_key(service.certificate().unwrap()).unwrap();
    assert!(matches!(key, Pin::PublicKey(_)));
    builder(&service).pin(key).build().unwrap().identify().await.unwrap();
    // Without log-on too.
    let found = probe(&builder(&service).pin(*pin)).await.unwrap();
    assert_eq!(found.tls.unwrap().public_key, Some(key));
    assert!(matches!(probe(&builder(&service)).await.unwrap_err().kind(), ErrorKind::Tls(_)));
}

#[tokio::test]
async fn one_of_several_pins_must_match() {
    let service = service(&ecdsa()).start().await.unwrap();
    let other = ecdsa().pin();
    builder(&service).pin(other).pin(service.pin().unwrap()).build().unwrap().identify().await.unwrap();
    let error = error_of(builder(&service).pin(other)).await;
    let TlsError::PinMismatch { found, .. } = tls_error(&error) else { panic!("{error:?}") };
    assert_eq!(Some(*found), service.pin());
    assert!(error.to_string().contains(&found.to_string()), "{error}");
    assert!(error.remedy().unwrap().contains("pretends"), "{error:?}");
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_worth_nothing() {
    let (real, other) = (ecdsa(), ecdsa());
    for version in versions().iter().copied() {
        for key in [&other.key, &real.key] {
            let acceptor = acceptor(&real.certificate, key, version);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("https://{}", listener.local_addr().unwrap());
            let served = tokio::spawn(async move {
                let (stream, _) = listener.accept().await?;
                acceptor.accept(stream).await.map(|_| ())
            });
            let client = Client::builder(&url).unwrap().credentials(Credentials::password("user", "right"));
            let error = error_of(client.pin(real.pin())).await;
            let is_forged = *key == other.key;
            if is_forged {
                assert!(matches!(tls_error(&error), TlsError::Handshake(_)), "{version}: {error:?}");
            } else {
                // The control: the handshake is fine, and the connection is closed after it.
                assert_eq!(error.step(), Step::Negotiate, "{version}: {error:?}");
            }
            assert_eq!(served.await.unwrap().is_err(), is_forged, "{version}");
        }
    }
}

/// An authority, and a certificate of its for `names`.
fn signed(names: Vec<String>, change: impl FnOnce(&mut CertificateParams)) -> (String, Made) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Else it is called as what it signs, which then looks self-signed.
    authority.distinguished_name.push(DnType::CommonName, "Test authority");
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (pem, Made { certificate: certificate.der().to_vec(), key: key.serialize_der() })
}

#[tokio::test]
async fn an_authority_vouches_for_names() {
    let (authority, made) = signed(names(), |_| {});
    let service = service(&made).start().await.unwrap();
    let client = builder(&service).ca_certificates(authority.clone()).build().unwrap();
    client.identify().await.unwrap();
    assert_eq!(client.security().unwrap().tls.unwrap().trust, Trust::Authority);
    let file = std::env::temp_dir().join(format!("winrm-authority-{}.pem", std::process::id()));
    std::fs::write(&file, &authority).unwrap();
    let outcome = builder(&service).ca_file(&file).build().unwrap().identify().await;
    std::fs::remove_file(&file).unwrap();
    outcome.unwrap();
    // Another authority, and those of the system.
    let (stranger, _) = signed(names(), |_| {});
    for builder in [builder(&service), builder(&service).ca_certificates(stranger)] {
        let error = error_of(builder).await;
        assert!(matches!(tls_error(&error), TlsError::Untrusted { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn names_and_dates_are_looked_at() {
    let (authority, made) = signed(vec!["other.example".to_owned()], |_| {});
    let service_of_another = service(&made).start().await.unwrap();
    let error = error_of(builder(&service_of_another).ca_certificates(authority)).await;
    let TlsError::HostName { host, names: found, pin } = tls_error(&error) else { panic!("{error:?}") };
    assert_eq!((host.as_str(), *pin), ("127.0.0.1", made.pin()));
    assert!(found.iter().any(|name| name.contains("other.example")), "{found:?}");
    assert!(error.to_string().contains("other.example"), "{error}");

    let (authority, made) = signed(names(), |params| {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    let expired = service(&made).start().await.unwrap();
    let error = error_of(builder(&expired).ca_certificates(authority)).await;
    assert!(error.to_string().contains("it has expired"), "{error}");
    // A pin stands for all of that.
    pinned(&expired).build().unwrap().identify().await.unwrap();
}

#[tokio::test]
async fn any_certificate_is_accepted_on_demand_only() {
    let service = service(&ecdsa()).start().await.unwrap();
    let client = builder(&service).dangerous_accept_any_certificate().build().unwrap();
    client.identify().await.unwrap();
    assert_eq!(client.security().unwrap().tls.unwrap().trust, Trust::Nothing);
    assert!(client.security().unwrap().to_string().contains("NOT verified"));
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let service = service(&ecdsa()).basic().start().await.unwrap();
    let pin = service.pin().unwrap();
    let fails = |builder: ClientBuilder| builder.build().unwrap_err();
    let http = || Client::builder("web01").unwrap().credentials(Credentials::password("user", "right"));
    assert_eq!(fails(http().pin(pin)), ConfigError::CertificateOptionOverHttp);
    assert_eq!(fails(http().message_encryption(MessageEncryption::Never)), ConfigError::UnsealedOverHttp);
    assert_eq!(fails(http().auth_method(AuthMethod::Basic)), ConfigError::BasicOverHttp);
    let both = pinned(&service).dangerous_accept_any_certificate();
    assert_eq!(fails(both), ConfigError::ContradictoryTrust);
    let missing = fails(builder(&service).ca_file("/nowhere/ca.pem"));
    assert!(missing.to_string().contains("/nowhere/ca.pem"), "{missing}");
    for (pem, told) in [
        ("", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "PEM"),
        ("0", "certificate 1"),
    ] {
        let error = fails(builder(&service).ca_certificates(pem));
        assert!(matches!(error, ConfigError::CaCertificates { .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
    let basic = || pinned(&service).auth_method(AuthMethod::Basic);
    assert_eq!(fails(basic().message_encryption(MessageEncryption::Always)), ConfigError::BasicCannotSeal);
    for credentials in [Credentials::nt_hash("user", [0; 16]), Credentials::password("us:er", "x")] {
        assert_eq!(fails(basic().credentials(credentials)), ConfigError::BasicCredentials);
    }
    assert!(service.log().is_empty());
}

#[tokio::test]
async fn messages_are_sealed_inside_tls_only_on_demand() {
    for (encryption, sealed) in [
        (MessageEncryption::Auto, false),
        (MessageEncryption::Never, false),
        (MessageEncryption::Always, true),
    ] {
        for method in [AuthMethod::Negotiate, AuthMethod::Ntlm] {
            let service = service(&ecdsa()).require_channel_binding().start().await.unwrap();
            let client = pinned(&service).message_encryption(encryption).auth_method(method).build().unwrap();
            client.identify().await.unwrap();
            client.identify().await.unwrap();
            let security = client.security().unwrap();
            assert_eq!(security.sealed, sealed, "{security}");
            // As over http: a token, a token with the first envelope, and no token any more.
            let log = service.log();
            let seen: Vec<_> = log.iter().map(|entry| (entry.auth, entry.sealed, entry.connection)).collect();
            assert_eq!(
                seen,
                [
                    (AuthStep::Token(1), false, 1),
                    (AuthStep::Token(2), sealed, 1),
                    (AuthStep::Authenticated, sealed, 1)
                ]
            );
            let content_type = &log[2].headers("Content-Type")[0];
            assert_eq!(content_type.starts_with("multipart/encrypted"), sealed, "{content_type}");
        }
    }
}

#[tokio::test]
async fn faults_in_clear_are_faults_inside_tls() {
    use winrm_loopback::{Misbehaviour, Trigger};
    let service = service(&ecdsa())
        .misbehave(Trigger::NthEnvelope(2), Misbehaviour::ClearFault(500))
        .start()
        .await
        .unwrap();
    let client = pinned(&service).build().unwrap();
    client.identify().await.unwrap();
    let error = client.identify().await.unwrap_err();
    assert_eq!(error.fault().unwrap().wsman_code(), Some(winrm_wsman::FaultCode::ACCESS_DENIED));
    client.identify().await.unwrap();
}

#[tokio::test]
async fn basic_sends_the_password_with_every_request_and_no_other() {
    let service = service(&ecdsa()).basic().start().await.unwrap();
    let client = pinned(&service).auth_method(AuthMethod::Basic).build().unwrap();
    client.identify().await.unwrap();
    client.identify().await.unwrap();
    let log = service.log();
    assert_eq!(log.len(), 2);
    for entry in log.iter() {
        assert_eq!((entry.auth, entry.sealed, entry.connection), (AuthStep::Basic, false, 1));
        assert_eq!(entry.headers("Authorization"), ["Basic dXNlcjpyaWdodA=="]);
    }
    let security = client.security().unwrap();
    assert_eq!((security.scheme, security.ntlm, security.channel_bound), ("Basic", None, false));
}

#[tokio::test]
async fn basic_tries_a_wrong_password_once() {
    let service = service(&ecdsa()).basic().start().await.unwrap();
    let client = pinned(&service)
        .auth_method(AuthMethod::Basic)
        .credentials(Credentials::password("user", "wrong"))
        .build()
        .unwrap();
    let (one, other) = tokio::join!(client.identify(), client.identify());
    for error in [one.unwrap_err(), other.unwrap_err(), client.identify().await.unwrap_err()] {
        assert!(matches!(error.kind(), ErrorKind::CredentialsRefused { .. }), "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(service.log().logons().len(), 1);
    assert_eq!(service.log().len(), 1);
}

#[tokio::test]
async fn basic_is_used_only_where_it_is_offered() {
    let service = service(&ecdsa()).start().await.unwrap();
    let error = error_of(pinned(&service).auth_method(AuthMethod::Basic)).await;
    let ErrorKind::SchemeNotOffered { wanted, offered } = error.kind() else { panic!("{error:?}") };
    assert_eq!((*wanted, offered.as_slice()), ("Basic", &["Negotiate".to_owned()][..]));
}

/// A listener that answers every connection with these bytes and closes it, or holds it open.
async fn answering(bytes: &'static [u8], hold: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await?;
            let mut hello = [0; 1024];
            tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await?;
            stream.write_all(bytes).await?;
            if hold {
                std::future::pending::<()>().await;
            }
        }
        #[expect(unreachable_code, reason = "names the type")]
        io::Result::Ok(())
    });
    url
}

#[tokio::test]
async fn what_is_not_tls_is_told_apart() {
    let client = |url: &str| {
        let builder = Client::builder(url).unwrap().credentials(Credentials::password("user", "right"));
        builder.connect_timeout(Duration::from_millis(300))
    };
    let error = error_of(client(&answering(b"HTTP/1.1 400 Bad Request\r\n\r\n", false).await)).await;
    assert!(matches!(tls_error(&error), TlsError::NotTls(_)), "{error:?}");
    // handshake_failure (RFC 8446 section 6.2): nothing in common.
    let error = error_of(client(&answering(&[21, 3, 3, 0, 2, 2, 40], false).await)).await;
    assert!(matches!(tls_error(&error), TlsError::Incompatible(_)), "{error:?}");
    for part in ["2012 R2", "static RSA", "clientcertnegotiation"] {
        assert!(error.remedy().unwrap().contains(part), "{error:?}");
    }
    // As Windows does in the same case.
    let error = error_of(client(&answering(b"", false).await)).await;
    assert!(matches!(error.kind(), ErrorKind::Io(_)) && error.step() == Step::Tls, "{error:?}");
    assert!(error.remedy().unwrap().contains("2012 R2"), "{error:?}");
    let error = error_of(client(&answering(b"", true).await)).await;
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)) && error.step() == Step::Tls, "{error:?}");
}
