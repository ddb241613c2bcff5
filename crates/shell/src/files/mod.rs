//! Files and folders to a host and from it.
//!
//! ```no_run
//! use winrm_shell::files::{Existing, Upload, WinRs};
//! # async fn run(client: winrm_transport::Client) -> Result<(), winrm_shell::files::CopyError> {
//! let copied = Upload::new(WinRs::new(&client), "site.zip", r"C:\inetpub\site.zip")
//!     .existing(Existing::Update)
//!     .on_progress(|progress| println!("{} bytes", progress.bytes))
//!     .await?;
//! println!("{} bytes to {}", copied.bytes, copied.remote);
//! # Ok(())
//! # }
//! ```
//!
//! One process at the far end reads a script and then files from its standard input, or writes them to its standard output, so
//! that each byte crosses once, in messages as large as the host takes. A file is written under a temporary name
//! (`.winrm-….partial` beside the target), compared by SHA-256 with what was sent, given its time of modification, and only then
//! named as it shall be. What does not arrive whole leaves nothing under that name.
//!
//! | module | knows |
//! |---|---|
//! | `upload`, `download` | one direction each |
//! | `wire`, `link` | what both ends say to each other, and how it gets there |
//! | `script` | the far end's part, in PowerShell and POSIX `sh` |
//! | `remote` | where the far end runs |
//! | `tree`, `names` | what is sent, and which names are safe |
//!
//! Names in a folder are held in memory, contents never are. Links to files are followed, links to folders are not. Left out:
//! owners, rights and other attributes, alternate data streams, copies from host to host.

mod download;
mod error;
mod link;
mod names;
mod options;
mod outcome;
mod remote;
mod script;
mod tree;
mod upload;
mod wire;

use std::fmt;
use std::fmt::Write as _;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::error::{Copied, CopyError, FileError, FileFailure, Problem, Refusal};
use self::options::Options;
pub use self::options::{Existing, Progress};
pub use self::remote::{Direction, End, FarEnd, Remote, Starting, WinRs};
pub use self::script::Interpreter;

/// A copy on its way.
pub type Copying = Pin<Box<dyn Future<Output = Result<Copied, CopyError>> + Send>>;

macro_rules! options {
    () => {
        /// What happens to targets that are there already; [`Existing::Overwrite`] unless set.
        pub fn existing(mut self, existing: Existing) -> Self {
            self.options.existing = existing;
            self
        }

        /// Goes on where an attempt before broke off, if that was made with this too: what is there is compared by SHA-256
        /// first. What breaks off stays for the next attempt.
        pub fn resume(mut self, resume: bool) -> Self {
            self.options.resume = resume;
            self
        }

        /// Gives the copy the source's time of modification, unless set to `false`.
        pub fn keep_times(mut self, keep: bool) -> Self {
            self.options.keep_times = keep;
            self
        }

        /// Replaces environment variables in the remote path, and `~` at its beginning, unless set to `false`: `%TEMP%` and
        /// `$env:TEMP` on Windows, `$HOME` and `${HOME}` elsewhere. Names of variables that are not set stay.
        pub fn expand(mut self, expand: bool) -> Self {
            self.options.expands = expand;
            self
        }

        /// Where the target is a folder, copies into it under the source's name, as `cp` does. Unless set, the target is the
        /// name of the copy.
        pub fn into_folder(mut self, into: bool) -> Self {
            self.options.into_folder = into;
            self
        }

        /// Is told how far the copy is, often: it should return at once.
        pub fn on_progress(mut self, on_progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
            self.options.on_progress = Some(Arc::new(on_progress));
            self
        }
    };
}

/// A file or folder from here to a host; await it.
///
/// The target's parent must be there. A folder is merged with one that is there.
#[must_use = "does nothing unless awaited"]
pub struct Upload {
    remote: Box<dyn Remote>,
    source: PathBuf,
    target: String,
    options: Options,
}

impl Upload {
    /// From `source` here to `target` there.
    pub fn new(remote: impl Remote + 'static, source: impl Into<PathBuf>, target: impl Into<String>) -> Self {
        Self {
            remote: Box::new(remote),
            source: source.into(),
            target: target.into(),
            options: Options::default(),
        }
    }

    options!();
}

impl IntoFuture for Upload {
    type Output = Result<Copied, CopyError>;
    type IntoFuture = Copying;

    fn into_future(self) -> Copying {
        Box::pin(
            async move { upload::upload(&*self.remote, &self.source, &self.target, &self.options).await },
        )
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A file or folder from a host to here; await it.
///
/// The target's parent must be there. A folder is merged with one that is there.
#[must_use = "does nothing unless awaited"]
pub struct Download {
    remote: Box<dyn Remote>,
    source: String,
    target: PathBuf,
    options: Options,
}

impl Download {
    /// From `source` there to `target` here.
    pub fn new(remote: impl Remote + 'static, source: impl Into<String>, target: impl Into<PathBuf>) -> Self {
        Self {
            remote: Box::new(remote),
            source: source.into(),
            target: target.into(),
            options: Options::default(),
        }
    }

    options!();

    /// Refuses a source that is a folder, if set to `false`.
    pub fn folders(mut self, folders: bool) -> Self {
        self.options.folders = folders;
        self
    }
}

impl IntoFuture for Download {
    type Output = Result<Copied, CopyError>;
    type IntoFuture = Copying;

    fn into_future(self) -> Copying {
        Box::pin(
            async move { download::download(&*self.remote, &self.source, &self.target, &self.options).await },
        )
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("source", &self.source)
            .field("target", &self.target)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The middle of a temporary name: the same for the same parts, and never twice for none.
fn token(parts: &[&[u8]]) -> String {
    if parts.is_empty() {
        return uuid::Uuid::new_v4().simple().to_string();
    }
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()).chars().take(32).collect()
}
