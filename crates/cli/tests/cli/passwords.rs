//! Where passwords come from, and what happens to wrong ones.

use std::os::unix::fs::PermissionsExt;

use crate::common::{Host, PASSWORD, USER, assert_code, bare, stderr, stdout, with_input};

#[test]
fn a_wrong_password_is_tried_once() {
    let host = Host::start();
    let output = bare(&["run", "--user", USER, &host.url(), "--", "echo x"])
        .env("WINRM_PASSWORD", "wrong horse")
        .output()
        .unwrap();
    assert_code(&output, 255);
    let told = stderr(&output);
    assert!(told.contains("the server refused the credentials of \"tester\""), "{told}");
    assert!(told.contains("  try: check user and password"), "{told}");
    assert!(!told.contains("wrong horse"), "{told}");
    assert_eq!(stdout(&output), "");
    let log = host.service().log();
    assert_eq!(log.logons().len(), 1, "{:?}", log.logons());
    assert!(!log.logons()[0].is_success());
}

#[test]
fn a_file_holds_one() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let command =
        ["run", "--user", USER, "--password-file", file.to_str().unwrap(), &host.url(), "--", "echo x"];
    for (mode, warns) in [(0o600, false), (0o644, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        // The option counts, not the environment.
        let output = bare(&command).env("WINRM_PASSWORD", "wrong horse").output().unwrap();
        assert_code(&output, 0);
        assert_eq!(stderr(&output).contains("everybody on this machine can read the password"), warns);
    }
    std::fs::remove_file(&file).unwrap();
    let output = bare(&command).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("cannot read the password from"), "{}", stderr(&output));
}

#[test]
fn the_first_line_of_standard_input_is_one() {
    let host = Host::start();
    let command = bare(&["run", "--user", USER, "--password-stdin", &host.url(), "--", "echo x"]);
    let output = with_input(command, format!("{PASSWORD}\r\nmore\n").as_bytes());
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "x\n");
}

#[test]
fn without_any_and_without_a_terminal_it_says_what_to_give() {
    let host = Host::start();
    let output = bare(&["run", "--user", USER, &host.url(), "--", "echo x"]).output().unwrap();
    assert_code(&output, 255);
    let told = stderr(&output);
    assert!(told.contains("no password for tester") && told.contains("WINRM_PASSWORD"), "{told}");

    let output =
        bare(&["run", &host.url(), "--", "echo x"]).env("WINRM_PASSWORD", PASSWORD).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("--user"), "{}", stderr(&output));
    assert!(host.service().log().is_empty());
}

/// Runs a program on a terminal of its own, does one thing at the prompt, and tells the exit status and whether the
/// terminal echoed at the prompt and afterwards.
#[cfg(target_os = "linux")]
const ON_A_TERMINAL: &str = r#"
import os, pty, signal, sys, termios
action, program = sys.argv[1], sys.argv[2:]
signal.alarm(10)
pid, terminal = pty.fork()
if pid == 0:
    signal.alarm(0)
    os.execv(program[0], program)
echoes = lambda: bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
text = b""
while b"Password for " not in text or echoes():
    text += os.read(terminal, 1000) if b"Password for " not in text else b""
if action.startswith("SIG"):
    os.kill(pid, getattr(signal, action))
else:
    os.write(terminal, action.encode().decode("unicode_escape").encode())
try:
    while True:
        part = os.read(terminal, 1000)
        if not part:
            break
        text += part
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(status, echoes(), text.decode())
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_prompt_takes_a_password_and_always_gives_the_terminal_back() {
    let python = |arguments: &[&str]| {
        let mut command = std::process::Command::new("python3");
        command.arg("-c").args(arguments);
        for variable in ["WINRM_USER", "WINRM_PASSWORD", "WINRM_LOG"] {
            command.env_remove(variable);
        }
        command.output()
    };
    if !python(&["import os, pty, termios; os.waitstatus_to_exitcode"])
        .is_ok_and(|output| output.status.success())
    {
        println!("skipped: there is no python3, or an old one");
        return;
    }
    let host = Host::start();
    let typed = format!("{PASSWORD}\\n");
    for (action, code, told, logons) in [
        ("\\x03", 255, "interrupted before there was a password", 0),
        ("SIGINT", 255, "interrupted before there was a password", 0),
        ("SIGTERM", 255, "interrupted before there was a password", 0),
        ("\\n", 255, "the password typed is empty", 0),
        (typed.as_str(), 0, "echoed by the command", 1),
    ] {
        let program = env!("CARGO_BIN_EXE_winrm");
        let line = ["run", "--user", USER, &host.url(), "--", "echo echoed by the command"];
        let output = python(&[&[ON_A_TERMINAL, action, program], &line[..]].concat()).unwrap();
        let text = stdout(&output);
        assert!(text.starts_with(&format!("{code} True ")), "{action}: {text}{}", stderr(&output));
        assert!(text.contains(told) && !text.contains(PASSWORD), "{action}: {text}");
        assert_eq!(host.service().log().logons().len(), logons, "{action}");
    }
}
