//! Interactive sessions, with a host that tells what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use winrm::powershell::clixml::Content;
use winrm::powershell::psrp::host::HostCall;
use winrm::powershell::{CreatePipeline, ErrorCategory, ErrorRecord, PsObject};
use winrm_loopback::PipelineIo;

use crate::common::{
    Host, PASSWORD, USER, assert_code, end_within, signal, stderr, stdout, winrm, with_input,
};

/// After so many scripts a prompt does not come.
const SLOW: u32 = 2;

/// Says scripts back with their number; some do something of their own.
async fn tell(
    count: Arc<Mutex<u32>>,
    pipeline: CreatePipeline,
    mut io: PipelineIo,
) -> Result<(), ErrorRecord> {
    let commands = &pipeline.powershell.statements[0];
    let text = commands[0].text.to_string();
    match text.trim() {
        "prompt" => {
            // More than waits for somebody who reads it.
            for _ in 0..100 {
                io.host_call(HostCall::Write { value: ".".into() }).await;
            }
            let slow = *count.lock().unwrap() == SLOW;
            if slow {
                std::future::pending::<()>().await;
            }
            io.output("PS C:\\> ").await;
        }
        "TabExpansion2" => {
            let line = commands[0].arguments[0].value.as_str().unwrap();
            assert_eq!((line, commands[0].arguments[1].value.as_i64()), ("é; Get-Pr", Some(9)));
            let found = PsObject::new().with_extended("CompletionText", "Get-Process");
            let found = PsObject::new().with_content(Content::List(vec![found.into()]));
            let completion = PsObject::new()
                .with_extended("ReplacementIndex", 3)
                .with_extended("CompletionMatches", found);
            io.output(completion).await;
        }
        "fail" => {
            return Err(ErrorRecord::new(
                "System.Exception",
                "it broke",
                "Broken",
                ErrorCategory::NOT_SPECIFIED,
            ));
        }
        "forever" => {
            io.output("ready").await;
            std::future::pending::<()>().await;
        }
        text => {
            let number = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count
            };
            assert!(pipeline.add_to_history);
            let last = commands.last().unwrap().text.to_string();
            io.output(format!("{number} {} {last}", text.replace('\n', "/"))).await;
        }
    }
    Ok(())
}

fn host() -> Host {
    let count = Arc::new(Mutex::new(0));
    Host::with(|builder| {
        builder
            .powershell(move |pipeline, io| tell(Arc::clone(&count), pipeline, io))
            .custom_shell("http://schemas.microsoft.com/powershell/jea")
    })
}

#[test]
fn lines_run_one_after_the_other_in_one_runspace() {
    let host = host();
    let output = with_input(winrm(&["shell", &host.url()]), b"a\n\nif (1) {\n2 }\nfail\nb\nexit 7\nnever\n");
    assert_code(&output, 7);
    assert_eq!(stdout(&output), "1 a Out-String\n2 if (1) {/2 } Out-String\n3 b Out-String\n");
    assert!(stderr(&output).starts_with("it broke\n"), "{}", stderr(&output));
    assert_eq!(host.service().log().actions().iter().filter(|action| **action == "Create").count(), 1);
    // What is open at the end is not lost, and the end of input is that of the session.
    let output = with_input(winrm(&["shell", &host.url(), "--configuration", "jea"]), b"'open");
    assert_code(&output, 0);
    assert_eq!(stdout(&output), "4 'open 'open\n");
    host.assert_clean();
}

#[test]
fn ctrl_c_stops_the_pipeline_and_not_the_session() {
    let host = host();
    let mut child = winrm(&["shell", &host.url()]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = |expected: &str| {
        let mut text = String::new();
        std::io::BufRead::read_line(&mut reader, &mut text).unwrap();
        assert_eq!(text, expected);
    };
    for round in 1..3 {
        std::io::Write::write_all(&mut stdin, b"forever\nnext\n").unwrap();
        line("ready\n");
        signal(&child, "INT");
        line(&format!("{round} next Out-String\n"));
    }
    drop(stdin);
    let output = end_within(Duration::from_secs(5), child);
    assert_code(&output, 0);
    assert!(stderr(&output).contains("the script was stopped"), "{}", stderr(&output));
    host.assert_clean();
}

#[test]
fn a_session_is_held_with_one_host() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hosts");
    std::fs::write(&file, "127.0.0.1:1\n127.0.0.1:2\n").unwrap();
    let output = winrm(&["shell", &format!("@{}", file.display())]).output().unwrap();
    assert_code(&output, 255);
    assert!(stderr(&output).contains("with one host"), "{}", stderr(&output));
}

