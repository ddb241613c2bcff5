//! Bytes that no client sends: an answer each, and a service that goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Client, Context, PASSWORD, Raw, USER, builder, challenge, line, negotiate, receive, signal};
use winrm_loopback::{Invocation, Io};
use winrm_wsman::{Body, Message, Send, Stream, uri};

/// A generator that always makes the same numbers (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// Changes, drops, doubles or cuts something.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.next(bytes.len());
        match self.next(5) {
            0 => bytes[at] ^= 1 << self.next(8),
            1 => {
                bytes.remove(at);
            }
            2 => {
                let end = (at + self.next(200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                let end = (at + self.next(200)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => bytes[at] = b"<>&\"/ 0\0"[self.next(8)],
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
}

#[tokio::test]
async fn damaged_envelopes_are_answered() {
    let service = builder().handler(|_: Invocation, _: Io| async { 0 }).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.timeout = std::time::Duration::from_millis(1);
    let shell = client.create().await;
    let command = client.command(&shell, "x", &["y"]).await;
    let stream = Stream { name: "stdin".to_owned(), command_id: Some(command.clone()), ..Stream::default() };
    let requests: Vec<_> = [
        (uri::ACTION_CREATE, Body::Create(Box::default())),
        (uri::ACTION_COMMAND, line("x", &["y"])),
        (uri::ACTION_RECEIVE, receive(&command)),
        (uri::ACTION_SEND, Body::Send(Send { streams: vec![stream] })),
        (uri::ACTION_SIGNAL, signal(&command, uri::SIGNAL_CTRL_C)),
        (uri::ACTION_DELETE, Body::Delete),
    ]
    .map(|(action, body)| Message::new(client.header(action, &shell), body).encode().unwrap().to_vec())
    .into();
    let mut numbers = Numbers(1);
    let mut refused = 0;
    for round in 0..600 {
        let mut request = requests[round % requests.len()].clone();
        for _ in 0..=numbers.next(3) {
            numbers.damage(&mut request);
        }
        let (status, plaintext) = client.exchange(&request).await;
        let answer = Message::decode(&plaintext).unwrap();
        assert_eq!(status == 500, answer.as_fault().is_some());
        refused += usize::from(status == 500);
    }
    assert!(refused > 300, "{refused}");
    Client::log_on(&service).await;
}

#[tokio::test]
async fn damaged_tokens_are_refused() {
    let service = builder().start().await.unwrap();
    let mut numbers = Numbers(2);
    for round in 0..100 {
        let mut raw = Raw::connect(&service).await;
        let mut context =
            if round % 2 == 0 { Context::spnego(USER, PASSWORD) } else { Context::bare(USER, PASSWORD) };
        let mut token =
            if round % 4 < 2 { context.step(None).unwrap() } else { challenge(&mut raw, &mut context).await };
        for _ in 0..4 {
            numbers.damage(&mut token);
        }
        // The damage may be to what nobody looks at; then the log-on is good.
        let reply = raw.post(&[("Authorization", &negotiate(&token))], b"").await.unwrap();
        assert!(matches!(reply.status, 200 | 401), "{}", reply.status);
    }
    Client::log_on(&service).await;
}

#[tokio::test]
async fn damaged_requests_end_at_http() {
    let service = builder().start().await.unwrap();
    let good =
        b"POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nAuthorization: Negotiate YQ==\r\n\r\nbody";
    let mut numbers = Numbers(3);
    for _ in 0..200 {
        let mut raw = Raw::connect(&service).await;
        let mut request = good.to_vec();
        for _ in 0..=numbers.next(4) {
            numbers.damage(&mut request);
        }
        raw.send(&request).await;
        raw.finish().await;
        while let Some(reply) = raw.reply().await {
            assert!((400..500).contains(&reply.status), "{}", reply.status);
        }
    }
    Client::log_on(&service).await;
}
