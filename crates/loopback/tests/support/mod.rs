//! A client made of raw bytes and the initiator halves; nothing of the real client's HTTP.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use winrm_loopback::{Builder, Service};
use winrm_ntlm::{Credentials, client};
use winrm_spnego::{Initiator, Mechanism as _, Progress, Step};
use winrm_transport::auth::NtlmInitiator;
use winrm_wsman::encrypted::{self, Layout};
use winrm_wsman::{
    Body, CommandLine, Fault, Header, Message, Receive, ReceiveResponse, Selector, Send, Shell, Signal,
    Stream, XsDuration, uri,
};

pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(4);

/// A service with the test's account.
pub(crate) fn builder() -> Builder {
    Service::builder().account(USER, PASSWORD)
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: BytesMut,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The token in `WWW-Authenticate: Negotiate`.
    pub(crate) fn token(&self) -> Option<Vec<u8>> {
        let (scheme, token) = self.header("www-authenticate")?.split_once(' ')?;
        assert_eq!(scheme, "Negotiate");
        Some(STANDARD.decode(token).unwrap())
    }
}

/// A connection that sends what it is told.
pub(crate) struct Raw {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Raw {
    pub(crate) async fn connect(service: &Service) -> Self {
        Self { stream: TcpStream::connect(service.addr()).await.unwrap(), buffer: BytesMut::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer; `None` when the connection ends before it is complete.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.read_reply()).await.expect("an answer in time")
    }

    async fn read_reply(&mut self) -> Option<Reply> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        };
        let head = String::from_utf8(self.buffer.split_to(end).to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: BytesMut::new() };
        let len = reply.header("content-length").map_or(0, |len| len.parse().unwrap());
        while self.buffer.len() < len {
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
        reply.body = self.buffer.split_to(len);
        Some(reply)
    }

    /// A POST to `/wsman` with these headers and this body.
    pub(crate) async fn post(&mut self, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        let mut head = format!("POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n", body.len());
        for &(name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        self.send(&[head.as_bytes(), body].concat()).await;
        self.reply().await
    }
}

/// The security context of a client.
pub(crate) enum Context {
    Spnego(Box<Initiator<NtlmInitiator>>),
    Bare(Box<NtlmInitiator>),
}

impl Context {
    pub(crate) fn spnego(user: &str, password: &str) -> Self {
        let ntlm = NtlmInitiator::new(Credentials::password(user, password), client::Config::default());
        Self::Spnego(Box::new(Initiator::new(vec![ntlm])))
    }

    pub(crate) fn bare(user: &str, password: &str) -> Self {
        Self::Bare(Box::new(NtlmInitiator::new(
            Credentials::password(user, password),
            client::Config::default(),
        )))
    }

    /// The next token to send, given the server's.
    pub(crate) fn step(&mut self, token: Option<&[u8]>) -> Option<Vec<u8>> {
        match self {
            Self::Spnego(initiator) => match initiator.step(token).unwrap() {
                Progress::Continue(token) => Some(token),
                Progress::Established(token) => token,
            },
            Self::Bare(ntlm) => match ntlm.step(token).unwrap() {
                Step::Continue(token) => Some(token),
                Step::Done(token) => token,
            },
        }
    }

    /// Takes the server's last token, or that there was none.
    pub(crate) fn finish(&mut self, token: Option<&[u8]>) {
        match self {
            Self::Spnego(initiator) => {
                let progress = initiator.step(token).expect("a last token that is right");
                assert_eq!(progress, Progress::Established(None));
            }
            Self::Bare(_) => assert_eq!(token, None, "bare NTLM has no last token"),
        }
    }

    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Bytes {
        let mut buffer = encrypted::buffer(plaintext.len());
        buffer.extend_from_slice(plaintext);
        let layout = Layout::spnego();
        match self {
            Self::Spnego(initiator) => encrypted::seal(&layout, buffer, |m| initiator.wrap(m)).unwrap(),
            Self::Bare(ntlm) => encrypted::seal(&layout, buffer, |m| ntlm.wrap(m)).unwrap(),
        }
    }

