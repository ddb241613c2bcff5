//! How a copy is made, and what it tells on its way.

use std::fmt;
use std::sync::Arc;

/// What happens to a target that is there already.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Existing {
    /// It is replaced, once its successor has arrived whole.
    #[default]
    Overwrite,
    /// It stays, and the file is reported as a failure.
    Refuse,
    /// It stays, and the file counts as skipped.
    Skip,
    /// It stays, and counts as skipped, where size and time of modification (to the second) are those of the source; otherwise it
    /// is replaced.
    Update,
}

/// How far a copy is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The file under way, as the source names it below what is copied; empty between files.
    pub file: String,
    /// Files that are done, one way or another.
    pub files: u64,
    /// Files there are; none while that is not known.
    pub total_files: Option<u64>,
    /// Bytes handed over so far, those found at the target already among them.
    pub bytes: u64,
    /// Bytes there are; none while that is not known.
    pub total_bytes: Option<u64>,
}

/// Who is told of progress.
pub(super) type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How a copy is made.
#[expect(clippy::struct_excessive_bools, reason = "options that go together in every combination")]
#[derive(Clone)]
pub(super) struct Options {
    pub(super) existing: Existing,
    pub(super) resume: bool,
    pub(super) keep_times: bool,
    pub(super) expands: bool,
    pub(super) into_folder: bool,
    pub(super) folders: bool,
    pub(super) on_progress: Option<OnProgress>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            existing: Existing::Overwrite,
            resume: false,
            keep_times: true,
            expands: true,
            into_folder: false,
            folders: true,
            on_progress: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("existing", &self.existing)
            .field("resume", &self.resume)
            .field("keep_times", &self.keep_times)
            .field("expands", &self.expands)
            .field("into_folder", &self.into_folder)
            .finish_non_exhaustive()
    }
}

/// Counts, and tells who wants to know.
pub(super) struct Meter {
    progress: Progress,
    on_progress: Option<OnProgress>,
}

impl Meter {
    pub(super) fn new(on_progress: Option<OnProgress>, total: Option<(u64, u64)>) -> Self {
        let progress = Progress {
            file: String::new(),
            files: 0,
            total_files: total.map(|(files, _)| files),
            bytes: 0,
            total_bytes: total.map(|(_, bytes)| bytes),
        };
        Self { progress, on_progress }
    }

    pub(super) fn total(&mut self, files: u64, bytes: u64) {
        self.progress.total_files = Some(files);
        self.progress.total_bytes = Some(bytes);
        self.tell();
    }

    pub(super) fn file(&mut self, name: &str) {
        name.clone_into(&mut self.progress.file);
        self.tell();
    }

    pub(super) fn bytes(&mut self, count: u64) {
        self.progress.bytes = self.progress.bytes.saturating_add(count);
        self.tell();
    }

    /// A file is done.
    pub(super) fn done(&mut self) {
        self.progress.files = self.progress.files.saturating_add(1);
        self.progress.file.clear();
        self.tell();
    }

    fn tell(&self) {
        if let Some(on_progress) = &self.on_progress {
            on_progress(&self.progress);
        }
    }
}
