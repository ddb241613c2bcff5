//! The life of a process, as `tokio::process` has it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{builder, hello, pair, service, silent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use winrm_loopback::{Invocation, Io};
use winrm_shell::{Command, CommandLineError, Error, Shell, Stdio};
use winrm_transport::{TracedEnvelope, WireTrace};
use winrm_wsman::{Body, Message};

/// Sends back what it gets, and how much it was.
async fn echo(_: Invocation, mut io: Io) -> u32 {
    let mut input = Vec::new();
    io.stdin.read_to_end(&mut input).await.unwrap();
    io.stdout.write_all(&input).await.unwrap();
    u32::try_from(input.len()).unwrap()
}

/// Writes what it was started with.
async fn show(invocation: Invocation, mut io: Io) -> u32 {
    let environment: Vec<_> =
        invocation.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = format!(
        "{:?}|{}|{}|{}|{}",
        invocation.argv().ok(),
        environment.join(","),
        invocation.working_directory.unwrap_or_default(),
        invocation.codepage.unwrap_or_default(),
        invocation.no_profile
    );
    io.stdout.write_all(text.as_bytes()).await.unwrap();
    0
}

#[tokio::test]
async fn arguments_and_settings_arrive_as_given() {
    let (_service, client) = pair(show).await;
    let arguments = ["a b", "", "\"q\"", "50% off", "a&b|c<d>e^f", "C:\\dir\\", "ünïcödé", "%PATH%"];
    let output = Command::new(&client, "prog")
        .args(arguments)
        .env("K", "V & \"W\"\r")
        .current_dir(r"C:\work dir")
        .codepage(850)
        .no_profile(true)
        .output()
        .await
        .unwrap();
    let mut argv = vec!["prog"];
    argv.extend(arguments);
    let expected = format!("{:?}|K=V & \"W\"\r|C:\\work dir|850|true", Some(argv));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn settings_that_come_too_late_are_refused_before_anything_is_sent() {
    let (service, client) = pair(show).await;
    let shell = Shell::builder(&client).env("A", "1").open().await.unwrap();
    let before = service.log().len();
    let error = shell.command("prog").env("B", "2").output().await.unwrap_err();
    assert!(matches!(error, Error::ShellIsOpen { setting: "environment" }), "{error:?}");
    let error = shell.command("prog").arg("a\nb").output().await.unwrap_err();
    assert!(matches!(error, Error::CommandLine(_)), "{error:?}");
    assert_eq!(service.log().len(), before);
    let output = shell.command("prog").output().await.unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("|A=1|"));
}

#[tokio::test]
async fn input_streams_and_ends() {
    let (service, client) = pair(echo).await;
    let mut child = Command::new(&client, "echo").stdin(Stdio::piped()).spawn().await.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for chunk in input.chunks(1000) {
        stdin.write_all(chunk).await.unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.stdout, input);
    assert_eq!(output.status.raw(), Some(300_000));
    // Small writes are gathered: far fewer requests than writes.
    let sends = service.log().actions().iter().filter(|action| **action == "Send").count();
    assert!((1..60).contains(&sends), "{sends} requests");
}

#[tokio::test]
async fn waiting_closes_standard_input() {
    let (_service, client) = pair(echo).await;
    let mut child = Command::new(&client, "echo").stdin(Stdio::piped()).spawn().await.unwrap();
    child.stdin.as_mut().unwrap().write_all(b"abc").await.unwrap();
    assert_eq!(child.wait().await.unwrap().raw(), Some(3));
    assert!(child.try_wait().unwrap().is_some());
}

#[tokio::test]
async fn a_process_that_ends_early_breaks_the_pipe() {
    let (_service, client) = pair(hello).await;
    let mut child = Command::new(&client, "hello").stdin(Stdio::piped()).spawn().await.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let written = async {
        loop {
            if let Err(error) = stdin.write_all(&vec![0; 100_000]).await {
                return error.kind();
            }
        }
    };
    let kind = tokio::time::timeout(Duration::from_secs(4), written).await.unwrap();
    assert_eq!(kind, std::io::ErrorKind::BrokenPipe);
    // Input that nobody takes is no failure of the process.
    assert_eq!(child.wait_with_output().await.unwrap().status.code(), Some(3));
}

