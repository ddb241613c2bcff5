//! From there to here.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::{Copied, CopyError, FileError, FileFailure, Refusal};
use super::link::{Broken, Receiver, Sender};
use super::names;
use super::options::{Existing, Meter, Options};
use super::outcome::{Stopped, conclude};
use super::remote::{Direction, FarEnd, Remote};
use super::wire::{self, Answer, Entry};
use super::{hex, token};

/// Files asked for before the first of them has come.
const AHEAD: usize = 64;
/// Names of a folder, in bytes: what is copied is held in memory by name.
const MAX_NAMES: usize = if cfg!(test) { 64 * 1024 } else { 256 * 1024 * 1024 };

/// What each of them takes beside its name.
const ENTRY: usize = 128;

/// A file to fetch.
struct Wanted {
    /// Empty for the root itself.
    name: String,
    target: PathBuf,
}

pub(super) async fn download(
    remote: &dyn Remote,
    source: &str,
    target: &Path,
    options: &Options,
) -> Result<Copied, CopyError> {
    let FarEnd { greeting, stdin, stdout, end } =
        remote.start(Direction::Down).await.map_err(CopyError::Start)?;
    let mut fetching = Fetching {
        sender: Sender::new(stdin, greeting),
        receiver: Receiver::new(stdout),
        options,
        meter: Meter::new(options.on_progress.clone(), None),
        copied: Copied { remote: source.to_owned(), ..Copied::default() },
    };
    let result = fetching.everything(source, target).await;
    let Fetching { sender, receiver, copied, .. } = fetching;
    drop((sender, receiver));
    conclude(result, copied, source, end).await
}

struct Fetching<'a> {
    sender: Sender,
    receiver: Receiver,
    options: &'a Options,
    meter: Meter,
    copied: Copied,
}

