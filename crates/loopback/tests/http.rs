//! What HTTP.sys and the sealing layer turn down before anybody looks at an envelope.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::BytesMut;
use support::{Client, Context, PASSWORD, Raw, USER, builder, sealed_type};
use winrm_loopback::{Direction, Limits, OversizeReply};
use winrm_wsman::encrypted::{self, Layout};
use winrm_wsman::{Body, Fault, Message, uri};

/// A good envelope.
fn identify() -> BytesMut {
    Message::identify().encode().unwrap()
}

#[tokio::test]
async fn only_post_to_wsman() {
    let service = builder().start().await.unwrap();
    for (request, status) in [
        ("GET /wsman HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 404),
        ("POST /wsman/x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 404),
        ("POST /wsman HTTP/1.1\r\nHost: h\r\n\r\n", 411),
        ("POST /wsman?PSVersion=7.4 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 401),
        ("POST /wsman HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 401),
        ("POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n", 413),
    ] {
        let mut raw = Raw::connect(&service).await;
        raw.send(request.as_bytes()).await;
        let reply = raw.reply().await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{request}");
    }
    let log = service.log();
    assert!(log.iter().all(|entry| entry.head.ends_with(b"\r\n\r\n")), "heads as they came");
    assert_eq!(log[3].headers("content-length"), Vec::<String>::new());
    assert_eq!(log.logons(), []);
}

#[tokio::test]
async fn an_endless_body_is_not_read() {
    let service = builder().start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    raw.send(b"POST /wsman HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    for _ in 0..8 * 16 {
        raw.send(&chunk).await;
    }
    raw.send(b"1\r\nx").await;
    assert_eq!(raw.reply().await.unwrap().status, 413);
}

#[tokio::test]
async fn junk_gets_no_further_than_http() {
    let service = builder().start().await.unwrap();
    for junk in [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"hello\r\n\r\n", &vec![0; 70_000]] {
        let mut raw = Raw::connect(&service).await;
        raw.send(junk).await;
        if let Some(reply) = raw.reply().await {
            assert_eq!(reply.status / 100, 4);
        }
    }
    assert_eq!(service.log().len(), 0);
}

#[tokio::test]
async fn a_body_in_clear_is_refused_with_nothing_said() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let headers = [("Content-Type", "application/soap+xml;charset=UTF-8")];
    let reply = client.raw.post(&headers, &identify()).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (500, 0));
    let reply = client.raw.post(&[], &identify()).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (500, 0));
    // The context is as good as before.
    client.create().await;
    assert!(!service.log()[2].sealed && service.log()[4].sealed);
}

#[tokio::test]
async fn the_protocol_must_be_that_of_negotiate() {
    let service = builder().start().await.unwrap();
    for layout in [Layout::kerberos(), Layout::credssp()] {
        let mut client = Client::log_on(&service).await;
        let sealed = client.context.seal(&identify());
        let reply = client.raw.post(&[("Content-Type", &layout.content_type())], &sealed).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (415, 0));
    }
}

type Damage = fn(&mut Vec<u8>, &encrypted::Part);

#[tokio::test]
async fn damaged_bodies_are_refused_and_end_the_context() {
    let damages: [(&str, Damage); 6] = [
        ("signature", |body, part| body[part.header.start + 6] ^= 1),
        ("ciphertext", |body, part| body[part.sealed.end - 1] ^= 1),
        ("length of the token header", |body, part| body[part.header.start - 4] ^= 1),
        ("cut off", |body, part| body.truncate(part.sealed.end - 5)),
        ("a line break before the last boundary", |body, part| {
            body.splice(part.sealed.end..part.sealed.end, *b"\r\n");
        }),
        ("Length", |body, _| {
            let at = body.windows(7).position(|window| window == b"Length=").unwrap();
            body[at + 7] = b'9';
        }),
    ];
    let service = builder().start().await.unwrap();
    for (name, damage) in damages {
        for context in [Context::spnego(USER, PASSWORD), Context::bare(USER, PASSWORD)] {
            let mut client = Client::log_on_with(&service, context).await;
            let mut sealed = client.context.seal(&identify()).to_vec();
            let part = encrypted::split(&sealed_type(), &sealed).unwrap().remove(0);
            damage(&mut sealed, &part);
            let reply = client.raw.post(&[("Content-Type", &sealed_type())], &sealed).await.unwrap();
            assert_eq!((reply.status, reply.body.len()), (400, 0), "{name}");
            let reply = client.send(&identify()).await.unwrap();
            assert_eq!(reply.status, 401, "{name}");
        }
    }
}

#[tokio::test]
async fn a_repeated_body_is_refused() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let sealed = client.context.seal(&identify());
    let headers = [("Content-Type", &*sealed_type())];
    assert_eq!(client.raw.post(&headers, &sealed).await.unwrap().status, 200);
    assert_eq!(client.raw.post(&headers, &sealed).await.unwrap().status, 400);
}