#[tokio::test]
async fn output_streams_while_the_process_runs() {
    async fn dialogue(_: Invocation, mut io: Io) -> u32 {
        for _ in 0..3 {
            let byte = io.stdin.read_u8().await.unwrap();
            io.stdout.write_all(&[byte + 1]).await.unwrap();
        }
        0
    }
    let (_service, client) = pair(dialogue).await;
    let mut child = Command::new(&client, "dialogue").stdin(Stdio::piped()).spawn().await.unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for byte in [1, 5, 9] {
        stdin.write_all(&[byte]).await.unwrap();
        assert_eq!(stdout.read_u8().await.unwrap(), byte + 1);
    }
    assert_eq!(stdout.read(&mut [0]).await.unwrap(), 0);
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn much_output_arrives_whole_and_waits_for_its_reader() {
    const BLOCK: usize = 10_000;
    const BLOCKS: usize = 600;
    async fn flood(_: Invocation, mut io: Io) -> u32 {
        for n in 0..BLOCKS {
            io.stdout.write_all(&vec![u8::try_from(n % 251).unwrap(); BLOCK]).await.unwrap();
        }
        0
    }
    let (service, client) = pair(flood).await;
    let mut child = Command::new(&client, "flood").spawn().await.unwrap();
    // Nobody reads: after a few answers nothing more is asked for.
    let mut asked = 0;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = service.log().len();
        if now == asked {
            break;
        }
        asked = now;
    }
    assert!(asked < 14, "{asked} requests without a reader");
    let mut stdout = child.stdout.take().unwrap();
    let mut output = Vec::new();
    stdout.read_to_end(&mut output).await.unwrap();
    assert_eq!(output.len(), BLOCK * BLOCKS);
    assert!(
        output.chunks(BLOCK).enumerate().all(|(n, block)| block.iter().all(|b| usize::from(*b) == n % 251))
    );
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn a_silent_process_outlives_operation_timeouts_and_hears_ctrl_c_at_once() {
    let service = service(silent).start().await.unwrap();
    let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
    let mut child = Command::new(&client, "silent").spawn().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert!(child.try_wait().unwrap().is_none());
    let receives = service.log().actions().iter().filter(|action| **action == "Receive").count();
    assert!(receives >= 3, "{receives}");

    let asked = Instant::now();
    child.signals().ctrl_c().await.unwrap();
    let status = child.wait().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(status.raw(), Some(0xC000_013A));
    assert_eq!(status.code(), Some(-1_073_741_510));
    assert_eq!(status.to_string(), "exit code: 0xc000013a");
}

#[tokio::test]
async fn signals_do_not_wait_for_a_pending_receive() {
    // The Receive would be held for 20 s.
    let (service, client) = pair(silent).await;
    let mut child = Command::new(&client, "silent").spawn().await.unwrap();
    support::eventually("the Receive", || service.log().actions().contains(&"Receive")).await;
    let asked = Instant::now();
    child.kill().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    // It went by a connection of its own.
    let log = service.log();
    let connection = |action| log.iter().find(|entry| entry.action_name() == action).unwrap().connection;
    assert_ne!(connection("Receive"), connection("Signal"));

    let mut child = Command::new(&client, "silent").spawn().await.unwrap();
    child.start_kill();
    child.wait().await.unwrap();

    let mut child = Command::new(&client, "silent").spawn().await.unwrap();
    child.signals().ctrl_break().await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(2));
}

