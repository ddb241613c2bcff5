//! Bytes as people read them.

use std::fmt::Write;

/// Bytes in a line.
const WIDTH: usize = 16;

/// Offset, sixteen bytes in hexadecimal, and what of them is printable ASCII.
pub(crate) fn hexdump(bytes: &[u8], indent: &str) -> String {
    let mut text = String::new();
    for (number, line) in bytes.chunks(WIDTH).enumerate() {
        let (mut hex, mut ascii) = (String::new(), String::new());
        for byte in line {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x} ");
            ascii.push(if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' });
        }
        let _ = writeln!(text, "{indent}{:04x}  {hex:<width$} |{ascii}|", number * WIDTH, width = WIDTH * 3);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_line_up() {
        let text = hexdump(b"POST /wsman\r\n\x00\xff~ x", "> ");
        assert_eq!(
            text,
            "> 0000  50 4f 53 54 20 2f 77 73 6d 61 6e 0d 0a 00 ff 7e  |POST /wsman....~|\n\
             > 0010  20 78                                            | x|\n"
        );
    }
}