impl Fetching<'_> {
    async fn everything(&mut self, source: &str, target: &Path) -> Result<(), Stopped> {
        let expands = self.options.expands;
        self.sender.lines(|lines| wire::from(lines, source, expands)).await?;
        // A file is asked for in the same breath, unless it depends on what is here already. A folder says so.
        let at_once = self.options.existing == Existing::Overwrite && !self.options.resume;
        if at_once {
            self.sender.lines(|lines| wire::get(lines, 0, "")).await?;
        }
        self.sender.flush().await?;
        let (is_folder, path) = match self.receiver.answer().await? {
            Answer::Root { is_folder, path } => (is_folder, path),
            Answer::Error(refusal) => return Err(Stopped::Refused(refusal)),
            _ => return Err(Broken::NotUnderstood.into()),
        };
        let target = if self.options.into_folder && target.is_dir() {
            target.join(
                names::base_name(&path).map_err(|reason| Stopped::Source(PathBuf::from(source), reason))?,
            )
        } else {
            target.to_owned()
        };
        self.copied.remote = path;
        if is_folder {
            if !self.options.folders {
                return Err(Stopped::Source(
                    PathBuf::from(source),
                    "is a folder, and only files were asked for",
                ));
            }
            if at_once && !matches!(self.receiver.answer().await?, Answer::Error(_)) {
                return Err(Broken::NotUnderstood.into());
            }
            let wanted = self.list(&target).await?;
            self.files(wanted).await?;
        } else {
            self.meter.total(1, 0);
            let wanted = Wanted { name: String::new(), target };
            if at_once {
                self.file(&wanted, None).await?;
            } else {
                self.single(wanted).await?;
            }
        }
        Ok(())
    }

    /// A file that depends on what is here already.
    async fn single(&mut self, wanted: Wanted) -> Result<(), Stopped> {
        if self.options.existing == Existing::Update {
            self.sender.lines(|lines| wire::look(lines, "")).await?;
            self.sender.flush().await?;
            match self.receiver.answer().await? {
                Answer::File { size, modified, .. } => {
                    if self.is_settled(&wanted, Some(size), modified) {
                        return Ok(());
                    }
                }
                Answer::Error(refusal) => {
                    self.fail(wanted.name, FileError::Remote(refusal));
                    return Ok(());
                }
                _ => return Err(Broken::NotUnderstood.into()),
            }
        } else if self.is_settled(&wanted, None, None) {
            return Ok(());
        }
        self.files(VecDeque::from([wanted])).await
    }

    /// Makes the folders, and says which files are to follow.
    async fn list(&mut self, root: &Path) -> Result<VecDeque<Wanted>, Stopped> {
        self.sender.lines(wire::list).await?;
        self.sender.flush().await?;
        match self.receiver.answer().await? {
            Answer::Listing => {}
            Answer::Error(refusal) => return Err(Stopped::Refused(refusal)),
            _ => return Err(Broken::NotUnderstood.into()),
        }
        make_folder(root).await.map_err(|error| Stopped::Local(root.to_owned(), error))?;
        self.copied.folders += 1;
        let mut wanted = VecDeque::new();
        let (mut files, mut bytes, mut names_len) = (0_u64, 0_u64, 0_usize);
        loop {
            let entry = match self.receiver.answer().await? {
                Answer::Entry(entry) => entry,
                Answer::EndOfListing => break,
                _ => return Err(Broken::NotUnderstood.into()),
            };
            // Whatever it is, and however short, it is held.
            names_len += entry.text_len() + ENTRY;
            if names_len > MAX_NAMES {
                return Err(Broken::NotUnderstood.into());
            }
            let name = match &entry {
                Entry::Folder(name) | Entry::File { path: name, .. } | Entry::Other(name) => name.clone(),
                Entry::Problem(message) => {
                    let message = message.clone();
                    let refusal = Refusal { problem: super::Problem::Other, message };
                    self.copied
                        .failures
                        .push(FileFailure { path: String::new(), error: FileError::Remote(refusal) });
                    continue;
                }
            };
            if name == b"." {
                continue;
            }
            let shown = String::from_utf8_lossy(&name).into_owned();
            let target = match names::from_relative(&name) {
                Ok(path) => root.join(path),
                Err(reason) => {
                    self.copied.failures.push(FileFailure { path: shown, error: FileError::Name(reason) });
                    continue;
                }
            };
            match entry {
                Entry::Folder(_) => match make_folder(&target).await {
                    Ok(()) => self.copied.folders += 1,
                    Err(error) => {
                        let error = FileError::Local(Arc::new(error));
                        self.copied.failures.push(FileFailure { path: shown, error });
                    }
                },
                Entry::File { size, modified, .. } => {
                    files += 1;
                    bytes = bytes.saturating_add(size);
                    let file = Wanted { name: shown, target };
                    if !self.is_settled(&file, Some(size), modified) {
                        wanted.push_back(file);
                    }
                }
                _ => {
                    self.copied.failures.push(FileFailure { path: shown, error: FileError::Special });
                }
            }
        }
        self.meter.total(files, bytes);
        Ok(wanted)
    }

    /// Whether nothing needs to be fetched, as the target is there.
    fn is_settled(&mut self, wanted: &Wanted, size: Option<u64>, modified: Option<SystemTime>) -> bool {
        let Ok(there) = std::fs::symlink_metadata(&wanted.target) else { return false };
        let skipped = match self.options.existing {
            Existing::Overwrite => return false,
            Existing::Refuse => {
                let error = io::Error::from(io::ErrorKind::AlreadyExists);
                self.fail(wanted.name.clone(), FileError::Local(Arc::new(error)));
                return true;
            }
            Existing::Skip => true,
            Existing::Update => Some(there.len()) == size && same_second(there.modified().ok(), modified),
        };
        if skipped {
            self.copied.skipped += 1;
            self.meter.bytes(there.len());
            self.meter.done();
        }
        skipped
    }

    /// Fetches files, and asks for some of them ahead.
    async fn files(&mut self, mut wanted: VecDeque<Wanted>) -> Result<(), Stopped> {
        let mut asked: VecDeque<(Wanted, Option<Begun>)> = VecDeque::new();
        loop {
            while asked.len() < AHEAD
                && let Some(next) = wanted.pop_front()
            {
                let begun =
                    if self.options.resume { Begun::find(&self.copied.remote, &next).await } else { None };
                let offset = begun.as_ref().map_or(0, |begun| begun.size);
                self.sender.lines(|lines| wire::get(lines, offset, &next.name)).await?;
                asked.push_back((next, begun));
            }
            self.sender.flush().await?;
            let Some((next, begun)) = asked.pop_front() else { return Ok(()) };
            if let Some(again) = self.file_or_again(next, begun).await? {
                // What was there of it is not its beginning.
                wanted.push_front(again);
            }
        }
    }

    async fn file_or_again(
        &mut self,
        wanted: Wanted,
        begun: Option<Begun>,
    ) -> Result<Option<Wanted>, Stopped> {
        let was_begun = begun.is_some();
        let failed = self.copied.failures.len();
        self.file(&wanted, begun).await?;
        let corrupt = self
            .copied
            .failures
            .get(failed)
            .is_some_and(|failure| matches!(failure.error, FileError::Corrupt));
        if was_begun && corrupt {
            self.copied.failures.truncate(failed);
            return Ok(Some(wanted));
        }
        Ok(None)
    }

    /// The answer to a `get`, with what follows it.
    async fn file(&mut self, wanted: &Wanted, begun: Option<Begun>) -> Result<(), Stopped> {
        self.meter.file(&wanted.name);
        let (size, modified, offset) = match self.receiver.answer().await? {
            Answer::File { size, modified, offset } if offset <= size => (size, modified, offset),
            Answer::Error(refusal) => {
                self.fail(wanted.name.clone(), FileError::Remote(refusal));
                return Ok(());
            }
            _ => return Err(Broken::NotUnderstood.into()),
        };
        if wanted.name.is_empty() {
            self.meter.total(1, size);
        }
        let resumed = begun.filter(|begun| begun.size == offset);
        if resumed.is_none() && offset != 0 {
            return Err(Broken::NotUnderstood.into());
        }
        let mut hash = resumed.as_ref().map_or_else(Sha256::new, |begun| begun.hash.clone());
        let remote = self.copied.remote.clone();
        let mut sink = Sink::open(&remote, wanted, resumed.is_some(), self.options.resume).await;
        self.meter.bytes(offset);
        let mut left = size - offset;
        while left > 0 {
            let block = match self.receiver.content(left).await {
                Ok(block) => block,
                Err(broken) => {
                    if let Ok(open) = &mut sink {
                        // What does not arrive there is fetched again.
                        let _ = open.file.flush().await;
                    }
                    return Err(broken.into());
                }
            };
            hash.update(&block);
            let count = u64::try_from(block.len()).unwrap_or(left);
            left -= count;
            // With nowhere to put it, it must be taken out of the way all the same.
            if let Ok(open) = &mut sink
                && let Err(error) = open.file.write_all(&block).await
            {
                open.settle();
                sink = Err(error);
            }
            self.meter.bytes(count);
        }
        let answer = self.receiver.answer().await?;
        if let Ok(open) = &mut sink {
            open.settle();
        }
        let Answer::Sum(sum) = answer else {
            return Err(Broken::NotUnderstood.into());
        };
        let modified = modified.filter(|_| self.options.keep_times);
        let ended = match sink {
            Err(error) => Err(FileError::Local(Arc::new(error))),
            Ok(_) if hex(&hash.finalize()) != sum => Err(FileError::Corrupt),
            Ok(sink) => sink
                .finish(&wanted.target, modified, self.options.existing)
                .await
                .map_err(|error| FileError::Local(Arc::new(error))),
        };
        match ended {
            Ok(()) => {
                self.copied.files += 1;
                self.copied.bytes = self.copied.bytes.saturating_add(size);
                self.meter.done();
            }
            Err(error) => self.fail(wanted.name.clone(), error),
        }
        Ok(())
    }

    fn fail(&mut self, path: String, error: FileError) {
        self.copied.failures.push(FileFailure { path, error });
        self.meter.done();
    }
}

