//! Where markup begins and ends, found byte by byte, so that no byte is looked at twice however the stream is cut.
//!
//! Only what the serializer writes is taken for markup: no comments, no sections, no instructions. Whether it is
//! well-formed is left to the decoder.

use crate::decode::TAGS;

/// The line before a document.
pub(super) const HEADER: &[u8] = b"#< CLIXML";
/// From the header to the end of the root's start tag, which takes 90 bytes.
pub(super) const MAX_PROLOGUE: usize = 1024;
/// White space between elements, and in the root's end tag.
pub(super) const MAX_SPACE: usize = 256;
/// The longest name of a value, `Version`, and one more.
const MAX_NAME: usize = 8;

const ROOT: &[u8] = b"<Objs";
const ROOT_END: &[u8] = b"</Objs";

/// How far something was found to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// More bytes are needed.
    Incomplete,
    /// It takes so many bytes.
    Complete(usize),
    /// After so many bytes comes one that cannot be.
    Malformed(usize),
}

/// What stands between two elements.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Markup {
    /// More bytes are needed.
    Undecided,
    /// A header.
    Header,
    /// The start tag of a value.
    Element,
    /// The end tag of the root, and its size.
    RootEnd(usize),
    /// Something else.
    None,
}

/// Judges the first bytes.
pub(super) fn markup(rest: &[u8]) -> Markup {
    if rest.starts_with(HEADER) {
        return Markup::Header;
    }
    if HEADER.starts_with(rest) || ROOT_END.starts_with(rest) {
        return Markup::Undecided;
    }
    if let Some(after) = rest.strip_prefix(ROOT_END) {
        let space = white_space(after);
        return match after.get(space) {
            Some(b'>') => Markup::RootEnd(ROOT_END.len() + space + 1),
            None if space < MAX_SPACE => Markup::Undecided,
            _ => Markup::None,
        };
    }
    let Some(after) = rest.strip_prefix(b"<") else { return Markup::None };
    let name = after.iter().take(MAX_NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_value = || {
        let name = after.get(..name).unwrap_or_default();
        TAGS.iter().chain(&["Obj", "Ref", "PR"]).any(|tag| tag.as_bytes() == name)
    };
    match after.get(name) {
        None if name < MAX_NAME => Markup::Undecided,
        Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/') if is_value() => Markup::Element,
        _ => Markup::None,
    }
}

/// How many of the first bytes are white space, at most [`MAX_SPACE`].
pub(super) fn white_space(rest: &[u8]) -> usize {
    rest.iter().take(MAX_SPACE).take_while(|byte| is_white_space(**byte)).count()
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// From a header to the end of the root's start tag.
pub(super) fn prologue(rest: &[u8]) -> Progress {
    let space = |byte: &&u8| is_white_space(**byte) || matches!(**byte, 0xef | 0xbb | 0xbf);
    let start = HEADER.len() + rest.iter().skip(HEADER.len()).take(MAX_PROLOGUE).take_while(space).count();
    let tag = rest.get(start..).unwrap_or_default();
    if !tag.starts_with(ROOT) {
        let undecided = ROOT.starts_with(tag) && rest.len() < MAX_PROLOGUE;
        return if undecided { Progress::Incomplete } else { Progress::Malformed(start) };
    }
    let mut element = Element::new();
    element.tag_only = true;
    match element.advance(tag, MAX_PROLOGUE) {
        Progress::Complete(size) => Progress::Complete(start + size),
        Progress::Incomplete if element.scanned() < MAX_PROLOGUE => Progress::Incomplete,
        _ => Progress::Malformed(start),
    }
}

/// In an element that became malformed after `size` bytes, the place of a header that may have broken in: of a process
/// that began when the one before was killed.
pub(super) fn before_header(rest: &[u8], size: usize) -> Option<usize> {
    let before = rest.get(..size)?;
    if before.ends_with(b"#<") {
        Some(size - 2)
    } else if before.ends_with(b"#") && rest.get(size) == Some(&b'<') {
        Some(size - 1)
    } else {
        None
    }
}

/// An element that begins at the first byte looked at.
#[derive(Clone, Debug)]
pub(super) struct Element {
    place: Place,
    /// Elements open.
    depth: usize,
    /// Bytes looked at.
    scanned: usize,
    /// Ends with the start tag.
    tag_only: bool,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Content,
    /// After `<`.
    Open,
    /// In a start tag, outside of values.
    Start,
    /// After a `/` there.
    Slash,
    /// In a value, up to this quote.
    Value(u8),
    /// After `</`.
    End,
}

impl Element {
    pub(super) fn new() -> Self {
        Self { place: Place::Content, depth: 0, scanned: 0, tag_only: false }
    }

    /// Bytes looked at so far.
    pub(super) fn scanned(&self) -> usize {
        self.scanned
    }

    /// The same element when the bytes looked at are gone.
    pub(super) fn pass(&self) -> Self {
        Self { scanned: 0, ..self.clone() }
    }

    /// Looks at what of `bytes`, which begin where the element does, was not looked at before, up to `maximum`.
    pub(super) fn advance(&mut self, bytes: &[u8], maximum: usize) -> Progress {
        let bytes = bytes.get(..maximum.min(bytes.len())).unwrap_or_default();
        let mut new = bytes.get(self.scanned..).unwrap_or_default().iter();
        while let Some(byte) = new.next() {
            let mut ended = false;
            self.place = match (self.place, *byte) {
                (Place::Content, b'<') => Place::Open,
                (Place::Content, _) => {
                    // Text is most of what there is.
                    let skipped = new.as_slice().iter().position(|byte| *byte == b'<').unwrap_or(new.len());
                    new = new.as_slice().get(skipped..).unwrap_or_default().iter();
                    Place::Content
                }
                (Place::Open, b'/') => Place::End,
                (Place::Open, b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..) => Place::Start,
                (Place::Start, b'/') => Place::Slash,
                (Place::Start, quote @ (b'"' | b'\'')) => Place::Value(quote),
                (Place::Start, b'>') => {
                    self.depth = self.depth.saturating_add(1);
                    ended = self.tag_only;
                    Place::Content
                }
                (Place::Slash, b'>') => {
                    ended = self.depth == 0;
                    Place::Content
                }
                (Place::Value(quote), byte) if byte == quote => Place::Start,
                (Place::End, b'>') => {
                    self.depth = self.depth.saturating_sub(1);
                    ended = self.depth == 0;
                    Place::Content
                }
                (Place::Start | Place::Value(_) | Place::End, byte) if byte != b'<' => self.place,
                _ => {
                    self.scanned = bytes.len() - new.len() - 1;
                    return Progress::Malformed(self.scanned);
                }
            };
            if ended {
                self.scanned = bytes.len() - new.len();
                return Progress::Complete(self.scanned);
            }
        }
        self.scanned = bytes.len();
        Progress::Incomplete
    }
}
