//! Shells and commands: output, input, signals, time-outs, quotas, and the end of it all.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::{Client, builder, line, receive};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use winrm_loopback::{Invocation, Io, Limits, SignalCode};
use winrm_wsman::{Body, CommandState, Receive, Shell, State, Variable, WsOption, XsDuration, uri};

const TIMED_OUT: u32 = 2_150_858_793;
const INVALID_SELECTORS: u32 = 2_150_858_843;
const MAX_SHELLS: u32 = 2_150_859_173;
const NOT_ENOUGH_QUOTA: u32 = 1816;
const MAX_COMMANDS_PER_SHELL: u32 = 2_150_859_241;
const ABORTED: u32 = 995;

/// Waits until something holds, for a second.
async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..100 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not come true");
}

#[tokio::test]
async fn the_answer_to_create_describes_the_shell() {
    let service = builder().custom_shell("urn:shell").start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = Shell {
        name: Some("shell 1".to_owned()),
        working_directory: Some("/".to_owned()),
        idle_timeout: Some(XsDuration::from_secs(60)),
        environment: vec![Variable::new("K", " <&> ")],
        ..Shell::default()
    };
    let header = client.header(uri::ACTION_CREATE, "");
    let (_, answer) = client.request(header, Body::Create(Box::new(shell.clone()))).await;
    let Body::CreateResponse(response) = answer.body else { panic!() };
    let id = response.shell_id().unwrap().to_owned();
    assert_eq!((id.len(), id.to_uppercase()), (36, id.clone()));
    let created = response.resource_created.unwrap();
    assert_eq!(created.address.as_deref(), Some("http://h/wsman"));
    assert_eq!(created.resource_uri.as_deref(), Some(uri::RESOURCE_URI_CMD));
    let described = response.shell.unwrap();
    assert_eq!(described.owner.as_deref(), Some(support::USER));
    assert_eq!(described.client_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(described.output_streams, ["stdout", "stderr"]);
    assert_eq!(
        (described.working_directory, described.idle_timeout, described.environment),
        (shell.working_directory.clone(), shell.idle_timeout, shell.environment.clone())
    );
    assert_eq!(described.name, None);
    let text = client.create().await;
    assert_ne!(text, id);

    let mut header = client.header(uri::ACTION_CREATE, "");
    header.resource_uri = Some("urn:shell".to_owned());
    let (_, answer) = client.request(header, Body::Create(Box::new(shell.clone()))).await;
    let Body::CreateResponse(response) = answer.body else { panic!() };
    assert_eq!(response.shell.unwrap().name, shell.name);
}

#[tokio::test]
async fn a_command_that_ends_at_once_takes_one_receive() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    for number in 0..20 {
        // Some as on a busy machine, and one that closes its outputs before it ends.
        let line = match number {
            0 => "echo out; echo err >&2; sleep 0.1; exit 3",
            1 => "echo out; echo err >&2; exec >&- 2>&-; sleep 0.1; exit 3",
            _ => "echo out; echo err >&2; exit 3",
        };
        let command = client.command(&shell, line, &[]).await;
        let finished = client.finish(&shell, &command).await;
        assert_eq!(finished.text(), ("out\n", "err\n", 3));
        assert_eq!((finished.receives, finished.ends), (1, 2));
        client.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    }
    client.delete(&shell).await;
    let log = service.log();
    assert_eq!(log.actions()[..6], ["-", "-", "Create", "Command", "Receive", "Signal"]);
    assert_eq!(log.len(), 2 + 1 + 20 * 3 + 1);
    assert!(log.iter().all(|entry| entry.connection == 1));
}

#[tokio::test]
async fn silence_is_a_fault_when_the_time_is_over_and_not_before() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 0.4; echo late", &[]).await;
    client.timeout = Duration::from_millis(150);
    let begin = Instant::now();
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    assert_eq!(client.fault(header, receive(&command)).await, TIMED_OUT);
    assert!(begin.elapsed() >= Duration::from_millis(150) && begin.elapsed() < Duration::from_millis(350));
    client.timeout = Duration::from_secs(3);
    assert_eq!(client.finish(&shell, &command).await.text(), ("late\n", "", 0));
    assert!(begin.elapsed() < Duration::from_secs(2), "answered when there was something");
}

