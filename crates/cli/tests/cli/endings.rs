//! Commands that are ended: by signals, by deadlines, by readers that go.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use winrm_loopback::{Misbehaviour, Trigger};

use crate::common::{Host, assert_code, end_within, signal, stderr, stdout, until, winrm};

// A silent command is `sleep` itself: an `sh` that has just begun to wait for it may overlook a signal.

/// "Within a second", and what a busy machine adds.
const SOON: Duration = Duration::from_millis(1500);

#[test]
fn sigint_reaches_a_silent_command_within_a_second() {
    let host = Host::start();
    let child = winrm(&["run", &host.url(), "--", "sleep", "30"]).spawn().unwrap();
    host.wait_for_commands(1);
    let started = Instant::now();
    signal(&child, "INT");
    let output = end_within(SOON, child);
    println!("ended after {:?}", started.elapsed());
    assert_code(&output, 254);
    assert!(stderr(&output).contains("3221225786 (0xC000013A)"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn a_command_may_take_ctrl_c_as_it_likes() {
    let host = Host::start();
    let line = "trap 'echo stopping; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    let mut child = winrm(&["run", &host.url(), "--", line]).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    reader.read_line(&mut text).unwrap();
    signal(&child, "INT");
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_code(&end_within(SOON, child), 9);
    assert_eq!(text, "ready\nstopping\n");
}

#[test]
fn a_second_sigint_terminates() {
    let host = Host::start();
    let mut child = winrm(&["run", &host.url(), "--", "trap '' INT; echo ready; sleep 30"]).spawn().unwrap();
    let mut text = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut text).unwrap();
    signal(&child, "INT");
    // Signals of a kind that come at once may come as one.
    until("Ctrl-C has been sent", || host.service().log().actions().contains(&"Signal"));
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, "INT");
    let output = end_within(SOON, child);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("the remote process was terminated"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn a_third_sigint_does_not_wait_for_clean_up() {
    let host = Host::start();
    let child = winrm(&["run", &host.url(), "--", "sleep", "30"]).spawn().unwrap();
    host.wait_for_commands(1);
    host.service().misbehave(Trigger::Always, Misbehaviour::Stall);
    signal(&child, "INT");
    until("Ctrl-C has been sent", || host.service().log().len() == 5);
    signal(&child, "INT");
    until("terminate has been sent", || host.service().log().len() > 5);
    signal(&child, "INT");
    let output = end_within(SOON, child);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("without waiting for clean-up"), "{}", stderr(&output));
}

#[test]
fn sigterm_terminates_at_once() {
    let host = Host::start();
    let child = winrm(&["run", &host.url(), "--", "sleep", "30"]).spawn().unwrap();
    host.wait_for_commands(1);
    signal(&child, "TERM");
    assert_code(&end_within(SOON, child), 255);
    host.assert_clean();
}

#[cfg(target_os = "linux")]
#[test]
fn a_hangup_terminates_unless_it_is_ignored() {
    let host = Host::start();
    let child = winrm(&["run", &host.url(), "--", "sleep", "30"]).spawn().unwrap();
    host.wait_for_commands(1);
    signal(&child, "HUP");
    assert_code(&end_within(SOON, child), 255);
    host.assert_clean();

    let mut under_nohup = std::process::Command::new("sh");
    under_nohup.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_winrm")]);
    under_nohup.args(["run", "--user", crate::common::USER, &host.url(), "--", "sleep", "0.6"]);
    let child = under_nohup.env("WINRM_PASSWORD", crate::common::PASSWORD).spawn().unwrap();
    host.wait_for_commands(1);
    signal(&child, "HUP");
    assert_code(&end_within(SOON, child), 0);
}

#[test]
fn sigint_reaches_every_host() {
    let (one, other) = (Host::start(), Host::start());
    let child = winrm(&["run", &one.url(), &other.url(), "--", "sleep", "30"]).spawn().unwrap();
    one.wait_for_commands(1);
    other.wait_for_commands(1);
    signal(&child, "INT");
    assert_code(&end_within(SOON, child), 254);
    one.assert_clean();
    other.assert_clean();
}

#[test]
fn sigint_ends_the_wait_for_a_host_that_does_not_answer() {
    let host = Host::with(|builder| builder.misbehave(Trigger::Always, Misbehaviour::Stall));
    let child = winrm(&["run", &host.url(), "--", "x"]).spawn().unwrap();
    until("a request came", || !host.service().log().is_empty());
    signal(&child, "INT");
    let output = end_within(SOON, child);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("interrupted before the command was started"), "{}", stderr(&output));
}

#[test]
fn the_deadline_terminates_the_remote_command() {
    let host = Host::start();
    let started = Instant::now();
    let line = "echo begun; sleep 30";
    let output = winrm(&["run", "--timeout", "0.7", &host.url(), "--", line]).output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_code(&output, 255);
    assert_eq!(stdout(&output), "begun\n");
    assert!(stderr(&output).contains("not done within 0.7 s"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn the_deadline_holds_for_a_host_that_does_not_answer() {
    let host = Host::with(|builder| builder.misbehave(Trigger::Always, Misbehaviour::Stall));
    let started = Instant::now();
    let output = winrm(&["run", "--timeout", "0.3", &host.url(), "--", "x"]).output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_code(&output, 255);
    assert!(stderr(&output).contains("not done within 0.3 s"), "{}", stderr(&output));
}

#[test]
fn a_command_outlives_operation_timeouts() {
    let host = Host::start();
    let line = "sleep 1.3; echo late";
    let output = winrm(&["run", "--operation-timeout", "0.5", &host.url(), "--", line]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "late\n");
    let receives = host.service().log().actions().iter().filter(|action| **action == "Receive").count();
    assert!(receives >= 3, "{receives} Receives");
}

#[test]
fn a_reader_that_goes_ends_the_command_quietly() {
    let host = Host::start();
    for (options, first) in [(&["run"][..], "y\n"), (&["run", "--json"], "{")] {
        let url = host.url();
        let line = [options, &[&url, "--", "yes"]].concat();
        let mut child = winrm(&line).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        reader.read_line(&mut text).unwrap();
        assert!(text.starts_with(first), "{text}");
        drop(reader);
        let output = end_within(Duration::from_secs(3), child);
        assert_code(&output, 255);
        assert_eq!(stderr(&output), "");
        host.assert_clean();
    }
}

/// The output may fail in the very moment in which the command ends, with nothing left to terminate.
#[test]
fn lost_output_is_never_a_success() {
    let host = Host::start();
    let url = host.url();
    for line in ["echo x", "echo x; exit 4"] {
        for options in [&["run"][..], &["run", "--json"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let arguments = [options, &[&url, "--", line]].concat();
            let output = winrm(&arguments).stdout(writer).output().unwrap();
            assert_code(&output, 255);
            assert_eq!(stderr(&output), "");
        }
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = winrm(&["run", &url, "--", "echo x >&2"]).stderr(writer).output().unwrap();
    assert_code(&output, 255);
    host.assert_clean();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let host = Host::start();
    let url = host.url();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for options in [&["run"][..], &["run", "--json"]] {
        let output = winrm(&[options, &[&url, "--", "cat", "/etc/hostname"]].concat())
            .stdout(full())
            .output()
            .unwrap();
        assert_code(&output, 255);
        assert!(stderr(&output).starts_with("winrm: cannot write stdout: "), "{}", stderr(&output));
    }
    let output = winrm(&["run", &url, "--", "echo x >&2"]).stderr(full()).output().unwrap();
    assert_code(&output, 255);
    host.assert_clean();
}
