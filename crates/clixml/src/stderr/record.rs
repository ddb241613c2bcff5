//! Elements of a document on an error stream.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::PsValue;

/// Which of PowerShell's streams a record belongs to: the attribute `S`, whose case differs between versions and
/// streams.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum RecordStream {
    /// `Error`: each line of an error a string, or an error record.
    Error,
    /// `warning`.
    Warning,
    /// `verbose`.
    Verbose,
    /// `debug`.
    Debug,
    /// `progress`.
    Progress,
    /// `information`.
    Information,
    /// `output`, which is on standard output if anywhere.
    Output,
    /// A name we do not know, as it came.
    Other(String),
}

impl RecordStream {
    pub(super) fn from_name(name: &str) -> Self {
        let known = [
            ("error", Self::Error),
            ("warning", Self::Warning),
            ("verbose", Self::Verbose),
            ("debug", Self::Debug),
            ("progress", Self::Progress),
            ("information", Self::Information),
            ("output", Self::Output),
        ];
        let found = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map_or_else(|| Self::Other(name.to_owned()), |(_, stream)| stream)
    }
}

/// One element.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it belongs.
    pub stream: RecordStream,
    /// What it is.
    pub value: PsValue,
}

impl Record {
    /// The text that a console would have shown for it, line ends included, which are CR LF; empty for what it shows
    /// elsewhere or not at all.
    ///
    /// Lines of an error are given as they are, since each brings its own end. Progress is a bar on a console, and
    /// information records are what is left of texts that the host has written to standard output by then. Objects
    /// are shown by their `ToString`. Lone surrogates become U+FFFD.
    pub fn to_text(&self) -> String {
        let prefix = match &self.stream {
            RecordStream::Progress | RecordStream::Information => return String::new(),
            RecordStream::Error if matches!(self.value, PsValue::String(_)) => {
                return display(&self.value).into_owned();
            }
            RecordStream::Error | RecordStream::Output | RecordStream::Other(_) => "",
            RecordStream::Warning => "WARNING: ",
            RecordStream::Verbose => "VERBOSE: ",
            RecordStream::Debug => "DEBUG: ",
        };
        let mut text = prefix.to_owned();
        // Writing to a string does not fail.
        _ = write!(text, "{}\r\n", display(&self.value));
        text
    }
}

/// What `ToString` of the value gives, as far as it can be told.
fn display(value: &PsValue) -> Cow<'_, str> {
    match value {
        PsValue::Object(object) => match &object.to_string {
            Some(text) => text.to_string_lossy(),
            None => object.value().map_or(Cow::Borrowed(""), |inner| {
                if inner.as_object().is_some() { "".into() } else { display(inner) }
            }),
        },
        // .NET's words.
        PsValue::Bool(value) => if *value { "True" } else { "False" }.into(),
        PsValue::Char(unit) => String::from_utf16_lossy(&[*unit]).into(),
        PsValue::SecureString(_) => "System.Security.SecureString".into(),
        PsValue::Bytes(_) => "System.Byte[]".into(),
        other => crate::encode::unescaped_text(other),
    }
}
