//! What a script tells of its progress, on the last line of a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use winrm::powershell::ProgressRecord;
use winrm::powershell::psrp::ProgressRecordType;

/// Of which a bar shows the part that is done.
const WHOLE: u64 = 100;

/// A line that anything else takes the place of.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shown where a person may look at it, and is not to read other hosts' output.
    pub(crate) fn new(is_alone: bool) -> Self {
        Self { is_shown: is_alone && std::io::stderr().is_terminal(), bar: None }
    }

    pub(crate) fn show(&mut self, record: &ProgressRecord) {
        if record.record_type() == ProgressRecordType::COMPLETED {
            return self.clear();
        }
        if !self.is_shown {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| ProgressBar::new(WHOLE));
        let percent = record.percent_complete().and_then(|percent| u64::try_from(percent).ok());
        let template = if percent.is_some() { "{msg} {bar:20} {percent}%" } else { "{msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_position(percent.unwrap_or_default().min(WHOLE));
        bar.set_message(text(record));
    }

    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Its activity and status, in one line whatever they have in them.
fn text(record: &ProgressRecord) -> String {
    let parts = [record.activity(), record.status_description(), record.current_operation()];
    let texts = parts.into_iter().flatten().map(ToString::to_string).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join(": ").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_line() {
        let record = ProgressRecord::new(0, "Copying", "3 of\n4").with_current_operation("a.txt");
        assert_eq!(text(&record), "Copying: 3 of 4: a.txt");
    }
}
