//! Credentials shared by clients of many hosts: one host first, none after a refusal.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use tokio::net::TcpListener;
use winrm_loopback::{Invocation, Io, Service};
use winrm_transport::{Client, Credentials, Error, ErrorKind, LogOnGuard};

const HOSTS: usize = 8;

async fn service() -> Service {
    let handler = |_: Invocation, _: Io| async { 0 };
    Service::builder().account("DOM\\user", "right").handler(handler).start().await.unwrap()
}

fn client(url: impl AsRef<str>, password: &str, guard: &LogOnGuard) -> Client {
    Client::builder(url)
        .unwrap()
        .credentials(Credentials::password("DOM\\user", password))
        .log_on_guard(guard.clone())
        .build()
        .unwrap()
}

async fn services() -> Vec<Service> {
    let mut services = Vec::new();
    for _ in 0..HOSTS {
        services.push(service().await);
    }
    services
}

/// Asks every service at the same time.
async fn ask_all(services: &[Service], password: &str, guard: &LogOnGuard) -> Vec<Result<(), Error>> {
    let tasks: Vec<_> = services
        .iter()
        .map(|service| {
            let client = client(service.url(), password, guard);
            tokio::spawn(async move { client.identify().await.map(|_| ()) })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

fn logons(services: &[Service]) -> usize {
    services.iter().map(|service| service.log().logons().len()).sum()
}

#[tokio::test]
async fn a_wrong_password_is_one_log_on_on_all_hosts_together() {
    let services = services().await;
    let guard = LogOnGuard::new();
    let (mut refused, mut withheld) = (0, 0);
    for result in ask_all(&services, "wrong", &guard).await {
        match result.unwrap_err().kind() {
            ErrorKind::CredentialsRefused { .. } => refused += 1,
            ErrorKind::LogOnWithheld { user, host } => {
                assert_eq!((user.as_str(), Some(host.as_str())), ("DOM\\user", guard.refused_by()));
                withheld += 1;
            }
            kind => panic!("{kind:?}"),
        }
    }
    assert_eq!((refused, withheld, logons(&services)), (1, HOSTS - 1, 1));
    // Nor is any host asked later, not even by a connection.
    let late = service().await;
    let error = client(late.url(), "wrong", &guard).identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::LogOnWithheld { .. }), "{error}");
    assert!(error.remedy().unwrap().contains("lock"), "{error}");
    assert!(late.log().is_empty());
}

#[tokio::test]
async fn without_a_shared_guard_every_host_is_asked() {
    let services = services().await;
    for service in &services {
        client(service.url(), "wrong", &LogOnGuard::new()).identify().await.unwrap_err();
    }
    assert_eq!(logons(&services), HOSTS);
}

#[tokio::test]
async fn right_credentials_go_everywhere_and_a_refusal_after_that_stops_the_rest() {
    let services = services().await;
    let guard = LogOnGuard::new();
    for result in ask_all(&services, "right", &guard).await {
        result.unwrap();
    }
    assert!(guard.is_proved());
    let error = client(service().await.url(), "wrong", &guard).identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::CredentialsRefused { .. }), "{error}");
    let error = client(service().await.url(), "right", &guard).identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::LogOnWithheld { .. }), "{error}");
}

/// It is waited for outside of anybody's turn.
#[tokio::test]
async fn a_host_that_does_not_answer_holds_nobody_up() {
    // Takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let unreachable = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let guard = LogOnGuard::new();
    let refused = client(format!("http://{unreachable}"), "right", &guard).identify().await.unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Io(_)), "{refused}");
    let address = silent.local_addr().unwrap();
    let stuck = client(format!("http://{address}"), "right", &guard);
    let stuck = tokio::spawn(async move { stuck.identify().await });
    let (_accepted, _) = silent.accept().await.unwrap();
    let service = service().await;
    let client = client(service.url(), "right", &guard);
    tokio::time::timeout(Duration::from_secs(5), client.identify()).await.unwrap().unwrap();
    assert!(!stuck.is_finished());
    stuck.abort();
}
