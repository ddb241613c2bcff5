//! `_xHHHH_`, the escapes of MS-PSRP 2.2.5.3.2: each stands for one UTF-16 code unit.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::PsString;

/// Length of `_xHHHH_`.
const ESCAPE_LEN: usize = 7;

/// The text that stands for `string` in an element or attribute, before XML's own escaping.
///
/// Escaped are control characters (C0, DEL and C1), surrogates, both halves of a pair each, and an underscore before
/// `x` or `X`; also U+FFFE and U+FFFF, which XML cannot hold.
pub fn escape(string: &PsString) -> Cow<'_, str> {
    let Some(text) = string.as_str() else { return Cow::Owned(escape_units(string.to_utf16().into_iter())) };
    // Controls, the underscore and the first bytes of what is not ASCII: text without them is most text.
    let plain = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'_');
    if plain { Cow::Borrowed(text) } else { Cow::Owned(escape_units(text.encode_utf16())) }
}

fn escape_units(units: impl Iterator<Item = u16>) -> String {
    let mut escaped = String::new();
    let mut units = units.peekable();
    while let Some(unit) = units.next() {
        let character = char::from_u32(u32::from(unit)).filter(|character| match character {
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => false,
            '_' => !units.peek().is_some_and(|next| matches!(next, 0x58 | 0x78)),
            _ => true,
        });
        match character {
            Some(character) => escaped.push(character),
            // Writing to a string does not fail.
            None => _ = write!(escaped, "_x{unit:04X}_"),
        }
    }
    escaped
}

/// The string that `text` stands for. What only resembles an escape is kept as it is.
pub fn unescape(text: String) -> PsString {
    let Some(first) = find_escape(&text, 0) else { return PsString::from(text) };
    let mut units = Vec::with_capacity(text.len());
    let (mut at, mut next) = (0, Some(first));
    while let Some((start, unit)) = next {
        units.extend(text.get(at..start).unwrap_or_default().encode_utf16());
        units.push(unit);
        at = start + ESCAPE_LEN;
        next = find_escape(&text, at);
    }
    units.extend(text.get(at..).unwrap_or_default().encode_utf16());
    PsString::from_utf16(&units)
}

/// Where the first escape from `at` on starts, and what it stands for.
fn find_escape(text: &str, at: usize) -> Option<(usize, u16)> {
    let mut at = at;
    loop {
        at += text.as_bytes().get(at..)?.iter().position(|byte| *byte == b'_')?;
        if let Some(unit) = text.as_bytes().get(at..at + ESCAPE_LEN).and_then(parse_escape) {
            return Some((at, unit));
        }
        at += 1;
    }
}

fn parse_escape(escape: &[u8]) -> Option<u16> {
    let [b'_', b'x' | b'X', digits @ .., b'_'] = escape else { return None };
    digits.iter().try_fold(0_u16, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        unit.checked_mul(16)?.checked_add(u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_the_section_names() {
        let pairs = [
            ("Order\nDetails", "Order_x000A_Details"),
            ("Order_Details", "Order_Details"),
            ("Order_x0020_", "Order_x005F_x0020_"),
            ("\u{7f}\u{85}\u{ffff}", "_x007F__x0085__xFFFF_"),
            ("\u{1d11e}", "_xD834__xDD1E_"),
            ("_x", "_x005F_x"),
            ("__x005F_", "__x005F_x005F_"),
            ("é\u{fffd}", "é\u{fffd}"),
            ("_", "_"),
        ];
        for (text, escaped) in pairs {
            assert_eq!(escape(&text.into()), escaped);
            assert_eq!(unescape(escaped.to_owned()), text);
        }
    }

    #[test]
    fn keeps_what_only_resembles_an_escape() {
        for text in
            ["_x5F_", "_xZZZZ_", "_x00", "_x000A", "_x+00A_", "x000A_", "_x\u{e9}00A_", "_x00\u{1d11e}_"]
        {
            assert_eq!(unescape(text.to_owned()), text);
        }
        assert_eq!(unescape("_X000a_".to_owned()), "\n");
        assert_eq!(unescape("_xd834_".to_owned()).to_utf16(), [0xd834]);
    }
}
