//! Text and attribute values as they must stand in a document (XML 1.0, sections 2.2, 2.4, 2.11 and 3.3.3).

use std::borrow::Cow;

use crate::WriteError;

/// Bytes looked at together; text without anything special in it costs little more than reading it.
const BLOCK: usize = 64;

/// Where an escaped string is to stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Between tags.
    Text,
    /// Between double quotes, where readers turn tabs and line breaks into spaces.
    Attribute,
}

/// `text` as it is if it may stand so, which base64 may; else escaped.
pub(crate) fn escape(text: &str, place: Place) -> Result<Cow<'_, str>, WriteError> {
    let Some(first) = find_special(text.as_bytes()) else { return Ok(Cow::Borrowed(text)) };
    let mut escaped = String::with_capacity(text.len() + text.len() / 8 + 16);
    let (safe, rest) = text.split_at_checked(first).unwrap_or(("", text));
    escaped.push_str(safe);
    for (offset, character) in rest.char_indices() {
        match character {
            '<' => escaped.push_str("&lt;"),
            // Only `]]>` must not stand in text; escaping every one spares us looking back into earlier calls.
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' if place == Place::Attribute => escaped.push_str("&quot;"),
            '\t' if place == Place::Attribute => escaped.push_str("&#x9;"),
            '\n' if place == Place::Attribute => escaped.push_str("&#xA;"),
            // A raw CR is read back as LF.
            '\r' => escaped.push_str("&#xD;"),
            character if xml::common::is_xml10_char(character) => escaped.push(character),
            character => {
                let offset = safe.len() + offset;
                return Err(WriteError::InvalidCharacter { character: character.into(), offset });
            }
        }
    }
    Ok(Cow::Owned(escaped))
}

/// A character boundary at or before the first character that may not pass as it is.
fn find_special(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    // No branch inside a block, so that the compiler can use vector instructions.
    let block = blocks.iter().position(|block| block.iter().fold(false, |any, byte| any | is_special(*byte)));
    let (start, candidates) = match block {
        Some(index) => (index * BLOCK, text.get(index * BLOCK..).unwrap_or_default()),
        None => (text.len() - rest.len(), rest),
    };
    candidates.iter().position(|byte| is_special(*byte)).map(|position| start + position)
}

/// Controls, markup, and the first byte of U+FFFE and U+FFFF in UTF-8. Some of these may pass: `escape` looks closer.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "lazy operators would be branches, which keep vector instructions away"
)]
const fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'<') | (byte == b'>') | (byte == b'&') | (byte == b'"') | (byte == 0xef)
}
