//! A handful of the same over real TCP and real time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use winrm_transport::{Client, Credentials};

use crate::conversation::{Conversation, PASSWORD, USER, service};

/// Relays connections; the first one breaks after so many bytes of answers.
async fn relay(service: std::net::SocketAddr, breaks_after: usize, reset: bool) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut left = Some(breaks_after);
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(service).await.unwrap();
            tokio::spawn(pass(client, upstream, left.take(), reset));
        }
    });
    address
}

async fn pass(mut client: TcpStream, mut upstream: TcpStream, mut left: Option<usize>, reset: bool) {
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
                        if reset {
                            client.set_zero_linger().unwrap();
                        }
                        return;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn over_tcp_it_is_the_same() {
    for reset in [false, true] {
        for breaks_after in [1, 200, 700, 1500, 3000, 4500, 5500] {
            let (builder, started) = service();
            let service = builder.start().await.unwrap();
            let address = relay(service.addr(), breaks_after, reset).await;
            let client = Client::builder(format!("http://{address}"))
                .unwrap()
                .credentials(Credentials::password(USER, PASSWORD))
                .build()
                .unwrap();
            let began = Instant::now();
            let outcome = Conversation::Cold.hold(&client).await;
            assert!(began.elapsed() < Duration::from_secs(10), "{breaks_after}");
            assert!(started.load(Ordering::SeqCst) <= 1, "{breaks_after}");
            match outcome {
                Ok(output) => assert_eq!(output, Conversation::Cold.output()),
                Err(error) => assert!(error.transport().is_some(), "{error:?}"),
            }
            // A fresh connection is good.
            assert_eq!(Conversation::Cold.hold(&client).await.unwrap(), Conversation::Cold.output());
            client.close().await;
            drop(Arc::new(service));
        }
    }
}
