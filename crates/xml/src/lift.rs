//! Long plain text goes around xml-rs, which takes it character by character.
//!
//! A run between two tags in which nothing has a meaning to XML is shown to xml-rs as one private-use character, and put back
//! into the event that this turns up in. What xml-rs sees is a document of the same structure; everything else about the run was
//! judged by the scan before.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use std::borrow::Cow;

/// Stands for a run: U+E000. A document that holds it itself is read as it is.
pub(crate) const MARK: &str = "\u{e000}";
/// Runs that are shorter are left to xml-rs.
const MIN_RUN: usize = 8;

/// The runs of a document, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(VecDeque<Range<usize>>);

impl Runs {
    /// Takes `run`, of content, if it is one: between `>` and `<`, long, and of characters that xml-rs would hand out as they are.
    pub(crate) fn offer(&mut self, text: &[u8], run: Range<usize>) {
        let is_enclosed = run.start.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'>')
            && text.get(run.end) == Some(&b'<');
        let is_plain = || text.get(run.clone()).is_some_and(|bytes| bytes.iter().all(|byte| is_plain(*byte)));
        if run.len() >= MIN_RUN && is_enclosed && is_plain() {
            self.0.push_back(run);
        }
    }
}

/// ASCII that is only ever itself: no line end that changes, no quote, no part of a reference or of `]]>`.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t') && !matches!(byte, b'&' | b'<' | b'>' | b']' | b'"' | b'\'')
}

/// The document as xml-rs reads it, one byte at a time and nothing ahead.
pub(crate) struct Source<'a> {
    text: Cow<'a, [u8]>,
    /// How much of it was taken, runs included.
    pub(crate) at: usize,
    /// Not passed yet.
    ahead: VecDeque<Range<usize>>,
    /// Passed, and not yet put back.
    passed: VecDeque<Range<usize>>,
    /// What is left of a mark under way.
    mark: &'static [u8],
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: Cow<'a, [u8]>, at: usize, runs: Runs) -> Self {
        // What is a mark to us must be none to others.
        let has_marks = memchr::memmem::find(&text, MARK.as_bytes()).is_some();
        let ahead = if has_marks { VecDeque::new() } else { runs.0 };
        Self { text, at, ahead, passed: VecDeque::new(), mark: &[] }
    }

    /// The text of an event with its runs in their places.
    pub(crate) fn restore(&mut self, piece: String) -> String {
        if self.passed.is_empty() {
            return piece;
        }
        let mut restored = String::new();
        for (number, part) in piece.split(MARK).enumerate() {
            if number > 0
                && let Some(run) = self.passed.pop_front()
            {
                // Of ASCII, so nothing is replaced.
                restored.push_str(&String::from_utf8_lossy(self.text.get(run).unwrap_or_default()));
            }
            restored.push_str(part);
        }
        restored
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.mark.is_empty() && self.ahead.front().is_some_and(|run| run.start == self.at) {
            if let Some(run) = self.ahead.pop_front() {
                self.at = run.end;
                self.passed.push_back(run);
            }
            self.mark = MARK.as_bytes();
        }
        if !self.mark.is_empty() {
            return self.mark.read(buffer);
        }
        // Up to the next run at most.
        let end = self.ahead.front().map_or(self.text.len(), |run| run.start);
        let read = self.text.get(self.at..end).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Event, Limits, ReadError, Reader};

    /// Every event, or the error.
    fn events(mut reader: Reader<'_>) -> Result<Vec<Event>, ReadError> {
        let mut events = Vec::new();
        loop {
            let event = reader.next()?;
            let is_last = event == Event::Eof;
            events.push(event);
            if is_last {
                return Ok(events);
            }
        }
    }

    fn both(document: &[u8]) -> (Result<Vec<Event>, ReadError>, Result<Vec<Event>, ReadError>) {
        let limits = Limits::default();
        let plain = Reader::plainly(document, &limits).and_then(events);
        (Reader::with_limits(document, &limits).and_then(events), plain)
    }

    #[test]
    fn long_text_arrives_as_it_is() {
        let long = "QUJD+/=".repeat(100);
        for document in [
            format!("<a>{long}</a>"),
            format!("<a>{long}<b>{long}</b>{long}</a>"),
            format!("<a>{long}<!-- {long} -->{long}<![CDATA[{long}]]>{long}</a>"),
            format!("<a>{long}<?pi {long}?>{long}</a>"),
            format!("<a>{long}&amp;{long}</a>"),
            format!("<a>\u{e000}{long}<b>{long}</b></a>"),
            format!("<a>{}<b x='{long}'>é{long}</b></a>", " ".repeat(100)),
            format!("<a>{long}\r\n{long}</a>"),
            format!("<a>{long}]]{long}</a>"),
        ] {
            let (lifted, plain) = both(document.as_bytes());
            assert_eq!(lifted, plain, "{document}");
            let events = lifted.unwrap();
            let texts: String = events
                .iter()
                .filter_map(|event| if let Event::Text(text) = event { Some(text.as_str()) } else { None })
                .collect();
            assert!(texts.contains(&long) && (!texts.contains('\u{e000}') || document.contains('\u{e000}')));
        }
    }

    #[test]
    fn errors_are_at_the_same_places() {
        let long = "x".repeat(200);
        for document in [
            format!("<a>{long}</b>"),
            format!("<a>{long}<p:b/></a>"),
            format!("<a>{long}"),
            format!("<a>{long}</a>y"),
        ] {
            let (lifted, plain) = both(document.as_bytes());
            assert!(plain.is_err());
            assert_eq!(lifted, plain, "{document}");
        }
    }

    fn part() -> impl Strategy<Value = String> {
        let long = (8_usize..80, "[ -~\n\t]").prop_map(|(count, one)| one.repeat(count));
        prop_oneof![
            long,
            "[a-z]{7,60}",
            Just("<b>".to_owned()),
            Just("</b>".to_owned()),
            Just("<c/>".to_owned()),
            Just("<!--x-->".to_owned()),
            Just("<![CDATA[ > ]]>".to_owned()),
            Just("<?p q?>".to_owned()),
            Just("&lt;".to_owned()),
            Just("\u{e000}".to_owned()),
            Just("\r".to_owned()),
            Just("é".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_read_does_not_depend_on_it(parts in proptest::collection::vec(part(), 0..12)) {
            let document = format!("<a>{}</a>", parts.concat());
            let (lifted, plain) = both(document.as_bytes());
            prop_assert_eq!(lifted, plain);
        }
    }
}
