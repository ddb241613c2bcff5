//! One command on many hosts.

use std::io::Write;

use winrm_loopback::Service;

use crate::common::{Host, assert_code, json_lines, stderr, stdout, winrm, with_input};

/// What lines of this host begin with, where another one has the same address.
fn prefix(host: &Host) -> String {
    host.service().addr().to_string()
}

fn file_of_targets(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[test]
fn every_line_is_prefixed_by_its_host() {
    let (one, other) = (Host::start(), Host::start());
    let line = "printf 'a\\nb'; echo e >&2";
    let output = winrm(&["run", &one.url(), &other.url(), "--", line]).output().unwrap();
    assert_code(&output, 0);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for host in [&one, &other] {
        let prefix = prefix(host);
        out.extend([format!("{prefix}: a"), format!("{prefix}: b")]);
        err.push(format!("{prefix}: e"));
        host.assert_clean();
    }
    let sorted = |text: String| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    out.sort();
    err.sort();
    assert_eq!((sorted(stdout(&output)), sorted(stderr(&output))), (out, err));
}

#[test]
fn hosts_run_at_the_same_time() {
    let (one, other) = (Host::start(), Host::start());
    let (one_service, other_service): (&Service, &Service) = (one.service(), other.service());
    let child = winrm(&["run", &one.url(), &other.url(), "--", "sleep 1"]).spawn().unwrap();
    crate::common::until("both run", || {
        one_service.running_commands() == 1 && other_service.running_commands() == 1
    });
    assert_code(&child.wait_with_output().unwrap(), 0);
}

#[test]
fn the_highest_exit_code_counts_unless_a_client_failed() {
    let (one, other) = (Host::start(), Host::start());
    let folder = tempfile::tempdir().unwrap();
    // Who makes the folder ends with 3, the other one with 5.
    let line = format!("mkdir {}/x 2>/dev/null && exit 3; exit 5", folder.path().display());
    let output = winrm(&["run", &one.url(), &other.url(), "--", &line]).output().unwrap();
    assert_code(&output, 5);

    let output = winrm(&["run", &one.url(), "127.0.0.1:1", "--", "echo here; exit 3"]).output().unwrap();
    assert_code(&output, 255);
    assert_eq!(stdout(&output), format!("{}: here\n", prefix(&one)));
    assert!(stderr(&output).starts_with("winrm: 127.0.0.1:1: "), "{}", stderr(&output));
}

#[test]
fn a_file_names_targets() {
    let (one, other) = (Host::start(), Host::start());
    let file = file_of_targets(&format!("# all of them\n\n  {}\r\n{}\n", one.url(), other.url()));
    let name = format!("@{}", file.path().display());
    let output = winrm(&["run", "--json", &name, "--", "exit 4"]).output().unwrap();
    assert_code(&output, 4);
    let mut lines = json_lines(&output);
    let summary = lines.pop().unwrap();
    assert_eq!(summary["summary"]["failed"], 2);
    assert_eq!(summary["summary"]["causes"][0]["cause"], "exit code 4");
    let mut hosts: Vec<_> = lines.iter().map(|line| line["host"].as_str().unwrap().to_owned()).collect();
    let mut expected = [prefix(&one), prefix(&other)];
    hosts.sort();
    expected.sort();
    assert_eq!(hosts, expected);
}

#[test]
fn who_is_named_twice_runs_once() {
    let host = Host::start();
    let file = file_of_targets(&format!("{}\n{}\n", host.url(), host.url()));
    let name = format!("@{}", file.path().display());
    let output = winrm(&["run", &host.url(), &name, "--", "echo x"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "x\n");
    assert_eq!(stderr(&output), format!("winrm: {} is named more than once: it counts once\n", host.url()));
    let commands = host.service().log().actions().iter().filter(|action| **action == "Command").count();
    assert_eq!(commands, 1);
}

#[test]
fn targets_may_come_from_standard_input() {
    let host = Host::start();
    let list = format!("{}\n", host.url());
    let output = with_input(winrm(&["run", "@/dev/stdin", "--", "echo x"]), list.as_bytes());
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "x\n");
}

#[test]
fn mistakes_in_a_file_name_file_and_line() {
    let file = file_of_targets("web01\n\nweb 02\n");
    let name = format!("@{}", file.path().display());
    let output = winrm(&["run", &name, "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    let place = format!("{} line 3: ", file.path().display());
    assert!(stderr(&output).contains(&place), "{}", stderr(&output));

    let file = file_of_targets("# none\n");
    let output = winrm(&["run", &format!("@{}", file.path().display()), "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("no target"), "{}", stderr(&output));

    let output = winrm(&["run", "@/nonexistent/hosts", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("/nonexistent/hosts"), "{}", stderr(&output));
}

#[test]
fn every_host_gets_all_of_standard_input() {
    let (one, other) = (Host::start(), Host::start());
    let input = vec![b'x'; 300_000];
    let output = with_input(winrm(&["run", "--stdin", &one.url(), &other.url(), "--", "wc -c"]), &input);
    assert_code(&output, 0);
    let text = stdout(&output);
    assert_eq!(text.lines().filter(|line| line.ends_with("300000")).count(), 2, "{text}");
}

#[test]
fn a_host_that_stopped_reading_does_not_hold_the_others_up() {
    let (one, other) = (Host::start(), Host::start());
    let folder = tempfile::tempdir().unwrap();
    // Who makes the folder reads nothing.
    let line = format!("mkdir {}/x 2>/dev/null || wc -c", folder.path().display());
    let output =
        with_input(winrm(&["run", "--stdin", &one.url(), &other.url(), "--", &line]), &vec![b'x'; 900_000]);
    assert_code(&output, 0);
    let text = stdout(&output);
    assert_eq!(text.lines().filter(|line| line.ends_with("900000")).count(), 1, "{text}");
}