#[tokio::test]
async fn the_service_cuts_long_timeouts_short() {
    let mut limits = Limits::default();
    limits.max_timeout = Duration::from_millis(100);
    let service = builder().limits(limits).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.timeout = Duration::from_mins(30);
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 3", &[]).await;
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    assert_eq!(client.fault(header, receive(&command)).await, TIMED_OUT);
    let mut header = client.header(uri::ACTION_RECEIVE, &shell);
    header.operation_timeout = None;
    assert_eq!(client.fault(header, receive(&command)).await, TIMED_OUT);
}

#[tokio::test]
async fn output_comes_while_the_command_runs() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "echo one; cat; exit 2", &[]).await;
    let response = client.receive(&shell, &command).await;
    assert_eq!(response.streams.len(), 1);
    assert_eq!((response.streams[0].name.as_str(), response.streams[0].end), ("stdout", false));
    assert_eq!(response.streams[0].data, &b"one\n"[..]);
    let running = CommandState { command_id: Some(command.clone()), state: State::Running, exit_code: None };
    assert_eq!(response.command_state, Some(running));
    assert_eq!(client.input(&shell, &command, b"two\n", false).await.body, Body::SendResponse);
    assert_eq!(client.receive(&shell, &command).await.streams[0].data, &b"two\n"[..]);
    client.input(&shell, &command, b"", true).await;
    assert_eq!(client.finish(&shell, &command).await.text(), ("", "", 2));
    // What was told of the end is told once.
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    assert_eq!(client.fault(header, receive(&command)).await, INVALID_SELECTORS);
    // The place is free only after Terminate; until then other signals are fine.
    client.signal(&shell, &command, uri::SIGNAL_CTRL_C).await;
    client.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    let header = client.header(uri::ACTION_SIGNAL, &shell);
    assert_eq!(client.fault(header, support::signal(&command, uri::SIGNAL_CTRL_C)).await, INVALID_SELECTORS);
}

#[tokio::test]
async fn large_output_is_cut_to_the_client_s_envelope_size() {
    let service = builder().start().await.unwrap();
    for (size, len) in [(8192, 40_000), (153_600, 1_000_000), (512_000, 3_000_000), (u32::MAX, 3_000_000)] {
        let mut client = Client::log_on(&service).await;
        client.max_envelope_size = size;
        let shell = client.create().await;
        // Both streams, in pieces large and small. `Client::request` checks the size of every answer.
        let script = format!("yes abcdefg | head -c {len}; for i in 1 2 3; do echo $i; echo $i >&2; done");
        let command = client.command(&shell, &script, &[]).await;
        let finished = client.finish(&shell, &command).await;
        assert_eq!(finished.stdout.len(), len + 6);
        assert!(
            finished.stdout.starts_with(b"abcdefg\nabcdefg\n") && finished.stdout.ends_with(b"1\n2\n3\n")
        );
        assert_eq!(finished.stderr, b"1\n2\n3\n");
        let least = len / usize::try_from(size).unwrap();
        assert!(finished.receives > least, "{} receives for {len} bytes in {size}", finished.receives);
    }
}

#[tokio::test]
async fn streams_may_be_asked_for_one_by_one() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "echo out; echo err >&2", &[]).await;
    for (name, text) in [("stdout", "out\n"), ("stderr", "err\n")] {
        let body = Receive { command_id: Some(command.clone()), desired_streams: vec![name.to_owned()] };
        let header = client.header(uri::ACTION_RECEIVE, &shell);
        let (_, answer) = client.request(header, Body::Receive(body)).await;
        let Body::ReceiveResponse(response) = answer.body else { panic!("{answer:?}") };
        let found: Vec<_> = response.streams.iter().map(|s| (s.name.as_str(), s.end, &s.data[..])).collect();
        assert_eq!(found, [(name, false, text.as_bytes()), (name, true, b"")]);
        assert_eq!(response.command_state.unwrap().state, State::Done);
    }
}

