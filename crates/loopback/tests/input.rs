//! Standard input: what a Send hands over arrives once, in order and whole, also when nobody reads for a while.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use support::{Client, builder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use winrm_loopback::{Invocation, Io, Service};
use winrm_wsman::{Body, Fault, Message, Send, Stream, uri};

const TIMED_OUT: u32 = 2_150_858_793;
const INVALID_SELECTORS: u32 = 2_150_858_843;
const INVALID_PARAMETER: u32 = 87;
const BROKEN_PIPE: u32 = 109;
const BUSY: u32 = 170;
const ABORTED: u32 = 995;

/// Two of these fit the service's pipe, three do not.
const BLOCK: usize = 100_000;

fn block(number: u8) -> Vec<u8> {
    vec![number; BLOCK]
}

/// The fault in an answer; `None` for success.
fn code(answer: &Message) -> Option<u32> {
    match &answer.body {
        Body::SendResponse => None,
        Body::Fault(fault) => Fault::wsman_code(fault).map(|code| code.0),
        other => panic!("{other:?}"),
    }
}

/// A service whose commands read nothing until the gate is opened, then give back all they read.
async fn gated() -> (Service, watch::Sender<bool>) {
    let (gate, opened) = watch::channel(false);
    let service = builder()
        .handler(move |_: Invocation, mut io: Io| {
            let mut opened = opened.clone();
            async move {
                opened.wait_for(|open| *open).await.unwrap();
                let mut input = Vec::new();
                io.stdin.read_to_end(&mut input).await.unwrap();
                io.stdout.write_all(&input).await.unwrap();
                0
            }
        })
        .start()
        .await
        .unwrap();
    (service, gate)
}

/// A logged-on client with a command whose pipe takes no third block.
async fn full(service: &Service) -> (Client, String, String) {
    let mut client = Client::log_on(service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "x", &[]).await;
    for number in 1..=2 {
        assert_eq!(code(&client.input(&shell, &command, &block(number), false).await), None);
    }
    (client, shell, command)
}

#[tokio::test]
async fn standard_input_is_delivered_whole() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "wc -c", &[]).await;
    let block = vec![b'x'; 100_000];
    for number in 1..=10 {
        client.input(&shell, &command, &block, number == 10).await;
    }
    let finished = client.finish(&shell, &command).await;
    assert_eq!(finished.text().0.trim(), "1000000");
    let header = client.header(uri::ACTION_SEND, &shell);
    let late = Stream { name: "stdin".to_owned(), command_id: Some(command.clone()), ..Stream::default() };
    let late = Body::Send(Send { streams: vec![late] });
    assert_eq!(client.fault(header, late).await, INVALID_PARAMETER, "input after its end");
}

#[tokio::test]
async fn input_that_timed_out_arrives_once_and_bars_the_next() {
    let (service, gate) = gated().await;
    let (mut client, shell, command) = full(&service).await;
    client.timeout = Duration::from_millis(100);
    let begin = Instant::now();
    assert_eq!(code(&client.input(&shell, &command, &block(3), false).await), Some(TIMED_OUT));
    // However often it is tried, block or end.
    assert_eq!(code(&client.input(&shell, &command, &block(4), false).await), Some(BUSY));
    assert_eq!(code(&client.input(&shell, &command, &block(4), true).await), Some(BUSY));
    assert_eq!(code(&client.input(&shell, &command, b"", true).await), Some(BUSY));
    assert!(begin.elapsed() >= Duration::from_millis(400), "each had its operation timeout");
    client.timeout = Duration::from_secs(3);
    gate.send_replace(true);
    assert_eq!(code(&client.input(&shell, &command, &block(4), false).await), None);
    assert_eq!(code(&client.input(&shell, &command, &block(5), true).await), None);
    let finished = client.finish(&shell, &command).await;
    assert!(finished.stdout == (1..=5).flat_map(block).collect::<Vec<_>>(), "{}", finished.stdout.len());
}

#[tokio::test]
async fn a_client_that_follows_the_rules_loses_and_doubles_nothing() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 0.5; cat", &[]).await;
    client.timeout = Duration::from_millis(60);
    let (mut timed_out, mut busy) = (0, 0);
    for number in 1..=8 {
        loop {
            match code(&client.input(&shell, &command, &block(number), number == 8).await) {
                None => break,
                Some(TIMED_OUT) => {
                    timed_out += 1;
                    break;
                }
                Some(BUSY) => busy += 1,
                Some(other) => panic!("fault {other}"),
            }
            assert!(busy < 100);
        }
    }
    client.timeout = Duration::from_secs(3);
    let finished = client.finish(&shell, &command).await;
    assert!(finished.stdout == (1..=8).flat_map(block).collect::<Vec<_>>(), "{}", finished.stdout.len());
    assert!(timed_out > 0 && busy > 0, "{timed_out} {busy}");
}

