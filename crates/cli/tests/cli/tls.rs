//! https: pins, authorities, Basic, and what `identify` and `serve` tell of them.

use std::io::{BufRead, BufReader};

use winrm_loopback::Builder;

use crate::common::{Host, USER, assert_code, bare, json_lines, stderr, stdout, winrm};

fn host() -> Host {
    Host::with(|builder| builder.self_signed_tls().require_channel_binding().basic())
}

fn pin(host: &Host) -> String {
    host.service().pin().unwrap().to_string()
}

#[test]
fn first_contact_names_the_pin_and_the_pin_lets_in() {
    let host = host();
    let output = winrm(&["run", &host.url(), "--", "echo x"]).output().unwrap();
    assert_code(&output, 255);
    let told = stderr(&output);
    let (_, rest) = told.split_once("`--pin ").unwrap();
    let (told_pin, _) = rest.split_once('`').unwrap();
    assert_eq!(told_pin, pin(&host));
    assert!(host.service().log().is_empty());

    let output = winrm(&["run", "--pin", told_pin, &host.url(), "--", "echo inside"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output).trim_end(), "inside");
    let log = host.service().log();
    assert_eq!(log.actions(), ["-", "Create", "Command", "Receive", "Delete"]);
    assert!(log.iter().all(|entry| !entry.sealed));
    host.assert_clean();
}