#[tokio::test]
async fn native_clients_indent_and_windows_does() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let sealed = client.context.seal(&identify());
    let mut indented = Vec::new();
    for (number, line) in sealed.splitn(6, |byte| *byte == b'\n').enumerate() {
        if number > 0 {
            indented.push(b'\n');
        }
        if matches!(number, 1 | 2 | 4) {
            indented.push(b'\t');
        }
        indented.extend_from_slice(line);
    }
    let reply = client.raw.post(&[("Content-Type", &sealed_type())], &indented).await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.body.starts_with(b"--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO"));
    assert!(reply.body.ends_with(b"--Encrypted Boundary--\r\n"));
    client.context.open(&reply).unwrap();
}

#[tokio::test]
async fn envelopes_above_the_limit_are_refused() {
    let mut limits = Limits::default();
    limits.max_envelope_size = 20_000;
    for (oversize, size, status) in [
        (OversizeReply::Status, 20_001, 413),
        (OversizeReply::Status, 30_000, 413),
        (OversizeReply::Fault, 20_001, 500),
        (OversizeReply::Fault, 50_000, 413),
    ] {
        let service = builder().limits(limits.clone()).oversize_reply(oversize).start().await.unwrap();
        let mut client = Client::log_on(&service).await;
        let header = client.header(uri::ACTION_CREATE, "");
        let mut envelope = Message::new(header, Body::Create(Box::default())).encode().unwrap();
        envelope.resize(20_000, b' ');
        assert_eq!(client.exchange(&envelope).await.0, 200, "the limit itself is allowed");
        envelope.resize(size, b' ');
        let reply = client.send(&envelope).await.unwrap();
        assert_eq!(reply.status, status);
        if status == 500 {
            let answer = Message::decode(&client.context.open(&reply).unwrap()).unwrap();
            assert_eq!(answer.as_fault().and_then(Fault::wsman_code).unwrap().0, 2_150_859_025);
        }
        assert_eq!(service.open_shells(), 1);
    }
}

#[tokio::test]
async fn identify_without_log_on_tells_no_version() {
    let service = builder().start().await.unwrap();
    let mut raw = Raw::connect(&service).await;
    let headers =
        [("WSMANIDENTIFY", "unauthenticated"), ("Content-Type", "application/soap+xml;charset=UTF-8")];
    let reply = raw.post(&headers, &identify()).await.unwrap();
    assert_eq!(reply.status, 200);
    let version = |document: &[u8]| match Message::decode(document).unwrap().body {
        Body::IdentifyResponse(response) => response.product_version.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(version(&reply.body), "OS: 0.0.0 SP: 0.0 Stack: 3.0");

    // Only Identify.
    let create = winrm_wsman::Header::request("http://h/wsman", uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    let create = Message::new(create, Body::Create(Box::default())).encode().unwrap();
    assert_eq!(raw.post(&headers, &create).await.unwrap().status, 401);
    assert_eq!(raw.post(&headers, b"<html>").await.unwrap().status, 400);

    let mut client = Client::log_on(&service).await;
    let (status, plaintext) = client.exchange(&identify()).await;
    assert_eq!(status, 200);
    assert!(version(&plaintext).contains(std::env::consts::OS));
    assert_eq!(service.open_shells(), 0);
}

#[tokio::test]
async fn connections_are_bounded_and_idle_ones_closed() {
    let mut limits = Limits::default();
    limits.max_connections = 2;
    limits.connection_idle = std::time::Duration::from_millis(200);
    let service = builder().limits(limits).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.create().await;
    let mut second = Raw::connect(&service).await;
    assert_eq!(second.post(&[], b"").await.unwrap().status, 401);
    let mut third = Raw::connect(&service).await;
    assert!(third.reply().await.is_none(), "one too many");
    assert!(client.raw.reply().await.is_none(), "closed while idle");
    assert!(second.reply().await.is_none(), "closed while idle");
    let mut fourth = Raw::connect(&service).await;
    assert_eq!(fourth.post(&[], b"").await.unwrap().status, 401);
}

#[tokio::test]
async fn the_wire_is_captured_when_asked_to() {
    let service = builder().capture_wire().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.create().await;
    let wire = service.wire();
    let directions: Vec<_> = wire.iter().map(|chunk| (chunk.connection, chunk.direction)).collect();
    let exchange = [(1, Direction::Request), (1, Direction::Response)];
    assert_eq!(directions, exchange.repeat(3));
    assert!(wire[0].bytes.starts_with(b"POST /wsman HTTP/1.1\r\n"));
    let all: Vec<u8> = wire.iter().flat_map(|chunk| chunk.bytes.to_vec()).collect();
    assert!(!all.windows(8).any(|window| window == b"Envelope"), "nothing readable crosses the wire");
    assert!(builder().start().await.unwrap().wire().is_empty());
}

#[tokio::test]
async fn other_machines_are_kept_out_unless_invited() {
    let anywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let refused = builder().listen(anywhere).start().await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    let service = builder().dangerously_listen_beyond_loopback(anywhere).start().await.unwrap();
    assert!(service.addr().ip().is_unspecified());
    let here = builder().start().await.unwrap();
    assert!(here.addr().ip().is_loopback());
    assert_eq!(here.url(), format!("http://127.0.0.1:{}/wsman", here.addr().port()));
}
