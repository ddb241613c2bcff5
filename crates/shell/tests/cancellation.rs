//! Futures that are dropped anywhere leave nothing on the host, and a client that works.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use support::{hello, pair};
use winrm_shell::{Command, Shell};

/// Polls `future` so many times, and drops it; whether it was done by then.
async fn poll_times<T>(future: impl Future<Output = T>, times: usize) -> bool {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == times {
            return Poll::Ready(false);
        }
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if polled == times => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_command_dropped_at_any_poll_leaves_no_shell_and_no_process() {
    let mut times = 0;
    loop {
        let (service, client) = pair(hello).await;
        let done = poll_times(Command::new(&client, "x").output(), times).await;
        let output = Command::new(&client, "x").output().await.unwrap();
        assert_eq!(output.status.raw(), Some(3), "{times}");
        client.close().await;
        assert_eq!((service.open_shells(), service.running_commands()), (0, 0), "{times}");
        if done {
            break;
        }
        times += 1;
        assert!(times < 200, "a command has an end");
    }
    assert!(times > 1);
}

#[tokio::test]
async fn a_shell_dropped_at_any_poll_of_its_life_is_deleted() {
    let mut times = 0;
    loop {
        let (service, client) = pair(hello).await;
        let life = async {
            let shell = Shell::builder(&client).open().await.unwrap();
            shell.command("x").output().await.unwrap();
            shell.close().await.unwrap();
        };
        let done = poll_times(life, times).await;
        client.close().await;
        assert_eq!((service.open_shells(), service.running_commands()), (0, 0), "{times}");
        if done {
            break;
        }
        times += 1;
        assert!(times < 200, "it has an end");
    }
}
