//! The default handler: lines for the shell, programs with arguments, and processes that misbehave.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use support::{Client, builder};
use winrm_wsman::{Shell, Variable};

/// Runs one command in a shell of its own.
async fn run(shell: Shell, command: &str, arguments: &[&str]) -> (String, String, u32) {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create_with(shell).await;
    let command = client.command(&shell, command, arguments).await;
    let finished = client.finish(&shell, &command).await;
    let (stdout, stderr, code) = finished.text();
    (stdout.to_owned(), stderr.to_owned(), code)
}

#[tokio::test]
async fn a_line_goes_to_the_shell() {
    let (stdout, stderr, code) = run(Shell::default(), "echo a | tr a b && echo $((1+1)); exit 5", &[]).await;
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("b\n2\n", "", 5));
    // A program's name as a client quotes it for cmd.
    let (stdout, _, code) = run(Shell::default(), "\"\"/bin/pwd\"\"", &[]).await;
    assert_eq!((stdout.is_empty(), code), (false, 0));
    let (_, stderr, code) = run(Shell::default(), "no-such-program-at-all", &[]).await;
    assert!(stderr.contains("no-such-program-at-all"));
    assert_eq!(code, 127);
}

#[tokio::test]
async fn arguments_reach_the_program_as_windows_delivers_them() {
    let arguments = [
        "[%s]",
        "plain",
        "^\"a b^\"",
        "^\"^\"",
        "a^&b",
        "50%%cd:~,%",
        "^\"say \\^\"hi\\^\"^\"",
        "$HOME",
        "*",
    ];
    let (stdout, stderr, code) = run(Shell::default(), "printf", &arguments).await;
    assert_eq!(stdout, "[plain][a b][][a&b][50%][say \"hi\"][$HOME][*]");
    assert_eq!((stderr.as_str(), code), ("", 0));
}

#[tokio::test]
async fn what_cannot_be_started_says_so() {
    let (stdout, stderr, code) = run(Shell::default(), "no-such-program-at-all", &["x"]).await;
    assert_eq!((stdout.as_str(), code), ("", 1));
    assert!(stderr.starts_with("no-such-program-at-all: "));
    let (_, stderr, code) = run(Shell::default(), "echo", &["a", "|", "cat"]).await;
    assert!(stderr.contains("needs a shell"), "{stderr}");
    assert_eq!(code, 1);
    let nowhere = Shell { working_directory: Some("/no/such/directory".to_owned()), ..Shell::default() };
    assert_eq!(run(nowhere, "pwd", &[]).await.2, 1);
}

#[tokio::test]
async fn environment_and_directory_are_those_of_the_shell() {
    let shell = Shell {
        environment: vec![Variable::new("FIRST", " a\"<&> "), Variable::new("SECOND", "é")],
        working_directory: Some("/usr".to_owned()),
        ..Shell::default()
    };
    let (stdout, _, _) = run(shell, "printf '%s|%s|%s' \"$FIRST\" \"$SECOND\" \"$(pwd)\"", &[]).await;
    assert_eq!(stdout, " a\"<&> |é|/usr");
}

#[tokio::test]
async fn bytes_are_bytes() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "cat", &[]).await;
    let all: Vec<u8> = (0..=255).collect();
    client.input(&shell, &command, &all, true).await;
    assert_eq!(client.finish(&shell, &command).await.stdout, all);
}

#[tokio::test]
async fn exit_codes_and_signals() {
    assert_eq!(run(Shell::default(), "exit 255", &[]).await.2, 255);
    // In one word or in several.
    assert_eq!(run(Shell::default(), "exit", &["3"]).await.2, 3);
    assert_eq!(run(Shell::default(), "EXIT", &["/B", "-2"]).await.2, 0xffff_fffe);
    assert_eq!(run(Shell::default(), "kill -TERM $$", &[]).await.2, 128 + 15);
}

#[tokio::test]
async fn what_a_process_leaves_behind_holds_nobody_up() {
    let begin = Instant::now();
    let (stdout, _, code) = run(Shell::default(), "sleep 30 & echo started", &[]).await;
    assert_eq!((stdout.as_str(), code), ("started\n", 0));
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn closed_streams_do_not_end_a_process() {
    let (stdout, stderr, code) =
        run(Shell::default(), "echo x; exec >&- 2>&- <&-; sleep 0.2; exit 6", &[]).await;
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("x\n", "", 6));
}
