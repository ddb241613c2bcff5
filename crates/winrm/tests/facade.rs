//! What the facade offers, used as its users do.

#![allow(clippy::unwrap_used)]

use tokio::io::AsyncWriteExt;
use winrm::{Client, ConfigError, Credentials, ErrorKind, Stdio, Step};
use winrm_loopback::{Invocation, Io, Service};

/// A service on which commands say what was asked of them, and then what came in.
async fn service() -> Service {
    let handler = |invocation: Invocation, mut io: Io| async move {
        let variables: Vec<_> =
            invocation.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!("{} [{}]\n", invocation.command_line(), variables.join(","));
        io.stdout.write_all(text.as_bytes()).await.unwrap();
        if invocation.command == "sort" {
            tokio::io::copy(&mut io.stdin, &mut io.stdout).await.unwrap();
        }
        7
    };
    Service::builder().account("user", "correct horse").handler(handler).start().await.unwrap()
}

fn client(service: &Service, password: &str) -> Client {
    Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("user", password))
        .build()
        .unwrap()
}

#[tokio::test]
async fn programs_lines_and_shells_run() {
    let service = service().await;
    let client = client(&service, "correct horse");
    assert_eq!(client.security(), None);

    let output = client.command("ipconfig").arg("/all").env("A", "1").output().await.unwrap();
    assert_eq!(output.stdout, b"ipconfig /all [A=1]\n");
    assert_eq!(output.status.code(), Some(7));
    assert!(client.security().unwrap().ntlm.unwrap().seals());

    let output = client.raw_command("dir | findstr x").output().await.unwrap();
    assert_eq!(output.stdout, b"dir | findstr x []\n");

    let shell = client.shell().env("B", "2").open().await.unwrap();
    let output = shell.command("hostname").output().await.unwrap();
    assert_eq!(output.stdout, b"hostname [B=2]\n");
    shell.close().await.unwrap();

    let mut child = client.command("sort").stdin(Stdio::piped()).spawn().await.unwrap();
    child.stdin.take().unwrap().write_all(b"pear\n").await.unwrap();
    assert_eq!(child.wait_with_output().await.unwrap().stdout, b"sort []\npear\n");

    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn hosts_are_identified_with_and_without_log_on() {
    let service = service().await;
    let probe = Client::builder(service.url()).unwrap().probe().await.unwrap();
    assert!(probe.schemes.iter().any(|scheme| scheme == "Negotiate"), "{probe:?}");
    assert!(service.log().logons().is_empty());

    let client = client(&service, "correct horse");
    let identity = client.identify().await.unwrap();
    assert_ne!(identity.product_version, probe.identity.unwrap().product_version);
    assert_eq!(client.endpoint().to_string(), service.url());
}

#[tokio::test]
async fn failures_name_their_cause() {
    let service = service().await;
    let error = client(&service, "wrong").command("x").output().await.unwrap_err();
    let cause = error.transport().unwrap();
    assert_eq!(cause.step(), Step::Authenticate);
    assert!(matches!(cause.kind(), ErrorKind::CredentialsRefused { .. }), "{cause}");
    assert!(cause.remedy().unwrap().contains("password"));

    let error = Client::builder("web01").unwrap().build().unwrap_err();
    assert_eq!(error, ConfigError::NoCredentials);
    assert!(Client::builder("a b").is_err());
}
