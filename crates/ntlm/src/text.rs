//! Strings on the wire: UTF-16LE, or the OEM code page where only OEM was negotiated (MS-NLMP 2.2).

use crate::error::{DecodeError, EncodeError};
use crate::flags::NegotiateFlags;

/// UTF-16LE bytes of `text`.
pub(crate) fn utf16_le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Text of UTF-16LE bytes.
pub(crate) fn from_utf16_le(field: &'static str, bytes: &[u8]) -> Result<String, DecodeError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(DecodeError::BadText { field });
    }
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
        .collect::<Result<_, _>>()
        .map_err(|_| DecodeError::BadText { field })
}

/// OEM bytes of `text`.
///
/// Nothing on the wire names the code page. Latin-1 agrees with the Windows code pages of western Europe and with
/// ASCII everywhere; what lies beyond is refused rather than guessed.
pub(crate) fn oem(field: &'static str, text: &str) -> Result<Vec<u8>, EncodeError> {
    text.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| EncodeError::NotOem { field })).collect()
}

/// Text of OEM bytes, read as Latin-1, so that every byte has a meaning.
pub(crate) fn from_oem(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Bytes of `text` in the character set of `flags`.
pub(crate) fn encode(field: &'static str, text: &str, flags: NegotiateFlags) -> Result<Vec<u8>, EncodeError> {
    if flags.contains(NegotiateFlags::UNICODE) { Ok(utf16_le(text)) } else { oem(field, text) }
}

/// Text of `bytes` in the character set of `flags`.
pub(crate) fn decode(
    field: &'static str,
    bytes: &[u8],
    flags: NegotiateFlags,
) -> Result<String, DecodeError> {
    if flags.contains(NegotiateFlags::UNICODE) { from_utf16_le(field, bytes) } else { Ok(from_oem(bytes)) }
}

/// Upper case of one UTF-16 unit, as NTOWFv2 needs it (MS-NLMP 3.3.2).
///
/// Windows maps unit by unit, from a table older than today's Unicode: `ß` stays although its full upper case is `SS`,
/// halves of surrogate pairs stay, and so do letters that are only a variant of the one whose capital they would get
/// (`µ`, `ı`, `ſ`), but for the final sigma. Georgian and Cherokee had one case when the table was made.
pub(crate) fn uppercase_unit(unit: u16) -> u16 {
    const FINAL_SIGMA: char = 'ς';
    let Some(c) = char::from_u32(u32::from(unit)) else { return unit };
    let Some(upper) = only(c.to_uppercase()) else { return unit };
    let pairs_up = only(upper.to_lowercase()) == Some(c) || c == FINAL_SIGMA;
    match u16::try_from(u32::from(upper)) {
        Ok(0x13a0..=0x13f5 | 0x1c90..=0x1cbf) => unit,
        Ok(upper) if pairs_up => upper,
        _ => unit,
    }
}

/// The character, if it is one alone.
fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upper(text: &str) -> String {
        let units: Vec<u16> = text.encode_utf16().map(uppercase_unit).collect();
        String::from_utf16(&units).unwrap()
    }

    #[test]
    fn units_are_mapped_one_by_one() {
        assert_eq!(upper("straße"), "STRAßE");
        assert_eq!(upper("Hélène"), "HÉLÈNE");
        assert_eq!(upper("юзер"), "ЮЗЕР");
        assert_eq!(upper("ÿ"), "Ÿ");
        assert_eq!(upper("µıſǅϐ"), "µıſǅϐ", "variants stay");
        assert_eq!(upper("ὀδυσσεύς"), "ὈΔΥΣΣΕΎΣ");
        assert_eq!(upper("საქართველო"), "საქართველო");
        assert_eq!(upper("ǆ"), "Ǆ");
        assert_eq!(upper("𐐨"), "𐐨", "beyond the basic plane nothing changes");
    }

    #[test]
    fn oem_refuses_what_it_cannot_carry() {
        assert_eq!(oem("UserName", "café"), Ok(b"caf\xe9".to_vec()));
        assert_eq!(oem("UserName", "юзер"), Err(EncodeError::NotOem { field: "UserName" }));
    }

    #[test]
    fn broken_utf16_is_an_error() {
        assert_eq!(from_utf16_le("UserName", &[0x61]), Err(DecodeError::BadText { field: "UserName" }));
        assert_eq!(from_utf16_le("UserName", &[0x00, 0xd8]), Err(DecodeError::BadText { field: "UserName" }));
    }
}
