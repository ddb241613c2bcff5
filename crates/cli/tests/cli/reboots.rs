//! Hosts that go away under a command, and come back.

use std::net::TcpListener;
use std::time::Duration;

use winrm_loopback::{Misbehaviour, Trigger};

use crate::common::{Host, assert_code, end_within, json_lines, stderr, until, winrm};

const RECEIVE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";

#[test]
fn a_host_that_goes_away_is_a_failure_unless_it_was_to() {
    for misbehaviour in [
        Misbehaviour::CloseBefore,
        Misbehaviour::Truncate(100),
        Misbehaviour::Fault(winrm_wsman::FaultCode::OPERATION_ABORTED),
    ] {
        let host = Host::start();
        host.service().misbehave(Trigger::action(RECEIVE), misbehaviour.clone());
        let url = host.url();
        let run = |options: &[&str]| {
            winrm(&[&["run", &url, "--operation-timeout", "0.5"], options, &["sleep 30"]].concat())
        };
        let output = run(&["--"]).output().unwrap();
        assert_code(&output, 255);
        if misbehaviour == Misbehaviour::CloseBefore {
            assert!(stderr(&output).contains("connection lost, outcome unknown"), "{}", stderr(&output));
        }
        let output = run(&["--expect-disconnect", "--"]).output().unwrap();
        assert_code(&output, 0);
        assert!(stderr(&output).contains("disconnected, as expected"), "{}", stderr(&output));
        let output = run(&["--expect-disconnect", "--json", "--"]).output().unwrap();
        assert_code(&output, 0);
        let lines = json_lines(&output);
        assert_eq!(lines.last().unwrap()["disconnected"], true, "{lines:?}");
    }
}

#[test]
fn a_host_that_falls_silent_ends_within_the_deadline() {
    let host = Host::start();
    host.service().misbehave(Trigger::action(RECEIVE), Misbehaviour::Stall);
    let line = ["run", &host.url(), "--operation-timeout", "0.5", "--expect-disconnect", "--", "sleep 30"];
    // Half a second, and ten for the answer.
    let output = end_within(Duration::from_secs(14), winrm(&line).spawn().unwrap());
    assert_code(&output, 0);
    assert!(stderr(&output).contains("connection lost, outcome unknown"), "{}", stderr(&output));
}

#[test]
fn what_fails_before_the_command_runs_is_no_expected_disconnect() {
    let host = Host::start();
    let url = host.url();
    drop(host);
    let output = winrm(&["run", &url, "--expect-disconnect", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
}

#[test]
fn waiting_finds_a_host_that_comes_up() {
    // A port that nobody listens on before the host is there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = ["run", &format!("http://{address}"), "--wait=20", "--", "echo up"];
    let waiting = winrm(&line).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let host = Host::with(|builder| builder.listen(address));
    let output = end_within(Duration::from_secs(15), waiting);
    assert_code(&output, 0);
    let told = stderr(&output);
    assert!(told.contains("waiting for 127.0.0.1") && told.contains("answers after"), "{told}");
    until("clean", || host.service().open_shells() == 0);
}

#[test]
fn waiting_ends_at_its_limit_or_at_what_waiting_does_not_mend() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = ["identify", &format!("http://{address}"), "--wait=1"];
    let output = end_within(Duration::from_secs(5), winrm(&line).spawn().unwrap());
    assert_code(&output, 255);

    let host = Host::with(winrm_loopback::Builder::self_signed_tls);
    let line = ["identify", &host.url(), "--wait"];
    let output = end_within(Duration::from_secs(5), winrm(&line).spawn().unwrap());
    assert_code(&output, 255);
    assert!(stderr(&output).contains("--pin sha256:"), "{}", stderr(&output));
}
