//! Shells and commands as a client sees them that does everything right.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Client, builder};

#[tokio::test]
async fn a_command_runs_in_a_shell() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "echo out; echo err >&2; exit 3", &[]).await;
    let finished = client.finish(&shell, &command).await;
    assert_eq!(finished.text(), ("out\n", "err\n", 3));
    assert_eq!((finished.receives, finished.ends), (1, 2));
    client.delete(&shell).await;
    assert_eq!(service.log().actions(), ["-", "-", "Create", "Command", "Receive", "Delete"]);
}
