//! From here to there.

use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::{mpsc, oneshot};

use super::error::{Copied, CopyError, FileError, FileFailure};
use super::link::{Broken, Receiver, Sender};
use super::options::{Meter, Options};
use super::outcome::{Stopped, conclude};
use super::remote::{Direction, FarEnd, Remote};
use super::tree::{SourceFile, Tree};
use super::wire::{self, Answer, Kind, Put, To};
use super::{hex, token};

/// A file up to this size goes without asking whether it is wanted: the answer would take as long.
const UNASKED: u64 = 256 * 1024;
/// Bytes read at once.
const BLOCK: usize = 256 * 1024;
/// Requests whose answers are awaited.
const AHEAD: usize = 1024;

/// What is waited for, in the order of the requests.
enum Awaited {
    Root,
    Folder {
        name: String,
    },
    File {
        name: String,
        size: u64,
        local: Option<oneshot::Receiver<FileError>>,
    },
    /// Whether the file that follows is wanted.
    Go(oneshot::Sender<Option<(u64, String)>>),
}

/// What both directions write down.
struct Shared {
    meter: Mutex<Meter>,
    copied: Mutex<Copied>,
}

impl Shared {
    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copied(&self) -> MutexGuard<'_, Copied> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, path: String, error: FileError) {
        self.copied().failures.push(FileFailure { path, error });
    }
}

pub(super) async fn upload(
    remote: &dyn Remote,
    source: &Path,
    target: &str,
    options: &Options,
) -> Result<Copied, CopyError> {
    let mut tree = Tree::read(source).await?;
    let name = if options.into_folder { Some(local_name(source)?) } else { None };
    let failures = std::mem::take(&mut tree.failures);
    let shared = Shared {
        meter: Mutex::new(Meter::new(
            options.on_progress.clone(),
            Some((u64::try_from(tree.files.len()).unwrap_or(u64::MAX), tree.bytes())),
        )),
        copied: Mutex::new(Copied { remote: target.to_owned(), failures, ..Copied::default() }),
    };
    let FarEnd { greeting, stdin, stdout, end } =
        remote.start(Direction::Up).await.map_err(CopyError::Start)?;
    let mut sender = Sender::new(stdin, greeting);
    let mut receiver = Receiver::new(stdout);
    let (awaits, mut awaited) = mpsc::channel(AHEAD);
    let to = To {
        kind: if tree.is_folder { Kind::Folder } else { Kind::File },
        into: name.as_deref(),
        expands: options.expands,
        path: target,
    };
    let result = {
        let sending = Sending { sender: &mut sender, awaits, shared: &shared, options };
        let mut sending = pin!(sending.everything(&tree, to));
        let mut receiving = pin!(receive(&mut receiver, &mut awaited, &shared));
        let mut sent = None;
        let heard = loop {
            tokio::select! {
                heard = &mut receiving => break heard,
                // Though the far end takes no more, it may have said why.
                ended = &mut sending, if sent.is_none() => sent = Some(ended),
            }
        };
        match sent {
            Some(Err(_)) => heard.and(Err(Broken::Ended.into())),
            _ => heard,
        }
    };
    let copied = shared.copied.into_inner().unwrap_or_else(PoisonError::into_inner);
    drop((sender, receiver));
    conclude(result, copied, target, end).await
}

/// The name that a source has below a folder.
fn local_name(source: &Path) -> Result<String, CopyError> {
    let wrong = |reason| CopyError::Source { path: source.to_owned(), reason };
    let name = match source.file_name() {
        Some(name) => name.to_owned(),
        // `.` and `..` have one too.
        None => std::fs::canonicalize(source)
            .ok()
            .and_then(|path| Some(path.file_name()?.to_owned()))
            .ok_or_else(|| wrong("has no name of its own"))?,
    };
    name.into_string().map_err(|_| wrong("its name is not Unicode"))
}

struct Sending<'a> {
    sender: &'a mut Sender,
    awaits: mpsc::Sender<Awaited>,
    shared: &'a Shared,
    options: &'a Options,
}

