//! PowerShell scripts, with a `powershell.exe` that tells what it was given.

use std::fmt::Write as _;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Host, assert_code, json_lines, signal, stderr, stdout, winrm, with_input};

/// Decodes `-EncodedCommand`, and what comes by standard input when that asks for it, and prints the script as it came.
const FAKE: &str = r##"#!/usr/bin/env python3
import base64, sys
script = base64.b64decode(sys.argv[sys.argv.index("-EncodedCommand") + 1]).decode("utf-16-le")
if "-InputFormat" in sys.argv:
    assert "OpenStandardInput" in script
    length = int(sys.stdin.buffer.readline())
    script = sys.stdin.buffer.read(length).decode()
    assert sys.stdin.buffer.read() == b""
sys.stdout.write(f"{len(script)} {script[:40]}\n")
sys.stderr.write("#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">")
sys.stderr.write("<Obj S=\"progress\" RefId=\"0\"><TN RefId=\"0\"><T>System.Management.Automation.PSCustomObject</T>")
sys.stderr.write("<T>System.Object</T></TN><MS><I64 N=\"SourceId\">1</I64></MS></Obj>")
sys.stderr.write("<S S=\"Error\">it broke_x000D__x000A_</S><S S=\"warning\">mind that</S></Objs>")
sys.exit(3)
"##;

/// A host whose `powershell.exe` is the fake one, and what it is in.
fn host() -> (tempfile::TempDir, String, Host) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("powershell.exe");
    std::fs::write(&program, FAKE).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path, Host::start())
}

fn ps(path: &str, host: &Host, arguments: &[&str]) -> Command {
    let url = host.url();
    let line: Vec<&str> =
        ["ps", &url, "--exe", "--env", path].into_iter().chain(arguments.iter().copied()).collect();
    winrm(&line)
}

#[test]
fn scripts_arrive_whatever_their_length_and_wherever_from() {
    let (folder, path, host) = host();
    let output = ps(&path, &host, &["--", "Get-Item", "'é'"]).output().unwrap();
    assert_code(&output, 3);
    assert_eq!(stdout(&output), "12 Get-Item 'é'\n");
    assert_eq!(stderr(&output), "it broke\r\nWARNING: mind that\r\n");
    let output = ps(&path, &host, &["--raw", "--", "x"]).output().unwrap();
    assert!(stderr(&output).starts_with("#< CLIXML\r\n<Objs "), "{}", stderr(&output));
    let output = ps(&path, &host, &["--json", "--", "x"]).output().unwrap();
    let records: Vec<_> = json_lines(&output)
        .into_iter()
        .filter_map(|line| Some((line["record"].as_str()?.to_owned(), line["data"].as_str()?.to_owned())))
        .collect();
    let expected = [("error", "it broke\r\n"), ("warning", "WARNING: mind that\r\n")];
    assert_eq!(records, expected.map(|(record, data)| (record.to_owned(), data.to_owned())));
    let long = format!("# {}\r\nexit 3", "é".repeat(100_000));
    let file = folder.path().join("long.ps1");
    std::fs::write(&file, format!("\u{feff}{long}")).unwrap();
    let expected = format!("{} ", long.chars().count());
    let output = ps(&path, &host, &["--file", file.to_str().unwrap()]).output().unwrap();
    assert_code(&output, 3);
    assert!(stdout(&output).starts_with(&expected), "{}", stdout(&output));
    let output = with_input(ps(&path, &host, &["--stdin"]), long.as_bytes());
    assert_code(&output, 3);
    assert!(stdout(&output).starts_with(&expected), "{}", stdout(&output));
    host.assert_clean();
}

#[test]
fn a_script_that_is_none_is_a_mistake() {
    let (folder, path, host) = host();
    let file = folder.path().join("binary");
    std::fs::write(&file, b"\xff\x00\x01").unwrap();
    for arguments in [&["--file", file.to_str().unwrap()][..], &["--file", "/nonexistent"], &[]] {
        let output = ps(&path, &host, arguments).output().unwrap();
        assert_code(&output, 255);
        assert!(!stderr(&output).is_empty());
    }
    assert!(host.service().log().is_empty());
}

