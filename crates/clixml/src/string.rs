//! Strings as .NET has them.

use std::borrow::{Borrow, Cow};
use std::fmt;

/// A string of UTF-16 code units, which need not be Unicode: PowerShell strings may hold lone surrogates.
///
/// Kept as UTF-8 whenever it is Unicode, so that the common case costs what a `String` does. Two are equal exactly
/// when their code units are. `Debug` shows the length only, since strings may be secrets; `Display` shows the text,
/// with U+FFFD in place of lone surrogates.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct PsString(Repr);

#[derive(Clone, Eq, Hash, PartialEq)]
enum Repr {
    Unicode(String),
    /// With at least one lone surrogate, so that no string has two forms.
    Units(Vec<u16>),
}

impl PsString {
    /// The string of these code units, whatever they are.
    pub fn from_utf16(units: &[u16]) -> Self {
        match String::from_utf16(units) {
            Ok(text) => Self(Repr::Unicode(text)),
            Err(_) => Self(Repr::Units(units.to_vec())),
        }
    }

    /// The text, unless there are lone surrogates in it.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Unicode(text) => Some(text),
            Repr::Units(_) => None,
        }
    }

    /// The text, with U+FFFD in place of lone surrogates.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Unicode(text) => Cow::Borrowed(text),
            Repr::Units(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    /// The code units.
    pub fn to_utf16(&self) -> Vec<u16> {
        match &self.0 {
            Repr::Unicode(text) => text.encode_utf16().collect(),
            Repr::Units(units) => units.clone(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        match &self.0 {
            Repr::Unicode(text) => text.len(),
            Repr::Units(units) => units.len().saturating_mul(2),
        }
    }

    /// The same name as PowerShell compares them, as far as ASCII goes.
    pub(crate) fn eq_ignore_ascii_case(&self, other: &str) -> bool {
        self.as_str().is_some_and(|text| text.eq_ignore_ascii_case(other))
    }
}

impl Default for PsString {
    fn default() -> Self {
        Self(Repr::Unicode(String::new()))
    }
}

impl From<String> for PsString {
    fn from(text: String) -> Self {
        Self(Repr::Unicode(text))
    }
}

impl From<&str> for PsString {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Fails for lone surrogates, and gives the string back.
impl TryFrom<PsString> for String {
    type Error = PsString;

    fn try_from(string: PsString) -> Result<Self, PsString> {
        match string.0 {
            Repr::Unicode(text) => Ok(text),
            Repr::Units(_) => Err(string),
        }
    }
}

impl PartialEq<str> for PsString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for PsString {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for PsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Borrow::<str>::borrow(&self.to_string_lossy()))
    }
}

impl fmt::Debug for PsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PsString({} bytes)", self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_lone_surrogates() {
        let units = [0x61, 0xd834, 0x62];
        let string = PsString::from_utf16(&units);
        assert_eq!(string.as_str(), None);
        assert_eq!(string.to_utf16(), units);
        assert_eq!(string.to_string(), "a\u{fffd}b");
        assert_eq!(String::try_from(string.clone()), Err(string));
    }

    #[test]
    fn has_one_form_for_unicode() {
        assert_eq!(PsString::from_utf16(&[0xd834, 0xdd1e]), PsString::from("\u{1d11e}"));
        assert_eq!(PsString::default(), "");
        assert!(PsString::default().is_empty());
    }

    #[test]
    fn does_not_show_its_text() {
        assert_eq!(format!("{:?}", PsString::from("hidden")), "PsString(6 bytes)");
    }
}
