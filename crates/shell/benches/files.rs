//! Copies of files against what the sealed transport itself carries, and against one process for each chunk.
//!
//! Client, service and the processes it starts share the machine, so the figures mean something next to each other only:
//! the ratios at the end. A copy is timed right after the same amount of bytes through the bare transport, and the ratio is
//! the median of those pairs. `CI` in the environment makes everything smaller.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use winrm_loopback::{Handler, Invocation, Io, LocalProcess, Running, Service};
use winrm_shell::Shell;
use winrm_shell::files::{Download, Upload, WinRs};
use winrm_transport::{Client, Credentials};
use winrm_wsman::{
    Body, CommandLine, Header, Message, Receive, Selector, Send, Stream, WsOption, message_id, uri,
};

/// Of content for each process, in the way of clients that start one for each chunk: with base64 and a command around it this fills
/// the 8191 characters that a line of `cmd` holds.
const CHUNK: usize = 6000;
/// Chunks that are timed; more would take as long each.
const CHUNKS: usize = 32;
/// Of an envelope, around the input in it.
const AROUND: usize = 2048;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bench = Bench::new(&runtime);
    let ratios = bench.run(&mut criterion);
    criterion.final_summary();
    // One unoptimized round says nothing.
    if measures() {
        print!("{ratios}");
    }
}

/// `discard` reads its input, `zeros` writes as many bytes as its argument says; all else runs on this machine.
struct Ends(LocalProcess);

impl Handler for Ends {
    fn run(&self, invocation: Invocation, io: Io) -> Running {
        match invocation.command.as_str() {
            "discard" => Box::pin(discard(io)),
            "zeros" => Box::pin(zeros(invocation, io)),
            _ => self.0.run(invocation, io),
        }
    }
}

async fn discard(mut io: Io) -> u32 {
    let mut buffer = vec![0; 512 * 1024];
    while io.stdin.read(&mut buffer).await.unwrap() > 0 {}
    0
}

async fn zeros(invocation: Invocation, mut io: Io) -> u32 {
    let mut left: usize = invocation.arguments.first().unwrap().parse().unwrap();
    let block = vec![0; 256 * 1024];
    while left > 0 {
        let len = left.min(block.len());
        io.stdout.write_all(block.get(..len).unwrap()).await.unwrap();
        left -= len;
    }
    0
}

