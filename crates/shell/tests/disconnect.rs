//! Shells that are left to the host, and come back to.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{client, eventually, hello, pair, service, silent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use winrm_loopback::{Invocation, Io, Limits};
use winrm_shell::{DisconnectedShell, Error, Shell, Stdio};
use winrm_transport::{Client, Credentials};
use winrm_wsman::FaultCode;

/// Says something, hears something, and says that.
async fn slow(_: Invocation, mut io: Io) -> u32 {
    io.stdout.write_all(b"before ").await.unwrap();
    let mut heard = [0; 3];
    io.stdin.read_exact(&mut heard).await.unwrap();
    io.stdout.write_all(&heard).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    io.stdout.write_all(b" after").await.unwrap();
    7
}

fn code(error: &Error) -> FaultCode {
    error.transport().unwrap().fault().unwrap().wsman_code().unwrap()
}

#[tokio::test]
async fn a_process_goes_on_and_another_client_hears_its_end() {
    let (service, first) = pair(slow).await;
    let shell = Shell::builder(&first).open().await.unwrap();
    let mut child = shell.command("x").stdin(Stdio::piped()).spawn().await.unwrap();
    let id = child.id().to_owned();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut said = [0; 7];
    stdout.read_exact(&mut said).await.unwrap();
    stdin.write_all(b"mid").await.unwrap();
    eventually("input has arrived", || service.log().actions().contains(&"Send")).await;
    let left = shell.disconnect(Some(Duration::from_mins(2))).await.unwrap();

    // What had been fetched is read first, then the streams tell.
    let mut rest = Vec::new();
    let broken = stdout.read_to_end(&mut rest).await.unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::NotConnected);
    assert!(matches!(child.wait().await, Err(Error::Disconnected)));
    let refused = shell.command("y").output().await.unwrap_err();
    assert_eq!(code(&refused), FaultCode::SHELL_DISCONNECTED);
    drop((child, shell, stdin));
    first.close().await;
    assert_eq!(service.open_shells(), 1);
    eventually("the process has ended by itself", || service.running_commands() == 0).await;

    // By its parts, as another program would have stored them.
    let left = DisconnectedShell { shell_id: left.shell_id, session_id: left.session_id };
    let second = client(&service);
    let shell = left.reconnect(&second).await.unwrap();
    let output = shell.attach(&id).wait_with_output().await.unwrap();
    assert_eq!(String::from_utf8([rest, output.stdout].concat()).unwrap(), "mid after");
    assert_eq!(output.status.code(), Some(7));
    assert!(shell.attach("00000000-0000-0000-0000-000000000000").wait().await.is_err());
    drop(shell);
    second.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn a_process_that_is_held_by_nobody_is_not_ended() {
    let (service, first) = pair(silent).await;
    let shell = Shell::builder(&first).open().await.unwrap();
    let child = shell.command("x").spawn().await.unwrap();
    let id = child.id().to_owned();
    let left = shell.disconnect(None).await.unwrap();
    drop((child, shell));
    first.close().await;
    assert_eq!((service.open_shells(), service.running_commands()), (1, 1));
    let second = client(&service);
    let shell = left.reconnect(&second).await.unwrap();
    let mut child = shell.attach(&id);
    child.signals().ctrl_c().await.unwrap();
    assert_eq!(child.wait().await.unwrap().raw(), Some(0xC000_013A));
    shell.close().await.unwrap();
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn a_host_that_refuses_leaves_the_shell_as_it_was() {
    let mut limits = Limits::default();
    limits.disconnects = false;
    let service = service(hello).limits(limits).start().await.unwrap();
    let client = client(&service);
    let shell = Shell::builder(&client).open().await.unwrap();
    let refused = shell.disconnect(None).await.unwrap_err();
    assert!(matches!(refused, Error::Disconnect(_)), "{refused}");
    assert_eq!(shell.command("x").output().await.unwrap().status.code(), Some(3));
    drop(shell);
    client.close().await;
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn too_short_a_time_and_other_people_are_refused() {
    let service = service(hello).account("DOM\\other", "other password").start().await.unwrap();
    let first = client(&service);
    let shell = Shell::builder(&first).open().await.unwrap();
    let refused = shell.disconnect(Some(Duration::from_secs(59))).await.unwrap_err();
    assert!(matches!(refused, Error::Disconnect(_)));
    let left = shell.disconnect(None).await.unwrap();
    let other = Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("DOM\\other", "other password"))
        .build()
        .unwrap();
    let refused = left.reconnect(&other).await.unwrap_err();
    assert!(matches!(&refused, Error::Reconnect(_)), "{refused}");
    other.close().await;
    let wrong = DisconnectedShell { session_id: "uuid:other".to_owned(), ..left.clone() };
    assert!(wrong.reconnect(&first).await.is_err());
    assert_eq!(service.open_shells(), 1);
    left.reconnect(&first).await.unwrap().close().await.unwrap();
    assert_eq!(service.open_shells(), 0);
}
