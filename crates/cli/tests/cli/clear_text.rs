//! What weakens the protection of messages, and what shows them: both only where they are asked for by name.

use winrm_loopback::Builder;

use crate::common::{Host, PASSWORD, assert_code, bare, stderr, stdout, winrm};

#[test]
fn basic_over_http_takes_an_option_that_says_what_it_does() {
    let host = Host::with(Builder::dangerous_clear_text_basic);
    let url = host.url();
    let output = winrm(&["run", &url, "--auth", "basic", "--", "echo x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("--dangerous-allow-clear-text-basic"), "{}", stderr(&output));
    assert!(host.service().log().is_empty(), "the password was sent");

    let open = ["run", &url, "--auth", "basic", "--dangerous-allow-clear-text-basic", "--", "echo x"];
    let output = winrm(&open).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "x\n");
    assert!(stderr(&output).contains("everybody on the network can read"), "{}", stderr(&output));
    assert!(host.service().log().iter().all(|entry| !entry.sealed));
    // Negotiate is sealed there as everywhere.
    assert_code(&winrm(&["run", &url, "--", "echo x"]).output().unwrap(), 0);
    host.assert_clean();
}

/// A server that offers Basic and nothing else, over http.
fn only_basic() -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 8192];
            while stream.read(&mut request).is_ok_and(|len| len > 0) {
                assert!(!String::from_utf8_lossy(&request).contains("Basic"), "the password was sent");
                let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"WSMAN\"\r\n\
                    Content-Length: 0\r\n\r\n";
                if stream.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[test]
fn a_server_that_offers_basic_alone_is_refused_and_told_why() {
    let url = format!("http://{}", only_basic());
    for line in [&["run", &url, "--", "x"][..], &["identify", &url]] {
        let output = winrm(line).output().unwrap();
        assert_code(&output, 255);
        let told = stderr(&output);
        assert!(told.contains("readable"), "{told}");
        assert!(told.contains("--auth basic --dangerous-allow-clear-text-basic"), "{told}");
    }
}

#[test]
fn the_wire_is_traced_into_a_file_of_our_own() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wire.txt");
    let file = path.to_str().unwrap();
    let line = format!("echo {PASSWORD}");
    let output = winrm(&["run", &host.url(), "--trace-wire", file, "--", &line]).output().unwrap();
    assert_code(&output, 0);
    let text = std::fs::read_to_string(&path).unwrap();
    for part in [
        " -> http://127.0.0.1:",
        " <- http://127.0.0.1:",
        "CommandLine",
        "CommandResponse",
        "echo [password]",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    // The output is in base64, and holds it too.
    assert!(!text.contains(PASSWORD) && !text.contains("Authorization"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Neither overwritten nor followed.
    let again = winrm(&["run", &host.url(), "--trace-wire", file, "--", "echo x"]).output().unwrap();
    assert_code(&again, 255);
    assert!(stderr(&again).contains(file) && stderr(&again).contains("not there yet"), "{}", stderr(&again));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    #[cfg(unix)]
    {
        let symbolic = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &symbolic).unwrap();
        let line = ["identify", &host.url(), "--trace-wire", symbolic.to_str().unwrap()];
        assert_code(&bare(&line).output().unwrap(), 255);
        assert!(!folder.path().join("elsewhere").exists());
    }
}
