//! The two directions of a copy's conversation.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::wire::{Answer, MAX_ANSWER};

/// Requests and content are gathered up to this many bytes before they are handed on.
const GATHERED: usize = 256 * 1024;
/// Room for what is read at once.
const READ: usize = 256 * 1024;

/// To the far end.
pub(super) struct Sender {
    stdin: Box<dyn AsyncWrite + Send + Unpin>,
    gathered: Vec<u8>,
}

impl Sender {
    pub(super) fn new(stdin: Box<dyn AsyncWrite + Send + Unpin>, greeting: Vec<u8>) -> Self {
        Self { stdin, gathered: greeting }
    }

    /// Requests, which go when there are enough of them.
    pub(super) async fn lines(&mut self, write: impl FnOnce(&mut String)) -> io::Result<()> {
        let mut lines = String::new();
        write(&mut lines);
        self.bytes(lines.as_bytes()).await
    }

    /// Content.
    pub(super) async fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.flush().await?;
        }
        if bytes.len() >= GATHERED {
            return self.stdin.write_all(bytes).await;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands on what was gathered: an answer to it will be waited for.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if !self.gathered.is_empty() {
            self.stdin.write_all(&self.gathered).await?;
            self.gathered.clear();
        }
        self.stdin.flush().await
    }

    /// Nothing comes after this.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        // Without a wait between the two, so that the end goes along.
        if !self.gathered.is_empty() {
            self.stdin.write_all(&self.gathered).await?;
            self.gathered.clear();
        }
        self.stdin.shutdown().await
    }
}

/// Why the conversation cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    /// The far end is gone.
    Ended,
    /// It said what it must not say.
    NotUnderstood,
}

/// From the far end.
pub(super) struct Receiver {
    stdout: Box<dyn AsyncRead + Send + Unpin>,
    buffer: BytesMut,
}

impl Receiver {
    pub(super) fn new(stdout: Box<dyn AsyncRead + Send + Unpin>) -> Self {
        Self { stdout, buffer: BytesMut::new() }
    }

    /// The next answer.
    pub(super) async fn answer(&mut self) -> Result<Answer, Broken> {
        let mut searched = 0;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(0, rest) {
                let answer = self.buffer.split_to(searched + at);
                self.buffer.advance(1);
                return Answer::parse(&answer).ok_or(Broken::NotUnderstood);
            }
            searched = self.buffer.len();
            if searched > MAX_ANSWER {
                return Err(Broken::NotUnderstood);
            }
            self.fill().await?;
        }
    }

    /// At least one byte of content, and at most `most`.
    pub(super) async fn content(&mut self, most: u64) -> Result<Bytes, Broken> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        Ok(self.buffer.split_to(most).freeze())
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        self.buffer.reserve(READ);
        match self.stdout.read_buf(&mut self.buffer).await {
            // Whatever broke it off, the end of the process tells.
            Ok(0) | Err(_) => Err(Broken::Ended),
            Ok(_) => Ok(()),
        }
    }
}
