//! Many hosts: what stops them, and what is told of them.

use std::io::Write;
use std::path::PathBuf;

use crate::common::{Host, PASSWORD, assert_code, json_lines, stderr, stdout, winrm};

fn hosts(count: usize) -> Vec<Host> {
    (0..count).map(|_| Host::start()).collect()
}

fn log_ons(hosts: &[Host]) -> usize {
    hosts.iter().map(|host| host.service().log().logons().len()).sum()
}

fn commands(hosts: &[Host]) -> usize {
    let of =
        |host: &Host| host.service().log().actions().iter().filter(|action| **action == "Command").count();
    hosts.iter().map(of).sum()
}

/// A list of these hosts, and how it is named.
fn list(hosts: &[Host]) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for host in hosts {
        writeln!(file, "{}", host.url()).unwrap();
    }
    let name = format!("@{}", file.path().display());
    (file, name)
}

#[test]
fn a_wrong_password_is_one_log_on_whatever_is_done() {
    for action in [&["run"][..], &["identify"], &["copy"]] {
        let hosts = hosts(6);
        let (_file, name) = list(&hosts);
        let mut line = action.to_vec();
        match action[0] {
            "run" => line.extend([&name, "--", "true"]),
            "copy" => line.extend(["--target", &name, "/etc/passwd", ":/nonexistent/x"]),
            _ => line.push(&name),
        }
        let output = winrm(&line).env("WINRM_PASSWORD", "wrong").output().unwrap();
        assert_code(&output, 255);
        assert_eq!((log_ons(&hosts), commands(&hosts)), (1, 0), "{action:?}");
    }
}

#[test]
fn the_others_are_told_as_not_tried_unless_it_is_asked_for_by_name() {
    let hosts = hosts(4);
    let (_file, name) = list(&hosts);
    let output = winrm(&["run", &name, "--", "true"]).env("WINRM_PASSWORD", "wrong").output().unwrap();
    let told = stderr(&output);
    assert_eq!(told.matches("refused the credentials").count(), 2, "the message and the table: {told}");
    assert!(told.contains("0 done, 1 failed, 3 not tried\n"), "{told}");
    let named = told.lines().last().unwrap();
    assert!(named.starts_with("winrm: not tried, as another host refused their credentials: "), "{told}");

    let output =
        winrm(&["run", "--json", &name, "--", "true"]).env("WINRM_PASSWORD", "wrong").output().unwrap();
    let lines = json_lines(&output);
    let not_tried =
        |line: &&serde_json::Value| line["error"].as_str().is_some_and(|text| text.contains("not tried"));
    assert_eq!((lines.len(), lines.iter().filter(not_tried).count()), (5, 3), "{lines:?}");
    assert_eq!(lines[4]["summary"]["not_tried"].as_array().unwrap().len(), 3);

    let before = log_ons(&hosts);
    let line = ["run", "--dangerous-keep-logging-on", &name, "--", "true"];
    let output = winrm(&line).env("WINRM_PASSWORD", "wrong").output().unwrap();
    assert_code(&output, 255);
    assert_eq!(log_ons(&hosts) - before, 4);
}

#[test]
fn a_wrong_password_of_one_user_does_not_keep_another_from_logging_on() {
    let hosts = hosts(3);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let port = |host: &Host| host.service().addr().port();
    writeln!(file, "[all]").unwrap();
    for (number, host) in hosts.iter().enumerate() {
        let user = if number == 1 { "tester" } else { "nobody" };
        writeln!(file, "h{number} ansible_host=127.0.0.1 ansible_port={} ansible_user={user}", port(host))
            .unwrap();
    }
    writeln!(file, "[all:vars]\nansible_password=hunter2").unwrap();
    let name = format!("@{}", file.path().display());
    let output = winrm(&["run", &name, "--", "echo here"]).env_remove("WINRM_USER").output().unwrap();
    assert_code(&output, 255);
    assert_eq!(stdout(&output), "h1: here\n");
    assert_eq!(log_ons(&hosts), 2);
    let told = stderr(&output);
    assert!(told.contains("passwords") && !told.contains("hunter2") && !told.contains(PASSWORD), "{told}");
}

#[test]
fn only_so_many_run_at_once_and_all_of_them_in_the_end() {
    let hosts = hosts(5);
    let (_file, name) = list(&hosts);
    let folder = tempfile::tempdir().unwrap();
    // Who finds another one there says so.
    let line = format!("cd {}; mkdir it || echo twice; sleep 0.05; rmdir it", folder.path().display());
    let output = winrm(&["run", "--parallel", "1", &name, "--", &line]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()));
    assert_eq!(commands(&hosts), 5);
    // Input is for those too that begin late.
    let input = b"some input\n";
    let output =
        crate::common::with_input(winrm(&["run", "--stdin", "--parallel", "2", &name, "--", "cat"]), input);
    assert_code(&output, 0);
    assert_eq!(stdout(&output).matches(": some input\n").count(), 5);
}

