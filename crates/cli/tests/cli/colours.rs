//! Messages of ours are coloured where that is wanted, and nothing else is.

use std::process::Command;

use crate::common::{Host, USER, assert_code, bare, json_lines, stderr, stdout, winrm};

const PLAIN: &str = "winrm: no password for tester, and no terminal to ask on\n  \
    try: set WINRM_PASSWORD, or give --password-file or --password-stdin\n";

fn coloured() -> String {
    PLAIN.replace("winrm:", "\x1b[1m\x1b[31mwinrm:\x1b[0m").replace("try:", "\x1b[32mtry:\x1b[0m")
}

/// What is told by a command that fails.
fn told(options: &[&str], environment: &[(&str, &str)]) -> String {
    let line =
        [&["run", "--no-config", "--user", USER, "http://127.0.0.1:1"], options, &["--", "x"]].concat();
    let output = bare(&line).envs(environment.iter().copied()).output().unwrap();
    assert_code(&output, 255);
    assert_eq!(stdout(&output), "");
    stderr(&output)
}

#[test]
fn failures_are_as_the_environment_and_the_option_say() {
    assert_eq!(told(&[], &[]), PLAIN);
    assert_eq!(told(&[], &[("CLICOLOR_FORCE", "1")]), coloured());
    assert_eq!(told(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), PLAIN);
    assert_eq!(told(&["--color", "always"], &[("NO_COLOR", "1")]), coloured());
    assert_eq!(told(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]), PLAIN);
    assert_eq!(told(&["--color=auto"], &[]), PLAIN);
}

#[test]
fn usage_errors_are_as_the_environment_says() {
    let run = |name: &str| {
        let output = bare(&["run", "web01", "--env", "x", "--", "y"]).env(name, "1").output().unwrap();
        assert_code(&output, 255);
        stderr(&output)
    };
    let (with, without) = (run("CLICOLOR_FORCE"), run("NO_COLOR"));
    assert!(with.starts_with("\x1b[1m\x1b[31mwinrm:\x1b[0m invalid value"), "{with}");
    assert!(without.starts_with("winrm: invalid value"), "{without}");
}

#[test]
fn what_machines_read_never_is() {
    let host = Host::start();
    let forced = |mut command: Command| command.env("CLICOLOR_FORCE", "1").output().unwrap();

    let line = "printf 'out\\033[31m\\n'; printf 'err\\033[32m\\n' >&2";
    let output = forced(winrm(&["run", "--color", "always", &host.url(), "--", line]));
    assert_code(&output, 0);
    assert_eq!((stdout(&output), stderr(&output)), ("out\x1b[31m\n".to_owned(), "err\x1b[32m\n".to_owned()));

    let mut wrong = winrm(&["run", "--json", &host.url(), "--", "x"]);
    wrong.env("WINRM_PASSWORD", "wrong horse");
    let output = forced(wrong);
    assert_code(&output, 255);
    assert!(json_lines(&output)[0]["error"].is_string());
    assert!(!stdout(&output).contains('\x1b'), "{}", stdout(&output));

    let output = forced(winrm(&["identify", "--json", &host.url()]));
    assert_code(&output, 0);
    assert!(!stdout(&output).contains('\x1b'), "{}", stdout(&output));
}
