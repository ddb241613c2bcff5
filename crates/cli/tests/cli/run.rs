//! One command on one host.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::json;
use winrm_loopback::{Invocation, Io, Misbehaviour, Trigger};

use crate::common::{Host, assert_code, bare, json_lines, stderr, stdout, winrm, with_input};

const RECEIVE: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive";

/// A host on which every command ends with this code, which no Unix process can.
fn host_ending_with(code: u32) -> Host {
    Host::with(|builder| builder.handler(move |_: Invocation, _: Io| async move { code }))
}

#[test]
fn exit_codes_pass_through_up_to_254() {
    let host = Host::start();
    for code in [0, 3, 254] {
        let number = code.to_string();
        for words in [&[format!("exit {code}")][..], &["exit".to_owned(), number]] {
            let url = host.url();
            let mut arguments = vec!["run", &url, "--"];
            arguments.extend(words.iter().map(String::as_str));
            let output = winrm(&arguments).output().unwrap();
            assert_code(&output, code);
            assert_eq!((stdout(&output), stderr(&output)), (String::new(), String::new()));
        }
    }
    host.assert_clean();
}

#[test]
fn logs_in_a_pipe_have_no_colours() {
    let host = Host::start();
    let output = winrm(&["run", &host.url(), "--", "exit 0"]).env("WINRM_LOG", "trace").output().unwrap();
    assert_code(&output, 0);
    let log = stderr(&output);
    assert!(log.contains("DEBUG") || log.contains("TRACE"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[test]
fn what_the_exit_status_cannot_show_is_told() {
    for (code, told) in [(255, "255 (0x000000FF)"), (0xc000_013a, "3221225786 (0xC000013A)")] {
        let host = host_ending_with(code);
        let output = winrm(&["run", &host.url(), "--", "x"]).output().unwrap();
        assert_code(&output, 254);
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        let output = winrm(&["run", "--json", &host.url(), "--", "x"]).output().unwrap();
        assert_code(&output, 254);
        assert_eq!(
            json_lines(&output),
            [json!({"host": "127.0.0.1", "exit_code": 254, "raw_exit_code": code})]
        );
    }
}

#[test]
fn one_word_is_a_line_and_several_are_delivered_as_given() {
    let host = Host::start();
    let output =
        winrm(&["run", &host.url(), "--", "printf '%s' a | tr a b; echo $((1 + 1))"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "b2\n");

    let arguments =
        ["a b", "", "\"q\"", "x&y|z", "%PATH%", "$HOME", "back\\slash\\", "tr\\\"icky", "^", "é€"];
    let url = host.url();
    let line = [&["run", &url, "--", "printf", "[%s]\\n"], &arguments[..]].concat();
    let output = winrm(&line).output().unwrap();
    assert_code(&output, 0);
    let text = stdout(&output);
    let delivered: Vec<_> =
        text.lines().map(|line| line.strip_prefix('[').unwrap().strip_suffix(']').unwrap()).collect();
    assert_eq!(delivered, arguments);
}

#[test]
fn bytes_arrive_unchanged_on_their_own_streams() {
    let host = Host::start();
    let line = r"printf '\377\000\r\n'; printf '\376' >&2";
    let output = winrm(&["run", &host.url(), "--", line]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"\xff\0\r\n"[..], &b"\xfe"[..]));
}

#[test]
fn environment_and_directory_are_set() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let folder = folder.to_str().unwrap();
    let options = ["--env", "ONE=a b", "--env", "TWO=x=y", "--cwd", folder, "--codepage", "437"];
    let url = host.url();
    let line = [&["run", &url], &options[..], &["--", "echo \"$ONE,$TWO\"; pwd"]].concat();
    let output = winrm(&line).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), format!("a b,x=y\n{folder}\n"));
}

#[test]
fn the_code_page_is_utf_8_unless_chosen() {
    let host = Host::with(|builder| {
        builder.handler(|invocation: Invocation, _: Io| async move { invocation.codepage.unwrap_or(0) % 251 })
    });
    assert_code(&winrm(&["run", &host.url(), "--", "x"]).output().unwrap(), 65001 % 251);
    assert_code(&winrm(&["run", &host.url(), "--codepage", "437", "--", "x"]).output().unwrap(), 437 % 251);
}

#[test]
fn standard_input_is_streamed_whole() {
    let host = Host::start();
    let input: Vec<u8> = (0..=255).cycle().take(700_001).collect();
    let output = with_input(winrm(&["run", "--stdin", &host.url(), "--", "cat"]), &input);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == input, "{} bytes came back", output.stdout.len());
    host.assert_clean();
}

