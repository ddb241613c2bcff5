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