#[tokio::test]
async fn commands_and_shells_side_by_side() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shells = [client.create().await, client.create().await];
    let mut commands = Vec::new();
    for number in 0..6 {
        let shell = &shells[number % 2];
        commands.push((shell, number, client.command(shell, &format!("cat; exit {number}"), &[]).await));
    }
    assert_eq!((service.open_shells(), service.running_commands()), (2, 6));
    for (shell, number, command) in commands.iter().rev() {
        client.input(shell, command, format!("{number}").as_bytes(), true).await;
    }
    for (shell, number, command) in &commands {
        let finished = client.finish(shell, command).await;
        assert_eq!(finished.text(), (number.to_string().as_str(), "", u32::try_from(*number).unwrap()));
    }
    // A command belongs to its shell.
    let header = client.header(uri::ACTION_RECEIVE, &shells[1]);
    assert_eq!(client.fault(header, receive(&commands[0].2)).await, INVALID_SELECTORS);
}

#[tokio::test]
async fn a_held_receive_holds_nobody_else() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "cat", &[]).await;
    let mut other = Client::log_on(&service).await;
    let (waiting, ()) = tokio::join!(client.finish(&shell, &command), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.input(&shell, &command, b"from another connection", true).await;
    });
    assert_eq!(waiting.text(), ("from another connection", "", 0));
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_shell_as_it_is() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 0.2; echo kept", &[]).await;
    let held = client.header(uri::ACTION_RECEIVE, &shell);
    let request = winrm_wsman::Message::new(held, receive(&command)).encode().unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), client.send(&request)).await.is_err());
    drop(client);
    let mut client = Client::log_on(&service).await;
    assert_eq!(client.finish(&shell, &command).await.text(), ("kept\n", "", 0));
}

#[tokio::test]
async fn ctrl_c_interrupts_and_terminate_ends() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    // A signal while the shell still sets itself up may be lost to it.
    let sleep = "echo ready; exec sleep 30";
    let command = client.command(&shell, sleep, &[]).await;
    let begin = Instant::now();
    client.receive(&shell, &command).await;
    client.signal(&shell, &command, uri::SIGNAL_CTRL_C).await;
    assert_eq!(client.finish(&shell, &command).await.exit_code, 0xc000_013a);

    let command = client
        .command(&shell, "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.01; done", &[])
        .await;
    assert_eq!(client.receive(&shell, &command).await.streams[0].data, &b"ready\n"[..]);
    client.signal(&shell, &command, uri::SIGNAL_CTRL_C).await;
    assert_eq!(client.finish(&shell, &command).await.text(), ("caught\n", "", 9));

    let command = client.command(&shell, sleep, &[]).await;
    client.receive(&shell, &command).await;
    client.signal(&shell, &command, uri::SIGNAL_CTRL_BREAK).await;
    assert_eq!(client.finish(&shell, &command).await.exit_code, 0xc000_013a);

    // Terminate under a Receive: that gets the end, who comes later gets nothing.
    let command = client.command(&shell, "trap '' INT; echo begun; sleep 30", &[]).await;
    client.receive(&shell, &command).await;
    let mut other = Client::log_on(&service).await;
    let (finished, ()) = tokio::join!(client.finish(&shell, &command), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    });
    assert_ne!(finished.exit_code, 0);
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    assert_eq!(client.fault(header, receive(&command)).await, INVALID_SELECTORS);
    assert!(begin.elapsed() < Duration::from_secs(3));
    eventually(|| service.running_commands() == 0).await;
}

#[tokio::test]
async fn deleting_a_shell_ends_what_runs_in_it() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let directory = std::env::temp_dir().join(winrm_wsman::guid());
    let script = format!("while :; do touch {}; sleep 0.01; done", directory.display());
    let command = client.command(&shell, &script, &[]).await;
    eventually(|| directory.exists()).await;
    let mut other = Client::log_on(&service).await;
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    let (code, ()) = tokio::join!(client.fault(header, receive(&command)), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.delete(&shell).await;
    });
    assert_eq!(code, ABORTED);
    assert_eq!((service.open_shells(), service.running_commands()), (0, 0));
    tokio::time::sleep(Duration::from_millis(100)).await;
    std::fs::remove_file(&directory).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!directory.exists(), "the process is gone");
}

#[tokio::test]
async fn shutting_down_waits_for_handlers_to_go() {
    struct Gone(Arc<AtomicBool>);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let gone = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&gone);
    let handler = move |_: Invocation, _: Io| {
        let gone = Gone(Arc::clone(&held));
        async move {
            let _gone = gone;
            std::future::pending().await
        }
    };
    let service = builder().handler(handler).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    client.command(&shell, "x", &[]).await;
    service.shutdown().await;
    // A program that exits now leaves nothing behind.
    assert!(gone.load(Ordering::SeqCst));
}

