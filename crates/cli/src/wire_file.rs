//! `--trace-wire`: the file that decrypted messages are written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use winrm::{TracedEnvelope, WireTrace};

use crate::report::{Failure, warn};

/// A file for all hosts. What cannot be written is told once.
#[derive(Debug)]
pub(crate) struct WireFile {
    file: Mutex<Option<File>>,
}

impl WireFile {
    /// Makes the file, readable by its owner only. A file that is there already is neither followed nor overwritten: it may
    /// be readable by others, or somebody else's.
    pub(crate) fn create(path: &Path) -> Result<Arc<Self>, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(|error| {
            let failure = Failure::caused_by(format!("cannot make {}", path.display()), &error);
            match error.kind() {
                io::ErrorKind::AlreadyExists => failure.with_remedy("name a file that is not there yet"),
                _ => failure,
            }
        })?;
        Ok(Arc::new(Self { file: Mutex::new(Some(file)) }))
    }
}

impl WireTrace for WireFile {
    fn envelope(&self, traced: &TracedEnvelope<'_>) {
        let since = traced.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let arrow = if traced.is_request { "->" } else { "<-" };
        let TracedEnvelope { endpoint, exchange, envelope, .. } = traced;
        let mut text = format!(
            "{}.{:06} {arrow} {endpoint} exchange {exchange}, {} bytes\n",
            since.as_secs(),
            since.subsec_micros(),
            envelope.len()
        )
        .into_bytes();
        text.extend_from_slice(envelope);
        text.extend_from_slice(b"\n\n");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &mut *file
            && let Err(error) = open.write_all(&text)
        {
            warn(&format!("--trace-wire: {error}: no more is written"));
            *file = None;
        }
    }
}
