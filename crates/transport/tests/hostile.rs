//! Servers that are not what they should be: each ends in its own error, within the deadline, and the client says
//! nothing that it should not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use winrm_ntlm::{Fresh, NegotiateFlags, client, server};
use winrm_transport::{
    AuthMethod, Client, ClientBuilder, Connecting, Connector, Credentials, Endpoint, Error, ErrorKind,
    RetryPolicy, Step, Stream, probe,
};
use winrm_wsman::{Body, Message, Shell, uri};

/// What the server does once a request has arrived.
#[derive(Clone, Debug)]
enum Reply {
    /// Writes this.
    Bytes(Vec<u8>),
    /// Writes this and closes.
    BytesThenClose(Vec<u8>),
    Close,
    Stall,
}

/// A server that gives canned replies, over pipes in memory.
#[derive(Debug)]
struct Scripted {
    replies: Vec<Reply>,
    connections: AtomicUsize,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn new(replies: impl Into<Vec<Reply>>) -> Arc<Self> {
        let replies = replies.into();
        Arc::new(Self { replies, connections: AtomicUsize::new(0), requests: Arc::default() })
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Connector for Scripted {
    fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
        let (ours, theirs) = duplex(1 << 16);
        self.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(theirs, self.replies.clone(), Arc::clone(&self.requests)));
        let stream: Box<dyn Stream> = Box::new(ours);
        Box::pin(async move { Ok(stream) })
    }
}