#[test]
fn without_stdin_nothing_of_ours_is_sent() {
    let host = Host::start();
    let output = with_input(winrm(&["run", &host.url(), "--", "echo quick"]), b"not for you");
    assert_code(&output, 0);
    assert!(!host.service().log().actions().contains(&"Send"));
}

#[test]
fn output_comes_while_the_command_runs() {
    let host = Host::start();
    let line = "echo first; read answer; echo \"got $answer\"";
    let mut child =
        winrm(&["run", "--stdin", &host.url(), "--", line]).stdin(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    assert_eq!(text, "first\n");
    child.stdin.take().unwrap().write_all(b"second\n").unwrap();
    output.read_to_string(&mut text).unwrap();
    assert_eq!(text, "first\ngot second\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn bare_ntlm_logs_on_too() {
    let host = Host::start();
    let output = winrm(&["run", "--auth", "ntlm", &host.url(), "--", "echo there"]).output().unwrap();
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "there\n");
}

#[test]
fn a_cold_command_takes_five_requests() {
    let host = Host::start();
    assert_code(&winrm(&["run", &host.url(), "--", "echo x"]).output().unwrap(), 0);
    assert_eq!(host.service().log().actions(), ["-", "Create", "Command", "Receive", "Delete"]);
}

#[test]
fn json_tells_streams_and_the_end() {
    let host = Host::start();
    let line = r"printf 'a\303\251\n'; printf '\377' >&2; exit 7";
    let output = winrm(&["run", "--json", &host.url(), "--", line]).output().unwrap();
    assert_code(&output, 7);
    let mut lines = json_lines(&output);
    // The two streams come beside each other; the end comes last.
    assert_eq!(lines.pop(), Some(json!({"host": "127.0.0.1", "exit_code": 7, "raw_exit_code": 7})));
    lines.sort_by_key(|line| line["stream"] == "stderr");
    assert_eq!(
        lines,
        [
            json!({"host": "127.0.0.1", "stream": "stdout", "data": "aé\n"}),
            json!({"host": "127.0.0.1", "stream": "stderr", "data_base64": "/w=="}),
        ]
    );
    assert_eq!(stderr(&output), "");
}

#[test]
fn json_tells_failures() {
    let output = winrm(&["run", "--json", "127.0.0.1:1", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["host"], "127.0.0.1");
    assert!(lines[0]["error"].as_str().unwrap().contains("connecting"), "{}", lines[0]);
    assert!(lines[0]["remedy"].as_str().unwrap().contains("firewall"), "{}", lines[0]);
}

#[test]
fn a_closed_port_is_named_with_a_remedy() {
    let output = winrm(&["run", "127.0.0.1:1", "--", "x"]).output().unwrap();
    assert_code(&output, 255);
    let told = stderr(&output);
    assert!(told.starts_with("winrm: ") && told.contains("http://127.0.0.1:1/wsman (connecting)"), "{told}");
    assert!(told.contains("\n  try: check that the name is right"), "{told}");
}

#[test]
fn output_received_before_a_failure_is_handed_over() {
    let host = Host::start();
    // Answers bring output until one of them never comes.
    let line = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo before; sleep 0.1; done";
    let mut child = winrm(&["run", &host.url(), "--", line]).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    output.read_line(&mut text).unwrap();
    host.service().misbehave(Trigger::action(RECEIVE), Misbehaviour::CloseAfter);
    output.read_to_string(&mut text).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_code(&ended, 255);
    assert!(text.starts_with("before\n"), "{text:?}");
    let told = stderr(&ended);
    assert!(told.contains("process was lost") && told.contains("connection lost, outcome unknown"), "{told}");
    let commands = host.service().log().actions().iter().filter(|action| **action == "Command").count();
    assert_eq!(commands, 1, "run twice");
}

#[test]
fn an_argument_that_cannot_be_passed_is_refused_before_anything_is_sent() {
    let host = Host::start();
    let output = winrm(&["run", &host.url(), "--", "echo", "two\nlines"]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("line break"), "{}", stderr(&output));
    assert!(host.service().log().is_empty());
}

#[test]
fn the_log_tells_exchanges_but_no_secrets() {
    let host = Host::start();
    let command = ["run", &host.url(), "--env", "TOKEN=env-secret", "--", "echo line-secret"];
    let output = winrm(&command).env("WINRM_LOG", "trace").output().unwrap();
    assert_code(&output, 0);
    let log = stderr(&output);
    assert!(log.contains("exchange"), "{log}");
    for secret in ["env-secret", "line-secret", crate::common::PASSWORD] {
        assert!(!log.contains(secret), "{secret:?} is in the log");
    }
    let output = bare(&["--version"]).env("WINRM_LOG", "=?=").output().unwrap();
    assert_code(&output, 0);
}
