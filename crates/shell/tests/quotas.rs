//! Quotas of the service: who comes too many waits for one of the client's own to end, and is told their names otherwise.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::{client, service};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use winrm_loopback::{Invocation, Io, Limits, Misbehaviour, Service, Trigger};
use winrm_shell::{Command, Shell};
use winrm_transport::Client;
use winrm_wsman::{FaultCode, Quota, uri};

/// A service with these limits, and the most commands that ran in it at once.
async fn limited(limits: Limits) -> (Service, Client, Arc<AtomicUsize>) {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let service = service(move |_: Invocation, mut io: Io| {
        let (running, seen) = (Arc::clone(&running), Arc::clone(&seen));
        async move {
            seen.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            io.stdout.write_all(b"done").await.unwrap();
            running.fetch_sub(1, Ordering::SeqCst);
            0
        }
    });
    let service = service.limits(limits).start().await.unwrap();
    let client = client(&service);
    (service, client, most)
}

async fn all_succeed(mut commands: JoinSet<Result<winrm_shell::Output, winrm_shell::Error>>) -> usize {
    let mut count = 0;
    while let Some(output) = commands.join_next().await {
        let output = output.unwrap().unwrap();
        assert!(output.status.success() && output.stdout == b"done");
        count += 1;
    }
    count
}

#[tokio::test]
async fn fifty_commands_share_five_shells() {
    let mut limits = Limits::default();
    limits.max_shells_per_user = 5;
    let (service, client, most) = limited(limits).await;
    let refused = || service.log().iter().filter(|entry| entry.fault.is_some()).count();
    let mut refusals = Vec::new();
    for _ in 0..2 {
        let mut commands = JoinSet::new();
        for _ in 0..50 {
            let client = client.clone();
            commands.spawn(async move { Command::new(&client, "x").output().await });
        }
        assert_eq!(all_succeed(commands).await, 50);
        refusals.push(refused());
    }
    client.close().await;
    assert!(most.load(Ordering::SeqCst) <= 5);
    assert_eq!(service.open_shells(), 0, "none is left behind");
    // Learned from the first fifty, of which all asked at once.
    assert!(refusals[0] > 0 && refusals[1] < refusals[0] + 15, "{refusals:?}");
}

#[tokio::test]
async fn fifty_commands_of_one_shell_run_three_at_a_time() {
    let mut limits = Limits::default();
    limits.max_processes_per_shell = 3;
    let (service, client, most) = limited(limits).await;
    let shell = Shell::builder(&client).open().await.unwrap();
    let mut commands = JoinSet::new();
    for _ in 0..50 {
        let shell = shell.clone();
        commands.spawn(async move { shell.command("x").output().await });
    }
    assert_eq!(all_succeed(commands).await, 50);
    assert!(most.load(Ordering::SeqCst) <= 3);
    shell.close().await.unwrap();
    client.close().await;
    assert_eq!((service.open_shells(), service.running_commands()), (0, 0));
}

#[tokio::test]
async fn a_quota_that_others_use_up_is_an_error_with_its_name() {
    let mut limits = Limits::default();
    limits.max_shells_per_user = 1;
    let (service, other, _) = limited(limits).await;
    let held = Shell::builder(&other).open().await.unwrap();
    let client = client(&service);
    let error = Command::new(&client, "x").output().await.unwrap_err();
    let transport = error.transport().unwrap();
    assert_eq!(transport.quota(), Some(Quota::ShellsPerUser));
    let remedy = transport.remedy().unwrap();
    assert!(remedy.contains("MaxShellsPerUser") && remedy.contains("Set-Item"), "{remedy}");
    held.close().await.unwrap();
    // It is asked for again, not remembered.
    Command::new(&client, "x").output().await.unwrap();
}

#[tokio::test]
async fn who_waits_for_a_place_is_told_when_the_client_closes() {
    let mut limits = Limits::default();
    limits.max_shells_per_user = 1;
    let (_service, client, _) = limited(limits).await;
    let _held = Shell::builder(&client).open().await.unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { Shell::builder(&client).open().await.map(|_| ()) }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    client.close().await;
    waiting.await.unwrap().unwrap_err();
}

/// Another client was seen to report such commands as done.
#[tokio::test]
async fn a_quota_fault_never_looks_like_success() {
    for action in [uri::ACTION_CREATE, uri::ACTION_COMMAND, uri::ACTION_RECEIVE] {
        for code in
            [FaultCode::MAX_OPERATIONS_FOR_USER, FaultCode::MAX_SHELLS_FOR_USER, FaultCode::QUOTA_LIMIT]
        {
            let (service, client, _) = limited(Limits::default()).await;
            service.misbehave_times(Trigger::action(action), 1, Misbehaviour::Fault(code));
            let error = Command::new(&client, "x").output().await.unwrap_err();
            assert_eq!(error.transport().unwrap().quota(), code.quota(), "{action}");
            client.close().await;
            assert_eq!((service.open_shells(), service.running_commands()), (0, 0), "{action}");
        }
    }
}