/// What an attempt before left of a file.
struct Begun {
    size: u64,
    hash: Sha256,
}

impl Begun {
    async fn find(remote: &str, wanted: &Wanted) -> Option<Self> {
        let mut file = File::open(partial(remote, wanted)).await.ok()?;
        let (mut size, mut hash) = (0_u64, Sha256::new());
        let mut block = vec![0; 256 * 1024];
        loop {
            match file.read(&mut block).await.ok()? {
                0 => break,
                count => {
                    hash.update(block.get(..count)?);
                    size += u64::try_from(count).ok()?;
                }
            }
        }
        (size > 0).then_some(Self { size, hash })
    }
}

/// The name of what is not whole yet: the same for the same file, so that the next attempt finds it.
fn partial(remote: &str, wanted: &Wanted) -> PathBuf {
    let token =
        token(&[remote.as_bytes(), wanted.name.as_bytes(), wanted.target.as_os_str().as_encoded_bytes()]);
    wanted.target.with_file_name(format!(".winrm-{token}.partial"))
}

/// A file on its way in, under a name of its own. It goes when this is dropped, unless it may be gone on with.
struct Sink {
    file: File,
    path: TempPath,
}

impl Sink {
    async fn open(remote: &str, wanted: &Wanted, resumes: bool, keeps: bool) -> io::Result<Self> {
        if wanted.target.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        // A device or a pipe would be replaced by a file of its name.
        if wanted.target.metadata().is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        if keeps {
            let path = partial(remote, wanted);
            let mut options = File::options();
            let file =
                options.create(true).write(true).append(resumes).truncate(!resumes).open(&path).await?;
            let mut path = TempPath::try_from_path(path)?;
            // Whatever ends the copy before all of it is here.
            path.disable_cleanup(true);
            return Ok(Self { file, path });
        }
        let folder = match wanted.target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".winrm-").suffix(".partial");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Of the file that it becomes; the umask takes its share.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let (file, path) = NamedTempFile::into_parts(builder.tempfile_in(folder)?);
        Ok(Self { file: File::from_std(file), path })
    }

    /// All of it is here, or nothing can be made of it: it goes unless it gets its name.
    fn settle(&mut self) {
        self.path.disable_cleanup(false);
    }

    async fn finish(
        mut self,
        target: &Path,
        modified: Option<SystemTime>,
        existing: Existing,
    ) -> io::Result<()> {
        self.file.flush().await?;
        let file = self.file.into_std().await;
        if let Some(modified) = modified {
            // A file system that cannot have it has the content all the same.
            let _ = file.set_modified(modified);
        }
        drop(file);
        if matches!(existing, Existing::Refuse | Existing::Skip) {
            // Somebody may have made it meanwhile.
            return self.path.persist_noclobber(target).map_err(|failed| failed.error);
        }
        self.path.persist(target).map_err(|failed| failed.error)
    }
}

