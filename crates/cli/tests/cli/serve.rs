//! `winrm serve` and `winrm demo`.

use std::io::{BufRead, BufReader};
use std::process::Child;

use crate::common::{assert_code, bare, stderr, stdout};

/// Ended with the test, whatever becomes of it.
struct Serving(Option<Child>);

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts one and reads its first lines.
fn serve(arguments: &[&str], password: Option<&str>, lines: usize) -> (Serving, Vec<String>) {
    let mut command = bare(&[&["serve"], arguments].concat());
    if let Some(password) = password {
        command.env("WINRM_PASSWORD", password);
    }
    let mut child = command.spawn().unwrap();
    let reader = BufReader::new(child.stdout.take().unwrap());
    let serving = Serving(Some(child));
    (serving, reader.lines().take(lines).map(Result::unwrap).collect())
}

fn run(url: &str, user: &str, password: &str, line: &str) -> std::process::Output {
    bare(&["run", "--user", user, url, "--", line]).env("WINRM_PASSWORD", password).output().unwrap()
}

#[test]
fn a_given_password_is_not_shown() {
    let (mut serving, lines) = serve(&[], Some("given horse"), 1);
    let (url, user) = lines[0].strip_prefix("listening on ").unwrap().split_once(" as ").unwrap();
    assert_eq!(user, "winrm");
    let output = run(url, user, "given horse", "echo served");
    assert_code(&output, 0);
    assert_eq!(stdout(&output).trim_end(), "served");
    #[cfg(unix)]
    {
        let child = serving.0.take().unwrap();
        crate::common::signal(&child, "TERM");
        let ended = crate::common::end_within(std::time::Duration::from_secs(2), child);
        assert_code(&ended, 0);
        assert_eq!((stdout(&ended), stderr(&ended)), (String::new(), String::new()));
    }
    #[cfg(not(unix))]
    drop(serving.0.take().map(|mut child| child.kill()));
}

#[test]
fn a_password_is_made_up_and_shown() {
    let (_serving, lines) = serve(&["--user", "somebody"], None, 2);
    let (url, user) = lines[0].strip_prefix("listening on ").unwrap().split_once(" as ").unwrap();
    let password = lines[1].strip_prefix("password: ").unwrap();
    assert_eq!(user, "somebody");
    assert_code(&run(url, user, password, "exit 6"), 6);
    assert_code(&run(url, user, "something else", "exit 6"), 255);
}

#[test]
fn json_has_all_a_script_needs() {
    let (_serving, lines) = serve(&["--json", "--listen", "[::1]:0"], None, 1);
    let told: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let text = |name: &str| told[name].as_str().unwrap();
    assert!(text("url").starts_with("http://[::1]:"), "{told}");
    assert_code(&run(text("url"), text("user"), text("password"), "exit 6"), 6);
}

/// Processes of which one argument is this.
#[cfg(target_os = "linux")]
fn processes_with(argument: &str) -> Vec<String> {
    let is_meant = |process: &String| {
        let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.starts_with(b"sleep\0") && line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.unwrap().file_name().into_string().ok()).filter(is_meant).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn its_commands_end_with_it() {
    let (mut serving, lines) = serve(&[], Some("given horse"), 1);
    let (url, user) = lines[0].strip_prefix("listening on ").unwrap().split_once(" as ").unwrap();
    // Nobody else sleeps just as long.
    let duration = format!("190.{}", std::process::id());
    let client = bare(&["run", "--user", user, url, "--", "sleep", &duration])
        .env("WINRM_PASSWORD", "given horse")
        .spawn()
        .unwrap();
    let _client = Serving(Some(client));
    crate::common::until("it sleeps", || !processes_with(&duration).is_empty());
    let child = serving.0.take().unwrap();
    let signalled = std::time::Instant::now();
    crate::common::signal(&child, "TERM");
    assert_code(&crate::common::end_within(std::time::Duration::from_secs(2), child), 0);
    assert!(processes_with(&duration).is_empty(), "it still sleeps when the service has ended");
    assert!(signalled.elapsed() < std::time::Duration::from_secs(2), "{:?}", signalled.elapsed());
}

#[cfg(unix)]
#[test]
fn sigint_ends_it_as_well() {
    let (mut serving, lines) = serve(&[], None, 2);
    assert_eq!(lines.len(), 2);
    let child = serving.0.take().unwrap();
    crate::common::signal(&child, "INT");
    assert_code(&crate::common::end_within(std::time::Duration::from_secs(2), child), 0);
}

#[test]
fn other_machines_are_let_in_only_on_demand() {
    let output = bare(&["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("--dangerous-listen-beyond-loopback"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = bare(&["serve", "--listen", &address]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains(&format!("cannot listen on {address}")), "{}", stderr(&output));
}

#[test]
fn the_demonstration_holds() {
    let output = bare(&["demo"]).output().unwrap();
    assert_code(&output, 0);
    let text = stdout(&output);
    for part in [
        "$ echo Nobody on the wire can read this sentence\nNobody on the wire can read this sentence\n",
        "Negotiate (SPNEGO)",
        "NTLMv2",
        "128 bit",
        "handshake MIC     yes",
        "messages sealed   yes",
        "5 requests",
        "POST /wsman HTTP/1.1",
        "neither the command nor its output nor the password is readable",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    assert_eq!(stderr(&output), "");
}