struct Bench<'a> {
    runtime: &'a Runtime,
    client: Client,
    _service: Service,
    /// Bytes of a copy.
    size: usize,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(runtime: &'a Runtime) -> Self {
        let size = if in_ci() || !measures() { 8_000_000 } else { 64_000_000 };
        let handler = Ends(LocalProcess::new());
        let service =
            runtime.block_on(Service::builder().account("user", "password").handler(handler).start());
        let service = service.unwrap();
        let credentials = Credentials::password("user", "password");
        let client = Client::builder(service.url()).unwrap().credentials(credentials).build().unwrap();
        let bench = Self { runtime, client, _service: service, size, folder: tempfile::tempdir().unwrap() };
        std::fs::write(bench.path("source"), noise(size)).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, criterion: &mut Criterion) -> String {
        let bytes = |len: usize| Throughput::BytesDecimal(u64::try_from(len).unwrap());
        let mut group = criterion.benchmark_group("files");
        group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(1));
        group.measurement_time(Duration::from_secs(10)).throughput(bytes(self.size));
        let (uploads, downloads) = (Pairs::default(), Pairs::default());
        let chunks = Times::default();
        group.bench_function("transport: Send", |b| b.iter_custom(|n| many(n, || self.sends())));
        group.bench_function("upload", |b| {
            b.iter_custom(|n| many(n, || uploads.add(self.sends(), self.upload())));
        });
        group.bench_function("transport: Receive", |b| b.iter_custom(|n| many(n, || self.receives())));
        group.bench_function("download", |b| {
            b.iter_custom(|n| many(n, || downloads.add(self.receives(), self.download())));
        });
        group.throughput(bytes(CHUNK * CHUNKS));
        group.bench_function("a process for each chunk", |b| {
            b.iter_custom(|n| many(n, || chunks.add(self.processes())));
        });
        group.finish();

        let mut text = String::new();
        if let Some(ratio) = uploads.ratio() {
            let _ = writeln!(text, "upload / transport: {ratio:.2} (goal: 0.60)");
        }
        if let Some(ratio) = downloads.ratio() {
            let _ = writeln!(text, "download / transport: {ratio:.2} (goal: 0.60)");
        }
        let per_byte = |time: Option<Duration>, len: usize| Some(time?.as_secs_f64() / to_f64(len));
        if let (Some(chunk), Some(upload)) =
            (per_byte(chunks.median(), CHUNK * CHUNKS), per_byte(uploads.copies.median(), self.size))
        {
            let _ = writeln!(
                text,
                "upload / a process for each chunk: {:.0} (goal: 20; per byte, of {CHUNKS} chunks of {CHUNK} bytes \
                 against {} MB)",
                chunk / upload,
                self.size / 1_000_000,
            );
        }
        text
    }

    /// Input in envelopes as full as the service takes, one after the other.
    fn sends(&self) -> Duration {
        self.runtime.block_on(async {
            let command = Raw::start(&self.client, "discard", Vec::new()).await;
            let budget = (self.client.max_request_size() - AROUND) / 4 * 3;
            let data = Bytes::from(noise(budget));
            let begin = Instant::now();
            let mut left = self.size;
            while left > 0 {
                let len = left.min(budget);
                left -= len;
                command.send(data.slice(..len), left == 0).await;
            }
            let received = command.receive().await;
            let time = begin.elapsed();
            assert!(received.is_none(), "the process has ended");
            command.delete().await;
            time
        })
    }

    /// Output in envelopes as full as the service makes them, one after the other.
    fn receives(&self) -> Duration {
        self.runtime.block_on(async {
            let command = Raw::start(&self.client, "zeros", vec![self.size.to_string()]).await;
            let begin = Instant::now();
            let mut len = 0;
            while let Some(received) = command.receive().await {
                len += received;
            }
            let time = begin.elapsed();
            // The last of it comes with the end.
            assert!(len <= self.size, "{len}");
            command.delete().await;
            time
        })
    }

    fn upload(&self) -> Duration {
        let (source, target) = (self.path("source"), self.path("uploaded"));
        // What writing over an old file costs is not the question.
        let _ = std::fs::remove_file(&target);
        let begin = Instant::now();
        let remote = WinRs::new(&self.client);
        self.runtime.block_on(Upload::new(remote, source, text(&target)).into_future()).unwrap();
        begin.elapsed()
    }

    fn download(&self) -> Duration {
        let (source, target) = (self.path("source"), self.path("downloaded"));
        let _ = std::fs::remove_file(&target);
        let begin = Instant::now();
        let remote = WinRs::new(&self.client);
        self.runtime.block_on(Download::new(remote, text(&source), target).into_future()).unwrap();
        begin.elapsed()
    }

    /// A command line for each chunk, in one open shell, as clients do it that know of no standard input.
    fn processes(&self) -> Duration {
        let target = self.path("chunks");
        let _ = std::fs::remove_file(&target);
        let content = noise(CHUNK * CHUNKS);
        let time = self.runtime.block_on(async {
            let shell = Shell::builder(&self.client).open().await.unwrap();
            let begin = Instant::now();
            for chunk in content.chunks(CHUNK) {
                let line = format!("echo {} | base64 -d >>'{}'", BASE64.encode(chunk), text(&target));
                let output = shell.raw_command(line).output().await.unwrap();
                assert!(output.status.success());
            }
            let time = begin.elapsed();
            shell.close().await.unwrap();
            time
        });
        assert!(std::fs::read(&target).unwrap() == content);
        time
    }
}

/// A command in a shell of its own, by bare requests.
struct Raw<'a> {
    client: &'a Client,
    session_id: String,
    shell_id: String,
    command_id: String,
}

