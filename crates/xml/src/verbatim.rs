//! Characters that xml-rs hands out as they are written.
#![expect(
    clippy::needless_bitwise_bool,
    reason = "lazy operators would be branches, which keep vector instructions away"
)]

/// Bytes looked at together.
const BLOCK: usize = 64;

/// Whether an attribute value is of such characters alone: no reference, and no white space that is normalized.
pub(crate) fn is_value(value: &str) -> bool {
    all(value, |byte| (byte >= b' ') & (byte != b'&')) && !has_noncharacter(value)
}

/// Whether text between tags is: no reference, no line end that changes, no end of a section or comment.
pub(crate) fn is_text(text: &str) -> bool {
    let is_plain =
        |byte: u8| ((byte >= b' ') & (byte != b'&') & (byte != b'>')) | (byte == b'\n') | (byte == b'\t');
    all(text, is_plain) && !has_noncharacter(text)
}

fn all(text: &str, is_plain: impl Fn(u8) -> bool) -> bool {
    let are = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_plain(*byte));
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    // No branch inside a block.
    blocks.iter().all(|block| are(block)) && are(rest)
}

/// Whether one of the two characters above U+007F is in it that XML 1.0 does not have.
fn has_noncharacter(text: &str) -> bool {
    memchr::memchr(0xef, text.as_bytes()).is_some() && text.contains(['\u{fffe}', '\u{ffff}'])
}
