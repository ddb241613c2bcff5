//! What client and service talk about.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use winrm_loopback::{Builder, Invocation, Io, Service, SignalCode};
use winrm_shell::{Command, Error, Shell, Stdio};
use winrm_transport::Client;

pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "right";

/// The first half of what `talk` writes, and the second.
pub(crate) const FIRST: &[u8] = b"first half of the output\r\n";
pub(crate) const SECOND: &[u8] = b"second half\r\n";
/// What `listen` is told, in two parts.
const INPUT: [&[u8]; 2] = [b"some input\r\n", b"and its end\r\n"];

/// A service whose commands do what they are called, and how many were started.
pub(crate) fn service() -> (Builder, Arc<AtomicUsize>) {
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let builder =
        Service::builder().account(USER, PASSWORD).handler(move |invocation: Invocation, io: Io| {
            count.fetch_add(1, Ordering::SeqCst);
            run(invocation, io)
        });
    (builder, started)
}

/// Who reads or writes no more is no reason to panic: faults do that.
async fn run(invocation: Invocation, mut io: Io) -> u32 {
    match invocation.command.as_str() {
        // Two answers, as the pause is longer than the service waits for more.
        "talk" => {
            let _ = io.stdout.write_all(FIRST).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let _ = io.stdout.write_all(SECOND).await;
            7
        }
        // Tells how much it was told.
        "listen" => {
            let mut heard = Vec::new();
            let _ = io.stdin.read_to_end(&mut heard).await;
            let _ = io.stdout.write_all(&heard).await;
            0
        }
        _ => match io.signals.recv().await {
            SignalCode::CtrlC => 130,
            _ => 1,
        },
    }
}

/// One conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Conversation {
    /// One command in a shell of its own, from the first token to Delete.
    Cold,
    /// A command that is given input.
    Input,
    /// Two commands in one shell, the second of which is interrupted.
    Warm,
}

/// How it went: the output of what was to write some, or why not.
pub(crate) type Outcome = Result<Vec<u8>, Error>;

impl Conversation {
    /// Commands that it starts.
    pub(crate) fn commands(self) -> usize {
        match self {
            Self::Cold | Self::Input => 1,
            Self::Warm => 2,
        }
    }

    /// Output, when all goes well.
    pub(crate) fn output(self) -> Vec<u8> {
        match self {
            Self::Cold | Self::Warm => [FIRST, SECOND].concat(),
            Self::Input => INPUT.concat(),
        }
    }

    /// Holds it.
    pub(crate) async fn hold(self, client: &Client) -> Outcome {
        match self {
            Self::Cold => {
                let output = Command::new(client, "talk").output().await?;
                assert_eq!(output.status.raw(), Some(7));
                Ok(output.stdout)
            }
            Self::Input => {
                let mut child = Command::new(client, "listen").stdin(Stdio::piped()).spawn().await?;
                let mut stdin = child.stdin.take().unwrap();
                for part in INPUT {
                    // The process may be lost by now, which its end tells.
                    let _ = stdin.write_all(part).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                drop(stdin);
                let output = child.wait_with_output().await?;
                assert!(output.status.success());
                Ok(output.stdout)
            }
            Self::Warm => {
                let shell = Shell::builder(client).open().await?;
                let output = shell.command("talk").output().await?;
                let mut silent = shell.command("silent").spawn().await?;
                silent.signals().ctrl_c().await?;
                let status = silent.wait().await?;
                assert_eq!(status.raw(), Some(130));
                shell.close().await?;
                Ok(output.stdout)
            }
        }
    }
}
