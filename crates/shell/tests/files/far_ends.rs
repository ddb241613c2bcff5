//! Far ends on this machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::Command;
use winrm_shell::files::{Direction, End, FarEnd, Interpreter, Remote, Starting};

/// A process of this machine, without a service in between.
pub(crate) struct Local {
    interpreter: Interpreter,
    /// Before the line.
    prefix: &'static str,
    /// Standard input breaks after so many bytes.
    breaks_after: Option<usize>,
    /// The byte at this place of standard input is another one.
    flips: Option<usize>,
    received: Arc<AtomicUsize>,
}

impl Local {
    pub(crate) fn sh() -> Self {
        Self {
            interpreter: Interpreter::PosixShell,
            prefix: "",
            breaks_after: None,
            flips: None,
            received: Arc::default(),
        }
    }

    pub(crate) fn powershell() -> Self {
        Self { interpreter: Interpreter::PowerShell, ..Self::sh() }
    }

    pub(crate) fn prefix(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// How many bytes its standard output had.
    pub(crate) fn received(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.received)
    }

    pub(crate) fn breaks_after(self, bytes: usize) -> Self {
        Self { breaks_after: Some(bytes), ..self }
    }

    pub(crate) fn flips(self, at: usize) -> Self {
        Self { flips: Some(at), ..self }
    }
}

impl Remote for Local {
    fn start(&self, _: Direction) -> Starting<'_> {
        Box::pin(async move {
            let line = format!("{}{}", self.prefix, self.interpreter.line());
            let mut child = Command::new("sh")
                .args(["-c", &line])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let stdin = child.stdin.take().unwrap();
            let stdin =
                Faulty { stdin: Some(stdin), written: 0, breaks_after: self.breaks_after, flips: self.flips };
            let stdout = Counted { stdout: child.stdout.take().unwrap(), received: self.received() };
            let mut stderr = child.stderr.take().unwrap();
            let end = async move {
                let mut said = String::new();
                stderr.read_to_string(&mut said).await.unwrap();
                child.wait().await.unwrap();
                End { stderr: said, error: None }
            };
            Ok(FarEnd {
                greeting: self.interpreter.greeting(),
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                end: Box::pin(end),
            })
        })
    }
}

struct Counted {
    stdout: tokio::process::ChildStdout,
    received: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = target.filled().len();
        let polled = Pin::new(&mut self.stdout).poll_read(cx, target);
        self.received.fetch_add(target.filled().len() - before, Ordering::Relaxed);
        polled
    }
}

struct Faulty {
    /// None once it is broken.
    stdin: Option<tokio::process::ChildStdin>,
    written: usize,
    breaks_after: Option<usize>,
    flips: Option<usize>,
}

impl AsyncWrite for Faulty {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let left = self.breaks_after.map_or(usize::MAX, |after| after - self.written);
        if left == 0 {
            self.stdin = None;
        }
        let (written, flips) = (self.written, self.flips);
        let Some(stdin) = &mut self.stdin else {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        };
        let mut bytes = bytes[..bytes.len().min(left)].to_vec();
        if let Some(at) = flips.and_then(|at| at.checked_sub(written))
            && at < bytes.len()
        {
            bytes[at] ^= 1;
        }
        let polled = Pin::new(stdin).poll_write(cx, &bytes);
        if let Poll::Ready(Ok(count)) = &polled {
            self.written += count;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stdin.as_mut().map_or(Poll::Ready(Ok(())), |stdin| Pin::new(stdin).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}

/// Bytes that repeat nowhere near.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

/// Files below a folder with their contents, folders with none.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.insert(name, None);
                folders.push(path);
            } else {
                found.insert(name, Some(std::fs::read(path).unwrap()));
            }
        }
    }
    found
}

/// A folder with everything that names and sizes can do.
pub(crate) fn write_tree(root: &Path) {
    for folder in ["empty", "deep/er/est", "-n", "ünï cøde"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    for (name, len) in [
        ("empty.txt", 0),
        ("one", 1),
        ("deep/er/est/block.bin", 262_144),
        ("deep/er/large.bin", 700_001),
        ("it's \"quoted\" $HOME `x` 100% & (more)", 10),
        ("back\\slash", 11),
        ("line\nbreak", 12),
        ("-rf", 13),
        ("-n/- -", 14),
        ("ünï cøde/日本語 𝄞.txt", 15),
        (" leading and trailing ", 16),
        ("*?[a]", 17),
    ] {
        std::fs::write(root.join(name), noise(len)).unwrap();
    }
}