    pub(crate) fn open(&mut self, reply: &Reply) -> Result<BytesMut, String> {
        let content_type = reply.header("content-type").unwrap_or_default().to_owned();
        let body = reply.body.clone();
        match self {
            Self::Spnego(initiator) => encrypted::open(&content_type, body, |h, m| initiator.unwrap(h, m))
                .map_err(|error| format!("{error:?}")),
            Self::Bare(ntlm) => encrypted::open(&content_type, body, |h, m| ntlm.unwrap(h, m))
                .map_err(|error| format!("{error:?}")),
        }
    }
}

/// `Content-Type` of a sealed body.
pub(crate) fn sealed_type() -> String {
    Layout::spnego().content_type()
}

/// A logged-on connection that speaks WS-Management.
pub(crate) struct Client {
    pub(crate) raw: Raw,
    pub(crate) context: Context,
    pub(crate) timeout: Duration,
    pub(crate) max_envelope_size: u32,
    pub(crate) session_id: Option<String>,
}

impl Client {
    pub(crate) async fn log_on(service: &Service) -> Self {
        Self::log_on_with(service, Context::spnego(USER, PASSWORD)).await
    }

    pub(crate) async fn log_on_with(service: &Service, mut context: Context) -> Self {
        let mut raw = Raw::connect(service).await;
        let authenticate = challenge(&mut raw, &mut context).await;
        let reply = raw.post(&[("Authorization", &negotiate(&authenticate))], b"").await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (200, 0));
        context.finish(reply.token().as_deref());
        Self { raw, context, timeout: Duration::from_secs(3), max_envelope_size: 153_600, session_id: None }
    }

    pub(crate) fn header(&self, action: &str, shell: &str) -> Header {
        let mut header = Header::request("http://h/wsman", uri::RESOURCE_URI_CMD, action);
        header.operation_timeout = Some(XsDuration::try_from(self.timeout).unwrap());
        header.max_envelope_size = Some(self.max_envelope_size);
        header.session_id.clone_from(&self.session_id);
        if !shell.is_empty() {
            header.selectors.push(Selector::new("ShellId", shell));
        }
        header
    }

    /// Sends a sealed plaintext and returns status and plaintext of the answer.
    pub(crate) async fn exchange(&mut self, plaintext: &[u8]) -> (u16, BytesMut) {
        let reply = self.send(plaintext).await.expect("an answer");
        let plaintext = self.context.open(&reply).expect("a sealed answer");
        (reply.status, plaintext)
    }

    /// Sends a sealed plaintext and returns the answer as it comes.
    pub(crate) async fn send(&mut self, plaintext: &[u8]) -> Option<Reply> {
        let sealed = self.context.seal(plaintext);
        self.raw.post(&[("Content-Type", &sealed_type())], &sealed).await
    }

    /// Asks, and checks what every answer must have.
    pub(crate) async fn request(&mut self, header: Header, body: Body) -> (u16, Message) {
        let request = Message::new(header, body);
        let (status, plaintext) = self.exchange(&request.encode().unwrap()).await;
        let answer = Message::decode(&plaintext).unwrap();
        assert!(answer.header.relates_to(&request.header));
        assert_eq!(status == 500, matches!(answer.body, Body::Fault(_)), "status {status}");
        if let Some(size) = request.header.max_envelope_size {
            assert!(plaintext.len() <= usize::try_from(size).unwrap(), "{} bytes", plaintext.len());
        }
        (status, answer)
    }

    /// The code of the fault that the request must bring.
    pub(crate) async fn fault(&mut self, header: Header, body: Body) -> u32 {
        let (_, answer) = self.request(header, body).await;
        answer.as_fault().and_then(Fault::wsman_code).expect("a fault").0
    }

    pub(crate) async fn create(&mut self) -> String {
        self.create_with(Shell::default()).await
    }