#[tokio::test]
async fn an_end_that_timed_out_has_come() {
    let (service, gate) = gated().await;
    let (mut client, shell, command) = full(&service).await;
    client.timeout = Duration::from_millis(50);
    assert_eq!(code(&client.input(&shell, &command, &block(3), true).await), Some(TIMED_OUT));
    let late = client.input(&shell, &command, b"late", false).await;
    assert_eq!(code(&late), Some(INVALID_PARAMETER), "input after its end");
    gate.send_replace(true);
    client.timeout = Duration::from_secs(3);
    let finished = client.finish(&shell, &command).await;
    assert!(finished.stdout == (1..=3).flat_map(block).collect::<Vec<_>>(), "{}", finished.stdout.len());
}

#[tokio::test]
async fn a_held_send_bars_those_of_other_connections_until_it_is_through() {
    let (service, gate) = gated().await;
    let (mut client, shell, command) = full(&service).await;
    let mut other = Client::log_on(&service).await;
    let data = block(3);
    let (held, barred) = tokio::join!(client.input(&shell, &command, &data, false), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        other.timeout = Duration::from_millis(50);
        let barred = code(&other.input(&shell, &command, &block(9), false).await);
        gate.send_replace(true);
        barred
    });
    assert_eq!((code(&held), barred), (None, Some(BUSY)));
    assert_eq!(code(&client.input(&shell, &command, b"", true).await), None);
    let finished = client.finish(&shell, &command).await;
    assert!(finished.stdout == (1..=3).flat_map(block).collect::<Vec<_>>(), "{}", finished.stdout.len());
}

#[tokio::test]
async fn a_held_send_ends_with_what_it_waits_for() {
    let (service, _gate) = gated().await;
    let (mut client, shell, command) = full(&service).await;
    client.timeout = Duration::from_millis(20);
    assert_eq!(code(&client.input(&shell, &command, &block(3), false).await), Some(TIMED_OUT));
    client.timeout = Duration::from_secs(3);
    let mut other = Client::log_on(&service).await;
    let begin = Instant::now();
    let data = block(4);
    let (held, ()) = tokio::join!(client.input(&shell, &command, &data, false), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    });
    assert_eq!(code(&held), Some(ABORTED));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_send_is_taken_whole_or_not_at_all() {
    let (service, gate) = gated().await;
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let commands = [client.command(&shell, "x", &[]).await, client.command(&shell, "x", &[]).await];
    let stream = |command: &str, data: &'static [u8], end| Stream {
        name: "stdin".to_owned(),
        command_id: Some(command.to_owned()),
        end,
        data: data.into(),
    };
    for (second, end) in [(&commands[1], false), (&commands[0], true)] {
        let streams = vec![stream(&commands[0], b"no", end), stream(second, b"no", false)];
        let header = client.header(uri::ACTION_SEND, &shell);
        assert_eq!(client.fault(header, Body::Send(Send { streams })).await, INVALID_PARAMETER);
    }
    let streams = vec![stream(&commands[0], b"one ", false), stream(&commands[0], b"two", true)];
    let header = client.header(uri::ACTION_SEND, &shell);
    assert_eq!(client.request(header, Body::Send(Send { streams })).await.1.body, Body::SendResponse);
    gate.send_replace(true);
    assert_eq!(client.finish(&shell, &commands[0]).await.text(), ("one two", "", 0));
}

#[tokio::test]
async fn input_for_nobody_is_a_broken_pipe_until_the_command_is_gone() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    // It has closed its standard input, and goes on.
    let command = client.command(&shell, "exec <&-; echo closed; sleep 5", &[]).await;
    assert_eq!(client.receive(&shell, &command).await.streams[0].data, &b"closed\n"[..]);
    let refused = async {
        while code(&client.input(&shell, &command, b"x", false).await) != Some(BROKEN_PIPE) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), refused).await.expect("a broken pipe");

    // It has ended.
    let command = client.command(&shell, "exit 3", &[]).await;
    assert_eq!(client.finish(&shell, &command).await.exit_code, 3);
    assert_eq!(code(&client.input(&shell, &command, b"x", false).await), Some(BROKEN_PIPE));
    assert_eq!(code(&client.input(&shell, &command, b"", true).await), Some(BROKEN_PIPE));
    client.signal(&shell, &command, uri::SIGNAL_TERMINATE).await;
    assert_eq!(code(&client.input(&shell, &command, b"x", false).await), Some(INVALID_SELECTORS));
}

#[tokio::test]
async fn a_process_that_ends_lets_go_of_input_that_waits() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 0.3; exit 4", &[]).await;
    let mut last = None;
    for number in 1..=20 {
        last = code(&client.input(&shell, &command, &block(number), false).await);
        if last.is_some() {
            break;
        }
    }
    assert_eq!(last, Some(BROKEN_PIPE));
    assert_eq!(client.finish(&shell, &command).await.exit_code, 4);
}