async fn serve(mut stream: DuplexStream, replies: Vec<Reply>, requests: Arc<Mutex<Vec<String>>>) {
    for reply in replies {
        let Some(head) = read_request(&mut stream).await else { return };
        requests.lock().unwrap().push(head);
        match reply {
            Reply::Bytes(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::BytesThenClose(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Reply::Close => return,
            Reply::Stall => std::future::pending().await,
        }
    }
    // A further request would hang: nothing more is expected.
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
    if !rest.is_empty() {
        requests.lock().unwrap().push(String::from_utf8_lossy(&rest).into_owned());
    }
}

/// Reads head and body; returns the head.
async fn read_request(stream: &mut DuplexStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn builder(server: &Arc<Scripted>) -> ClientBuilder {
    let connector: Arc<dyn Connector> = server.clone();
    Client::builder("host.test").unwrap().connector(connector)
}

fn client(server: &Arc<Scripted>) -> Client {
    builder(server).credentials(Credentials::password("DOM\\user", "hunter2")).build().unwrap()
}

async fn error_of(replies: impl Into<Vec<Reply>>) -> Error {
    let server = Scripted::new(replies);
    let once = builder(&server).credentials(Credentials::password("DOM\\user", "hunter2"));
    let error = once.retries(RetryPolicy::never()).build().unwrap().identify().await.unwrap_err();
    assert_eq!(server.connections.load(Ordering::Relaxed), 1, "{error}");
    let text = format!("{error} {error:?} {:?}", error.remedy());
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("host.test"), "{text}");
    error
}

#[tokio::test(start_paused = true)]
async fn the_first_request_is_a_token_with_a_stated_length_of_zero() {
    let server = Scripted::new([Reply::Close]);
    client(&server).identify().await.unwrap_err();
    let [head] = &server.requests()[..] else { panic!("one request") };
    assert!(head.starts_with("POST /wsman HTTP/1.1\r\n"), "{head}");
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("\r\ncontent-length: 0\r\n"), "{head}");
    assert!(lower.contains("\r\nauthorization: negotiate "), "{head}");
    assert!(lower.contains("\r\nhost: host.test:5985\r\n"), "{head}");
    assert!(lower.contains("\r\naccept-encoding: identity\r\n"), "{head}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes() {
    let error = error_of([Reply::Close]).await;
    assert_eq!(error.step(), Step::Negotiate);
    assert!(
        matches!(error.kind(), ErrorKind::ConnectionLost(_) | ErrorKind::ConnectionClosed(_)),
        "{error:?}"
    );
    // Nothing but a token was sent: nothing can have run.
    assert!(!error.is_outcome_unknown());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls() {
    for reply in [
        Reply::Stall,
        // In the middle of the head, and of the body.
        Reply::Bytes(b"HTTP/1.1 401 Unauth".to_vec()),
        Reply::Bytes(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\nabc".to_vec()),
    ] {
        let started = tokio::time::Instant::now();
        let error = error_of([reply, Reply::Stall]).await;
        assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error:?}");
        // The operation timeout of 20 s, and 10 s for the answer itself.
        assert_eq!(started.elapsed().as_secs(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_come_about() {
    #[derive(Debug)]
    struct Never;
    impl Connector for Never {
        fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
            Box::pin(std::future::pending())
        }
    }
    let client = Client::builder("host.test:99")
        .unwrap()
        .credentials(Credentials::password("user", "x"))
        .connect_timeout(Duration::from_secs(7))
        .connector(Arc::new(Never))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let error = client.identify().await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 7);
    assert_eq!(error.step(), Step::Connect);
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)));
    assert!(error.remedy().unwrap().contains("99"), "{:?}", error.remedy());
}

#[tokio::test]
async fn a_port_nobody_listens_on() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = Client::builder(format!("127.0.0.1:{port}"))
        .unwrap()
        .credentials(Credentials::password("user", "x"))
        .build()
        .unwrap();
    let error = client.identify().await.unwrap_err();
    assert_eq!(error.step(), Step::Connect);
    assert!(matches!(error.kind(), ErrorKind::Io(_)), "{error:?}");
    assert!(error.remedy().unwrap().contains("winrm quickconfig"));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_from_a_winrm_service() {
    let html = "Content-Type: text/html\r\n";
    let error = error_of([Reply::Bytes(answer("200 OK", html, "<html>hello</html>"))]).await;
    assert!(matches!(error.kind(), ErrorKind::NotWinRm { .. }), "{error:?}");
    assert!(error.to_string().contains("text/html"), "{error}");

    let error = error_of([Reply::Bytes(answer("404 Not Found", html, "no"))]).await;
    assert!(matches!(error.kind(), ErrorKind::Status { status, .. } if *status == 404), "{error:?}");
    assert!(error.remedy().unwrap().contains("/wsman"));

    let error = error_of([Reply::Bytes(answer("407 Proxy Authentication Required", "", ""))]).await;
    assert!(matches!(error.kind(), ErrorKind::ProxyAnswered), "{error:?}");

    let error = error_of([Reply::Bytes(answer("503 Service Unavailable", "", ""))]).await;
    assert!(matches!(error.kind(), ErrorKind::Busy { .. }), "{error:?}");

    let error = error_of([Reply::BytesThenClose(b"220 smtp.test ESMTP\r\n".to_vec())]).await;
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn schemes_we_do_not_speak() {
    let headers = "WWW-Authenticate: Basic realm=\"WSMAN\", Kerberos\r\n";
    let error = error_of([Reply::Bytes(answer("401 Unauthorized", headers, ""))]).await;
    let ErrorKind::SchemeNotOffered { offered, .. } = error.kind() else { panic!("{error:?}") };
    assert_eq!(offered, &["Basic", "Kerberos"]);

    let error = error_of([Reply::Bytes(answer("401 Unauthorized", "", ""))]).await;
    assert!(error.to_string().contains("no scheme at all"), "{error}");

    // The scheme without a token: ours was not liked.
    let headers = "WWW-Authenticate: Negotiate\r\n";
    let error = error_of([Reply::Bytes(answer("401 Unauthorized", headers, ""))]).await;
    assert!(matches!(error.kind(), ErrorKind::TokenRefused), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_make_no_sense() {
    for token in ["!!!", "AAAA", "TlRMTVNTUAACAAAA", "oYGZMIGWoAMKAQ==", ""] {
        let headers = format!("WWW-Authenticate: Negotiate {token}\r\n");
        let error = error_of([Reply::Bytes(answer("401 Unauthorized", &headers, ""))]).await;
        match error.kind() {
            ErrorKind::TokenRefused => assert_eq!(token, ""),
            ErrorKind::Negotiation(_) => {}
            _ => panic!("{token}: {error:?}"),
        }
        assert_eq!(error.step(), Step::Negotiate);
    }
}

#[tokio::test(start_paused = true)]
async fn lies_about_lengths() {
    // More than any token needs: refused before a byte of it is kept.
    let bytes = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
    let error = error_of([Reply::Bytes(bytes)]).await;
    assert!(matches!(error.kind(), ErrorKind::TooLarge { .. }), "{error:?}");

    // Without a length it is counted.
    let mut bytes = b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..70 {
        bytes.extend_from_slice(b"400\r\n");
        bytes.extend_from_slice(&[b'x'; 1024]);
        bytes.extend_from_slice(b"\r\n");
    }
    let error = error_of([Reply::Bytes(bytes)]).await;
    assert!(matches!(error.kind(), ErrorKind::TooLarge { .. }), "{error:?}");

    let bytes = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nshort".to_vec();
    let error = error_of([Reply::BytesThenClose(bytes)]).await;
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost(_)), "{error:?}");

    // hyper bounds the head itself.
    let error = error_of([Reply::Bytes(
        format!("HTTP/1.1 401 X\r\nA: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
    )])
    .await;
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_needs_no_credentials_and_sends_none() {
    let identity = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
        xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Header/><s:Body>\
        <i:IdentifyResponse><i:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</i:ProtocolVersion>\
        <i:ProductVendor>Somebody</i:ProductVendor><i:ProductVersion>1</i:ProductVersion></i:IdentifyResponse>\
        </s:Body></s:Envelope>";
    let schemes =
        "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"WSMAN\"\r\nServer: Test/1\r\n";
    let server = Scripted::new([
        Reply::Bytes(answer("200 OK", "Content-Type: application/soap+xml\r\n", identity)),
        Reply::Bytes(answer("401 Unauthorized", schemes, "")),
    ]);
    let found = probe(&builder(&server)).await.unwrap();
    assert_eq!(found.identity.unwrap().product_vendor.as_deref(), Some("Somebody"));
    assert_eq!(found.schemes, ["Negotiate", "Basic"]);
    assert_eq!(found.server.as_deref(), Some("Test/1"));
    assert_eq!(found.status, 401);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].to_ascii_lowercase().contains("wsmanidentify: unauthenticated\r\n"));
    assert!(requests.iter().all(|head| !head.to_ascii_lowercase().contains("authorization")));
}

#[tokio::test(start_paused = true)]
async fn a_probe_keeps_to_the_builders_deadlines_and_keeps_what_it_found() {
    let started = tokio::time::Instant::now();
    let server = Scripted::new([Reply::Stall]);
    let error = probe(&builder(&server).operation_timeout(Duration::from_secs(2))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error:?}");
    assert_eq!(started.elapsed().as_secs(), 12);

    let identity = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
        xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Header/><s:Body>\
        <i:IdentifyResponse><i:ProductVendor>Somebody</i:ProductVendor></i:IdentifyResponse></s:Body></s:Envelope>";
    let identified = answer("200 OK", "Content-Type: application/soap+xml\r\nServer: S\r\n", identity);
    let server = Scripted::new([Reply::Bytes(identified), Reply::Stall]);
    let found = probe(&builder(&server)).await.unwrap();
    assert_eq!(found.identity.unwrap().product_vendor.as_deref(), Some("Somebody"));
    assert!(found.schemes.is_empty());
    assert_eq!((found.status.as_u16(), found.server.as_deref()), (200, Some("S")));
}

/// A CHALLENGE that agrees to everything but `without`.
fn weak_challenge(without: NegotiateFlags) -> Vec<u8> {
    let all =
        NegotiateFlags::STRONG | NegotiateFlags::UNICODE | NegotiateFlags::NTLM | NegotiateFlags::TARGET_INFO;
    let config =
        server::Config::new("HOST").negotiate_flags(all.with(without, false)).require(NegotiateFlags::NONE);
    let (_, negotiate) =
        client::Start::new(Credentials::password("u", "p"), client::Config::default()).negotiate();
    server::Start::new(config).challenge(&negotiate, &Fresh::generate().unwrap()).unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_weak_context_is_refused_before_anything_is_proved() {
    for without in [
        NegotiateFlags::SIGN,
        NegotiateFlags::SEAL,
        NegotiateFlags::KEY_EXCH,
        NegotiateFlags::NEGOTIATE_128,
        NegotiateFlags::EXTENDED_SESSIONSECURITY,
    ] {
        let token = BASE64.encode(weak_challenge(without));
        let headers = format!("WWW-Authenticate: Negotiate {token}\r\n");
        let replies = [Reply::Bytes(answer("401 Unauthorized", &headers, "")), Reply::Close];
        let server = Scripted::new(replies);
        let strict = builder(&server)
            .auth_method(AuthMethod::Ntlm)
            .credentials(Credentials::password("user", "hunter2"));
        let error = strict.clone().build().unwrap().identify().await.unwrap_err();
        let ErrorKind::WeakContext { missing } = error.kind() else { panic!("{error:?}") };
        assert!(missing.contains(without), "{error}");
        assert!(error.remedy().unwrap().contains("dangerous_allow_weak_security_context"));
        assert_eq!(server.requests().len(), 1, "nothing is sent after the challenge");

        // Only by the option, and then as weak as it is.
        let error =
            strict.dangerous_allow_weak_security_context().build().unwrap().identify().await.unwrap_err();
        assert!(!matches!(error.kind(), ErrorKind::WeakContext { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_clear_means_that_the_request_was_read() {
    let fault = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header/><s:Body><s:Fault>\
        <s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">no</s:Text></s:Reason>\
        </s:Fault></s:Body></s:Envelope>";
    let token = BASE64.encode(weak_challenge(NegotiateFlags::NONE));
    let challenge = answer("401 Unauthorized", &format!("WWW-Authenticate: Negotiate {token}\r\n"), "");
    for (content_type, body, connections) in [("application/soap+xml", fault, 1), ("text/html", "<html/>", 2)]
    {
        let headers = format!("Content-Type: {content_type}\r\n");
        let refusal = answer("500 Internal Server Error", &headers, body);
        let server = Scripted::new([Reply::Bytes(challenge.clone()), Reply::Bytes(refusal)]);
        let client = builder(&server)
            .auth_method(AuthMethod::Ntlm)
            .credentials(Credentials::password("user", "hunter2"))
            .build()
            .unwrap();
        client.identify().await.unwrap_err();
        // Only the one without a fault makes a second log-on, with AUTHENTICATE alone.
        assert_eq!(server.connections.load(Ordering::Relaxed), connections, "{content_type}");
    }
}

/// Counts the writes that would each be a system call.
#[derive(Debug)]
struct Counted(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A socket takes them all at once.
        let data: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.as_mut().poll_write(cx, &data)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// To a real service, through [`Counted`].
#[derive(Debug)]
struct Tunnel {
    address: std::net::SocketAddr,
    writes: Arc<AtomicUsize>,
}

impl Connector for Tunnel {
    fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
        Box::pin(async move {
            let mut socket = tokio::net::TcpStream::connect(self.address).await?;
            let (ours, mut theirs) = duplex(1 << 20);
            tokio::spawn(async move { drop(tokio::io::copy_bidirectional(&mut theirs, &mut socket).await) });
            let stream: Box<dyn Stream> = Box::new(Counted(ours, Arc::clone(&self.writes)));
            Ok(stream)
        })
    }
}

#[tokio::test]
async fn head_and_body_are_one_write() {
    let service = winrm_loopback::Service::builder().account("user", "x").start().await.unwrap();
    let writes = Arc::new(AtomicUsize::new(0));
    let client = Client::builder(service.url())
        .unwrap()
        .credentials(Credentials::password("user", "x"))
        .connector(Arc::new(Tunnel { address: service.addr(), writes: Arc::clone(&writes) }))
        .build()
        .unwrap();
    client.identify().await.unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 2, "token, AUTHENTICATE with its body");
    // A large one too: two writes would cost a delayed acknowledgement.
    let header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    let shell = Shell { working_directory: Some("x".repeat(200_000)), ..Shell::default() };
    drop(client.request(Message::new(header, Body::Create(Box::new(shell)))).await);
    assert_eq!(writes.load(Ordering::Relaxed), 3);
}

/// The table of what other clients' users met: each status has its error, and says what to do.
#[tokio::test(start_paused = true)]
async fn every_status_has_its_error_and_its_remedy() {
    for (status, remedy) in [
        ("400 Bad Request", "sealed message"),
        ("403 Forbidden", "in front of the service"),
        ("404 Not Found", "/wsman"),
        ("405 Method Not Allowed", "web server"),
        ("411 Length Required", "Content-Length"),
        ("413 Payload Too Large", "MaxEnvelopeSizekb"),
        ("415 Unsupported Media Type", "HTTP-SPNEGO-session-encrypted"),
        ("425 Too Early", "try again"),
        ("429 Too Many Requests", "try again"),
        ("502 Bad Gateway", "gateway"),
        ("503 Service Unavailable", "--wait"),
        ("504 Gateway Timeout", "--operation-timeout"),
        ("500 Internal Server Error", "another program"),
        ("407 Proxy Authentication Required", "--proxy"),
        ("302 Found", "listener itself"),
        ("200 OK", "winrm identify"),
    ] {
        let error = error_of([Reply::Bytes(answer(status, "", ""))]).await;
        let told = error.remedy().unwrap_or_default();
        assert!(told.contains(remedy), "{status}: {error}: {told}");
        // Never as the first way out, and not as the last one either.
        assert!(!told.contains("AllowUnencrypted"), "{told}");
        let number = status.split(' ').next().unwrap();
        let text = error.to_string();
        assert!(text.contains(number) || text.contains("MaxEnvelopeSize"), "{status}: {text}");
        assert!(!error.is_outcome_unknown(), "{status}");
    }
}

/// The deadline is that of the whole exchange, not of each read.
#[tokio::test(start_paused = true)]
async fn an_answer_that_trickles_in_has_no_more_time_than_any_other() {
    #[derive(Debug)]
    struct Trickling;

    impl Connector for Trickling {
        fn connect<'a>(&'a self, _: &'a Endpoint) -> Connecting<'a> {
            Box::pin(async {
                let (ours, mut theirs) = duplex(4096);
                tokio::spawn(async move {
                    let answer =
                        answer("401 Unauthorized", "WWW-Authenticate: Negotiate\r\n", &"x".repeat(500));
                    for byte in answer {
                        tokio::time::sleep(Duration::from_secs(5)).await;
                        if theirs.write_u8(byte).await.is_err() {
                            return;
                        }
                    }
                });
                let stream: Box<dyn Stream> = Box::new(ours);
                Ok(stream)
            })
        }
    }

    let client = Client::builder("host.test")
        .unwrap()
        .connector(Arc::new(Trickling))
        .credentials(Credentials::password("user", "x"))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    let error = client.identify().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Deadline(_)), "{error:?}");
    assert_eq!(started.elapsed(), Duration::from_secs(30));
}
