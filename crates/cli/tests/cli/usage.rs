//! Mistakes on the command line: 255 as well, so that no remote status is taken for one.

use crate::common::{assert_code, bare, stderr, stdout, winrm};

#[test]
fn mistakes_are_255_and_told_on_stderr() {
    for (arguments, told) in [
        (&[][..], "Usage"),
        (&["run", "web01"], "-- <COMMAND>"),
        (&["run", "--", "x"], "TARGET"),
        (&["run", "web01", "--stdin", "--password-stdin", "--", "x"], "cannot be used with"),
        (&["run", "web01", "--password", "hunter2", "--", "x"], "--password"),
        (&["run", "web01", "--env", "novalue", "--", "x"], "NAME=VALUE"),
        (&["run", "web01", "--operation-timeout", "61", "--", "x"], "60 seconds"),
        (&["run", "web01", "--auth", "kerberos", "--", "x"], "negotiate"),
        (&["run", "ftp://web01", "--user", "u", "--", "x"], "only http and https"),
        (&["run", "https://web01", "--pin", "sha256:12", "--", "x"], "64 hexadecimal digits"),
        (
            &["run", "https://web01", "--ca-file", "f", "--dangerous-accept-any-certificate", "--", "x"],
            "cannot be used with",
        ),
        (&["run", "http://user:hunter2@web01", "--", "x"], "credentials"),
        (&["run", "web01:0", "--", "x"], "65535"),
        (&["session", "web01"], "winrm: unrecognized subcommand 'session'"),
        (&["shell"], "TARGET"),
        (&["shell", "web01", "web02"], "unexpected argument"),
        (&["serve", "--user", ""], "--user"),
        // The command without the dashes before it: taken for a target, or for options.
        (&["run", "web01", "ipconfig"], "  try: put -- before the command"),
        (&["run", "web01", "ls", "-l"], "  try: put -- before the command"),
        (&["ps", "web01", "Get-Date"], "  try: put -- before the script"),
        (&["run", "@/dev/stdin", "--stdin", "--", "x"], "@/dev/stdin and --stdin would both"),
        (&["run", "@/dev/fd/0", "@/proc/self/fd/0", "--", "x"], "@/proc/self/fd/0 would both"),
        (&["identify", "@/dev/stdin", "--password-stdin"], "@/dev/stdin and --password-stdin would both"),
        (
            &["run", "web01", "--password-file", "/dev/stdin", "--stdin", "--", "x"],
            "--password-file /dev/stdin and",
        ),
    ] {
        let output = bare(arguments).output().unwrap();
        assert_code(&output, 255);
        assert!(stderr(&output).contains(told), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
        assert!(arguments.is_empty() || stderr(&output).starts_with("winrm: "), "{}", stderr(&output));
        assert!(!stderr(&output).contains("hunter2"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn help_and_version_are_no_mistakes() {
    let output = bare(&["--help"]).output().unwrap();
    assert_code(&output, 0);
    let commands: Vec<String> = stdout(&output)
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        // Descriptions that are wrapped go on further to the right.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let mut expected = vec!["run", "ps", "shell", "copy", "identify", "serve", "demo", "completions", "help"];
    if cfg!(feature = "keyring") {
        expected.insert(7, "keyring");
    }
    assert_eq!(commands, expected);

    let output = bare(&["--version"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), format!("winrm {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_in_one_line_without_its_password() {
    for (proxy, told) in [
        ("http://ops:hunter2@proxy:1", "user or password"),
        ("ftp://proxy", "only http, socks5 and socks5h"),
        ("http://proxy:99999", "99999"),
        ("http://proxy/path", "path"),
    ] {
        let output = winrm(&["run", "web01", "--proxy", proxy, "--", "x"]).output().unwrap();
        assert_code(&output, 255);
        let text = stderr(&output);
        assert!(text.starts_with("winrm: --proxy: ") && text.contains(told), "{text}");
        assert!(!text.contains("hunter2") && text.lines().count() == 1, "{text}");
    }
    let output = winrm(&["run", "web01", "--connect-to", "a b", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("a b"), "{}", stderr(&output));
}
