//! A service and a client of it.
// Each test file uses its part.
#![allow(dead_code)]

use std::time::Duration;

use winrm_loopback::{Builder, Handler, Invocation, Io, Service, SignalCode};
use winrm_transport::{Client, ClientBuilder, Credentials};

pub(crate) const USER: &str = "DOM\\user";
pub(crate) const PASSWORD: &str = "correct horse";

/// A service with one account and this handler.
pub(crate) fn service(handler: impl Handler) -> Builder {
    Service::builder().account(USER, PASSWORD).handler(handler)
}

pub(crate) fn builder(service: &Service) -> ClientBuilder {
    Client::builder(service.url()).unwrap().credentials(Credentials::password(USER, PASSWORD))
}

pub(crate) fn client(service: &Service) -> Client {
    builder(service).build().unwrap()
}

/// A service and a client of it.
pub(crate) async fn pair(handler: impl Handler) -> (Service, Client) {
    let service = service(handler).start().await.unwrap();
    let client = client(&service);
    (service, client)
}

/// Writes a line and ends with 3.
pub(crate) async fn hello(_: Invocation, mut io: Io) -> u32 {
    use tokio::io::AsyncWriteExt;
    io.stdout.write_all(b"hello\r\n").await.unwrap();
    io.stderr.write_all(b"warning\r\n").await.unwrap();
    3
}

/// Says nothing until it is told to stop: 0xC000013A for Ctrl-C, 1 otherwise.
pub(crate) async fn silent(_: Invocation, mut io: Io) -> u32 {
    match io.signals.recv().await {
        SignalCode::CtrlC => 0xC000_013A,
        SignalCode::CtrlBreak => 2,
        SignalCode::Terminate => 1,
    }
}

/// Waits until `condition` holds; fails after five seconds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not come about");
}
