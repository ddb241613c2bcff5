//! Commands that do what they are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use winrm_loopback::{Handler, Invocation, Io};

const PATIENCE: Duration = Duration::from_secs(4);

enum Act {
    Write { stream: String, data: Bytes, end: bool, done: oneshot::Sender<()> },
    Read { len: usize, end: bool, read: oneshot::Sender<Vec<u8>> },
    Exit(u32),
}

/// What a command was started with, and the way to it.
type Command = (Invocation, mpsc::UnboundedSender<Act>);

/// The running commands, by their ids.
#[derive(Clone, Default)]
pub(crate) struct Scripts {
    commands: Arc<Mutex<HashMap<String, Command>>>,
}

impl Scripts {
    pub(crate) fn handler(&self) -> impl Handler {
        let commands = Arc::clone(&self.commands);
        move |invocation: Invocation, io: Io| {
            let (sender, acts) = mpsc::unbounded_channel();
            commands.lock().unwrap().insert(invocation.command_id.clone(), (invocation, sender));
            perform(acts, io)
        }
    }

    /// What the handler was given.
    pub(crate) fn invocation(&self, id: &str) -> Invocation {
        self.commands.lock().unwrap()[id].0.clone()
    }

    fn tell(&self, id: &str, act: Act) {
        assert!(self.commands.lock().unwrap()[id].1.send(act).is_ok(), "the command {id} has ended");
    }

    /// Has the command write to a stream, and close it.
    pub(crate) async fn write(&self, id: &str, stream: &str, data: Bytes, end: bool) {
        let (done, written) = oneshot::channel();
        self.tell(id, Act::Write { stream: stream.to_owned(), data, end, done });
        tokio::time::timeout(PATIENCE, written).await.expect("room for a recorded answer").unwrap();
    }

    /// What the command reads: so many bytes, or all there is before the end.
    pub(crate) async fn read(&self, id: &str, len: usize, end: bool) -> Vec<u8> {
        let (read, all) = oneshot::channel();
        self.tell(id, Act::Read { len, end, read });
        tokio::time::timeout(PATIENCE, all).await.expect("as much input as recorded").unwrap()
    }

    pub(crate) fn exit(&self, id: &str, code: u32) {
        self.tell(id, Act::Exit(code));
    }
}

async fn perform(mut acts: mpsc::UnboundedReceiver<Act>, io: Io) -> u32 {
    let Io { mut stdin, stdout, stderr, .. } = io;
    let (mut stdout, mut stderr) = (Some(stdout), Some(stderr));
    while let Some(act) = acts.recv().await {
        match act {
            Act::Write { stream, data, end, done } => {
                let target = if stream == "stdout" { &mut stdout } else { &mut stderr };
                target.as_mut().unwrap().write_all(&data).await.unwrap();
                if end {
                    *target = None;
                }
                done.send(()).unwrap();
            }
            Act::Read { len, end, read } => {
                let mut input = vec![0; len];
                stdin.read_exact(&mut input).await.unwrap();
                if end {
                    stdin.read_to_end(&mut input).await.unwrap();
                }
                read.send(input).unwrap();
            }
            Act::Exit(code) => return code,
        }
    }
    // Nobody wants anything of it any more.
    1
}