async fn make_folder(path: &Path) -> io::Result<()> {
    match tokio::fs::create_dir(path).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn same_second(one: Option<SystemTime>, other: Option<SystemTime>) -> bool {
    let seconds =
        |time: Option<SystemTime>| Some(time?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs());
    seconds(one).is_some() && seconds(one) == seconds(other)
}

#[cfg(test)]
mod tests {
    use super::super::remote::{End, Starting};
    use super::*;

    /// Lists entries for as long as somebody takes them.
    struct Endless(&'static [u8]);

    impl Remote for Endless {
        fn start(&self, _: Direction) -> Starting<'_> {
            let entry = self.0;
            Box::pin(async move {
                let (ours, mut theirs) = tokio::io::duplex(16 * 1024);
                tokio::spawn(async move {
                    let mut says = theirs.write_all(b"root folder /x\0error is-a-folder x\0listing\0").await;
                    while says.is_ok() {
                        says = theirs.write_all(entry).await;
                    }
                });
                Ok(FarEnd {
                    greeting: Vec::new(),
                    stdin: Box::new(tokio::io::sink()),
                    stdout: Box::new(ours),
                    end: Box::pin(async { End { stderr: "gone mad\n".to_owned(), error: None } }),
                })
            })
        }
    }

    #[tokio::test]
    async fn a_listing_without_end_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        for entry in [&b"f 1 0 a/b\0"[..], b"f 1 0 \0", b"d 0 0 .\0", b"x 0 0 x\0", b"e 0 0 no\0"] {
            let target = folder.path().join("target");
            let copied = download(&Endless(entry), "x", &target, &Options::default()).await;
            let Err(CopyError::NotUnderstood { stderr, .. }) = copied else { panic!("{copied:?}") };
            assert_eq!(stderr, "gone mad\n");
        }
    }
}