#[test]
fn input_does_not_wait_for_a_host_that_cannot_take_any() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    // It fails before anything is sent to it: message encryption is not to be had by Basic.
    std::fs::write(&config, "[hosts.localhost]\nmessage_encryption = 'never'\n").unwrap();
    let bad = format!("localhost:{}", host.service().addr().port());
    let line = ["run", "--config", config.to_str().unwrap(), "--stdin", &bad, &host.url(), "--", "wc", "-c"];
    let output = crate::common::with_input(winrm(&line), &vec![b'x'; 900_000]);
    assert_code(&output, 255);
    assert!(stdout(&output).contains("900000"), "{} {}", stdout(&output), stderr(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupt_begins_on_no_other_host() {
    let hosts = hosts(4);
    let (_file, name) = list(&hosts);
    let child = winrm(&["run", "--json", "--parallel", "1", &name, "--", "sleep", "30"]).spawn().unwrap();
    crate::common::until("one runs", || hosts.iter().any(|host| host.service().running_commands() == 1));
    crate::common::signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(commands(&hosts), 1);
    let lines = json_lines(&output);
    let stopped =
        |line: &&serde_json::Value| line["error"].as_str().is_some_and(|text| text.contains("not tried"));
    assert_eq!((lines.len(), lines.iter().filter(stopped).count()), (5, 3), "{lines:?}");
}

#[test]
fn failures_end_the_rest_where_that_is_asked_for() {
    let hosts = hosts(4);
    let (_file, name) = list(&hosts);
    let output = winrm(&["run", "--parallel", "1", "--fail-fast", &name, "--", "exit 7"]).output().unwrap();
    assert_code(&output, 255);
    assert_eq!(commands(&hosts), 1);
    let told = stderr(&output);
    assert!(told.contains("0 done, 1 failed, 3 not tried\n  1  exit code 7: "), "{told}");
    assert!(told.contains("not tried, as too many hosts had failed: "), "{told}");
    let output =
        winrm(&["run", "--parallel", "1", "--max-failures", "2", &name, "--", "exit 7"]).output().unwrap();
    assert_code(&output, 255);
    assert_eq!(commands(&hosts), 3);
}

#[test]
fn a_host_that_takes_too_long_is_ended_and_the_others_are_not() {
    let hosts = hosts(2);
    let (_file, name) = list(&hosts);
    let folder = tempfile::tempdir().unwrap();
    let line = format!("mkdir {}/x 2>/dev/null && sleep 30; echo done", folder.path().display());
    let output = winrm(&["run", "--host-timeout", "1", &name, "--", &line]).output().unwrap();
    assert_code(&output, 255);
    assert!(stdout(&output).ends_with(": done\n"), "{}", stdout(&output));
    let told = stderr(&output);
    assert!(told.contains("not done within 1 s\n  try: give a longer --host-timeout"), "{told}");
    for host in &hosts {
        host.assert_clean();
    }
}

#[test]
fn failures_are_grouped_by_their_cause() {
    let hosts = hosts(2);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "{}\n127.0.0.1:1\n{}\n127.0.0.1:2\nno.such.host.invalid\n",
        hosts[0].url(),
        hosts[1].url()
    )
    .unwrap();
    let name = format!("@{}", file.path().display());
    let output = winrm(&["run", &name, "--", "echo here"]).output().unwrap();
    assert_code(&output, 255);
    assert_eq!(stdout(&output).lines().count(), 2);
    let told = stderr(&output);
    assert!(told.contains("2 done, 3 failed\n  "), "{told}");
    assert!(told.contains("127.0.0.1:1: ") && told.contains("no.such.host.invalid: "), "{told}");
    assert!(
        told.lines().any(|line| line.starts_with("  2  ") && line.ends_with("127.0.0.1:1, 127.0.0.1:2")),
        "{told}"
    );
}

#[test]
fn shards_are_disjoint_and_make_the_whole() {
    let hosts = hosts(6);
    let (_file, name) = list(&hosts);
    let mut lines = Vec::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let output = winrm(&["run", "--shard", shard, &name, "--", "echo here"]).output().unwrap();
        assert_code(&output, 0);
        lines.extend(stdout(&output).lines().map(str::to_owned));
    }
    assert_eq!((lines.len(), commands(&hosts)), (6, 6), "{lines:?}");
    let output = winrm(&["run", "--shard", "3/3", &name, "--", "x"]).output().unwrap();
    assert_code(&output, 255);
}

/// As `docs/fleet.md` has it.
#[test]
fn gnu_parallel_runs_the_shards() {
    let found = std::process::Command::new("parallel").arg("--version").output();
    if !found.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains("GNU parallel")) {
        eprintln!("GNU parallel is not installed: docs/fleet.md was not tried with it");
        return;
    }
    let hosts = hosts(8);
    let (_file, name) = list(&hosts);
    let winrm_itself = PathBuf::from(env!("CARGO_BIN_EXE_winrm"));
    let line = format!("{} run --json --shard {{}}/4 {name} -- hostname", winrm_itself.display());
    let mut parallel = winrm(&[]);
    let environment: Vec<_> =
        parallel.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
    parallel = std::process::Command::new("parallel");
    for (key, value) in environment {
        match value {
            Some(value) => parallel.env(key, value),
            None => parallel.env_remove(key),
        };
    }
    let output =
        parallel.args(["--will-cite", "--jobs", "4", &line, ":::", "0", "1", "2", "3"]).output().unwrap();
    assert_code(&output, 0);
    let exited = json_lines(&output).iter().filter(|line| line["exit_code"] == 0).count();
    assert_eq!((exited, commands(&hosts)), (8, 8));
}
