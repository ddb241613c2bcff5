//! Passwords in the keyring of the system, where the machine has one that tests may use.

use crate::common::{Host, PASSWORD, USER, assert_code, bare, stderr, stdout, winrm, with_input};

/// An entry of the keyring that is gone after the test.
struct Entry(String);

impl Entry {
    /// `None` where passwords cannot be kept: in containers, the kernel's keyring often is out of reach.
    fn new(name: &str) -> Option<Self> {
        let entry = Self(format!("{name}-{}", std::process::id()));
        let stored = entry.set(b"probe\n");
        if stored.status.success() && entry.delete().status.success() {
            return Some(entry);
        }
        println!("SKIPPED: there is no keyring to test with: {}", stderr(&stored));
        None
    }

    fn set(&self, input: &[u8]) -> std::process::Output {
        with_input(bare(&["keyring", "set", &self.0, "--password-stdin"]), input)
    }

    fn delete(&self) -> std::process::Output {
        bare(&["keyring", "delete", &self.0]).output().unwrap()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        drop(self.delete());
    }
}

#[test]
fn a_stored_password_logs_on_until_it_is_deleted() {
    let Some(entry) = Entry::new("keyring-stored") else { return };
    let host = Host::with(|builder| builder.account(&entry.0, PASSWORD));
    let url = host.url();
    let run = ["run", "--user", &entry.0, "--keyring", &url, "--", "echo x"];

    let output = bare(&run).output().unwrap();
    assert_code(&output, 255);
    let told = stderr(&output);
    let expected = format!(
        "winrm: no password of {0} is in the keyring\n  try: store it: winrm keyring set {0}\n",
        entry.0
    );
    assert_eq!(told, expected);
    assert!(host.service().log().is_empty());

    let output = entry.set(format!("{PASSWORD}\nmore\n").as_bytes());
    assert_code(&output, 0);
    assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()));
    let output = bare(&run).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "x\n");

    // What is stored is replaced, and then tried.
    assert_code(&entry.set(b"wrong horse\n"), 0);
    let output = bare(&run).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("refused the credentials"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("wrong horse"), "{}", stderr(&output));

    assert_code(&entry.delete(), 0);
    let output = entry.delete();
    assert_code(&output, 255);
    assert_eq!(stderr(&output), format!("winrm: no password of {} is in the keyring\n", entry.0));
}

#[test]
fn other_sources_count_more() {
    let Some(entry) = Entry::new("keyring-order") else { return };
    assert_code(&entry.set(b"wrong horse\n"), 0);
    let host = Host::with(|builder| builder.account(&entry.0, PASSWORD));
    let url = host.url();
    let run = ["run", "--user", &entry.0, "--keyring", &url, "--", "echo x"];
    assert_code(&bare(&run).env("WINRM_PASSWORD", PASSWORD).output().unwrap(), 0);

    let run = ["run", "--user", &entry.0, "--keyring", "--password-stdin", &url, "--", "echo x"];
    assert_code(&with_input(bare(&run), format!("{PASSWORD}\n").as_bytes()), 0);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let file = file.to_str().unwrap();
    let run = ["run", "--user", &entry.0, "--keyring", "--password-file", file, &url, "--", "echo x"];
    assert_code(&bare(&run).output().unwrap(), 0);
}

#[test]
fn mistakes_store_nothing() {
    for (arguments, input, told) in [
        (&["keyring", "set", "keyring-none", "--password-stdin"][..], &b"\n"[..], "it is empty"),
        (&["keyring", "set", "keyring-none", "--password-stdin"], b"\xff\n", "not UTF-8"),
        (&["keyring", "set", "keyring-none"], b"x\n", "no terminal to ask on"),
        (&["keyring", "set", ""], b"", "a value is required"),
        (&["keyring", "set", "keyring-none", "hunter2"], b"", "unexpected argument"),
        (&["keyring"], b"", "Usage"),
    ] {
        let output = with_input(bare(arguments), input);
        assert_code(&output, 255);
        assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
    }
    // Without the option nothing is taken from there.
    let host = Host::start();
    let output = bare(&["run", "--user", USER, &host.url(), "--", "echo x"]).output().unwrap();
    assert!(stderr(&output).contains("no password for tester"), "{}", stderr(&output));
    assert_code(&winrm(&["run", "--keyring", &host.url(), "--", "echo x"]).output().unwrap(), 0);
}
