//! From bytes to UTF-8, and past the XML declaration.

use std::borrow::Cow;

use crate::{Limit, Limits, ReadError};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A document as UTF-8, whose content starts at `start`, after the byte order mark and XML declaration.
pub(crate) struct Decoded<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) start: usize,
}

/// Decides the encoding by the byte order mark or the first character (XML 1.0, appendix F) and decodes.
///
/// The declaration is judged here and never reaches xml-rs, whose lexer ends it at a `?>` inside a value.
pub(crate) fn decode<'a>(document: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, ReadError> {
    check_size(document.len(), limits)?;
    let (text, utf16) = match document {
        [0xff, 0xfe, units @ ..] => (Cow::Owned(utf16(units, 2, u16::from_le_bytes)?), true),
        [0xfe, 0xff, units @ ..] => (Cow::Owned(utf16(units, 2, u16::from_be_bytes)?), true),
        [b'<', 0, ..] => (Cow::Owned(utf16(document, 0, u16::from_le_bytes)?), true),
        [0, b'<', ..] => (Cow::Owned(utf16(document, 0, u16::from_be_bytes)?), true),
        _ => match std::str::from_utf8(document) {
            Ok(text) => (Cow::Borrowed(text), false),
            Err(error) => {
                return Err(ReadError::InvalidEncoding { encoding: "UTF-8", offset: error.valid_up_to() });
            }
        },
    };
    check_size(text.len(), limits)?;
    // One mark only: a second is a character of the document, and not allowed there.
    let bom = if !utf16 && text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let start = Declaration { text: &text, at: bom }.skip(utf16)?;
    Ok(Decoded { text, start })
}

fn check_size(size: usize, limits: &Limits) -> Result<(), ReadError> {
    if size <= limits.document_size {
        return Ok(());
    }
    let maximum = limits.document_size;
    Err(ReadError::LimitExceeded { limit: Limit::DocumentSize, maximum, offset: maximum })
}

/// Transcodes `units`, which start `skipped` bytes into the document.
fn utf16(units: &[u8], skipped: usize, unit: fn([u8; 2]) -> u16) -> Result<String, ReadError> {
    let (pairs, rest) = units.as_chunks::<2>();
    let mut text = String::with_capacity(units.len());
    let mut offset = skipped;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let Ok(character) = decoded else {
            return Err(ReadError::InvalidEncoding { encoding: "UTF-16", offset });
        };
        text.push(character);
        offset += 2 * character.len_utf16();
    }
    if rest.is_empty() { Ok(text) } else { Err(ReadError::InvalidEncoding { encoding: "UTF-16", offset }) }
}

/// A cursor over the XML declaration (XML 1.0, productions 23 to 32 and 80).
struct Declaration<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Declaration<'a> {
    /// Where the content starts.
    fn skip(mut self, utf16: bool) -> Result<usize, ReadError> {
        if !self.take("<?xml") {
            return Ok(self.at);
        }
        if !self.white_space() {
            // `<?xml-stylesheet` and its like are processing instructions.
            return Ok(self.at - "<?xml".len());
        }
        if !self.take("version") {
            return Err(self.malformed());
        }
        let (offset, version) = self.value()?;
        if version != "1.0" {
            return Err(ReadError::UnsupportedVersion { offset });
        }
        let mut spaced = self.white_space();
        if spaced && self.take("encoding") {
            let (offset, encoding) = self.value()?;
            let known: &[&str] = if utf16 { &["utf-16", "utf-16le", "utf-16be"] } else { &["utf-8", "utf8"] };
            if !known.iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
                return Err(ReadError::UnsupportedEncoding { offset });
            }
            spaced = self.white_space();
        }
        if spaced && self.take("standalone") {
            let (_, standalone) = self.value()?;
            if !matches!(standalone, "yes" | "no") {
                return Err(self.malformed());
            }
            self.white_space();
        }
        if self.take("?>") { Ok(self.at) } else { Err(self.malformed()) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.at += literal.len();
        }
        found
    }

    fn white_space(&mut self) -> bool {
        let rest = self.rest();
        let skipped = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at += skipped;
        skipped > 0
    }

    /// `= "value"`, with the offset of the value.
    fn value(&mut self) -> Result<(usize, &'a str), ReadError> {
        self.white_space();
        if !self.take("=") {
            return Err(self.malformed());
        }
        self.white_space();
        let quote = if self.take("\"") {
            '"'
        } else if self.take("'") {
            '\''
        } else {
            return Err(self.malformed());
        };
        let Some((value, _)) = self.rest().split_once(quote) else { return Err(self.malformed()) };
        let offset = self.at;
        self.at += value.len() + 1;
        Ok((offset, value))
    }

    fn malformed(&self) -> ReadError {
        ReadError::Syntax { reason: "malformed XML declaration", offset: self.at }
    }
}
