//! The host that scripts see: what they write to it is printed, and what they ask is asked where somebody is there.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio::sync::mpsc;
use winrm::powershell::psrp::host::{ChoiceDescription, FieldDescription};
use winrm::powershell::{Colors, HostError, PsHost};
use zeroize::Zeroizing;

use crate::output::Stream;

/// No script has asked to exit.
const NO_EXIT: i32 = i32::MIN;

/// The type of a field that is a secret.
const SECURE_STRING: &str = "System.Security.SecureString";

/// Texts of the host that wait to be printed.
pub(crate) const WRITTEN: usize = 64;

/// Text that a script wrote to its host.
pub(crate) type Written = (Stream, String);

/// The host of one pool.
#[derive(Clone)]
pub(crate) struct Console {
    written: mpsc::Sender<Written>,
    exit: Arc<AtomicI32>,
    /// Whether a person may be asked: one host, and a terminal.
    asks: bool,
}

impl Console {
    pub(crate) fn new(written: mpsc::Sender<Written>, is_alone: bool) -> Self {
        let asks = is_alone && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self { written, exit: Arc::new(AtomicI32::new(NO_EXIT)), asks }
    }

    /// The exit code that a script has asked for.
    pub(crate) fn exit(&self) -> Option<u32> {
        let code = self.exit.load(Ordering::Acquire);
        (code != NO_EXIT).then_some(code.cast_unsigned())
    }

    fn say(&self, stream: Stream, text: String) {
        // Who is gone wants to read no more.
        drop(self.written.blocking_send((stream, text)));
    }

    fn ask(&self, prompt: &str) -> Result<String, HostError> {
        if !self.asks {
            return Err(HostError::NotInteractive("give what it needs by --arg"));
        }
        eprint!("{prompt}");
        let mut line = String::new();
        let read = io::stderr().flush().and_then(|()| io::stdin().read_line(&mut line));
        match read {
            Ok(0) => Err(HostError::Cancelled),
            Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => Err(HostError::Other(error.to_string())),
        }
    }

    fn ask_secret(&self, prompt: &str) -> Result<Zeroizing<String>, HostError> {
        if !self.asks {
            return Err(HostError::NotInteractive("a secret was asked for"));
        }
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| HostError::Other(error.to_string()))
    }
}

impl PsHost for Console {
    fn version(&self) -> winrm::powershell::clixml::Version {
        [0, 1].into()
    }

    fn set_should_exit(&self, code: i32) {
        self.exit.store(code, Ordering::Release);
    }

    fn write(&self, text: &str, _: Colors) {
        self.say(Stream::Stdout, text.to_owned());
    }

    fn write_line(&self, text: &str, _: Colors) {
        self.say(Stream::Stdout, format!("{text}\n"));
    }

    fn write_error_line(&self, text: &str) {
        self.say(Stream::Stderr, format!("{text}\n"));
    }

    fn write_warning_line(&self, text: &str) {
        self.say(Stream::Stderr, format!("WARNING: {text}\n"));
    }

    fn write_verbose_line(&self, text: &str) {
        self.say(Stream::Stderr, format!("VERBOSE: {text}\n"));
    }

    fn write_debug_line(&self, text: &str) {
        self.say(Stream::Stderr, format!("DEBUG: {text}\n"));
    }

    fn read_line(&self) -> Result<String, HostError> {
        self.ask("")
    }

    fn read_line_as_secure_string(&self) -> Result<Zeroizing<String>, HostError> {
        self.ask_secret("")
    }

    /// Lines, each named; a secret is not shown. Nothing said stands for the default, where there is one.
    fn prompt(
        &self,
        caption: &str,
        message: &str,
        fields: &[FieldDescription],
    ) -> Result<Vec<(String, Zeroizing<String>)>, HostError> {
        let mut heading = format!("{caption}\n{message}\n");
        let mut answers = Vec::with_capacity(fields.len());
        for field in fields {
            let name = field.name.to_string_lossy().into_owned();
            let question = format!("{}{name}: ", std::mem::take(&mut heading));
            let answer = if field.parameter_type_full_name == SECURE_STRING {
                self.ask_secret(&question)?
            } else {
                let said = self.ask(&question)?;
                let default = field.default_value.as_str().filter(|_| said.is_empty());
                Zeroizing::new(default.map_or(said, str::to_owned))
            };
            answers.push((name, answer));
        }
        Ok(answers)
    }

    fn prompt_for_credential(
        &self,
        caption: &str,
        message: &str,
        user: Option<&str>,
        _: &str,
    ) -> Result<(String, Zeroizing<String>), HostError> {
        let user = match user {
            Some(user) => user.to_owned(),
            None => self.ask(&format!("{caption}\n{message}\nUser: "))?,
        };
        let password = self.ask_secret(&format!("Password for {user}: "))?;
        Ok((user, password))
    }

    fn prompt_for_choice(
        &self,
        caption: &str,
        message: &str,
        choices: &[ChoiceDescription],
        default: i32,
    ) -> Result<i32, HostError> {
        let question = format!("{caption}\n{message}\n{}: ", names(choices));
        loop {
            let answer = self.ask(&question)?;
            if answer.is_empty() && default >= 0 {
                return Ok(default);
            }
            if let Some(index) = chosen(choices, &answer) {
                return Ok(index);
            }
        }
    }

    /// One a line; an empty line ends them.
    fn prompt_for_choices(
        &self,
        caption: &str,
        message: &str,
        choices: &[ChoiceDescription],
        defaults: &[i32],
    ) -> Result<Vec<i32>, HostError> {
        let mut question = format!("{caption}\n{message}\n{}, nothing to go on: ", names(choices));
        let mut all = Vec::new();
        loop {
            let answer = self.ask(&question)?;
            if answer.is_empty() {
                return Ok(if all.is_empty() { defaults.to_vec() } else { all });
            }
            if let Some(index) = chosen(choices, &answer).filter(|index| !all.contains(index)) {
                all.push(index);
            }
            question = format!("choice {}: ", all.len() + 1);
        }
    }
}

fn names(choices: &[ChoiceDescription]) -> String {
    let names: Vec<_> = choices.iter().map(|choice| choice.label.to_string().replace('&', "")).collect();
    names.join(", ")
}

fn chosen(choices: &[ChoiceDescription], answer: &str) -> Option<i32> {
    let index = choices.iter().position(|choice| is_chosen(&choice.label.to_string(), answer))?;
    i32::try_from(index).ok()
}

/// A choice is named by its label, or by the letter behind `&`.
fn is_chosen(label: &str, answer: &str) -> bool {
    let key = label.split_once('&').and_then(|(_, rest)| rest.chars().next());
    let by_key = key.is_some_and(|key| answer.eq_ignore_ascii_case(&key.to_string()));
    by_key || label.replace('&', "").eq_ignore_ascii_case(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_by_name_or_letter() {
        assert!(is_chosen("&Yes", "y") && is_chosen("Yes to &All", "a") && is_chosen("&Yes", "YES"));
        assert!(!is_chosen("&Yes", "n") && !is_chosen("Yes", "y"));
    }
}
