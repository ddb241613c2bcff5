//! Text out of a process's bytes: the encoding of a console is its code page.

use encoding_rs::Encoding;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use oem_cp::code_table_type::TableType;

use crate::child::Output;

/// A code page that is not known here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("code page {0} is not known: take the bytes, or run the command with code page 65001 (UTF-8)")]
pub struct UnknownCodePage(pub u32);

/// Decodes a stream as it comes: characters that are cut wait for their rest.
///
/// ```
/// let mut decoder = winrm_shell::Decoder::new(932)?;
/// let mut text = decoder.decode(b"\x93\xfa\x96", false);
/// text += &decoder.decode(b"\x7b", true);
/// assert_eq!(text, "日本");
/// # Ok::<(), winrm_shell::UnknownCodePage>(())
/// ```
pub struct Decoder(Kind);

enum Kind {
    /// Those that the web uses too.
    Web(encoding_rs::Decoder),
    /// The older ones of consoles, a character for each byte.
    Oem(&'static TableType),
}

impl Decoder {
    /// Of a code page by its number: 65001, 1200 and 1201 (UTF-16), 874, 932, 936, 949, 950, 1250 to 1258, 437, 850, 852 and others
    /// of consoles, ISO 8859, KOI8.
    ///
    /// # Errors
    /// [`UnknownCodePage`].
    pub fn new(codepage: u32) -> Result<Self, UnknownCodePage> {
        let unknown = UnknownCodePage(codepage);
        let number = u16::try_from(codepage).map_err(|_| unknown)?;
        if let Some(encoding) = codepage::to_encoding(number) {
            return Ok(Self::of(encoding));
        }
        let table = DECODING_TABLE_CP_MAP.get(&number).ok_or(unknown)?;
        Ok(Self(Kind::Oem(table)))
    }

    fn of(encoding: &'static Encoding) -> Self {
        // A byte order mark is a character here: what the process wrote.
        Self(Kind::Web(encoding.new_decoder_without_bom_handling()))
    }

    /// The next bytes as text; `last` says that no more come, so that half a character becomes U+FFFD, as do bytes that are none.
    pub fn decode(&mut self, bytes: &[u8], last: bool) -> String {
        match &mut self.0 {
            Kind::Web(decoder) => {
                let longest = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
                let mut text = String::with_capacity(longest);
                let mut rest = bytes;
                loop {
                    let (result, read, _) = decoder.decode_to_string(rest, &mut text, last);
                    rest = rest.get(read..).unwrap_or_default();
                    match result {
                        encoding_rs::CoderResult::InputEmpty => return text,
                        encoding_rs::CoderResult::OutputFull => text.reserve(rest.len() * 3 + 16),
                    }
                }
            }
            Kind::Oem(table) => table.decode_string_lossy(bytes),
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Output {
    /// Standard output as text, by the code page of the shell.
    ///
    /// # Errors
    /// [`UnknownCodePage`].
    pub fn stdout_text(&self, codepage: u32) -> Result<String, UnknownCodePage> {
        Ok(Decoder::new(codepage)?.decode(&self.stdout, true))
    }

    /// Standard error as text, by the code page of the shell.
    ///
    /// # Errors
    /// [`UnknownCodePage`].
    pub fn stderr_text(&self, codepage: u32) -> Result<String, UnknownCodePage> {
        Ok(Decoder::new(codepage)?.decode(&self.stderr, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_never_cut() {
        for (codepage, bytes, text) in [
            (65001, "añ日本𝄞".as_bytes(), "añ日本𝄞"),
            (932, b"\x93\xfa\x96\x7b\x8c\xea a\xb1", "日本語 aｱ"),
            (936, b"\xd6\xd0\xce\xc4 a\x81\x30\x81\x30", "中文 a\u{80}"),
            (950, b"\xa4\xa4\xa4\xe5", "中文"),
            (949, b"\xc7\xd1\xb1\xdb", "한글"),
            (1252, b"caf\xe9 \x80", "café €"),
            (1200, b"a\x00\x3d\xd8\x00\xde", "a😀"),
            (437, b"\x81ber \xe4\xda\xbf", "über Σ┌┐"),
            (850, b"\x81ber \xa9", "über ®"),
            (866, b"\x8f\xe0\xa8", "При"),
        ] {
            for cut in 0..=bytes.len() {
                let mut decoder = Decoder::new(codepage).unwrap();
                let (one, other) = bytes.split_at(cut);
                let whole =
                    decoder.decode(one, false) + &decoder.decode(other, false) + &decoder.decode(b"", true);
                assert_eq!(whole, text, "{codepage}, cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_character_is_told() {
        assert_eq!(Decoder::new(65001).unwrap().decode(b"a\xff", true), "a\u{fffd}");
        assert_eq!(Decoder::new(932).unwrap().decode(b"\x93", true), "\u{fffd}");
        assert_eq!(Decoder::new(65001).unwrap().decode(b"\xef\xbb\xbfa", true), "\u{feff}a");
        for unknown in [0, 1, 12000, 99_999] {
            assert_eq!(Decoder::new(unknown).unwrap_err(), UnknownCodePage(unknown));
        }
    }
}
