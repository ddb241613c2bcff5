//! Taking a sealed body apart, by counting.

use std::ops::Range;

use super::Layout;

/// Most chunks in one body: 64 MiB of `CredSSP`.
const MAX_CHUNKS: usize = 4096;

/// Most bytes by which sealing lengthens a chunk beyond `Length` and the token header. TLS adds up to 48,
/// of which the token header takes some.
const MAX_EXPANSION: usize = 512;

/// Longest header line looked at, in bytes.
const MAX_LINE: usize = 512;

/// One sealed chunk of a body. Ranges are in bytes of the body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// `Content-Type` of the description: the protocol.
    pub content_type: String,
    /// Type and charset in `OriginalContent`, for instance `application/soap+xml;charset=UTF-8`.
    pub original_content_type: String,
    /// `Length` in `OriginalContent`: bytes of plaintext, security padding included.
    pub length: usize,
    /// The token header.
    pub header: Range<usize>,
    /// The sealed bytes behind it.
    pub sealed: Range<usize>,
}

/// Why bytes are no framed body. Offsets are in bytes of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The HTTP header `Content-Type` announces no sealed body.
    #[error("content type is not that of a sealed body")]
    ContentType,
    /// Something else stands where a part must begin.
    #[error("no boundary at byte {offset}")]
    Boundary {
        /// Where.
        offset: usize,
    },
    /// The body ends inside a field.
    #[error("body ends inside {field} at byte {offset}")]
    Truncated {
        /// The field.
        field: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// A header line is missing, malformed or too long.
    #[error("{field} is missing or malformed at byte {offset}")]
    Header {
        /// The header.
        field: &'static str,
        /// Where the line begins.
        offset: usize,
    },
    /// No boundary where `Length` says that the sealed bytes end.
    #[error("sealed bytes from byte {offset} do not end at length {length}")]
    Length {
        /// The announced length.
        length: usize,
        /// Where they begin.
        offset: usize,
    },
    /// More chunks than anybody sends.
    #[error("more than {MAX_CHUNKS} chunks")]
    TooManyChunks,
}

/// Takes a body apart without unsealing it.
///
/// Parts are found by `Length` and the size of the token header; the boundary is looked for only behind them, where a
/// mechanism that lengthens messages may have put a few bytes more.
/// Accepted beside the form that [`seal`](super::seal) writes: a blank after the dashes of a boundary, header names in any
/// case, header lines indented or not, no charset, LF alone, a closing boundary after each chunk or, behind a
/// single chunk, without its last dashes.
///
/// # Errors
/// [`FrameError`].
pub fn split(content_type: &str, body: &[u8]) -> Result<Vec<Part>, FrameError> {
    let (layout, several) = Layout::parse(content_type).ok_or(FrameError::ContentType)?;
    let mut cursor = Cursor { body, at: 0, boundary: layout.boundary.as_bytes() };
    let mut parts = Vec::new();
    cursor.expect_boundary()?;
    loop {
        if parts.len() == MAX_CHUNKS {
            return Err(FrameError::TooManyChunks);
        }
        parts.push(cursor.part()?);
        // Where several chunks may come, an end without the last dashes may be a cut.
        if !cursor.next_part(several || parts.len() > 1)? {
            return Ok(parts);
        }
    }
}