/// A host whose PowerShell knows a few commands, and no scripts but one.
fn remoting() -> Host {
    Host::with(|builder| builder.powershell(winrm_loopback::Builtin))
}

#[test]
fn a_script_runs_by_remoting_and_its_objects_are_told() {
    let host = remoting();
    let output = winrm(&["ps", &host.url(), "--json", "--", "$PSVersionTable"]).output().unwrap();
    assert_code(&output, 0);
    let lines = json_lines(&output);
    assert_eq!(lines[0]["output"]["PSVersion"], "5.1.0.0");
    assert_eq!(lines[1]["exit_code"], 0);
    let output = winrm(&["ps", &host.url(), "--", "$PSVersionTable"]).output().unwrap();
    let words: Vec<_> = stdout(&output).split_whitespace().take(4).map(str::to_owned).collect();
    assert_eq!(words, ["PSVersion", "5.1.0.0", "PSEdition", "Desktop"]);
    let output = winrm(&["ps", &host.url(), "--clixml", "--", "$PSVersionTable"]).output().unwrap();
    assert!(stdout(&output).starts_with("<Obj RefId=\"0\">"), "{}", stdout(&output));
    host.assert_clean();
}

#[test]
fn an_error_that_ends_a_script_is_shown_and_counts() {
    let host = remoting();
    let output = winrm(&["ps", &host.url(), "--", "Get-Process"]).output().unwrap();
    assert_code(&output, 1);
    assert_eq!(stdout(&output), "");
    let told = stderr(&output);
    assert!(
        told.contains("has no PowerShell") && told.contains("+ FullyQualifiedErrorId : NotImplemented"),
        "{told}"
    );
    let output = winrm(&["ps", &host.url(), "--json", "--", "Get-Process"]).output().unwrap();
    let lines = json_lines(&output);
    assert_eq!((&lines[0]["stream"], &lines[0]["id"]), (&"error".into(), &"NotImplemented".into()));
    assert_eq!(lines[1]["exit_code"], 1);
    host.assert_clean();
}

/// Gives the pipeline back as one line a command: its name, and the parameters behind it.
async fn tell(
    pipeline: winrm::powershell::CreatePipeline,
    mut io: winrm_loopback::PipelineIo,
) -> Result<(), winrm::powershell::ErrorRecord> {
    for command in &pipeline.powershell.statements[0] {
        let mut line = command.text.to_string();
        for argument in &command.arguments {
            let name = argument.name.as_ref().map(ToString::to_string).unwrap_or_default();
            write!(line, " {name}={:?}", argument.value.as_str()).unwrap();
        }
        io.output(line).await;
    }
    Ok(())
}

#[test]
fn objects_are_made_text_by_the_host_but_for_other_configurations() {
    let host = Host::with(|builder| {
        builder.powershell(tell).custom_shell("http://schemas.microsoft.com/powershell/jea")
    });
    let line = ["ps", &host.url(), "--arg", "Name=W32 Time", "--arg", "b=x=y", "--", "Get-It"];
    let output = winrm(&line).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "Get-It Name=Some(\"W32 Time\") b=Some(\"x=y\")\nOut-String Stream=None\n");
    let output = winrm(&["ps", &host.url(), "--configuration", "jea", "--", "Get-It"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "Get-It\n");
    host.assert_clean();
}

#[test]
fn ctrl_c_stops_a_script() {
    let host = Host::with(|builder| {
        builder.powershell(|_, mut io: winrm_loopback::PipelineIo| async move {
            io.output("ready").await;
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    let mut child = winrm(&["ps", &host.url(), "--", "forever"]).spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("the script was stopped"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn options_of_the_other_way_are_refused() {
    for arguments in [&["--raw"][..], &["--cwd", "x"], &["--env", "K=V"]] {
        let mut line = vec!["ps", "127.0.0.1:1", "--", "x"];
        line.splice(2..2, arguments.iter().copied());
        let output = winrm(&line).output().unwrap();
        assert_code(&output, 255);
        assert!(stderr(&output).contains("give --exe as well"), "{}", stderr(&output));
    }
    let output = winrm(&["ps", "127.0.0.1:1", "--exe", "--arg", "a=b", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
}
