//! How a copy ends, whichever way it went.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use super::error::{Copied, CopyError, Refusal};
use super::link::Broken;
use super::remote::End;

/// How long a far end that says nothing more may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Why the whole copy stops.
pub(super) enum Stopped {
    /// The far end refused the path.
    Refused(Refusal),
    /// A path here cannot be used.
    Local(PathBuf, io::Error),
    /// What was named cannot be copied.
    Source(PathBuf, &'static str),
    /// The conversation cannot go on.
    Broken(Broken),
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for Stopped {
    /// Of the way there: what the far end says, or that it ended, is told by what is read.
    fn from(_: io::Error) -> Self {
        Self::Broken(Broken::Ended)
    }
}

/// What the caller is told. Both directions must be closed by now, so that a far end that waits for something ends.
pub(super) async fn conclude(
    result: Result<(), Stopped>,
    copied: Copied,
    path: &str,
    end: Pin<Box<dyn Future<Output = End> + Send>>,
) -> Result<Copied, CopyError> {
    let broken = match result {
        Ok(()) if copied.failures.is_empty() => return Ok(copied),
        Ok(()) => return Err(CopyError::Incomplete(Box::new(copied))),
        Err(Stopped::Refused(refusal)) => {
            return Err(CopyError::Remote { path: path.to_owned(), refusal });
        }
        Err(Stopped::Local(path, source)) => return Err(CopyError::Local { path, source }),
        Err(Stopped::Source(path, reason)) => return Err(CopyError::Source { path, reason }),
        Err(Stopped::Broken(broken)) => broken,
    };
    let copied = Box::new(copied);
    // One that goes on all the same is ended with this.
    let End { stderr, error } = tokio::time::timeout(LAST_WORDS, end).await.unwrap_or_default();
    Err(match broken {
        Broken::Ended => CopyError::Lost { copied, stderr, source: error },
        Broken::NotUnderstood => CopyError::NotUnderstood { copied, stderr },
    })
}
