//! What is logged, and what is copied for who debugs; and what is in neither.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use winrm_loopback::{Invocation, Io, Service};
use winrm_transport::{AuthMethod, Client, Credentials, TracedEnvelope, WireTrace};
use winrm_wsman::{Body, CommandLine, Message, Selector, Shell, uri};

const PASSWORD: &str = "hunter2 & <more>";
const COMMAND: &str = "format-the-disk --quickly";

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that is logged in this process: what a place logs is decided for all threads at once.
fn logged() -> &'static Buffer {
    static LOG: OnceLock<Buffer> = OnceLock::new();
    LOG.get_or_init(|| {
        let buffer = Buffer::default();
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(buffer.clone())
            .init();
        buffer
    })
}

/// Create, Command and Delete.
async fn converse(client: &Client) {
    let body = Shell {
        input_streams: vec!["stdin".to_owned()],
        output_streams: vec!["stdout".to_owned()],
        ..Shell::default()
    };
    let header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_CREATE);
    let answer = client.request(Message::new(header, Body::Create(Box::new(body)))).await.unwrap();
    let Body::CreateResponse(created) = answer.body else { panic!("not created") };
    let selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, created.shell_id().unwrap())];
    let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_COMMAND);
    header.selectors.clone_from(&selectors);
    let line = CommandLine {
        command: COMMAND.to_owned(),
        arguments: vec![format!("/password:{PASSWORD}")],
        ..CommandLine::default()
    };
    client.request(Message::new(header, Body::Command(line))).await.unwrap();
    let mut header = client.header(uri::RESOURCE_URI_CMD, uri::ACTION_DELETE);
    header.selectors = selectors;
    client.request(Message::new(header.clone(), Body::Delete)).await.unwrap();
    // Gone: a fault.
    client.request(Message::new(header, Body::Delete)).await.unwrap_err();
}

fn in_every_form(secret: &str) -> Vec<String> {
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![secret.to_owned(), STANDARD.encode(secret), STANDARD.encode(utf16)]
}

#[tokio::test]
async fn logs_tell_of_every_exchange_and_of_no_secret() {
    let buffer = logged();
    for (method, tls) in [(AuthMethod::Negotiate, false), (AuthMethod::Basic, true)] {
        let builder =
            Service::builder().account("user", PASSWORD).handler(|_: Invocation, _: Io| async { 0 });
        let builder = if tls { builder.self_signed_tls().basic() } else { builder };
        let service = builder.start().await.unwrap();
        let client = Client::builder(service.url())
            .unwrap()
            .credentials(Credentials::password("user", PASSWORD))
            .auth_method(method);
        let client = match service.pin() {
            Some(pin) => client.pin(pin),
            None => client,
        };
        converse(&client.build().unwrap()).await;
    }
    let log = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    for part in [
        "exchange{endpoint=http://127.0.0.1:",
        "action=\"Create\"",
        "action=\"Command\"",
        "action=\"Delete\"",
        "message_id=\"uuid:",
        "connection=\"new\"",
        "connection=\"reused\"",
        "request_bytes=",
        "response_bytes=",
        "attempts=1",
        "milliseconds=",
        "TLS channel opened",
    ] {
        assert!(log.contains(part), "{part} is missing in\n{log}");
    }
    for secret in ["hunter2", PASSWORD, COMMAND].into_iter().flat_map(in_every_form) {
        assert!(!log.contains(&secret), "{secret} is in\n{log}");
    }
    let basic = STANDARD.encode(format!("user:{PASSWORD}"));
    for token in [basic.as_str(), "TlRMTVNT", "Negotiate Y"] {
        assert!(!log.contains(token), "{token} is in\n{log}");
    }
}

#[derive(Default)]
struct Copies(Mutex<Vec<(bool, u64, String)>>);

impl WireTrace for Copies {
    fn envelope(&self, traced: &TracedEnvelope<'_>) {
        let text = String::from_utf8(traced.envelope.to_vec()).unwrap();
        self.0.lock().unwrap().push((traced.is_request, traced.exchange, text));
    }
}

#[tokio::test]
async fn copies_hold_both_directions_and_not_the_password() {
    logged();
    let service = Service::builder().account("user", PASSWORD).handler(|_: Invocation, _: Io| async { 0 });
    let service = service.start().await.unwrap();
    let copies = Arc::new(Copies::default());
    let client = Client::builder(service.url())
        .unwrap()
        .trace_wire(copies.clone())
        .credentials(Credentials::password("user", PASSWORD))
        .build()
        .unwrap();
    converse(&client).await;
    let copies = copies.0.lock().unwrap();
    let order: Vec<_> = copies.iter().map(|(is_request, number, _)| (*is_request, *number)).collect();
    assert_eq!(order, (1..=4).flat_map(|n| [(true, n), (false, n)]).collect::<Vec<_>>());
    assert!(copies[2].2.contains(COMMAND) && copies[2].2.contains("/password:[password]"), "{}", copies[2].2);
    assert!(copies[7].2.contains("Fault"), "{}", copies[7].2);
    assert!(copies.iter().all(|(_, _, text)| !text.contains("hunter2")));
}
