//! Reads lines: edited at a terminal, as they come elsewhere. In a thread of its own, as both wait for a person.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::mpsc;

use etcetera::BaseStrategy;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Helper};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use winrm::powershell::RunspacePool;

use super::{complete, lines};
use crate::ps::MAX_SCRIPT;
use crate::report::{Failure, warn};

/// Lines that are kept from one session to the next.
const KEPT: usize = 1000;

/// What came of an attempt to read a line.
pub(super) enum Read {
    Line {
        text: String,
        /// Of the terminal.
        columns: Option<usize>,
    },
    /// Ctrl-C: the line is to be forgotten.
    Interrupted,
    /// Ctrl-D, or the end of input.
    End,
    Failed(Failure),
}

struct Ask {
    prompt: String,
    answer: oneshot::Sender<Read>,
}

/// Asks the thread.
pub(super) struct Editor {
    asks: mpsc::Sender<Ask>,
    is_terminal: bool,
}

impl Editor {
    pub(super) fn start(pool: &RunspacePool) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::caused_by("cannot read lines", error);
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let (asks, asked) = mpsc::channel::<Ask>();
        let assistant = Assistant { pool: pool.clone(), runtime: Handle::current() };
        let mut reader: Box<dyn FnMut(&str) -> Read + Send> = if is_terminal {
            let mut terminal = AtTerminal::new(assistant).map_err(|error| failed(&error))?;
            Box::new(move |prompt| terminal.read(prompt))
        } else {
            Box::new(|_| plain(io::stdin().lock()))
        };
        std::thread::Builder::new()
            .name("editor".to_owned())
            .spawn(move || {
                for Ask { prompt, answer } in asked {
                    // A session that has ended wants no more lines.
                    if answer.send(reader(&prompt)).is_err() {
                        return;
                    }
                }
            })
            .map_err(|error| failed(&error))?;
        Ok(Self { asks, is_terminal })
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(super) async fn read(&self, prompt: String) -> Read {
        let (answer, read) = oneshot::channel();
        // A thread that is gone reads nothing, as at the end.
        drop(self.asks.send(Ask { prompt, answer }));
        read.await.unwrap_or(Read::End)
    }
}

/// A script as soon as it is whole. What is open at the end is the host's to judge.
fn plain(input: impl BufRead) -> Read {
    let mut input = input.take(MAX_SCRIPT);
    let mut text = String::new();
    loop {
        match input.read_line(&mut text) {
            Ok(0) if input.limit() == 0 => {
                return Read::Failed(Failure::new(format!("a script longer than {MAX_SCRIPT} bytes")));
            }
            Ok(0) if text.is_empty() => return Read::End,
            Ok(0) => return Read::Line { text, columns: None },
            Ok(_) if lines::is_complete(without_end(&text)) => return Read::Line { text, columns: None },
            Ok(_) => {}
            Err(error) => return Read::Failed(Failure::caused_by("cannot read standard input", &error)),
        }
    }
}

/// Of a line, without what ends it: a backtick before that goes on.
fn without_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

struct AtTerminal {
    editor: rustyline::Editor<Assistant, DefaultHistory>,
    history: Option<PathBuf>,
}

impl AtTerminal {
    fn new(assistant: Assistant) -> rustyline::Result<Self> {
        let config = Config::builder()
            .max_history_size(KEPT)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        editor.set_helper(Some(assistant));
        let history = history_file();
        if let Some(file) = history.as_ref().filter(|file| file.exists())
            && let Err(error) = editor.load_history(file)
        {
            warn(&format!("cannot read {}: {error}", file.display()));
        }
        Ok(Self { editor, history })
    }

    fn read(&mut self, prompt: &str) -> Read {
        let text = match self.editor.readline(prompt) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => return Read::Interrupted,
            Err(ReadlineError::Eof) => return Read::End,
            Err(error) => return Read::Failed(Failure::caused_by("cannot read lines", &error)),
        };
        if let Err(error) = self.keep(&text) {
            warn(&format!("the history is not kept: {error}"));
            self.history = None;
        }
        let columns = self.editor.dimensions().map(|(columns, _)| columns.into());
        Read::Line { text, columns }
    }

    fn keep(&mut self, text: &str) -> rustyline::Result<()> {
        if !lines::is_to_keep(text) || !self.editor.add_history_entry(text)? {
            return Ok(());
        }
        let Some(file) = &self.history else { return Ok(()) };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.editor.append_history(file)
    }
}

/// `~/.local/state/winrm/history`, and what stands for it elsewhere.
fn history_file() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    let folder = base.state_dir().unwrap_or_else(|| base.data_dir());
    Some(folder.join("winrm").join("history"))
}

/// Knows where a script ends, and asks the host how a word does.
struct Assistant {
    pool: RunspacePool,
    runtime: Handle,
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_complete = lines::is_complete(context.input());
        Ok(if is_complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.runtime.block_on(complete::candidates(&self.pool, line, position)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_read_whole_and_none_is_lost() {
        let mut input = &b"1\nif (1) {\n2 }\nx `\r\ny\n'open\n"[..];
        let mut texts = Vec::new();
        while let Read::Line { text, .. } = plain(&mut input) {
            texts.push(text);
        }
        assert_eq!(texts, ["1\n", "if (1) {\n2 }\n", "x `\r\ny\n", "'open\n"]);
    }
}