/// Types at a terminal whenever it shows what is waited for, and tells what it showed and how the program ended.
const AT_A_TERMINAL: &str = r#"
import os, pty, signal, sys, termios
dialogue, program = sys.argv[1].split("|"), sys.argv[2:]
def late(*_):
    sys.exit(f"waiting for {shown!r} behind {text[-500:]!r}")


signal.signal(signal.SIGALRM, late)
signal.alarm(20)
pid, terminal = pty.fork()
if pid == 0:
    signal.alarm(0)
    os.execv(program[0], program)
text, seen = b"", 0
for shown, typed in zip(dialogue[::2], dialogue[1::2]):
    while (at := text.find(shown.encode(), seen)) < 0:
        text += os.read(terminal, 1000)
    seen = at + len(shown.encode())
    os.write(terminal, typed.encode().decode("unicode_escape").encode("latin-1"))
try:
    while part := os.read(terminal, 1000):
        text += part
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(status, bool(termios.tcgetattr(terminal)[3] & termios.ECHO), text.decode())
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_a_prompt_a_history_and_completion() {
    let folder = tempfile::tempdir().unwrap();
    let on_a_terminal = |dialogue: &[(&str, &str)], url: &str| {
        let dialogue: Vec<_> = dialogue.iter().map(|(shown, typed)| format!("{shown}|{typed}")).collect();
        let mut command = std::process::Command::new("python3");
        command.args(["-c", AT_A_TERMINAL, &dialogue.join("|"), env!("CARGO_BIN_EXE_winrm"), "shell", url]);
        command.env_remove("WINRM_LOG").env("WINRM_USER", USER).env("WINRM_PASSWORD", PASSWORD);
        command
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .env("XDG_STATE_HOME", folder.path())
            .env("TERM", "xterm");
        command.output()
    };
    let host = host();
    let dialogue = [
        // Completed, and run.
        ("PS C:\\> ", "\\xc3\\xa9; Get-Pr\\t\\r"),
        ("1 é; Get-Process Out-String", ""),
        // A line that Ctrl-C forgets, and one that goes on.
        ("PS C:\\> ", "forget\\x03"),
        ("PS C:\\> ", "if (1) {\\r2 }\\r"),
        // A prompt that takes too long is stopped, for this once.
        ("2 if (1) {/2 } Out-String", ""),
        ("....", "\\x03"),
        ("PS> ", "'slow'\\r"),
        ("3 'slow' Out-String", ""),
        // What runs is stopped by Ctrl-C; the line before it is run again; secrets are not kept.
        ("PS C:\\> ", "forever\\r"),
        ("ready", "\\x03"),
        ("PS C:\\> ", "\\x1b[A\\x1b[A\\r"),
        ("4 'slow' Out-String", ""),
        ("PS C:\\> ", "$password = 1\\r"),
        ("5 $password = 1 Out-String", ""),
        ("PS C:\\> ", "\\x04"),
    ];
    let Ok(output) = on_a_terminal(&dialogue, &host.url()) else {
        println!("skipped: there is no python3");
        return;
    };
    let text = stdout(&output);
    assert!(text.starts_with("0 True "), "{text}{}", stderr(&output));
    assert!(text.contains("[127.0.0.1]: PS C:\\> "), "{text}");
    let history = std::fs::read_to_string(folder.path().join("winrm/history")).unwrap();
    assert!(history.contains("é; Get-Process") && !history.contains("password"), "{history}");
    // From one session to the next.
    let output = on_a_terminal(
        &[("PS C:\\> ", "\\x1b[A\\r"), ("6 'slow'", ""), ("PS C:\\> ", "exit\\r")],
        &host.url(),
    );
    let output = output.unwrap();
    assert!(stdout(&output).starts_with("0 True "), "{}{}", stdout(&output), stderr(&output));
    host.assert_clean();
}