#[tokio::test]
async fn killing_does_not_wait_for_a_reader() {
    async fn flood(_: Invocation, mut io: Io) -> u32 {
        while io.stdout.write_all(&[0; 10_000]).await.is_ok() {}
        1
    }
    let (_service, client) = pair(flood).await;
    let mut child = Command::new(&client, "flood").spawn().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::time::timeout(Duration::from_secs(3), child.kill()).await.unwrap().unwrap();
}

#[tokio::test]
async fn signals_and_input_wait_for_nothing_that_is_stuck() {
    // One Receive at a time, and it is held.
    let service = service(silent).start().await.unwrap();
    let client = builder(&service).max_connections(1).build().unwrap();
    let shell = Shell::builder(&client).open().await.unwrap();
    let mut children = Vec::new();
    for _ in 0..9 {
        let mut child = shell.command("silent").stdin(Stdio::piped()).spawn().await.unwrap();
        // More than pipes hold: the Send is held too.
        let mut stdin = child.stdin.take().unwrap();
        tokio::spawn(async move { stdin.write_all(&vec![0; 1_000_000]).await });
        children.push(child);
    }
    support::eventually("the Sends", || {
        service.log().iter().filter(|entry| entry.action_name() == "Send" && entry.status.is_none()).count()
            >= 8
    })
    .await;
    let asked = Instant::now();
    children[8].signals().ctrl_c().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_process_may_read_its_input_late() {
    async fn late(_: Invocation, mut io: Io) -> u32 {
        tokio::time::sleep(Duration::from_millis(1800)).await;
        let mut input = Vec::new();
        io.stdin.read_to_end(&mut input).await.unwrap();
        io.stdout.write_all(&input).await.unwrap();
        0
    }
    let service = service(late).start().await.unwrap();
    let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
    let mut child = Command::new(&client, "late").stdin(Stdio::piped()).spawn().await.unwrap();
    let input: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    let mut stdin = child.stdin.take().unwrap();
    let sent = input.clone();
    tokio::spawn(async move { stdin.write_all(&sent).await.unwrap() });
    let output =
        tokio::time::timeout(Duration::from_secs(5), child.wait_with_output()).await.unwrap().unwrap();
    // Each block once, although several Sends timed out.
    assert!(output.stdout == input, "{} of {} bytes", output.stdout.len(), input.len());
    assert!(service.log().iter().any(|entry| entry.fault == Some(winrm_wsman::FaultCode::TIMED_OUT)));
}

#[tokio::test]
async fn waiting_keeps_output_for_later() {
    async fn flood(_: Invocation, mut io: Io) -> u32 {
        io.stdout.write_all(&vec![7; 3_000_000]).await.unwrap();
        0
    }
    let (_service, client) = pair(flood).await;
    let mut child = Command::new(&client, "flood").spawn().await.unwrap();
    assert!(child.wait().await.unwrap().success());
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).await.unwrap();
    assert_eq!(output.len(), 3_000_000);
}

#[tokio::test]
async fn the_service_is_told_what_was_asked_for() {
    async fn told(invocation: Invocation, mut io: Io) -> u32 {
        let text = format!("{:?} {}", invocation.idle_timeout, invocation.console_mode_stdin);
        io.stdout.write_all(text.as_bytes()).await.unwrap();
        0
    }
    let (service, client) = pair(told).await;
    let text = |output: winrm_shell::Output| String::from_utf8(output.stdout).unwrap();
    let mut command = Command::new(&client, "told");
    assert_eq!(text(command.output().await.unwrap()), "Some(900s) true");
    assert_eq!(text(command.stdin(Stdio::piped()).output().await.unwrap()), "Some(900s) false");
    let shell = Shell::builder(&client).idle_timeout(Duration::from_mins(2)).open().await.unwrap();
    assert_eq!(text(shell.command("told").output().await.unwrap()), "Some(120s) true");
    let log = service.log();
    let receive = log.iter().find(|entry| entry.action_name() == "Receive").unwrap();
    assert!(receive.options.contains(&("WSMAN_CMDSHELL_OPTION_KEEPALIVE".to_owned(), "TRUE".to_owned())));
}

