//! Where the other end of a copy runs, and in what.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use winrm_transport::Client;
use winrm_wsman::CommandLine;

use super::script::Interpreter;
use crate::child::Child;
use crate::command::ONE_SHOT_IDLE;
use crate::error::Error;
use crate::running::{Streams, start};
use crate::shell::{Settings, ShellInner};

/// What a far end may say on standard error before the rest of it is thrown away, in bytes.
const MAX_STDERR: u64 = 16 * 1024;

/// The process at the other end of a copy.
pub struct FarEnd {
    /// To be written first: the script, for an interpreter that waits for it.
    pub greeting: Vec<u8>,
    /// Its standard input.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its end, waited for when its output has ended. Dropping this ends the process.
    pub end: Pin<Box<dyn Future<Output = End> + Send>>,
}

/// How a far end ended.
#[derive(Debug, Default)]
pub struct End {
    /// What it wrote to standard error, in part.
    pub stderr: String,
    /// Why it ended, where it did not end by itself.
    pub error: Option<Error>,
}

/// A far end on its way.
pub type Starting<'a> = Pin<Box<dyn Future<Output = Result<FarEnd, Error>> + Send + 'a>>;

/// Which way contents go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// To the far end.
    Up,
    /// From it.
    Down,
}

/// Starts far ends of copies.
pub trait Remote: Send + Sync {
    /// Starts one.
    fn start(&self, direction: Direction) -> Starting<'_>;
}

/// Far ends as processes of WinRS, each in a shell of its own.
#[derive(Clone, Debug)]
pub struct WinRs {
    client: Client,
    interpreter: Option<Interpreter>,
}

impl WinRs {
    /// On `client`'s host, in the interpreter that the host is known to have by what it calls itself.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), interpreter: None }
    }

    /// In this interpreter.
    pub fn interpreter(mut self, interpreter: Interpreter) -> Self {
        self.interpreter = Some(interpreter);
        self
    }

    async fn spawn(&self) -> Result<(Child, Interpreter), Error> {
        let settings =
            Settings { idle_timeout: Some(ONE_SHOT_IDLE), no_profile: true, ..Settings::default() };
        let shell = ShellInner::open(&self.client, &settings).await?;
        // The shell is open, so the host has said who it is.
        let server = self.client.server();
        let interpreter = self.interpreter.unwrap_or_else(|| Interpreter::of(server.as_deref()));
        let line = CommandLine { command: interpreter.line(), arguments: Vec::new(), command_id: None };
        let streams = Streams {
            preamble: Bytes::new(),
            console: None,
            skip_cmd_shell: false,
            stdin: true,
            stdout: true,
            stderr: true,
        };
        Ok((start(shell, true, line, streams, None).await?, interpreter))
    }
}

impl Remote for WinRs {
    fn start(&self, direction: Direction) -> Starting<'_> {
        Box::pin(async move {
            let (mut child, interpreter) = self.spawn().await?;
            // Both are piped.
            let stdin: Box<dyn AsyncWrite + Send + Unpin> = match child.stdin.take() {
                Some(stdin) => Box::new(stdin),
                None => Box::new(tokio::io::sink()),
            };
            let stdout: Box<dyn AsyncRead + Send + Unpin> = match child.stdout.take() {
                Some(stdout) => Box::new(stdout),
                None => Box::new(tokio::io::empty()),
            };
            Ok(FarEnd {
                greeting: interpreter.greeting(),
                stdin,
                stdout,
                end: Box::pin(end(Ending { child: Some(child), direction })),
            })
        })
    }
}

/// The process, and what becomes of it when nobody waits for its end.
struct Ending {
    child: Option<Child>,
    direction: Direction,
}

impl Drop for Ending {
    /// A far end that was to write files takes away what is not whole once its standard input ends, which it does by now: that is
    /// better than to be ended in the middle of it.
    fn drop(&mut self) {
        if let Some(child) = self.child.take().filter(|_| self.direction == Direction::Up) {
            child.end_tidily();
        }
    }
}

async fn end(mut ending: Ending) -> End {
    let Some(child) = &mut ending.child else { return End::default() };
    let stderr = child.stderr.take();
    let said = async {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            // Why it broke off is what waiting for the process tells.
            let _ = (&mut stderr).take(MAX_STDERR).read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
        }
        String::from_utf8_lossy(&said).into_owned()
    };
    let (stderr, status) = tokio::join!(said, child.wait());
    drop(ending.child.take());
    End { stderr, error: status.err() }
}