    pub(crate) async fn create_with(&mut self, shell: Shell) -> String {
        let shell = Shell {
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..shell
        };
        let header = self.header(uri::ACTION_CREATE, "");
        match self.request(header, Body::Create(Box::new(shell))).await.1.body {
            Body::CreateResponse(response) => response.shell_id().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn delete(&mut self, shell: &str) {
        let header = self.header(uri::ACTION_DELETE, shell);
        let (_, answer) = self.request(header, Body::Delete).await;
        assert_eq!(answer.body, Body::DeleteResponse);
    }

    pub(crate) async fn command(&mut self, shell: &str, command: &str, arguments: &[&str]) -> String {
        match self.request(self.header(uri::ACTION_COMMAND, shell), line(command, arguments)).await.1.body {
            Body::CommandResponse(response) => response.command_id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn receive(&mut self, shell: &str, command: &str) -> ReceiveResponse {
        match self.request(self.header(uri::ACTION_RECEIVE, shell), receive(command)).await.1.body {
            Body::ReceiveResponse(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn input(&mut self, shell: &str, command: &str, data: &[u8], end: bool) -> Message {
        let stream = Stream {
            name: "stdin".to_owned(),
            command_id: Some(command.to_owned()),
            end,
            data: Bytes::copy_from_slice(data),
        };
        let body = Body::Send(Send { streams: vec![stream] });
        self.request(self.header(uri::ACTION_SEND, shell), body).await.1
    }

    pub(crate) async fn signal(&mut self, shell: &str, command: &str, code: &str) {
        let (_, answer) = self.request(self.header(uri::ACTION_SIGNAL, shell), signal(command, code)).await;
        assert_eq!(answer.body, Body::SignalResponse);
    }

    /// Receives until the command is done.
    pub(crate) async fn finish(&mut self, shell: &str, command: &str) -> Finished {
        let mut finished = Finished::default();
        loop {
            let response = self.receive(shell, command).await;
            finished.receives += 1;
            for stream in response.streams {
                assert_eq!(stream.command_id.as_deref(), Some(command));
                assert!(!stream.end || stream.data.is_empty());
                match stream.name.as_str() {
                    "stdout" => finished.stdout.extend_from_slice(&stream.data),
                    "stderr" => finished.stderr.extend_from_slice(&stream.data),
                    other => panic!("stream {other}"),
                }
                finished.ends += usize::from(stream.end);
            }
            if let Some(code) = response.command_state.and_then(|state| state.exit_code) {
                finished.exit_code = code.0;
                return finished;
            }
        }
    }
}

/// What a command left behind.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) exit_code: u32,
    pub(crate) receives: usize,
    pub(crate) ends: usize,
}

impl Finished {
    pub(crate) fn text(&self) -> (&str, &str, u32) {
        (
            std::str::from_utf8(&self.stdout).unwrap(),
            std::str::from_utf8(&self.stderr).unwrap(),
            self.exit_code,
        )
    }
}

pub(crate) fn line(command: &str, arguments: &[&str]) -> Body {
    Body::Command(CommandLine {
        command: command.to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        command_id: None,
    })
}

pub(crate) fn receive(command: &str) -> Body {
    Body::Receive(Receive {
        command_id: Some(command.to_owned()),
        desired_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
    })
}

pub(crate) fn signal(command: &str, code: &str) -> Body {
    Body::Signal(Signal { command_id: Some(command.to_owned()), code: code.to_owned() })
}

/// Sends the first token and returns the second.
pub(crate) async fn challenge(raw: &mut Raw, context: &mut Context) -> Vec<u8> {
    let first = context.step(None).unwrap();
    let reply = raw.post(&[("Authorization", &negotiate(&first))], b"").await.unwrap();
    assert_eq!(reply.status, 401);
    context.step(Some(&reply.token().expect("a challenge"))).unwrap()
}

pub(crate) fn negotiate(token: &[u8]) -> String {
    format!("Negotiate {}", STANDARD.encode(token))
}
