//! Standard input on its way to every remote command.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use winrm::ChildStdin;

use crate::args::{Connection, Targets};
use crate::control::{self, Control, Reason, Wish};
use crate::fan::stopped;
use crate::report::{Failure, warn};

/// Bytes read at once.
const BLOCK: usize = 64 * 1024;
/// Blocks that a host may be behind: the slowest one sets the pace.
const BLOCKS: usize = 2;
/// What is gathered, in bytes, where commands begin only after others have ended.
const MAX_GATHERED: u64 = 256 * 1024 * 1024;

/// One command's share of standard input, which is all of it.
pub(crate) enum Input {
    /// As it comes.
    Stream(mpsc::Receiver<Bytes>),
    /// All of it.
    Whole(Bytes),
}

/// Standard input for each of `count` hosts, of which so many begin at once.
///
/// It is streamed where that is all of them. Where some wait for others to end, nobody could keep it for them, so that it is gathered
/// first.
pub(crate) async fn for_hosts(count: usize, at_once: usize, control: Control) -> Result<Vec<Input>, Failure> {
    if count <= at_once {
        return Ok(read(count, control));
    }
    let mut all = Vec::new();
    let mut wishes = control.subscribe();
    let mut stdin = tokio::io::stdin().take(MAX_GATHERED + 1);
    tokio::select! {
        read = stdin.read_to_end(&mut all) => {
            read.map_err(|error| Failure::caused_by("cannot read standard input", &error))?;
        }
        wish = control::wanted(&mut wishes, |wish| *wish != Wish::Run) => return Err(stopped(wish)),
    }
    if u64::try_from(all.len()).is_ok_and(|len| len > MAX_GATHERED) {
        return Err(Failure::new("too much input to keep for the hosts that wait for others to end")
            .with_remedy("let all of them begin at once: a larger --parallel"));
    }
    let all = Bytes::from(all);
    Ok((0..count).map(|_| Input::Whole(all.clone())).collect())
}

/// Refuses options of which each would read standard input: the second would find nothing.
pub(crate) fn read_once(
    targets: &Targets,
    connection: &Connection,
    other: Option<&str>,
) -> Result<(), Failure> {
    let lists = targets.targets.iter().filter(|name| name.strip_prefix('@').is_some_and(is_standard_input));
    let file = connection.password_file.as_deref().filter(|file| is_standard_input(file));
    let readers: Vec<String> = lists
        .cloned()
        .chain(file.map(|file| format!("--password-file {}", file.display())))
        .chain(connection.password_stdin.then(|| "--password-stdin".to_owned()))
        .chain(other.map(str::to_owned))
        .collect();
    match readers.as_slice() {
        [one, other, ..] => Err(Failure::new(format!("{one} and {other} would both read standard input"))),
        _ => Ok(()),
    }
}

/// Whether it is one of the names of standard input, where it has any.
fn is_standard_input(file: impl AsRef<Path>) -> bool {
    const NAMES: [&str; 4] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/proc/thread-self/fd/0"];
    NAMES.iter().any(|name| file.as_ref() == Path::new(name))
}

/// Reads standard input for `count` commands.
fn read(count: usize, control: Control) -> Vec<Input> {
    let (senders, inputs): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(BLOCKS)).unzip();
    tokio::spawn(distribute(senders, control));
    inputs.into_iter().map(Input::Stream).collect()
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
    let (Some(mut stdin), Some(input)) = (stdin, input) else { return };
    // A process that reads no more is no failure; one that is lost says so by itself.
    match input {
        Input::Stream(mut blocks) => {
            while let Some(block) = blocks.recv().await {
                if stdin.write_all(&block).await.is_err() {
                    return;
                }
            }
        }
        Input::Whole(all) => drop(stdin.write_all(&all).await),
    }
}
