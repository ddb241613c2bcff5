//! The config file and the pin file.

use winrm_loopback::Builder;

use crate::common::{Host, PASSWORD, USER, assert_code, bare, stderr, stdout};

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("winrm")).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join("winrm").join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// `winrm` that finds the files in their usual place.
    fn winrm(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = bare(arguments);
        command.env("XDG_CONFIG_HOME", self.0.path()).env("WINRM_PASSWORD", PASSWORD);
        command.output().unwrap()
    }
}

#[test]
fn a_host_is_reached_as_the_config_file_says() {
    let (files, host) = (Files::new(), Host::with(Builder::self_signed_tls));
    let port = host.service().addr().port();
    let pin = host.service().pin().unwrap();
    files.write(
        "config.toml",
        &format!(
            "[defaults]\nuser = '{USER}'\n[hosts.web01]\nscheme = 'https'\nport = {port}\npins = ['{pin}']\n\
             connect_to = '127.0.0.1'\n"
        ),
    );
    let output = files.winrm(&["run", "web01", "--", "echo in"]);
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "in\n");
    assert_eq!(host.service().log()[0].headers("Host"), [format!("web01:{port}")]);
    // The command line says more than the file, and the file can be left alone.
    let output = files.winrm(&["run", "web01", "--user", "nobody", "--", "echo in"]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("nobody"), "{}", stderr(&output));
    let output = files.winrm(&["run", "web01", "--no-config", "--", "echo in"]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("no user to log on as"), "{}", stderr(&output));
}

#[test]
fn mistakes_in_files_are_one_line_with_file_and_line() {
    let files = Files::new();
    let config = files.write("config.toml", "[hosts.a]\npassword = 'hunter2'\n");
    let output = files.winrm(&["run", "a", "--", "x"]);
    assert_code(&output, 255);
    let told = stderr(&output);
    assert!(told.contains(&format!("{config} line 2")) && told.contains("never read"), "{told}");
    assert!(!told.contains("hunter2") && told.lines().count() == 1, "{told}");
    files.write("config.toml", "");
    let pins = files.write("known_pins", "web01:5986 sha256:12\n");
    let output = files.winrm(&["identify", "https://web01"]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains(&format!("{pins} line 1")), "{}", stderr(&output));
    for option in ["--config", "--pin-file"] {
        let output = files.winrm(&["identify", "web01", option, "/nowhere/x"]);
        assert_code(&output, 255);
        assert!(stderr(&output).contains("/nowhere/x"), "{}", stderr(&output));
    }
}

#[test]
fn pins_are_printed_once_and_hold_from_then_on() {
    let (files, one, other) =
        (Files::new(), Host::with(Builder::self_signed_tls), Host::with(Builder::self_signed_tls));
    let list = files.write("hosts.txt", &format!("{}\n{}\n", one.url(), other.url()));
    let output = bare(&["identify", &format!("@{list}"), "--print-pins"]).output().unwrap();
    assert_code(&output, 0);
    let lines = stdout(&output);
    let expected = |host: &Host| format!("{} {}", host.service().addr(), host.service().pin().unwrap());
    assert_eq!(lines.lines().collect::<Vec<_>>(), [expected(&one), expected(&other)]);

    let file = files.write("known_pins", &lines);
    for host in [&one, &other] {
        let output = files.winrm(&["run", &host.url(), "--user", USER, "--", "echo known"]);
        assert_code(&output, 0);
    }
    // A listener with another certificate than it is known by is refused, and not printed.
    let pins: Vec<_> = lines.lines().map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    files.write("known_pins", &format!("{} {}\n", pins[0][0], pins[1][1]));
    for options in [&["run", "--user", USER][..], &["identify", "--print-pins"]] {
        let url = one.url();
        let line: Vec<&str> = [options, &[url.as_str()]].concat();
        let line = if options[0] == "run" { [&line[..], &["--", "x"]].concat() } else { line };
        let output = files.winrm(&line);
        assert_code(&output, 255);
        assert!(stderr(&output).contains("none of the pins"), "{}", stderr(&output));
        assert!(stdout(&output).is_empty());
    }
    // A host that is not in the file goes by authorities.
    let output = files.winrm(&["run", &other.url(), "--pin-file", &file, "--user", USER, "--", "x"]);
    assert_code(&output, 255);
    assert!(stderr(&output).contains("--pin sha256:"), "{}", stderr(&output));
}

#[test]
fn identify_shows_all_there_is_of_a_host_that_is_not_trusted() {
    let host = Host::with(|builder| builder.self_signed_tls().basic());
    let output = bare(&["identify", &host.url()]).output().unwrap();
    assert_code(&output, 255);
    let shown = stdout(&output);
    for part in ["TLS 1.3", "NOT verified", "--pin sha256:", "Negotiate", "bound to the TLS channel", "Basic"]
    {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    assert!(stderr(&output).contains("not trusted"), "{}", stderr(&output));
    assert!(host.service().log().iter().all(|entry| entry.user.is_none()));
}