#[tokio::test]
async fn stopping_the_service_ends_everything() {
    for gently in [true, false] {
        let service = builder().start().await.unwrap();
        let mut client = Client::log_on(&service).await;
        let shell = client.create().await;
        let file = std::env::temp_dir().join(winrm_wsman::guid());
        client.command(&shell, &format!("while :; do touch {}; sleep 0.01; done", file.display()), &[]).await;
        eventually(|| file.exists()).await;
        let address = service.addr();
        if gently {
            service.shutdown().await;
        } else {
            drop(service);
        }
        assert!(client.raw.reply().await.is_none(), "connections are closed");
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the port is free");
        std::fs::remove_file(&file).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!file.exists(), "the process is gone");
    }
}

#[tokio::test]
async fn an_idle_shell_is_closed_and_a_used_one_is_not() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let timeout = Duration::from_millis(300);
    let settings = Shell { idle_timeout: Some(XsDuration::try_from(timeout).unwrap()), ..Shell::default() };
    let (idle, used) = (client.create_with(settings.clone()).await, client.create_with(settings).await);
    let command = client.command(&used, "sleep 0.7", &[]).await;
    // Held for longer than the idle time-out.
    client.finish(&used, &command).await;
    let header = client.header(uri::ACTION_COMMAND, &idle);
    assert_eq!(client.fault(header, line("true", &[])).await, INVALID_SELECTORS);
    assert_eq!(service.open_shells(), 1);
    eventually(|| service.open_shells() == 0).await;
}

#[tokio::test]
async fn quotas() {
    let mut limits = Limits::default();
    (limits.max_shells_per_user, limits.max_processes_per_shell, limits.max_commands_per_shell) = (2, 2, 3);
    let service = builder().account("other", "password").limits(limits).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let second = client.create().await;
    let header = client.header(uri::ACTION_CREATE, "");
    assert_eq!(client.fault(header, Body::Create(Box::default())).await, MAX_SHELLS);
    // Each user has a quota of his own.
    let mut other = Client::log_on_with(&service, support::Context::spnego("other", "password")).await;
    other.create().await;
    client.delete(&second).await;
    client.create().await;

    let running = [client.command(&shell, "cat", &[]).await, client.command(&shell, "cat", &[]).await];
    let header = client.header(uri::ACTION_COMMAND, &shell);
    assert_eq!(client.fault(header, line("true", &[])).await, NOT_ENOUGH_QUOTA);
    client.input(&shell, &running[0], b"", true).await;
    client.finish(&shell, &running[0]).await;
    let third = client.command(&shell, "true", &[]).await;
    client.finish(&shell, &third).await;
    // One runs, but three were never terminated.
    let header = client.header(uri::ACTION_COMMAND, &shell);
    assert_eq!(client.fault(header, line("true", &[])).await, MAX_COMMANDS_PER_SHELL);
    client.signal(&shell, &third, uri::SIGNAL_TERMINATE).await;
    client.command(&shell, "true", &[]).await;
}

