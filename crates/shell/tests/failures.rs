//! Failures in mid-process: a specific error within the deadline, what had arrived is handed over, nothing runs twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::{builder, pair, service, silent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use winrm_loopback::{Handler, Invocation, Io, Misbehaviour, Running, Trigger};
use winrm_shell::{Command, Error};
use winrm_transport::ErrorKind;
use winrm_wsman::{FaultCode, uri};

/// Counts its starts, writes a line, and goes on when told to.
#[derive(Clone, Default)]
struct Counting {
    started: Arc<AtomicUsize>,
}

impl Handler for Counting {
    fn run(&self, _: Invocation, mut io: Io) -> Running {
        self.started.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            io.stdout.write_all(b"first\r\n").await.unwrap();
            io.signals.recv().await;
            1
        })
    }
}

#[tokio::test]
async fn a_reader_can_tell_an_end_from_a_loss() {
    let service = service(Counting::default()).start().await.unwrap();
    let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
    let mut child = Command::new(&client, "x").spawn().await.unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut line = [0; 7];
    stdout.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"first\r\n");
    service.misbehave(Trigger::action(uri::ACTION_RECEIVE), Misbehaviour::CloseBefore);
    let error = stdout.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
    let cause = error.get_ref().unwrap().to_string();
    assert!(cause.contains("127.0.0.1"), "{cause}");
    assert!(child.wait().await.is_err());
}

#[tokio::test]
async fn a_lost_receive_says_so_and_keeps_what_came() {
    for misbehaviour in [
        Misbehaviour::CloseAfter,
        Misbehaviour::Truncate(100),
        Misbehaviour::BadMac,
        Misbehaviour::DamagedCiphertext,
        Misbehaviour::WrongLength,
        Misbehaviour::Unsealed,
        Misbehaviour::WrongRelatesTo,
        Misbehaviour::Html(200),
        Misbehaviour::Status(500),
    ] {
        let counting = Counting::default();
        let service = service(counting.clone()).start().await.unwrap();
        let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
        let child = Command::new(&client, "x").spawn().await.unwrap();
        support::eventually("the first output", || {
            service.log().iter().any(|entry| entry.action_name() == "Receive" && entry.status == Some(200))
        })
        .await;
        // The Receive that waits now is hit as well, or the one after its time-out.
        service.misbehave(Trigger::action(uri::ACTION_RECEIVE), misbehaviour.clone());
        let error = tokio::time::timeout(Duration::from_secs(4), child.wait_with_output()).await.unwrap();
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{misbehaviour:?}: {error:?}");
        assert_eq!(error.partial_output().unwrap().stdout, b"first\r\n", "{misbehaviour:?}");
        assert!(error.transport().is_some());
        assert_eq!(counting.started.load(Ordering::Relaxed), 1, "{misbehaviour:?}");
        service.behave();
        client.close().await;
        assert_eq!(service.open_shells(), 0, "{misbehaviour:?}");
    }
}

#[tokio::test]
async fn a_command_whose_answer_is_lost_is_not_sent_again() {
    for misbehaviour in [Misbehaviour::CloseAfter, Misbehaviour::BadMac, Misbehaviour::Unsealed] {
        let counting = Counting::default();
        let (service, client) = pair(counting.clone()).await;
        service.misbehave(Trigger::action(uri::ACTION_COMMAND), misbehaviour.clone());
        let error = Command::new(&client, "x").output().await.unwrap_err();
        let Error::Spawn(cause) = &error else { panic!("{error:?}") };
        assert!(cause.is_outcome_unknown(), "{misbehaviour:?}: {cause:?}");
        assert_eq!(counting.started.load(Ordering::Relaxed), 1, "{misbehaviour:?}");
        client.close().await;
        assert_eq!(service.running_commands(), 0);
    }
}

#[tokio::test]
async fn a_process_in_a_shell_whose_answer_is_lost_is_ended() {
    let (service, client) = pair(silent).await;
    let shell = winrm_shell::Shell::builder(&client).open().await.unwrap();
    service.misbehave(Trigger::action(uri::ACTION_COMMAND), Misbehaviour::CloseAfter);
    shell.command("x").output().await.unwrap_err();
    service.behave();
    // By the id that we chose for it.
    support::eventually("the end of the process", || service.running_commands() == 0).await;
    assert_eq!(service.open_shells(), 1);
}

#[tokio::test]
async fn faults_are_data() {
    let (service, client) = pair(silent).await;
    service.misbehave_times(
        Trigger::action(uri::ACTION_COMMAND),
        1,
        Misbehaviour::Fault(FaultCode::ACCESS_DENIED),
    );
    let error = Command::new(&client, "x").output().await.unwrap_err();
    let Error::Spawn(cause) = &error else { panic!("{error:?}") };
    let ErrorKind::Fault(fault) = cause.kind() else { panic!("{cause:?}") };
    assert_eq!(fault.wsman_code(), Some(FaultCode::ACCESS_DENIED));
    assert!(!cause.is_outcome_unknown());
    assert!(cause.remedy().unwrap().contains("LocalAccountTokenFilterPolicy"));
}

#[tokio::test]
async fn a_shell_that_goes_away_ends_its_process() {
    let service = service(silent).start().await.unwrap();
    let client = builder(&service).operation_timeout(Duration::from_millis(500)).build().unwrap();
    let mut child = Command::new(&client, "x").spawn().await.unwrap();
    service
        .misbehave(Trigger::action(uri::ACTION_RECEIVE), Misbehaviour::Fault(FaultCode::INVALID_SELECTORS));
    let error = child.wait().await.unwrap_err();
    assert_eq!(error.transport().unwrap().fault().unwrap().wsman_code(), Some(FaultCode::INVALID_SELECTORS));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_terminated_and_its_output_handed_over() {
    let (service, client) = pair(|_: Invocation, mut io: Io| async move {
        io.stdout.write_all(b"begun").await.unwrap();
        let _ = io.signals.recv().await;
        1
    })
    .await;
    let started = std::time::Instant::now();
    let error = Command::new(&client, "x").timeout(Duration::from_millis(600)).output().await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(5));
    let Error::TimedOut { timeout, output } = &error else { panic!("{error:?}") };
    assert_eq!((*timeout, output.stdout.as_slice()), (Duration::from_millis(600), &b"begun"[..]));
    assert!(error.is_outcome_unknown() && error.to_string().contains("0.6 s"), "{error}");
    client.close().await;
    assert_eq!((service.open_shells(), service.running_commands()), (0, 0));

    // Also before it has begun.
    service.misbehave(Trigger::Always, Misbehaviour::Stall);
    let client = support::client(&service);
    let error = Command::new(&client, "x").timeout(Duration::from_millis(50)).output().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
}