impl<'a> Raw<'a> {
    async fn start(client: &'a Client, command: &str, arguments: Vec<String>) -> Self {
        let mut raw =
            Self { client, session_id: message_id(), shell_id: String::new(), command_id: String::new() };
        let shell = winrm_wsman::Shell {
            input_streams: vec!["stdin".to_owned()],
            output_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
            ..winrm_wsman::Shell::default()
        };
        let created = raw.request(uri::ACTION_CREATE, Vec::new(), Body::Create(Box::new(shell))).await;
        let Body::CreateResponse(created) = created else { unreachable!("{created:?}") };
        created.shell_id().unwrap().clone_into(&mut raw.shell_id);
        let options = vec![WsOption::new(uri::OPTION_CONSOLE_MODE_STDIN, "FALSE")];
        let line = CommandLine { command: command.to_owned(), arguments, command_id: None };
        let started = raw.request(uri::ACTION_COMMAND, options, Body::Command(line)).await;
        let Body::CommandResponse(started) = started else { unreachable!("{started:?}") };
        raw.command_id = started.command_id;
        raw
    }

    fn header(&self, action: &str) -> Header {
        let mut header = self.client.header(uri::RESOURCE_URI_CMD, action);
        header.session_id = Some(self.session_id.clone());
        if !self.shell_id.is_empty() {
            header.selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, &self.shell_id)];
        }
        header
    }

    async fn request(&self, action: &str, options: Vec<WsOption>, body: Body) -> Body {
        let mut header = self.header(action);
        header.options = options;
        self.client.request(Message::new(header, body)).await.unwrap().body
    }

    async fn send(&self, data: Bytes, end: bool) {
        let command_id = Some(self.command_id.clone());
        let stream = Stream { name: "stdin".to_owned(), command_id, end, data };
        self.request(uri::ACTION_SEND, Vec::new(), Body::Send(Send { streams: vec![stream] })).await;
    }

    /// How many bytes of output came; `None` with the last of them, when the command has ended.
    async fn receive(&self) -> Option<usize> {
        let body = Body::Receive(Receive {
            command_id: Some(self.command_id.clone()),
            desired_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
        });
        let received = self.request(uri::ACTION_RECEIVE, Vec::new(), body).await;
        let Body::ReceiveResponse(received) = received else { unreachable!("{received:?}") };
        let has_ended = received.command_state.is_some_and(|state| state.exit_code.is_some());
        (!has_ended).then(|| received.streams.iter().map(|stream| stream.data.len()).sum())
    }

    async fn delete(&self) {
        self.request(uri::ACTION_DELETE, Vec::new(), Body::Delete).await;
    }
}

/// What was timed, in any order.
#[derive(Default)]
struct Times(RefCell<Vec<Duration>>);

impl Times {
    fn add(&self, time: Duration) -> Duration {
        self.0.borrow_mut().push(time);
        time
    }

    fn median(&self) -> Option<Duration> {
        let mut times = self.0.borrow().clone();
        times.sort();
        times.get(times.len() / 2).copied()
    }
}

/// Copies, each with the bare transport just before it.
#[derive(Default)]
struct Pairs {
    copies: Times,
    ratios: RefCell<Vec<f64>>,
}

impl Pairs {
    fn add(&self, transport: Duration, copy: Duration) -> Duration {
        self.ratios.borrow_mut().push(transport.as_secs_f64() / copy.as_secs_f64());
        self.copies.add(copy)
    }

    fn ratio(&self) -> Option<f64> {
        let mut ratios = self.ratios.borrow().clone();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied()
    }
}

fn many(times: u64, once: impl Fn() -> Duration) -> Duration {
    (0..times).map(|_| once()).sum()
}

/// Else everything is done once, to see that it works: criterion goes by the same.
fn measures() -> bool {
    let has = |option: &str| std::env::args().any(|argument| argument == option);
    has("--bench") && !has("--test")
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn to_f64(len: usize) -> f64 {
    f64::from(u32::try_from(len).unwrap())
}

/// Bytes without a pattern, the same each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        // xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
