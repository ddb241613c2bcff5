//! Standard input on its way to every remote command.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use winrm::ChildStdin;

use crate::control::{Control, Reason};
use crate::report::warn;

/// Bytes read at once.
const BLOCK: usize = 64 * 1024;
/// Blocks that a host may be behind: the slowest one sets the pace.
const BLOCKS: usize = 2;

/// One command's share of standard input, which is all of it.
pub(crate) type Input = mpsc::Receiver<Bytes>;

/// Reads standard input for `count` commands.
pub(crate) fn read(count: usize, control: Control) -> Vec<Input> {
    let (senders, inputs): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(BLOCKS)).unzip();
    tokio::spawn(distribute(senders, control));
    inputs
}

async fn distribute(mut commands: Vec<mpsc::Sender<Bytes>>, control: Control) {
    let mut stdin = tokio::io::stdin();
    while !commands.is_empty() {
        let mut block = BytesMut::with_capacity(BLOCK);
        match stdin.read_buf(&mut block).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                // Input that ends too early must not look as if it were complete.
                warn(&format!("cannot read standard input: {error}"));
                control.terminate(Reason::LocalFailure);
                return std::future::pending().await;
            }
        }
        let block = block.freeze();
        let mut listening = Vec::with_capacity(commands.len());
        for command in commands {
            // A command that has ended takes no more.
            if command.send(block.clone()).await.is_ok() {
                listening.push(command);
            }
        }
        commands = listening;
    }
}

/// Hands input over until its end, and then that.
pub(crate) async fn feed(stdin: Option<ChildStdin>, input: Option<Input>) {
    let (Some(mut stdin), Some(mut input)) = (stdin, input) else { return };
    while let Some(block) = input.recv().await {
        // A process that reads no more is no failure; one that is lost says so by itself.
        if stdin.write_all(&block).await.is_err() {
            return;
        }
    }
}
