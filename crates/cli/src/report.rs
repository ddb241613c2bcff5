//! Failures as people read them: what happened, down to the cause, and what to try.

use std::error::Error;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};
use winrm::CommandError;

/// How our name before a failure looks.
const FAILED: Style = AnsiColor::Red.on_default().bold();
/// How what comes before a remedy looks.
const TRY: Style = AnsiColor::Green.on_default();

/// A failure of the client: exit status 255.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    message: String,
    remedy: Option<String>,
    /// Said all that is to be said already, or nobody is there to read.
    quiet: bool,
    /// The host went away: clean-up there is not worth long waiting.
    lost: bool,
    /// Another host refused the credentials: this one was not tried.
    withheld: bool,
    /// The exit status, where it is not that of a failed client.
    code: Option<u32>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: None, quiet: false, lost: false, withheld: false, code: None }
    }

    /// With its causes.
    pub(crate) fn caused_by(message: impl Into<String>, error: &dyn Error) -> Self {
        Self::new(format!("{}: {}", message.into(), chain(error)))
    }

    pub(crate) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    pub(crate) fn quiet(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// Whether the host went away.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// With an exit status of its own, in place of that of a failed client.
    pub(crate) fn with_code(self, code: u32) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn code(&self) -> Option<u32> {
        self.code
    }

    /// Whether the host was not tried, as another one refused the credentials.
    pub(crate) fn is_withheld(&self) -> bool {
        self.withheld
    }

    /// What happened, without what to try.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What happened, without what to try.
    pub(crate) fn into_message(self) -> String {
        self.message
    }

    /// With what the transport's error says beside its text.
    pub(crate) fn about(self, error: &winrm::Error) -> Self {
        let withheld = matches!(error.kind(), winrm::ErrorKind::LogOnWithheld { .. });
        Self { remedy: error.remedy(), lost: error.is_disconnect(), withheld, ..self }
    }

    /// Tells it on standard error; `host` where several are asked.
    pub(crate) fn print(&self, host: Option<&str>) {
        if self.quiet {
            return;
        }
        let host = host.map(|host| format!("{host}: ")).unwrap_or_default();
        let remedy = self.remedy.as_ref().map(|remedy| format!("  {} {remedy}\n", styled(TRY, "try:")));
        let remedy = remedy.unwrap_or_default();
        let text = format!("{} {host}{}\n{remedy}", styled(FAILED, "winrm:"), self.message);
        if is_coloured() {
            // Consoles of Windows that know no escape sequences are coloured by other means.
            drop(AutoStream::auto(io::stderr()).write_all(text.as_bytes()));
        } else {
            to_stderr(&text);
        }
    }

    /// The members of a JSON object about it.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("error".to_owned(), self.message.clone().into());
        if let Some(remedy) = &self.remedy {
            object.insert("remedy".to_owned(), remedy.clone().into());
        }
        object
    }
}

impl From<winrm::Error> for Failure {
    fn from(error: winrm::Error) -> Self {
        Self::new(chain(&error)).about(&error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let message = match &error {
            // Its output has been printed as it came: how much there was of it says nothing here.
            CommandError::Lost { source, .. } => format!("process was lost: {}", chain(&**source)),
            error => chain(error),
        };
        match error.transport() {
            Some(transport) => Self::new(message).about(transport),
            None => Self::new(message),
        }
    }
}

impl From<winrm::powershell::Error> for Failure {
    fn from(error: winrm::powershell::Error) -> Self {
        match error.transport() {
            Some(transport) => Self::new(chain(&error)).about(transport),
            None => Self::new(chain(&error)),
        }
    }
}

impl From<winrm::ClientCertificateError> for Failure {
    fn from(error: winrm::ClientCertificateError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<winrm::ConfigError> for Failure {
    fn from(error: winrm::ConfigError) -> Self {
        Self::new(chain(&error))
    }
}

/// One line on standard error.
pub(crate) fn warn(message: &str) {
    to_stderr(&format!("winrm: {message}\n"));
}

/// Text on standard error, as it is.
pub(crate) fn to_stderr(text: &str) {
    // With nobody to tell there is nothing to do about it; the exit status says that something failed.
    drop(io::stderr().write_all(text.as_bytes()));
}

/// Whether messages of ours have colours: by `--color`, else by the environment, else on a terminal.
pub(crate) fn is_coloured() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

fn styled(style: Style, text: &str) -> String {
    if is_coloured() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// An error and its causes, each once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let clause = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&clause) {
            text.push_str(": ");
            text.push_str(&clause);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Nested(&'static str, Option<Box<Nested>>);

    impl fmt::Display for Nested {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Nested {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            match &self.1 {
                Some(error) => Some(&**error),
                None => None,
            }
        }
    }

    #[test]
    fn causes_are_told_once() {
        let cause = Nested("refused", None);
        let repeating = Nested("connect: refused", Some(Box::new(cause)));
        let error = Nested("no shell", Some(Box::new(repeating)));
        assert_eq!(chain(&error), "no shell: connect: refused");
    }

    #[test]
    fn json_has_what_is_known() {
        let failure = Failure::new("broken").with_remedy("mend it");
        assert_eq!(Value::from(failure.json()).to_string(), r#"{"error":"broken","remedy":"mend it"}"#);
        assert_eq!(Value::from(Failure::new("broken").json()).to_string(), r#"{"error":"broken"}"#);
    }
}
