//! Logging on by a client certificate.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use winrm_loopback::{AuthStep, Builder, Invocation, Io, Service};
use winrm_transport::{
    AuthMethod, Client, ClientBuilder, ClientCertificate, ClientCertificateError, ClientCertificateProblem,
    ConfigError, Credentials, ErrorKind, MessageEncryption, Step, TlsBackend, TlsError, TlsVersion,
};
use zeroize::Zeroizing;

struct Made {
    der: Vec<u8>,
    certificate: String,
    key: String,
}

fn made() -> Made {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["ops@localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    Made { der: certificate.der().to_vec(), certificate: certificate.pem(), key: key.serialize_pem() }
}

fn both(made: &Made) -> ClientCertificate {
    ClientCertificate::from_pem((made.key.clone() + &made.certificate).as_bytes()).unwrap()
}

fn service() -> Builder {
    Service::builder().account("user", "right").handler(|_: Invocation, _: Io| async { 0 }).self_signed_tls()
}

/// The backends of this build, with the versions that each speaks.
fn backends() -> Vec<(TlsBackend, TlsVersion)> {
    let mut backends = vec![(TlsBackend::Rustls, TlsVersion::Tls12), (TlsBackend::Rustls, TlsVersion::Tls13)];
    if cfg!(feature = "tls-native") {
        backends.push((TlsBackend::Native, TlsVersion::Tls12));
    }
    backends
}

fn builder(service: &Service) -> ClientBuilder {
    Client::builder(service.url()).unwrap().pin(service.pin().unwrap()).auth_method(AuthMethod::Certificate)
}

#[tokio::test]
async fn the_account_is_the_one_that_the_certificate_stands_for() {
    for (backend, version) in backends() {
        let own = made();
        let service =
            service().client_certificate(own.der.clone(), "ops").tls_version(version).start().await.unwrap();
        let client = builder(&service).tls_backend(backend).client_certificate(both(&own)).build().unwrap();
        client.identify().await.unwrap();
        client.identify().await.unwrap();
        let log = service.log();
        assert_eq!(log.len(), 2, "no request without the envelope");
        for entry in log.iter() {
            assert_eq!((entry.auth, entry.user.as_deref()), (AuthStep::Certificate, Some("ops")));
            assert_eq!(
                entry.headers("Authorization"),
                ["http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"]
            );
        }
        let security = client.security().unwrap();
        assert!(security.to_string().starts_with("client certificate"), "{security}");
        assert!(!security.sealed && !security.channel_bound);

        // Others log on as ever.
        let with_password = Client::builder(service.url())
            .unwrap()
            .pin(service.pin().unwrap())
            .credentials(Credentials::password("user", "right"));
        with_password.build().unwrap().identify().await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_stands_for_nobody_is_refused() {
    for (backend, version) in backends() {
        let service =
            service().client_certificate(made().der, "ops").tls_version(version).start().await.unwrap();
        let client =
            builder(&service).tls_backend(backend).client_certificate(both(&made())).build().unwrap();
        let error = client.identify().await.unwrap_err();
        let ErrorKind::Tls(TlsError::ClientCertificateRefused(_)) = error.kind() else { panic!("{error:?}") };
        assert_eq!(error.step(), Step::Tls);
        assert!(error.remedy().unwrap().contains("issuer"));
        assert!(!error.is_outcome_unknown());
    }
}

#[tokio::test]
async fn a_listener_that_does_not_ask_is_told_of() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let service = service().tls_version(version).start().await.unwrap();
        let client = builder(&service).client_certificate(both(&made())).build().unwrap();
        let error = client.identify().await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Tls(TlsError::ClientCertificateNotAsked)), "{error:?}");
        assert!(error.remedy().unwrap().contains("clientcertnegotiation=enable"));
        assert!(service.log().is_empty());
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let service = service().start().await.unwrap();
    let fails = |builder: ClientBuilder| builder.build().unwrap_err();
    assert_eq!(fails(builder(&service)), ConfigError::NoClientCertificate);
    let sealed =
        builder(&service).client_certificate(both(&made())).message_encryption(MessageEncryption::Always);
    assert_eq!(fails(sealed), ConfigError::CertificateCannotSeal);
    let unused = builder(&service)
        .client_certificate(both(&made()))
        .auth_method(AuthMethod::Negotiate)
        .credentials(Credentials::password("user", "right"));
    assert_eq!(fails(unused), ConfigError::UnusedClientCertificate);
    let http = Client::builder("web01").unwrap().auth_method(AuthMethod::Certificate);
    assert_eq!(fails(http), ConfigError::CertificateOverHttp);
}

/// The password must not be asked for.
fn unasked() -> Result<Zeroizing<String>, ClientCertificateError> {
    panic!("asked for a password")
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let own = made();
    let certificate = file("own.pem", &own.certificate);
    let key = file("own.key", &own.key);
    let problem = |certificate: &Path, key: Option<&Path>| {
        let error = ClientCertificate::from_files(certificate, key, unasked).unwrap_err();
        let path = error.path.clone().unwrap();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        (path, error.reason)
    };
    ClientCertificate::from_files(&certificate, Some(&key), unasked).unwrap();
    assert_eq!(problem(&certificate, None), (certificate.clone(), ClientCertificateProblem::NoKey));
    assert_eq!(problem(&key, None), (key.clone(), ClientCertificateProblem::NoCertificate));
    let missing = folder.path().join("missing.pem");
    assert!(
        matches!(problem(&missing, None), (path, ClientCertificateProblem::Unreadable(_)) if path == missing)
    );
    let other = file("other.key", &made().key);
    assert!(matches!(problem(&certificate, Some(&other)).1, ClientCertificateProblem::Mismatch(_)));
    let encrypted = own.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let encrypted = file("encrypted.key", &encrypted);
    assert_eq!(
        problem(&certificate, Some(&encrypted)),
        (encrypted.clone(), ClientCertificateProblem::EncryptedKey)
    );
    let damaged = file("damaged.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    assert!(matches!(problem(&damaged, None).1, ClientCertificateProblem::Pem(_)));
    assert_eq!(problem(&file("empty.pem", ""), None).1, ClientCertificateProblem::NoCertificate);
    let shown = format!("{:?}", both(&own));
    assert!(shown.contains("sha256:") && !shown.contains("PRIVATE"), "{shown}");
}

#[cfg(feature = "pkcs12")]
#[test]
fn pkcs12_opens_by_its_password() {
    // Made by OpenSSL 3 with and without its legacy algorithms (those of Windows Server 2016 and older).
    for file in [
        &include_bytes!("certificates/client.p12")[..],
        &include_bytes!("certificates/client_legacy.p12")[..],
    ] {
        let own = ClientCertificate::from_pkcs12(file, "pass phrase").unwrap();
        assert!(format!("{own:?}").contains("sha256:"));
        let reason =
            |file: &[u8], password| ClientCertificate::from_pkcs12(file, password).unwrap_err().reason;
        assert_eq!(reason(file, "wrong"), ClientCertificateProblem::Password);
        for len in [1, 10, file.len() / 2, file.len() - 1] {
            let cut = file.get(..len).unwrap();
            assert!(matches!(reason(cut, "pass phrase"), ClientCertificateProblem::Pkcs12(_)), "{len}");
        }
    }
}