impl Sending<'_> {
    async fn everything(mut self, tree: &Tree, to: To<'_>) -> io::Result<()> {
        self.sender.lines(|lines| wire::to(lines, to)).await?;
        self.await_answer(Awaited::Root).await?;
        let root = tree.is_folder.then(String::new);
        for name in root.iter().chain(&tree.folders) {
            self.sender.lines(|lines| wire::folder(lines, name)).await?;
            self.await_answer(Awaited::Folder { name: name.clone() }).await?;
        }
        for file in &tree.files {
            self.shared.meter().file(&file.name);
            if file.size <= UNASKED && !self.options.resume {
                self.small(file).await?;
            } else {
                self.large(file).await?;
            }
        }
        self.sender.finish().await
    }

    /// What waits for an answer must have gone, should there be too much of it.
    async fn await_answer(&mut self, awaited: Awaited) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        match self.awaits.try_send(awaited) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(awaited)) => {
                self.sender.flush().await?;
                self.awaits.send(awaited).await.map_err(|_| gone())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
        }
    }

    fn put<'b>(&self, file: &'b SourceFile, size: u64, waits: bool, token: &'b str) -> Put<'b> {
        Put {
            size,
            existing: self.options.existing,
            waits,
            resumes: waits && self.options.resume,
            token,
            modified: file.modified.filter(|_| self.options.keep_times),
            path: &file.name,
        }
    }

    /// Request, content and digest at once.
    async fn small(&mut self, file: &SourceFile) -> io::Result<()> {
        // It may have grown since it was seen.
        let content = match read_small(&file.path).await {
            Ok(Some(content)) => content,
            Ok(None) => return self.large(file).await,
            Err(error) => {
                self.shared.fail(file.name.clone(), FileError::Local(Arc::new(error)));
                self.shared.meter().done();
                return Ok(());
            }
        };
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let token = token(&[]);
        let put = self.put(file, size, false, &token);
        self.sender.lines(|lines| wire::put(lines, put)).await?;
        self.await_answer(Awaited::File { name: file.name.clone(), size, local: None }).await?;
        self.sender.bytes(&content).await?;
        let digest = hex(&Sha256::digest(&content));
        self.sender.lines(|lines| wire::digest(lines, &digest)).await?;
        self.shared.meter().bytes(size);
        Ok(())
    }

    /// The content only when it is wanted, and from where it is.
    async fn large(&mut self, file: &SourceFile) -> io::Result<()> {
        let opened = match File::open(&file.path).await {
            Ok(opened) => opened.metadata().await.map(|metadata| (opened, metadata.len())),
            Err(error) => Err(error),
        };
        let (source, size) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.shared.fail(file.name.clone(), FileError::Local(Arc::new(error)));
                self.shared.meter().done();
                return Ok(());
            }
        };
        // The same for the same file, so that what is left of an attempt is found by the next.
        let token = if self.options.resume {
            token(&[file.name.as_bytes(), &size.to_be_bytes(), format!("{:?}", file.modified).as_bytes()])
        } else {
            token(&[])
        };
        let put = self.put(file, size, true, &token);
        self.sender.lines(|lines| wire::put(lines, put)).await?;
        let (go, wanted) = oneshot::channel();
        self.await_answer(Awaited::Go(go)).await?;
        let (failed, local) = oneshot::channel();
        let awaited = Awaited::File { name: file.name.clone(), size, local: Some(local) };
        self.await_answer(awaited).await?;
        self.sender.flush().await?;
        let Ok(Some((have, digest))) = wanted.await else { return Ok(()) };

        let mut source = Content { file: source, block: vec![0; BLOCK], hash: Sha256::new() };
        let (offset, mut failure) = match source.skip(have.min(size), &digest).await {
            Ok(offset) => (offset, None),
            Err(error) => (0, Some(error)),
        };
        self.sender.lines(|lines| wire::go_on(lines, offset)).await?;
        self.shared.meter().bytes(offset);
        let mut left = size - offset;
        while left > 0 && failure.is_none() {
            match source.next(left).await {
                Ok(block) => {
                    self.sender.bytes(block).await?;
                    let count = u64::try_from(block.len()).unwrap_or(left);
                    left -= count;
                    self.shared.meter().bytes(count);
                }
                Err(error) => failure = Some(error),
            }
        }
        let digest = match failure {
            None => hex(&source.hash.finalize()),
            Some(error) => {
                // As many bytes as were announced must come; with this digest they are not taken.
                self.pad(left).await?;
                // Nobody listens when the far end is gone.
                let _ = failed.send(error);
                "-".to_owned()
            }
        };
        self.sender.lines(|lines| wire::digest(lines, &digest)).await
    }

    async fn pad(&mut self, mut left: u64) -> io::Result<()> {
        let zeros = vec![0; 64 * 1024];
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
            self.sender.bytes(zeros.get(..count).unwrap_or_default()).await?;
            left -= u64::try_from(count).unwrap_or(left);
        }
        Ok(())
    }
}

