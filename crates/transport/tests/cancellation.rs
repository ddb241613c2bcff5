//! Futures that are dropped anywhere leave a client that works.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod polls;

use std::collections::HashSet;
use std::time::Duration;

use polls::poll_times;
use tokio::task::JoinSet;
use winrm_loopback::{Invocation, Io, Service};
use winrm_transport::{Client, ConfigError, Credentials, MAX_OPERATION_TIMEOUT, MIN_OPERATION_TIMEOUT};

async fn pair() -> (Service, Client) {
    let builder = Service::builder().account("user", "right").handler(|_: Invocation, _: Io| async { 0 });
    let service = builder.start().await.unwrap();
    let client = Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("user", "right"))
        .build()
        .unwrap();
    (service, client)
}

#[tokio::test]
async fn a_request_dropped_at_any_poll_leaves_the_pool_whole() {
    for warm in [false, true] {
        let mut times = 0;
        loop {
            let (service, client) = pair().await;
            if warm {
                client.identify().await.unwrap();
            }
            let done = poll_times(client.identify(), times).await;
            // As many as a lane has places, so that none of them is lost.
            let mut asking = JoinSet::new();
            for _ in 0..10 {
                let client = client.clone();
                asking.spawn(async move { client.identify().await.unwrap() });
            }
            tokio::time::timeout(Duration::from_secs(10), asking.join_all()).await.unwrap();
            // A log-on that was broken off is none that failed.
            assert!(service.log().logons().iter().all(winrm_loopback::Logon::is_success), "{times}");
            assert!(service.log().iter().all(|entry| entry.status != Some(400)), "{times}");
            if done {
                break;
            }
            times += 1;
            assert!(times < 100, "an exchange has an end");
        }
        assert!(times > 0);
    }
}

#[tokio::test]
async fn many_at_once_use_several_connections_and_their_sequences_never_mix() {
    let (service, client) = pair().await;
    let mut asking = JoinSet::new();
    for _ in 0..40 {
        let client = client.clone();
        asking.spawn(async move {
            for _ in 0..5 {
                client.identify().await.unwrap();
            }
        });
    }
    asking.join_all().await;
    let log = service.log();
    let connections: HashSet<u64> = log.iter().map(|entry| entry.connection).collect();
    assert!(connections.len() > 1 && connections.len() <= 8, "{connections:?}");
    // A message out of sequence would not have been unsealed, and answered by 400.
    assert!(log.iter().filter(|entry| entry.sealed).count() == 200);
    assert_eq!(log.logons().len(), connections.len());
}

#[tokio::test]
async fn the_service_is_told_to_answer_before_we_stop_listening() {
    let (service, _) = pair().await;
    for timeout in [MIN_OPERATION_TIMEOUT, Duration::from_secs(20), MAX_OPERATION_TIMEOUT] {
        let builder =
            Client::builder(service.url()).unwrap().credentials(Credentials::password("user", "right"));
        let client = builder.operation_timeout(timeout).build().unwrap();
        let header = client.header("urn:x", "urn:y");
        assert_eq!(header.operation_timeout.unwrap().get(), timeout);
    }
    // And no longer than a service holds requests: the read deadline is ten seconds more.
    let builder = Client::builder(service.url()).unwrap().credentials(Credentials::password("user", "right"));
    let longer = MAX_OPERATION_TIMEOUT + Duration::from_millis(1);
    assert_eq!(builder.operation_timeout(longer).build().unwrap_err(), ConfigError::OperationTimeout(longer));
}
