//! Futures that are dropped anywhere leave nothing on the host, and a client that works.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../../transport/tests/polls/mod.rs"]
mod polls;
mod support;

use polls::poll_times;
use support::{hello, pair};
use winrm_shell::{Command, Shell};

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
