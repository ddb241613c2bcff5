//! Connections that break under a pool: nothing runs twice, and nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{connect, service};
use winrm_loopback::{Misbehaviour, PipelineIo, Service, Trigger};
use winrm_powershell::{CreatePipeline, PsValue, RunspacePool};
use winrm_wsman::uri;

/// A service that counts how often pipelines run, each of which gives many objects.
async fn counting() -> (Service, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let service = service(move |_: CreatePipeline, mut io: PipelineIo| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            for number in 0..2000 {
                io.output(number).await;
            }
            Ok(())
        }
    })
    .await;
    (service, runs)
}

/// With no answer at all, or a part of it.
const CUTS: [Misbehaviour; 2] = [Misbehaviour::CloseAfter, Misbehaviour::Truncate(200)];

#[tokio::test]
async fn an_answer_that_is_cut_off_is_fetched_again() {
    for action in [uri::ACTION_COMMAND, uri::ACTION_RECEIVE, uri::ACTION_SIGNAL] {
        for cut in CUTS {
            let (service, runs) = counting().await;
            let client = connect(&service);
            let pool = RunspacePool::builder(&client).open().await.unwrap();
            pool.script("warm").invoke().await.unwrap();
            service.misbehave_times(Trigger::action(action), 1, cut);
            let output = pool.script("count").invoke().await.unwrap().output;
            let numbers: Vec<_> = output.iter().filter_map(PsValue::as_i64).collect();
            assert_eq!(numbers, (0..2000).collect::<Vec<_>>(), "{action}");
            assert_eq!(runs.load(Ordering::SeqCst), 2, "{action}");
            pool.close().await.unwrap();
            client.close().await;
            assert_eq!((service.open_shells(), service.running_commands()), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_pool_whose_creation_is_cut_off_is_one_pool() {
    let (service, _) = counting().await;
    let client = connect(&service);
    let other = RunspacePool::builder(&client).open().await.unwrap();
    service.misbehave_times(Trigger::action(uri::ACTION_CREATE), 1, Misbehaviour::CloseAfter);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    assert_eq!(service.open_shells(), 2);
    pool.close().await.unwrap();
    other.close().await.unwrap();
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn input_that_is_cut_off_arrives_once() {
    let service = service(|_: CreatePipeline, mut io: PipelineIo| async move {
        while let Some(value) = io.input().await {
            io.output(value).await;
        }
        Ok(())
    })
    .await;
    let client = connect(&service);
    let pool = RunspacePool::builder(&client).open().await.unwrap();
    let (running, mut input) = pool.command("echo").start_with_input().await.unwrap();
    service.misbehave_times(Trigger::action(uri::ACTION_SEND), 1, Misbehaviour::CloseAfter);
    input.send_many((0..10).map(PsValue::from)).await.unwrap();
    input.end().await.unwrap();
    let output = running.collect().await.unwrap().output;
    assert_eq!(output.iter().filter_map(PsValue::as_i64).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
}