#[tokio::test]
async fn a_handler_of_one_s_own() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let service = builder()
        .handler(move |invocation: Invocation, mut io: Io| {
            record.lock().unwrap().push(invocation.clone());
            async move {
                assert_ne!(invocation.command, "panic", "a handler's own fault");
                let mut input = String::new();
                io.stdin.read_to_string(&mut input).await.unwrap();
                io.stdout.write_all(input.to_uppercase().as_bytes()).await.unwrap();
                io.stderr.write_all(b"done").await.unwrap();
                match io.signals.recv().await {
                    SignalCode::CtrlC => 2,
                    SignalCode::CtrlBreak => 3,
                    SignalCode::Terminate => 4,
                }
            }
        })
        .start()
        .await
        .unwrap();
    let mut client = Client::log_on(&service).await;
    let mut header = client.header(uri::ACTION_CREATE, "");
    header.options = vec![WsOption::new("winrs_codepage", "65001"), WsOption::new("WINRS_NOPROFILE", "TRUE")];
    let shell = Shell {
        environment: vec![Variable::new("K", "V")],
        working_directory: Some(r"C:\x".to_owned()),
        ..Shell::default()
    };
    let (_, answer) = client.request(header, Body::Create(Box::new(shell))).await;
    let Body::CreateResponse(response) = answer.body else { panic!() };
    let shell = response.shell_id().unwrap();
    let mut header = client.header(uri::ACTION_COMMAND, shell);
    header.options = vec![WsOption::new("WINRS_CONSOLEMODE_STDIN", "FALSE")];
    let (_, answer) = client.request(header, line("p", &["^\"a b^\"", "c"])).await;
    let Body::CommandResponse(response) = answer.body else { panic!() };
    let command = response.command_id;
    client.input(shell, &command, b"shout", true).await;
    let first = client.receive(shell, &command).await;
    let texts: Vec<_> = first.streams.iter().map(|s| (s.name.as_str(), &s.data[..])).collect();
    assert_eq!(texts, [("stdout", &b"SHOUT"[..]), ("stderr", b"done")]);
    client.signal(shell, &command, uri::SIGNAL_CTRL_BREAK).await;
    assert_eq!(client.finish(shell, &command).await.exit_code, 3);
    {
        let seen = seen.lock().unwrap();
        let invocation = &seen[0];
        assert_eq!(invocation.command_line(), "p ^\"a b^\" c");
        assert_eq!(invocation.argv().unwrap(), ["p", "a b", "c"]);
        assert_eq!(invocation.environment, [("K".to_owned(), "V".to_owned())]);
        assert_eq!(invocation.working_directory.as_deref(), Some(r"C:\x"));
        assert_eq!((invocation.codepage, invocation.no_profile), (Some(65001), true));
        assert_eq!((invocation.console_mode_stdin, invocation.skip_cmd_shell), (false, false));
        assert_eq!((invocation.user.as_str(), invocation.shell_id.as_str()), (support::USER, shell));
        assert_eq!(invocation.command_id, command);
        assert_eq!((invocation.idle_timeout, invocation.session_id.as_deref()), (None, None));
    }
    let command = client.command(shell, "panic", &[]).await;
    assert_eq!(client.finish(shell, &command).await.exit_code, u32::MAX);
}

#[tokio::test]
async fn what_the_client_asked_for_is_told() {
    let seen = Arc::new(std::sync::Mutex::new(None));
    let record = Arc::clone(&seen);
    let service = builder()
        .handler(move |invocation: Invocation, _: Io| {
            *record.lock().unwrap() = Some(invocation);
            std::future::ready(0)
        })
        .start()
        .await
        .unwrap();
    let mut client = Client::log_on(&service).await;
    client.session_id = Some(winrm_wsman::message_id());
    let idle_timeout = Some(XsDuration::from_secs(90));
    let shell = client.create_with(Shell { idle_timeout, ..Shell::default() }).await;
    let mut header = client.header(uri::ACTION_COMMAND, &shell);
    header.options = vec![WsOption::new("WINRS_CONSOLEMODE_STDIN", "FALSE"), WsOption::new("x", "<1>")];
    client.request(header, line("p", &[])).await;
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        service.log().last().unwrap().options,
        [option("WINRS_CONSOLEMODE_STDIN", "FALSE"), option("x", "<1>")]
    );
    let mut header = client.header(uri::ACTION_COMMAND, &shell);
    header.options = vec![WsOption::new("x", "y".repeat(5000))];
    client.request(header, line("p", &[])).await;
    assert_eq!(service.log().last().unwrap().options, [], "too much to be kept");
    eventually(|| seen.lock().unwrap().is_some()).await;
    let invocation = seen.lock().unwrap().clone().unwrap();
    assert_eq!(invocation.idle_timeout, Some(Duration::from_secs(90)));
    assert_eq!(invocation.session_id, client.session_id);
}

#[tokio::test]
async fn a_handler_that_does_not_listen_is_ended() {
    let mut limits = Limits::default();
    limits.termination_grace = Duration::from_millis(50);
    let service = builder()
        .limits(limits)
        .handler(|_: Invocation, _: Io| std::future::pending::<u32>())
        .start()
        .await
        .unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "x", &[]).await;
    let mut other = Client::log_on(&service).await;
    let (finished, ()) = tokio::join!(client.finish(&shell, &command), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        other.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    });
    assert_eq!(finished.exit_code, u32::MAX);
}
