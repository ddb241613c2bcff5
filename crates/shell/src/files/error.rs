//! What can go wrong with a copy.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What kept a file, or the copy, from being made at the far end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// A disk, or a quota on it, is full.
    DiskFull,
    /// The user may not do that.
    AccessDenied,
    /// There is no such file or folder.
    Missing,
    /// The target is there already.
    Exists,
    /// A file stands where a folder is needed.
    NotAFolder,
    /// A folder stands where a file is needed.
    IsAFolder,
    /// No file there can have such a name.
    Name,
    /// Another process has the file open.
    Busy,
    /// What arrived is not what was sent.
    Changed,
    /// The message tells.
    Other,
}

impl Problem {
    pub(super) fn from_code(code: &str) -> Self {
        match code {
            "full" => Self::DiskFull,
            "denied" => Self::AccessDenied,
            "missing" => Self::Missing,
            "exists" => Self::Exists,
            "not-a-folder" => Self::NotAFolder,
            "is-a-folder" => Self::IsAFolder,
            "name" => Self::Name,
            "busy" => Self::Busy,
            "changed" => Self::Changed,
            _ => Self::Other,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::DiskFull => "the disk there is full",
            Self::AccessDenied => "access denied there",
            Self::Missing => "not found there",
            Self::Exists => "there already",
            Self::NotAFolder => "not a folder there",
            Self::IsAFolder => "a folder there",
            Self::Name => "not a name that files can have there",
            Self::Busy => "in use by another process there",
            Self::Changed => "did not arrive as it was sent",
            Self::Other => "failed there",
        }
    }
}

/// What the far end said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// What it comes to.
    pub problem: Problem,
    /// In the words of the system there.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem.text())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, " ({})", self.message) }
    }
}

impl std::error::Error for Refusal {}

/// Why one file or folder was not copied.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read, or written, here.
    #[error("{0}")]
    Local(#[source] Arc<io::Error>),
    /// The far end refused.
    #[error("{0}")]
    Remote(#[source] Refusal),
    /// Its size changed while it was read.
    #[error("changed while it was read")]
    Changed,
    /// Its SHA-256 here is not the one there: nothing was left under its name.
    #[error("arrived with another SHA-256 than it was sent with")]
    Corrupt,
    /// Its name cannot be used on this side, or not be told to the other.
    #[error("its name cannot be copied: {0}")]
    Name(&'static str),
    /// Neither a file nor a folder, or a link to a folder, which are not followed.
    #[error("neither a file nor a folder, or a link to a folder: not copied")]
    Special,
}

/// A file or folder that was not copied.
#[derive(Clone, Debug)]
pub struct FileFailure {
    /// As the source names it, below what was copied; that itself where it is empty.
    pub path: String,
    /// Why.
    pub error: FileError,
}

/// What a copy has done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Copied {
    /// Where the copy is, or would be, at the far end: resolved, or as given if it came not so far.
    pub remote: String,
    /// Files that arrived, each with the same SHA-256 on both ends.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Folders that are there now.
    pub folders: u64,
    /// Files left as they were, by [`Existing`](super::Existing).
    pub skipped: u64,
    /// What was not copied; the rest was.
    pub failures: Vec<FileFailure>,
}

/// A copy that did not succeed whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// What is to be copied, or where it is to go, cannot be used on this side.
    #[error("{}", .path.display())]
    Local {
        /// The path on this side.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is to be copied cannot be: its name, or the kind of thing it is.
    #[error("{}: {reason}", .path.display())]
    Source {
        /// The path on this side.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The far end refused the path.
    #[error("{path}: {refusal}")]
    Remote {
        /// As it was given.
        path: String,
        /// What it said.
        refusal: Refusal,
    },
    /// The process at the far end could not be started.
    #[error("the far end of the copy could not be started")]
    Start(#[source] crate::Error),
    /// The process at the far end is gone. Files that arrived before are complete.
    #[error("the far end of the copy ended early{}", said(.stderr))]
    Lost {
        /// What was done by then.
        copied: Box<Copied>,
        /// What it wrote to standard error, in part.
        stderr: String,
        /// Why, where that is known.
        #[source]
        source: Option<crate::Error>,
    },
    /// The far end said what it must not say.
    #[error("the far end of the copy is not understood{}", said(.stderr))]
    NotUnderstood {
        /// What was done by then.
        copied: Box<Copied>,
        /// What it wrote to standard error, in part.
        stderr: String,
    },
    /// Some files were not copied; the rest was.
    #[error("{}", incomplete(.0))]
    Incomplete(Box<Copied>),
}

impl CopyError {
    /// What was done in spite of it.
    pub fn copied(&self) -> Option<&Copied> {
        match self {
            Self::Lost { copied, .. } | Self::NotUnderstood { copied, .. } | Self::Incomplete(copied) => {
                Some(copied)
            }
            _ => None,
        }
    }

    /// The failure of the process at the far end, where that is the cause.
    pub fn command(&self) -> Option<&crate::Error> {
        match self {
            Self::Start(error) | Self::Lost { source: Some(error), .. } => Some(error),
            _ => None,
        }
    }
}

fn said(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

fn incomplete(copied: &Copied) -> String {
    match copied.failures.as_slice() {
        [only] if copied.files + copied.skipped == 0 && only.path.is_empty() => only.error.to_string(),
        [only] => format!("{}: {}", only.path, only.error),
        [first, rest @ ..] => {
            format!("{}: {} (and {} more not copied)", first.path, first.error, rest.len())
        }
        [] => "nothing was copied".to_owned(),
    }
}
