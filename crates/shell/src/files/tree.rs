//! What is to be sent: a file, or a folder with everything below it.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use walkdir::WalkDir;

use super::error::{CopyError, FileError, FileFailure};
use super::names;

/// A file to send.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    /// Empty for the root itself.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
}

/// Everything that is to be sent. Names are held in memory, contents are not.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) is_folder: bool,
    /// Parents before their children; the root is not among them.
    pub(super) folders: Vec<String>,
    pub(super) files: Vec<SourceFile>,
    pub(super) failures: Vec<FileFailure>,
}

impl Tree {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// Looks at everything below `root`.
    pub(super) async fn read(root: &Path) -> Result<Self, CopyError> {
        let path = root.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read_blocking(&path)).await;
        read.unwrap_or_else(|error| {
            Err(CopyError::Local { path: root.to_owned(), source: io::Error::other(error) })
        })
    }

    fn read_blocking(root: &Path) -> Result<Self, CopyError> {
        let local = |source| CopyError::Local { path: root.to_owned(), source };
        let metadata = std::fs::metadata(root).map_err(local)?;
        if metadata.is_file() {
            // Whether it can be read is told before anything is asked of the host.
            drop(std::fs::File::open(root).map_err(local)?);
            let file = source_file(root.to_owned(), String::new(), &metadata);
            return Ok(Self { files: vec![file], ..Self::default() });
        }
        if !metadata.is_dir() {
            return Err(CopyError::Source { path: root.to_owned(), reason: "neither a file nor a folder" });
        }
        drop(std::fs::read_dir(root).map_err(local)?);
        let mut tree = Self { is_folder: true, ..Self::default() };
        for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
            match entry {
                Ok(entry) => tree.add(root, entry.into_path()),
                Err(error) => {
                    let path = error.path().map(|path| shown(root, path)).unwrap_or_default();
                    tree.fail(path, FileError::Local(Arc::new(error.into())));
                }
            }
        }
        Ok(tree)
    }

    fn add(&mut self, root: &Path, path: PathBuf) {
        let name = match names::to_relative(path.strip_prefix(root).unwrap_or(&path)) {
            Ok(name) => name,
            Err(reason) => return self.fail(shown(root, &path), FileError::Name(reason)),
        };
        let is_link = std::fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => self.files.push(source_file(path, name, &metadata)),
            Ok(metadata) if metadata.is_dir() && !is_link => self.folders.push(name),
            Ok(_) => self.fail(name, FileError::Special),
            Err(error) => self.fail(name, FileError::Local(Arc::new(error))),
        }
    }

    fn fail(&mut self, path: String, error: FileError) {
        self.failures.push(FileFailure { path, error });
    }
}

fn source_file(path: PathBuf, name: String, metadata: &Metadata) -> SourceFile {
    SourceFile { path, name, size: metadata.len(), modified: metadata.modified().ok() }
}

fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
