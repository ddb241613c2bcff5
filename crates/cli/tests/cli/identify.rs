//! What answers at a host.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::common::{Host, assert_code, bare, json_lines, stderr, stdout, winrm};

#[test]
fn without_credentials_it_probes() {
    let host = Host::start();
    let output = bare(&["identify", &host.url()]).output().unwrap();
    assert_code(&output, 0);
    let text = stdout(&output);
    assert!(text.starts_with(&format!("{}\n", host.url())), "{text}");
    for part in [
        "HTTP 401",
        "Negotiate: SPNEGO with NTLM, every message sealed",
        "this build does not speak Kerberos",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    assert!(!text.contains("logged on"), "{text}");
    assert!(host.service().log().logons().is_empty());
}

#[test]
fn with_credentials_it_logs_on() {
    let host = Host::start();
    let output = winrm(&["identify", "--json", &host.url()]).output().unwrap();
    assert_code(&output, 0);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 1);
    let security = &lines[0]["logon"]["security"];
    assert_eq!((&security["mechanism"], &security["key_bits"]), (&"NTLMv2".into(), &128.into()));
    assert_eq!((&security["sealed"], &security["mic"]), (&true.into(), &true.into()));
    assert_eq!(lines[0]["choice"]["scheme"], "Negotiate");
    assert_eq!(lines[0]["status"], 401);
    let version = |identity: &serde_json::Value| identity["product_version"].as_str().unwrap().to_owned();
    // Only who has logged on is told the version of the operating system.
    assert!(version(&lines[0]["identity"]).contains("OS: 0.0.0"), "{}", lines[0]);
    assert_ne!(version(&lines[0]["logon"]["identity"]), version(&lines[0]["identity"]));

    let text = stdout(&winrm(&["identify", &host.url()]).output().unwrap());
    assert!(text.contains("logged on") && text.contains("as tester: Negotiate (SPNEGO), NTLMv2"), "{text}");
}

#[test]
fn a_wrong_password_still_tells_what_answers() {
    let host = Host::start();
    let output = winrm(&["identify", &host.url()]).env("WINRM_PASSWORD", "wrong horse").output().unwrap();
    assert_code(&output, 255);
    assert!(stdout(&output).contains("we choose"), "{}", stdout(&output));
    assert!(stderr(&output).contains("refused the credentials"), "{}", stderr(&output));
    assert_eq!(host.service().log().logons().len(), 1);
}

#[test]
fn several_are_told_in_their_order() {
    let (one, other) = (Host::start(), Host::start());
    let output = bare(&["identify", "--json", &one.url(), "127.0.0.1:1", &other.url()]).output().unwrap();
    assert_code(&output, 255);
    let lines = json_lines(&output);
    let urls: Vec<_> = lines.iter().map(|line| line["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [&one.url(), "http://127.0.0.1:1/wsman", &other.url()]);
    assert!(lines[1]["error"].as_str().unwrap().contains("connecting"), "{}", lines[1]);
    assert!(lines[0].get("error").is_none(), "{}", lines[0]);
}

#[test]
fn a_web_server_is_no_winrm_service() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the test: it waits for connections that no longer come.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 404 Not Found\r\nServer: web\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\
                          Connection: close\r\n\r\n<p>no";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let output = bare(&["identify", &address.to_string()]).output().unwrap();
    assert_code(&output, 255);
    assert!(stdout(&output).contains("web, HTTP 404"), "{}", stdout(&output));
    assert!(stderr(&output).contains("no WinRM service answers there"), "{}", stderr(&output));
}
