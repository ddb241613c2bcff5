//! Progress on a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use winrm::files::Progress;

/// A bar with rate and remaining time, on a terminal only.
pub(super) struct Shown(ProgressBar);

impl Shown {
    pub(super) fn new(quiet: bool, name: &str) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::no_length();
        // Short of the whole width, so that what a terminal echoes for Ctrl-C stays on the line.
        let template = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(name.chars().filter(|c| !c.is_control()).collect::<String>());
        Self(bar)
    }

    pub(super) fn on_progress(&self) -> impl Fn(&Progress) + Send + Sync + 'static {
        let bar = self.0.clone();
        move |progress| {
            if let Some(total) = progress.total_bytes {
                bar.set_length(total);
            }
            bar.set_position(progress.bytes);
            if let Some(files) = progress.total_files.filter(|files| *files > 1) {
                bar.set_message(format!("{}/{files} files", progress.files));
            }
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