#[test]
fn messages_can_be_sealed_inside_tls() {
    let host = host();
    let pin = pin(&host);
    let arguments = ["run", "--pin", &pin, "--message-encryption", "always", &host.url(), "--", "exit 6"];
    assert_code(&winrm(&arguments).output().unwrap(), 6);
    let log = host.service().log();
    assert_eq!(log.len(), 5);
    assert!(log.iter().skip(1).all(|entry| entry.sealed));
    let output = winrm(&["run", "--message-encryption", "never", "web01", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("always sealed"), "{}", stderr(&output));
}

#[test]
fn another_pin_or_none_of_the_kind_lets_nobody_in() {
    let (host, other) = (host(), host());
    let output = winrm(&["run", "--pin", &pin(&other), &host.url(), "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains(&pin(&host)), "{}", stderr(&output));
    // Two of them, each for one host.
    let pins =
        ["run", "--pin", &pin(&other), "--pin", &pin(&host), &host.url(), &other.url(), "--", "exit 0"];
    assert_code(&winrm(&pins).output().unwrap(), 0);
    let output = winrm(&["run", "--pin", &pin(&host), "web01", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("need an https endpoint"), "{}", stderr(&output));
    assert_eq!(host.service().log().logons().len(), 1);
}

#[test]
fn a_file_of_authorities_is_read() {
    let host = host();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.der");
    std::fs::write(&file, host.service().certificate().unwrap()).unwrap();
    let name = file.to_str().unwrap();
    assert_code(&winrm(&["run", "--ca-file", name, &host.url(), "--", "exit 4"]).output().unwrap(), 4);
    std::fs::write(&file, "no certificate").unwrap();
    let output = winrm(&["run", "--ca-file", name, &host.url(), "--", "exit 4"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains(name), "{}", stderr(&output));
}

#[test]
fn any_certificate_is_accepted_on_demand() {
    let host = host();
    let option = "--dangerous-accept-any-certificate";
    assert_code(&winrm(&["run", option, &host.url(), "--", "exit 4"]).output().unwrap(), 4);
}

#[test]
fn basic_logs_on_inside_tls_alone() {
    let host = host();
    let pin = pin(&host);
    let arguments = ["run", "--auth", "basic", "--pin", &pin, &host.url(), "--", "exit 5"];
    assert_code(&winrm(&arguments).output().unwrap(), 5);
    // No token went ahead.
    assert_eq!(host.service().log().actions(), ["Create", "Command", "Receive", "Delete"]);
    let output = winrm(&arguments).env("WINRM_PASSWORD", "wrong").output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("refused the credentials"), "{}", stderr(&output));
    assert_eq!(host.service().log().logons().iter().filter(|logon| !logon.is_success()).count(), 1);
    let clear = Host::with(Builder::basic);
    let output = winrm(&["run", "--auth", "basic", &clear.url(), "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("over https only"), "{}", stderr(&output));
    assert!(clear.service().log().is_empty());
}

#[test]
fn identify_tells_version_pins_binding_and_reason() {
    let host = host();
    let pin = pin(&host);
    let output = winrm(&["identify", "--json", "--pin", &pin, &host.url()]).output().unwrap();
    assert_code(&output, 0);
    let told = &json_lines(&output)[0];
    assert_eq!(
        (&told["tls"]["version"], &told["tls"]["certificate_pin"]),
        (&"TLS 1.3".into(), &pin.as_str().into())
    );
    assert!(told["tls"]["public_key_pin"].as_str().unwrap().starts_with("sha256//"), "{told}");
    assert_eq!((&told["choice"]["channel_bound"], &told["choice"]["sealed"]), (&true.into(), &false.into()));
    assert!(told["choice"]["reason"].as_str().unwrap().contains("TLS channel"), "{told}");
    assert_eq!(told["logon"]["security"]["channel_bound"], true);
    let text = stdout(&winrm(&["identify", "--pin", &pin, &host.url()]).output().unwrap());
    for part in
        ["TLS 1.3, certificate pinned", &format!("--pin {pin}"), "bound to the TLS channel", "--auth basic"]
    {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let output = bare(&["identify", "--auth", "basic", "--pin", &pin, &host.url()]).output().unwrap();
    assert_code(&output, 0);
    assert!(stdout(&output).contains("Basic: user and password as they are"), "{}", stdout(&output));
    // What was not offered is not chosen.
    let plain = Host::start();
    let output = bare(&["identify", "--auth", "basic", &plain.url()]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("over https only"), "{}", stderr(&output));
}

#[test]
fn serve_tells_the_pin() {
    for json in [false, true] {
        let arguments = if json {
            &["serve", "--tls", "--require-channel-binding", "--json"][..]
        } else {
            &["serve", "--tls"]
        };
        let mut child = bare(arguments).env("WINRM_PASSWORD", "given horse").spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let (url, pin) = if json {
            let told: serde_json::Value = serde_json::from_str(&line).unwrap();
            (told["url"].as_str().unwrap().to_owned(), told["pin"].as_str().unwrap().to_owned())
        } else {
            let told = line.strip_prefix("listening on ").unwrap();
            let (url, pin) = told.split_once(" as winrm with --pin ").unwrap();
            (url.to_owned(), pin.to_owned())
        };
        assert!(url.starts_with("https://127.0.0.1:"), "{line}");
        let arguments = ["run", "--user", "winrm", "--pin", &pin, &url, "--", "exit 7"];
        let output = bare(&arguments).env("WINRM_PASSWORD", "given horse").output().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_code(&output, 7);
    }
}

/// A certificate and its key in PEM, and both in one PKCS#12 file, made by rcgen and OpenSSL.
struct Own {
    folder: tempfile::TempDir,
}

impl Own {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["ops".to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(folder.path().join("own.pem"), made.pem()).unwrap();
        std::fs::write(folder.path().join("own.key"), key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

#[test]
fn client_certificates_log_on_without_user_and_password() {
    let own = Own::make();
    let pem = std::fs::read(own.path("own.pem")).unwrap();
    let host = Host::with(|builder| builder.self_signed_tls().client_certificate_file(&pem, USER).unwrap());
    let pin = host.service().pin().unwrap().to_string();
    let (certificate, key) = (own.path("own.pem"), own.path("own.key"));
    let with = |more: &[&str]| {
        let url = host.url();
        let options = ["run", &url, "--pin", &pin, "--auth", "certificate"];
        let mut command = bare(&[&options, more, &["--", "echo in"]].concat());
        command.env("WINRM_CERTIFICATE_PASSWORD", "wrong").output().unwrap()
    };
    let output = with(&["--certificate", &certificate, "--certificate-key", &key]);
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "in\n");

    // Made by OpenSSL for the tests of the transport.
    let pkcs12 = concat!(env!("CARGO_MANIFEST_DIR"), "/../transport/tests/certificates/client.p12");
    for (options, told) in [
        (&["--certificate", pkcs12][..], "client.p12: the password does not open it"),
        (&["--certificate", certificate.as_str()][..], "own.pem: there is no private key"),
        (&["--certificate", "/nowhere.pem"], "/nowhere.pem"),
        (&["--certificate", key.as_str()], "there is no certificate in it"),
        (&[], "no certificate to log on by"),
    ] {
        let output = with(options);
        assert_code(&output, 255);
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        assert!(stderr(&output).lines().count() <= 2, "{}", stderr(&output));
    }
    let url = host.url();
    let identify = ["identify", &url, "--pin", &pin, "--auth", "certificate", "--certificate", &certificate];
    let output = bare(&[&identify[..], &["--certificate-key", &key]].concat()).output().unwrap();
    assert_code(&output, 0);
    assert!(stdout(&output).contains("client certificate"), "{}", stdout(&output));
}