/// The content of a file that is no larger than may go unasked.
async fn read_small(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    File::open(path).await?.take(UNASKED + 1).read_to_end(&mut content).await?;
    Ok((u64::try_from(content.len()).is_ok_and(|len| len <= UNASKED)).then_some(content))
}

/// A file as it is read, with the digest of what was read.
struct Content {
    file: File,
    block: Vec<u8>,
    hash: Sha256,
}

impl Content {
    /// The next block, of `left` bytes at most.
    async fn next(&mut self, left: u64) -> Result<&[u8], FileError> {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
        let read = self.file.read(self.block.get_mut(..most).unwrap_or_default()).await;
        let count = match read {
            Ok(0) => return Err(FileError::Changed),
            Ok(count) => count,
            Err(error) => return Err(FileError::Local(Arc::new(error))),
        };
        let block = self.block.get(..count).unwrap_or_default();
        self.hash.update(block);
        Ok(block)
    }

    /// Leaves out as many bytes, if they have this digest: the far end has them then. How many were left out.
    async fn skip(&mut self, have: u64, digest: &str) -> Result<u64, FileError> {
        let mut left = have;
        while left > 0 {
            let block = self.next(left).await?;
            left -= u64::try_from(block.len()).unwrap_or(left);
        }
        if have > 0 && hex(&self.hash.clone().finalize()) == digest {
            return Ok(have);
        }
        self.hash = Sha256::new();
        self.file.rewind().await.map_err(|error| FileError::Local(Arc::new(error)))?;
        Ok(0)
    }
}

async fn receive(
    receiver: &mut Receiver,
    awaited: &mut mpsc::Receiver<Awaited>,
    shared: &Shared,
) -> Result<(), Stopped> {
    // A file that was not wanted has been answered for good.
    let mut judged = None;
    while let Some(next) = awaited.recv().await {
        match next {
            Awaited::Root => match receiver.answer().await? {
                Answer::Root { path, .. } => shared.copied().remote = path,
                Answer::Error(refusal) => return Err(Stopped::Refused(refusal)),
                _ => return Err(Broken::NotUnderstood.into()),
            },
            Awaited::Folder { name } => match receiver.answer().await? {
                Answer::Ok(_) => shared.copied().folders += 1,
                Answer::Error(refusal) if name.is_empty() => return Err(Stopped::Refused(refusal)),
                Answer::Error(refusal) => shared.fail(name, FileError::Remote(refusal)),
                _ => return Err(Broken::NotUnderstood.into()),
            },
            Awaited::Go(go) => match receiver.answer().await? {
                Answer::Go { have, digest } => {
                    // The sender is gone when nobody waits: so will its answers be.
                    let _ = go.send(Some((have, digest)));
                }
                answer @ (Answer::Skipped | Answer::Error(_)) => {
                    judged = Some(answer);
                    let _ = go.send(None);
                }
                _ => return Err(Broken::NotUnderstood.into()),
            },
            Awaited::File { name, size, local } => {
                let answer = match judged.take() {
                    Some(answer) => answer,
                    None => receiver.answer().await?,
                };
                let local = local.and_then(|mut local| local.try_recv().ok());
                match (answer, local) {
                    (Answer::Ok(_), None) => {
                        let mut copied = shared.copied();
                        copied.files += 1;
                        copied.bytes = copied.bytes.saturating_add(size);
                    }
                    (Answer::Skipped, None) => shared.copied().skipped += 1,
                    (Answer::Error(_), Some(error)) => shared.fail(name, error),
                    (Answer::Error(refusal), None) => shared.fail(name, FileError::Remote(refusal)),
                    _ => return Err(Broken::NotUnderstood.into()),
                }
                shared.meter().done();
            }
        }
    }
    Ok(())
}
