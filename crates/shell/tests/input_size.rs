//! Input in requests as large as the service takes, found out by being refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::{Arc, Mutex};

use support::{builder, service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use winrm_loopback::{Invocation, Io, Limits, LogEntry, OversizeReply, Service};
use winrm_shell::{Command, Stdio};
use winrm_transport::Client;
use winrm_wsman::FaultCode;

const INPUT: usize = 3_000_000;

fn input() -> Vec<u8> {
    (0..INPUT).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

/// Writes the whole input to one command; the sizes of the Sends that were taken, and how many were refused.
async fn send_all(service: &Service, client: &Client, got: &Arc<Mutex<Vec<u8>>>) -> (Vec<usize>, usize) {
    let before = service.log().len();
    let mut child = Command::new(client, "swallow").stdin(Stdio::piped()).spawn().await.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&input()).await.unwrap();
    drop(stdin);
    assert!(child.wait().await.unwrap().success());
    assert!(*got.lock().unwrap() == input(), "the input arrived changed");
    got.lock().unwrap().clear();
    let log = service.log();
    let new: Vec<_> = log.iter().skip(before).collect();
    let refused = |entry: &LogEntry| {
        entry.status == Some(413) || entry.fault.is_some_and(|code| code == FaultCode::HTTP_REQUEST_TOO_LARGE)
    };
    let taken = new.iter().filter(|entry| entry.status == Some(200) && entry.action_name() == "Send");
    (taken.map(|entry| entry.request_body).collect(), new.iter().filter(|entry| refused(entry)).count())
}

#[tokio::test]
async fn requests_are_halved_until_the_service_takes_them() {
    for (limit, oversize, most_sends, refused) in [
        (512_000, OversizeReply::Status, 9, 0),
        (153_600, OversizeReply::Status, 33, 2),
        (153_600, OversizeReply::Fault, 33, 2),
        (32_768, OversizeReply::Status, 130, 4),
    ] {
        let got = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&got);
        let service = service(move |_: Invocation, mut io: Io| {
            let sink = Arc::clone(&sink);
            async move {
                let mut read = Vec::new();
                io.stdin.read_to_end(&mut read).await.unwrap();
                sink.lock().unwrap().extend(read);
                0
            }
        });
        let mut limits = Limits::default();
        limits.max_envelope_size = limit;
        let service = service.limits(limits).oversize_reply(oversize).start().await.unwrap();
        // Answers must fit, too.
        let answers = u32::try_from(limit).unwrap();
        let client = builder(&service).max_envelope_size(answers).build().unwrap();

        let (sends, failed) = send_all(&service, &client, &got).await;
        assert_eq!(failed, refused, "{limit}: {sends:?}");
        // A pipe may be found half full, and then the request is smaller.
        assert!(sends.len() <= most_sends * 2, "{limit}: {} Sends", sends.len());
        assert!(client.max_request_size() <= limit);

        // It is remembered.
        let (sends, failed) = send_all(&service, &client, &got).await;
        assert_eq!(failed, 0, "{limit}");
        let largest = sends.iter().copied().max().unwrap();
        assert!(largest * 3 > client.max_request_size() * 2, "{limit}: {largest} at most");
        client.close().await;
    }
}
