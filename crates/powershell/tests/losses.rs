//! Pools and pipelines that are lost: the error says why, and has what came before.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use std::time::Duration;

use support::{connect, service, text};
use winrm_loopback::{Builtin, Misbehaviour, PipelineIo, Trigger};
use winrm_powershell::psrp::RunspacePoolState;
use winrm_powershell::{CreatePipeline, Error, PsValue, RunspacePool};
use winrm_wsman::{FaultCode, uri};

#[tokio::test]
async fn a_lost_pipeline_hands_over_what_came_before() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        io.output("first").await;
        while io.input().await.is_some() {}
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let receive = || Trigger::action(uri::ACTION_RECEIVE);
    service.misbehave_times(receive(), 1, Misbehaviour::Delay(Duration::ZERO));
    service.misbehave(receive(), Misbehaviour::Fault(FaultCode::ACCESS_DENIED));
    let (running, _input) = pool.command("x").start_with_input().await.unwrap();
    let error = running.collect().await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert_eq!(error.transport().unwrap().fault_code(), Some(FaultCode::ACCESS_DENIED));
    assert_eq!(text(&error.partial_output().unwrap().output[0]), "first");
}

#[tokio::test]
async fn a_pool_that_does_not_open_is_given_up_and_deleted() {
    let service = service(Builtin).await;
    let client = connect(&service);
    service.misbehave(Trigger::action(uri::ACTION_RECEIVE), Misbehaviour::Fault(FaultCode::TIMED_OUT));
    let limit = Duration::from_millis(100);
    let error = RunspacePool::builder(&client).open_timeout(limit).open().await.unwrap_err();
    assert!(matches!(&error, Error::TimedOut { after, .. } if *after == limit), "{error:?}");
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn a_pool_that_is_lost_says_why() {
    let service = service(Builtin).await;
    let client = connect(&service);
    service.misbehave_times(
        Trigger::action(uri::ACTION_RECEIVE),
        1,
        Misbehaviour::Fault(FaultCode::ACCESS_DENIED),
    );
    let error = RunspacePool::builder(&client).open().await.unwrap_err();
    let Error::Open(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.fault_code(), Some(FaultCode::ACCESS_DENIED));

    let pool = RunspacePool::builder(&client).open().await.unwrap();
    service.misbehave_times(
        Trigger::action(uri::ACTION_RECEIVE),
        1,
        Misbehaviour::Fault(FaultCode::ACCESS_DENIED),
    );
    for _ in 0..2 {
        let error = pool.available_runspaces().await.unwrap_err();
        if let Error::PoolLost { state, .. } = &error {
            assert_eq!(*state, RunspacePoolState::Broken);
            assert_eq!(error.transport().unwrap().fault_code(), Some(FaultCode::ACCESS_DENIED));
        } else {
            // What the pool's state machine says of anything asked of it later.
            assert!(matches!(error, Error::Protocol(_)), "{error:?}");
        }
    }
    assert_eq!(pool.state(), RunspacePoolState::Broken);
}

#[tokio::test]
async fn callers_that_give_up_leave_the_pool_whole() {
    let service = service(|pipeline: CreatePipeline, mut io: PipelineIo| async move {
        let value = pipeline.powershell.statements[0][0].arguments[0].value.clone();
        let told = io.reveal(&value);
        io.output(told.unwrap_or_default()).await;
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    // While an answer is under way, and while a key is.
    for wait in [0, 1, 5, 20] {
        let wait = Duration::from_millis(wait);
        let _ = tokio::time::timeout(wait, pool.available_runspaces()).await;
        let _ = tokio::time::timeout(wait, pool.secure_string("given up")).await;
    }
    assert_eq!(pool.available_runspaces().await.unwrap(), 1);
    let secret: PsValue = pool.secure_string("hunter2").await.unwrap();
    let output = pool.command("reveal").argument(secret).invoke().await.unwrap();
    assert_eq!(text(&output.output[0]), "hunter2");
    pool.close().await.unwrap();
}