#[tokio::test]
async fn several_processes_share_a_shell() {
    let (service, client) = pair(echo).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    let mut children = Vec::new();
    for n in 0_u8..5 {
        let mut child = shell.command("echo").stdin(Stdio::piped()).spawn().await.unwrap();
        child.stdin.as_mut().unwrap().write_all(&[n; 10]).await.unwrap();
        children.push(child);
    }
    assert_eq!(service.running_commands(), 5);
    for (n, child) in (0_u8..).zip(children) {
        assert_eq!(child.wait_with_output().await.unwrap().stdout, [n; 10]);
    }
    assert_eq!(service.open_shells(), 1);
    shell.close().await.unwrap();
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn output_nobody_wants_is_thrown_away() {
    async fn flood(_: Invocation, mut io: Io) -> u32 {
        io.stdout.write_all(&vec![0; 3_000_000]).await.unwrap();
        7
    }
    let (_service, client) = pair(flood).await;
    assert_eq!(Command::new(&client, "flood").status().await.unwrap().code(), Some(7));
    // A reader that goes away is as good as none.
    let mut child = Command::new(&client, "flood").spawn().await.unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
}

#[tokio::test]
async fn a_process_that_waits_for_input_nobody_gives_is_told_so() {
    let service = service(echo).start().await.unwrap();
    let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
    let mut command = Command::new(&client, "echo");
    let output = tokio::time::timeout(Duration::from_secs(4), command.output()).await.unwrap().unwrap();
    assert_eq!(output.status.raw(), Some(0));
}

#[tokio::test]
async fn how_a_process_is_started_is_told_to_the_service() {
    let handler = |invocation: Invocation, mut io: Io| async move {
        let told = format!(
            "{} {} {}",
            invocation.console_mode_stdin,
            invocation.skip_cmd_shell,
            invocation.command_line()
        );
        io.stdout.write_all(told.as_bytes()).await.unwrap();
        0
    };
    let (_service, client) = pair(handler).await;
    let told =
        async |command: &mut Command| String::from_utf8(command.output().await.unwrap().stdout).unwrap();
    let mut command = Command::new(&client, "p");
    command.arg("a&b");
    assert_eq!(told(&mut command).await, "true false p ^\"a^&b^\"");
    assert_eq!(told(command.skip_cmd_shell(true)).await, "true true p \"a&b\"");
    assert_eq!(told(command.console_mode_stdin(false)).await, "false true p \"a&b\"");
    command.arg("50%");
    let refused = command.output().await.unwrap_err();
    assert!(matches!(refused, Error::CommandLine(CommandLineError::OnlyThroughCmd(_))), "{refused}");
}

/// Requests as they were sent.
#[derive(Default)]
struct Sent(Mutex<Vec<Vec<u8>>>);

impl WireTrace for Sent {
    fn envelope(&self, envelope: &TracedEnvelope<'_>) {
        if envelope.is_request {
            self.0.lock().unwrap().push(envelope.envelope.to_vec());
        }
    }
}

#[tokio::test]
async fn a_shell_may_have_a_name_and_an_end() {
    let service = service(hello).start().await.unwrap();
    let sent = Arc::new(Sent::default());
    let client = builder(&service).trace_wire(Arc::<Sent>::clone(&sent)).build().unwrap();
    let shell =
        Shell::builder(&client).name("deployment").lifetime(Duration::from_mins(5)).open().await.unwrap();
    let create = sent.0.lock().unwrap().first().cloned().unwrap();
    let Body::Create(asked) = Message::decode(&create).unwrap().body else { panic!("not a Create") };
    assert_eq!(asked.name.as_deref(), Some("deployment"));
    assert_eq!(asked.lifetime.map(winrm_wsman::XsDuration::get), Some(Duration::from_mins(5)));
    shell.close().await.unwrap();
}
