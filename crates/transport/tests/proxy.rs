//! Proxies, friendly and hostile, that tests make themselves. Other people's are in `cargo xtask interop`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use winrm_loopback::{Invocation, Io, Service};
use winrm_transport::{
    Client, ClientBuilder, Credentials, Error, ErrorKind, Proxy, ProxyFailure, ProxyMode, Step,
};

/// What the proxy does with a request.
#[derive(Clone, Copy)]
enum Manner {
    /// CONNECT for who logs on as user:pass; forwards nothing.
    Tunnel { log_on: bool },
    /// No CONNECT; forwards, on one connection to the service for each of ours.
    Forward,
    /// No CONNECT; forwards, and closes the connection after each answer.
    ForwardOnce,
    /// Answers so to everything.
    Say(&'static str),
    /// Answers so, and then says nothing more.
    SayAndHang(&'static str),
    /// Reads, and says nothing.
    Hang,
}

/// A proxy; every request head that it saw.
async fn proxy(manner: Manner) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, manner, Arc::clone(&seen)));
        }
    });
    (address, heads)
}

async fn serve(mut stream: TcpStream, manner: Manner, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut upstream: Option<TcpStream> = None;
    loop {
        let head = read_head(&mut stream).await?;
        seen.lock().unwrap().push(head.clone());
        let mut words = head.split_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        match manner {
            Manner::Hang => std::future::pending::<()>().await,
            Manner::SayAndHang(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                std::future::pending::<()>().await;
            }
            Manner::Say(text) => {
                stream.write_all(text.as_bytes()).await.ok()?;
                return None;
            }
            Manner::Tunnel { .. } if method != "CONNECT" => {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.ok()?;
            }
            // user:pass
            Manner::Tunnel { log_on: true }
                if !head.contains("proxy-authorization: Basic dXNlcjpwYXNz\r\n") =>
            {
                let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await.ok()?;
            }
            Manner::Tunnel { .. } => {
                let mut upstream = TcpStream::connect(target).await.ok()?;
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
                copy_bidirectional(&mut stream, &mut upstream).await.ok()?;
                return None;
            }
            _ if method == "CONNECT" => {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.ok()?;
            }
            Manner::Forward | Manner::ForwardOnce => {
                let (authority, path) = target.strip_prefix("http://")?.split_once('/')?;
                if upstream.is_none() {
                    upstream = Some(TcpStream::connect(authority).await.ok()?);
                }
                let upstream = upstream.as_mut()?;
                let forwarded = head.replacen(target, &format!("/{path}"), 1);
                upstream.write_all(forwarded.as_bytes()).await.ok()?;
                relay_body(&head, &mut stream, upstream).await?;
                let answer = read_head(upstream).await?;
                stream.write_all(answer.as_bytes()).await.ok()?;
                relay_body(&answer, upstream, &mut stream).await?;
                if matches!(manner, Manner::ForwardOnce) {
                    return None;
                }
            }
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn relay_body(head: &str, from: &mut TcpStream, to: &mut TcpStream) -> Option<()> {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).await.ok()?;
    to.write_all(&body).await.ok()
}

async fn service() -> Service {
    let builder = Service::builder().account("user", "right").handler(|_: Invocation, _: Io| async { 0 });
    builder.start().await.unwrap()
}

fn through(target: &str, proxy: &str) -> ClientBuilder {
    Client::builder(target)
        .unwrap()
        .credentials(Credentials::password("user", "right"))
        .proxy(proxy.parse().unwrap())
        .connect_timeout(Duration::from_secs(2))
}

fn failure(error: &Error) -> &ProxyFailure {
    assert!(error.remedy().is_some(), "{error}");
    match error.kind() {
        ErrorKind::Proxy { failure, .. } => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_tunnel_carries_everything_and_shows_nothing() {
    let service = service().await;
    let (address, heads) = proxy(Manner::Tunnel { log_on: false }).await;
    let client = through(&service.url(), &format!("http://{address}")).build().unwrap();
    client.identify().await.unwrap();
    client.identify().await.unwrap();
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "one tunnel, and nothing of what is in it: {heads:?}");
    assert!(heads[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", service.addr())), "{}", heads[0]);
}

#[tokio::test]
async fn proxies_want_their_own_log_on() {
    let service = service().await;
    let (address, _) = proxy(Manner::Tunnel { log_on: true }).await;
    let proxy: Proxy = format!("http://{address}").parse().unwrap();
    let builder = |proxy: Proxy| through(&service.url(), "unused").proxy(proxy);

    builder(proxy.clone().credentials("user", "pass")).build().unwrap().identify().await.unwrap();
    let error = builder(proxy.clone()).build().unwrap().identify().await.unwrap_err();
    assert!(matches!(failure(&error), ProxyFailure::Authentication { credentials_given: false }), "{error}");
    assert_eq!(error.step(), Step::Proxy);
    let wrong = proxy.credentials("user", "hunter2");
    let error = builder(wrong).build().unwrap().identify().await.unwrap_err();
    assert!(matches!(failure(&error), ProxyFailure::Authentication { credentials_given: true }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    // The service has heard of none of that.
    assert_eq!(service.log().logons().len(), 1);
}

#[tokio::test]
async fn where_there_is_no_tunnel_requests_are_forwarded() {
    let service = service().await;
    let (address, heads) = proxy(Manner::Forward).await;
    let url = format!("http://{address}");
    let client = through(&service.url(), &url).build().unwrap();
    client.identify().await.unwrap();
    client.identify().await.unwrap();
    let methods = |heads: &[String]| -> Vec<String> {
        heads.iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(methods(&heads.lock().unwrap()), ["CONNECT", "POST", "POST", "POST"]);
    assert!(heads.lock().unwrap()[1].starts_with(&format!("POST {} HTTP/1.1\r\n", service.url())));

    heads.lock().unwrap().clear();
    let forward = through(&service.url(), &url).proxy_mode(ProxyMode::Forward).build().unwrap();
    forward.identify().await.unwrap();
    assert_eq!(methods(&heads.lock().unwrap()), ["POST", "POST"]);

    let tunnel = through(&service.url(), &url).proxy_mode(ProxyMode::Tunnel).build().unwrap();
    let error = tunnel.identify().await.unwrap_err();
    assert!(matches!(failure(&error), ProxyFailure::Refused { status: 403 }), "{error}");
}

#[tokio::test]
async fn a_proxy_that_keeps_no_connection_is_told_of() {
    let service = service().await;
    let (address, _) = proxy(Manner::ForwardOnce).await;
    let client = through(&service.url(), &format!("http://{address}")).build().unwrap();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(failure(&error), ProxyFailure::ClosesConnections), "{error}");
    assert!(service.log().logons().is_empty());
}

#[tokio::test]
async fn a_refusal_that_came_through_a_proxy_is_not_blamed_on_the_password_alone() {
    let service = service().await;
    let (address, _) = proxy(Manner::Forward).await;
    let builder = through(&service.url(), &format!("http://{address}"));
    let client = builder.credentials(Credentials::password("user", "wrong")).build().unwrap();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(failure(&error), ProxyFailure::LogonRefused { .. }), "{error}");
    let told = error.remedy().unwrap();
    assert!(told.contains("another connection") && told.contains("wrong"), "{told}");
    client.identify().await.unwrap_err();
    assert_eq!(service.log().logons().len(), 1, "tried once");
}

#[tokio::test]
async fn hostile_proxies_end_in_their_own_errors_within_the_connect_timeout() {
    let endless = "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(1 << 20);
    let endless: &'static str = endless.leak();
    for (manner, refused) in [
        (Manner::Hang, false),
        (Manner::Say(""), true),
        (Manner::Say("SSH-2.0-x\r\n\r\n"), true),
        (Manner::Say(endless), true),
        (Manner::Say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), true),
        // A tunnel to nowhere.
        (Manner::Say("HTTP/1.1 200 OK\r\n\r\n"), false),
        (Manner::Say("HTTP/1.1 200 OK\r\n\r\nnot HTTP at all\r\n\r\n"), false),
    ] {
        let (address, _) = proxy(manner).await;
        let started = Instant::now();
        let client = through("host.test", &format!("http://{address}")).build().unwrap();
        let error = client.identify().await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5), "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
        if refused {
            failure(&error);
            assert_eq!(error.step(), Step::Proxy, "{error}");
        }
        if matches!(manner, Manner::Hang) {
            assert!(matches!(error.kind(), ErrorKind::Deadline(_)) && error.step() == Step::Proxy, "{error}");
        }
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["http", "socks5", "socks5h"] {
        let client = through("127.0.0.1", &format!("{scheme}://{closed}")).build().unwrap();
        let error = client.identify().await.unwrap_err();
        assert!(matches!(failure(&error), ProxyFailure::Unreachable(_)), "{error}");
        assert!(error.to_string().contains(&closed.to_string()), "{error}");
    }
    let (address, _) = proxy(Manner::Say("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    // The proxy waits for the end of a request's head, which SOCKS never sends.
    let client = through("127.0.0.1", &format!("socks5://{address}")).build().unwrap();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)) && error.step() == Step::Proxy, "{error}");
    // A name that is not found here is not the proxy's fault.
    // No resolver is asked for a label of more than 63 characters.
    let name = format!("{}.test", "x".repeat(64));
    let client = through(&name, &format!("socks5://{address}")).build().unwrap();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error}");
    assert!(error.remedy().unwrap().contains("socks5h"), "{error}");
}

/// A tunnel that stays open and silent is a host that does not answer.
#[tokio::test]
async fn a_silent_tunnel_ends_at_the_deadline_of_an_exchange() {
    let (address, _) = proxy(Manner::SayAndHang("HTTP/1.1 200 OK\r\n\r\n")).await;
    let builder = through("host.test", &format!("http://{address}"));
    let client = builder.operation_timeout(Duration::from_millis(500)).build().unwrap();
    let started = Instant::now();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)) && error.step() == Step::Negotiate, "{error}");
    assert!(started.elapsed() < Duration::from_secs(15) && !error.is_outcome_unknown());
}

#[tokio::test]
async fn connecting_elsewhere_changes_the_address_alone() {
    let service = service().await;
    for proxied in [false, true] {
        let (address, heads) = proxy(Manner::Tunnel { log_on: false }).await;
        let builder = Client::builder("web01.example.com")
            .unwrap()
            .credentials(Credentials::password("user", "right"))
            .connect_to(service.addr().to_string())
            .unwrap();
        let builder =
            if proxied { builder.proxy(format!("http://{address}").parse().unwrap()) } else { builder };
        builder.build().unwrap().identify().await.unwrap();
        let log = service.log();
        assert_eq!(log.last().unwrap().headers("Host"), ["web01.example.com:5985"]);
        if proxied {
            assert!(heads.lock().unwrap()[0].starts_with(&format!("CONNECT {} ", service.addr())));
        }
    }
    let error = Client::builder("web01").unwrap().connect_to("a b").unwrap_err();
    assert!(error.to_string().contains("a b"), "{error}");
}