struct Cursor<'a> {
    body: &'a [u8],
    at: usize,
    boundary: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    /// How long a boundary at that place is, dashes before it included.
    fn boundary_at(&self, at: usize) -> Option<usize> {
        let rest = self.body.get(at..)?.strip_prefix(b"--")?;
        // Exchange writes a blank.
        let blank = usize::from(rest.first() == Some(&b' '));
        rest.get(blank..)?.starts_with(self.boundary).then_some(2 + blank + self.boundary.len())
    }

    /// A boundary and its line end.
    fn expect_boundary(&mut self) -> Result<(), FrameError> {
        let error = FrameError::Boundary { offset: self.at };
        self.at += self.boundary_at(self.at).ok_or(error)?;
        if self.skip_line_end() { Ok(()) } else { Err(error) }
    }

    fn skip_line_end(&mut self) -> bool {
        let rest = self.rest();
        let end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        self.at += end;
        end > 0
    }

    /// One line `Name: value`, its name compared without case.
    fn header_line(&mut self, field: &'static str) -> Result<&'a str, FrameError> {
        let error = FrameError::Header { field, offset: self.at };
        let rest = self.rest();
        let window = rest.get(..MAX_LINE).unwrap_or(rest);
        let end = memchr::memchr(b'\n', window).ok_or(error)?;
        let line = window.get(..end).and_then(|line| str::from_utf8(line).ok()).ok_or(error)?;
        let (name, value) = line.split_once(':').ok_or(error)?;
        if !name.trim().eq_ignore_ascii_case(field) {
            return Err(error);
        }
        self.at += end + 1;
        Ok(value.trim())
    }

    /// What follows a boundary: description, boundary, data.
    fn part(&mut self) -> Result<Part, FrameError> {
        let content_type = self.header_line("Content-Type")?.to_owned();
        let offset = self.at;
        let original = self.header_line("OriginalContent")?;
        let (original_content_type, length) =
            original_content(original).ok_or(FrameError::Header { field: "OriginalContent", offset })?;
        self.expect_boundary()?;
        self.header_line("Content-Type")?;
        let header = self.token_header()?;
        let sealed = self.sealed(length)?;
        Ok(Part { content_type, original_content_type, length, header, sealed })
    }

    fn token_header(&mut self) -> Result<Range<usize>, FrameError> {
        let field = "token header length";
        let truncated = FrameError::Truncated { field, offset: self.at };
        let (len, rest) = self.rest().split_first_chunk::<4>().ok_or(truncated)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).unwrap_or(usize::MAX);
        self.at += 4;
        if len > rest.len() {
            return Err(FrameError::Truncated { field: "token header", offset: self.at });
        }
        let header = self.at..self.at + len;
        self.at = header.end;
        Ok(header)
    }

    /// The sealed bytes; the cursor then stands on the boundary behind them.
    fn sealed(&mut self, length: usize) -> Result<Range<usize>, FrameError> {
        let start = self.at;
        let shortest = match start.checked_add(length) {
            Some(end) if end <= self.body.len() => end,
            _ => return Err(FrameError::Truncated { field: "sealed bytes", offset: start }),
        };
        let end = (shortest..=shortest.saturating_add(MAX_EXPANSION))
            .take_while(|at| *at < self.body.len())
            .find(|at| self.boundary_at(*at).is_some())
            .ok_or(FrameError::Length { length, offset: start })?;
        self.at = end;
        Ok(start..end)
    }

    /// Steps over the boundary behind a chunk; whether another chunk follows.
    fn next_part(&mut self, must_close: bool) -> Result<bool, FrameError> {
        let error = FrameError::Boundary { offset: self.at };
        self.at += self.boundary_at(self.at).ok_or(error)?;
        let closing = self.rest().starts_with(b"--");
        if closing {
            self.at += 2;
        }
        let line_end = self.skip_line_end();
        // OMI ends a body with an empty line.
        if self.rest().trim_ascii().is_empty() {
            return if closing || !must_close { Ok(false) } else { Err(error) };
        }
        if closing {
            // Some write a closing boundary after every chunk.
            self.expect_boundary()?;
        } else if !line_end {
            return Err(error);
        }
        Ok(true)
    }
}

/// `type=application/soap+xml;charset=UTF-8;Length=123` without its `type=` and `Length`, and the length.
fn original_content(value: &str) -> Option<(String, usize)> {
    let (mut media, mut length) = (String::new(), None);
    for parameter in value.split(';') {
        match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("length") => {
                let value = value.trim();
                // `parse` would take a sign.
                if !value.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                length = Some(value.parse().ok()?);
            }
            Some((name, value)) if name.trim().eq_ignore_ascii_case("type") => {
                media.insert_str(0, value.trim());
            }
            _ => {
                media.push(';');
                media.push_str(parameter.trim());
            }
        }
    }
    length.map(|length| (media, length))
}
