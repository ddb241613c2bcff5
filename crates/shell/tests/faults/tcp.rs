//! A handful of the same over real TCP and real time.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use winrm_transport::{Client, Credentials};

use crate::conversation::{Conversation, PASSWORD, USER, service};
use crate::link::Kind;

/// The read deadline of half a second of operation timeout, and time to spare.
const STALLED: Duration = Duration::from_secs(20);

/// Relays connections; the first one breaks after so many bytes of answers.
async fn relay(service: std::net::SocketAddr, breaks_after: usize, kind: Kind) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut left = Some(breaks_after);
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(service).await.unwrap();
            tokio::spawn(pass(client, upstream, left.take(), kind));
        }
    });
    address
}

async fn pass(mut client: TcpStream, mut upstream: TcpStream, mut left: Option<usize>, kind: Kind) {
    let (mut from_client, mut from_service) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(len) if len > 0 => if upstream.write_all(&from_client[..len]).await.is_err() { return },
                _ => return,
            },
            read = upstream.read(&mut from_service) => {
                let Ok(len) = read else { return };
                let passes = left.map_or(len, |left| left.min(len));
                if len == 0 || client.write_all(&from_service[..passes]).await.is_err() {
                    return;
                }
                if let Some(left) = &mut left {
                    *left -= passes;
                    if *left == 0 {
                        return break_by(kind, client, upstream).await;
                    }
                }
            }
        }
    }
}

async fn break_by(kind: Kind, mut client: TcpStream, mut upstream: TcpStream) {
    match kind {
        Kind::Cut => {}
        Kind::Reset => client.set_zero_linger().unwrap(),
        Kind::Stall => std::future::pending().await,
        Kind::Truncate => {
            client.shutdown().await.unwrap();
            // The other direction goes on.
            let _ = tokio::io::copy(&mut client, &mut upstream).await;
        }
    }
}

async fn hold_over_tcp(kind: Kind, breaks_after: usize) {
    let (builder, started) = service();
    let service = builder.start().await.unwrap();
    let address = relay(service.addr(), breaks_after, kind).await;
    let client = Client::builder(format!("http://{address}"))
        .unwrap()
        .credentials(Credentials::password(USER, PASSWORD))
        .operation_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let began = Instant::now();
    let outcome = Conversation::Cold.hold(&client).await;
    let limit = if kind == Kind::Stall { STALLED } else { Duration::from_secs(8) };
    assert!(began.elapsed() < limit, "{kind:?} {breaks_after}");
    assert!(started.load(Ordering::SeqCst) <= 1, "{kind:?} {breaks_after}");
    match outcome {
        Ok(output) => assert_eq!(output, Conversation::Cold.output()),
        Err(error) => assert!(error.transport().is_some(), "{error:?}"),
    }
    // A fresh connection is good.
    assert_eq!(Conversation::Cold.hold(&client).await.unwrap(), Conversation::Cold.output());
    client.close().await;
}

#[tokio::test]
async fn over_tcp_it_is_the_same() {
    let mut held = JoinSet::new();
    for kind in [Kind::Cut, Kind::Reset, Kind::Stall, Kind::Truncate] {
        for breaks_after in [1, 200, 700, 1500, 3000, 4500, 5500] {
            held.spawn(hold_over_tcp(kind, breaks_after));
        }
    }
    held.join_all().await;
}
