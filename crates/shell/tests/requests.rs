//! The number of HTTP requests is a feature: counted in the service's log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use support::{client, hello, pair, service, silent};
use winrm_loopback::{AuthStep, Misbehaviour, Trigger};
use winrm_shell::{Command, Shell};
use winrm_wsman::uri;

#[tokio::test]
async fn a_cold_command_takes_five_requests_the_result_comes_after_four() {
    let (service, client) = pair(hello).await;
    let output = Command::new(&client, "hello").output().await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stdout, b"hello\r\n");
    assert_eq!(output.stderr, b"warning\r\n");
    // Delete may be on its way already, but nobody waited for it.
    assert_eq!(service.log().actions()[..4], ["-", "Create", "Command", "Receive"]);
    client.close().await;

    let log = service.log();
    assert_eq!(log.actions(), ["-", "Create", "Command", "Receive", "Delete"]);
    assert_eq!(log.logons().len(), 1);
    assert!(log.iter().all(|entry| entry.connection == 1), "{log:?}");
    let auth: Vec<_> = log.iter().map(|entry| entry.auth).collect();
    assert_eq!(auth[..3], [AuthStep::Token(1), AuthStep::Token(2), AuthStep::Authenticated]);
    assert_eq!(log[0].headers("Content-Length"), ["0"]);
    assert_eq!(log[0].request_body, 0);
    assert!(log.iter().skip(1).all(|entry| entry.sealed), "{log:?}");
    // Once logged on, no token is sent again: it would start the log-on anew.
    assert!(log.iter().skip(2).all(|entry| entry.headers("Authorization").is_empty()));
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn a_warm_command_takes_three_requests_the_result_comes_after_two() {
    let (service, client) = pair(hello).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    shell.command("hello").output().await.unwrap();
    support::eventually("the clean-up", || service.log().len() == 5).await;

    let output = shell.command("hello").output().await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(service.log().actions()[5..7], ["Command", "Receive"]);
    support::eventually("the clean-up", || service.log().len() == 8).await;
    assert_eq!(
        service.log().actions(),
        ["-", "Create", "Command", "Receive", "Signal", "Command", "Receive", "Signal"]
    );
    shell.close().await.unwrap();
    assert_eq!(service.log().actions().last(), Some(&"Delete"));
    assert_eq!(service.log().logons().len(), 1);
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn the_first_request_of_a_second_command_needs_no_log_on() {
    let (service, client) = pair(hello).await;
    for _ in 0..3 {
        Command::new(&client, "hello").output().await.unwrap();
    }
    client.close().await;
    // A Create may overtake the Delete before it, on a connection of its own.
    let log = service.log();
    assert!(log.logons().len() <= 2, "{log:?}");
    assert_eq!(log.actions().iter().filter(|action| **action == "Create").count(), 3);
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn what_is_dropped_is_cleaned_up() {
    let (service, client) = pair(silent).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    let child = shell.command("silent").spawn().await.unwrap();
    support::eventually("the start", || service.running_commands() == 1).await;
    drop(child);
    support::eventually("the end of the process", || service.running_commands() == 0).await;
    assert_eq!(service.open_shells(), 1);
    drop(shell);
    support::eventually("the end of the shell", || service.open_shells() == 0).await;

    let child = Command::new(&client, "silent").spawn().await.unwrap();
    support::eventually("the start", || service.running_commands() == 1).await;
    drop(child);
    client.close().await;
    assert_eq!(service.running_commands(), 0);
    assert_eq!(service.open_shells(), 0);
    // A shell that goes needs no signal before.
    assert_eq!(service.log().actions().last(), Some(&"Delete"));
}

#[tokio::test]
async fn a_cancelled_start_leaves_nothing_behind() {
    let service = service(silent).start().await.unwrap();
    let client = client(&service);
    // Cut off at every stage: before, in and behind each request.
    for microseconds in [0, 500, 1000, 2000, 3000, 5000, 8000, 13_000, 30_000] {
        let mut command = Command::new(&client, "silent");
        let limit = std::time::Duration::from_micros(microseconds);
        drop(tokio::time::timeout(limit, command.spawn()).await);
    }
    client.close().await;
    support::eventually("the end of all processes", || service.running_commands() == 0).await;
}

#[tokio::test]
async fn closing_the_client_ends_what_runs() {
    let (service, client) = pair(silent).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    let mut one = shell.command("silent").spawn().await.unwrap();
    let mut other = Command::new(&client, "silent").spawn().await.unwrap();
    support::eventually("the start", || service.running_commands() == 2).await;
    // Two at once, and one that gives up early.
    drop(tokio::time::timeout(std::time::Duration::from_micros(50), client.close()).await);
    let started = std::time::Instant::now();
    tokio::join!(client.close(), client.close());
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(service.running_commands(), 0);
    // Also the shell that somebody still holds.
    assert_eq!(service.open_shells(), 0);
    drop(shell);
    assert_eq!(one.wait().await.unwrap().code(), None);
    assert_eq!(other.wait().await.unwrap().code(), None);
}

#[tokio::test]
async fn a_shell_whose_closing_was_cut_off_is_still_deleted() {
    let (service, client) = pair(silent).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    drop(tokio::time::timeout(std::time::Duration::ZERO, shell.close()).await);
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn a_shell_whose_deletion_was_refused_is_deleted_later() {
    let (service, client) = pair(silent).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    service.misbehave_times(Trigger::action(uri::ACTION_DELETE), 1, Misbehaviour::Status(500));
    shell.close().await.unwrap_err();
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn what_is_dropped_elsewhere_is_cleaned_up_too() {
    let (service, client) = pair(silent).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    // On a thread that knows of no runtime.
    std::thread::spawn(move || drop(shell)).join().unwrap();
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[test]
fn a_runtime_that_ends_under_running_processes_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (service, shell, child) = runtime.block_on(async {
        let (service, client) = pair(silent).await;
        let shell = Shell::builder(&client).open().await.unwrap();
        let child = shell.command("silent").spawn().await.unwrap();
        (service, shell, child)
    });
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        // Nobody is left to run their clean-up.
        drop((child, shell, service));
        done.send(()).unwrap();
    });
    ended.recv_timeout(std::time::Duration::from_secs(4)).unwrap();
}

/// Everything can be handed to another task.
#[test]
fn futures_can_be_spawned() {
    fn spawned<F: Future + Send>(_: F) {}
    async fn all(client: winrm_transport::Client) -> Result<(), winrm_shell::Error> {
        let shell = Shell::builder(&client).open().await?;
        Command::new(&client, "x").status().await?;
        let mut child = shell.command("x").spawn().await?;
        child.signals().ctrl_c().await?;
        child.wait().await?;
        child.kill().await?;
        child.wait_with_output().await?;
        shell.close().await?;
        client.close().await;
        Ok(())
    }
    let client = winrm_transport::Client::builder("host").unwrap();
    let credentials = winrm_transport::Credentials::password("user", "x");
    spawned(all(client.credentials(credentials).build().unwrap()));
}
