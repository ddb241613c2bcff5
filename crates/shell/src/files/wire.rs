//! What a copy and its far end say to each other: requests as lines, answers that end with NUL, content as it is.
//!
//! | request | then | answer |
//! |---|---|---|
//! | `to KIND INTO EXPANDS`, name, path | | `root WHAT PATH`, or `error` and the end |
//! | `from EXPANDS`, path | | as `to` |
//! | `folder`, path | | `ok` |
//! | `put SIZE POLICY WAITS RESUMES TOKEN SECONDS NANOSECONDS TIME`, path | waiting for `go HAVE DIGEST`, `from OFFSET`; content, digest | `ok DIGEST`, `skipped` |
//! | `look`, path | | `file SIZE TIME 0` |
//! | `get OFFSET`, path | | `file SIZE TIME OFFSET`, content, `sum DIGEST` |
//! | `list` | | `listing`, `KIND SIZE TIME PATH`…, `.` |
//!
//! Any of them may be answered by `error CODE TEXT`. Names and paths are lines of their own, with `\\`, `\n` and `\r` for
//! what would end them; below the root they are relative, with `/` between their parts. Digests are SHA-256 in hexadecimal.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::{Problem, Refusal};
use super::options::Existing;

/// The longest answer, in bytes: a path and a message.
pub(super) const MAX_ANSWER: usize = 256 * 1024;

/// What is copied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    File,
    Folder,
}

/// Where files go.
#[derive(Clone, Copy, Debug)]
pub(super) struct To<'a> {
    pub(super) kind: Kind,
    /// Below the path, by this name, where that is a folder.
    pub(super) into: Option<&'a str>,
    pub(super) expands: bool,
    pub(super) path: &'a str,
}

/// A file on its way to the far end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put<'a> {
    pub(super) size: u64,
    pub(super) existing: Existing,
    /// The content comes only after `go`.
    pub(super) waits: bool,
    pub(super) resumes: bool,
    /// Of the temporary name; hexadecimal.
    pub(super) token: &'a str,
    pub(super) modified: Option<SystemTime>,
    /// Empty for the root itself.
    pub(super) path: &'a str,
}

pub(super) fn to(lines: &mut String, to: To<'_>) {
    let kind = if to.kind == Kind::File { 'f' } else { 'd' };
    // The line of the name is there in any case.
    let _ = writeln!(lines, "to {kind} {} {}", u8::from(to.into.is_some()), u8::from(to.expands));
    text(lines, to.into.unwrap_or_default());
    text(lines, to.path);
}

pub(super) fn from(lines: &mut String, path: &str, expands: bool) {
    let _ = writeln!(lines, "from {}", u8::from(expands));
    text(lines, path);
}

pub(super) fn folder(lines: &mut String, path: &str) {
    lines.push_str("folder\n");
    text(lines, path);
}

pub(super) fn put(lines: &mut String, put: Put<'_>) {
    let policy = match put.existing {
        Existing::Overwrite => "overwrite",
        Existing::Refuse => "refuse",
        Existing::Skip => "skip",
        Existing::Update => "update",
    };
    let Put { size, token, .. } = put;
    let (waits, resumes) = (u8::from(put.waits), u8::from(put.resumes));
    let _ = write!(lines, "put {size} {policy} {waits} {resumes} {token} ");
    // What was before 1970, or never, has no time to keep.
    match put.modified.and_then(|time| Some((time, time.duration_since(UNIX_EPOCH).ok()?))) {
        Some((time, since)) => {
            let text = humantime::format_rfc3339_nanos(time);
            let _ = writeln!(lines, "{} {} {text}", since.as_secs(), since.subsec_nanos());
        }
        None => lines.push_str("- - -\n"),
    }
    text(lines, put.path);
}

pub(super) fn go_on(lines: &mut String, offset: u64) {
    let _ = writeln!(lines, "from {offset}");
}

pub(super) fn digest(lines: &mut String, digest: &str) {
    let _ = writeln!(lines, "{digest}");
}

pub(super) fn look(lines: &mut String, path: &str) {
    lines.push_str("look\n");
    text(lines, path);
}

pub(super) fn get(lines: &mut String, offset: u64, path: &str) {
    let _ = writeln!(lines, "get {offset}");
    text(lines, path);
}

pub(super) fn list(lines: &mut String) {
    lines.push_str("list\n");
}

/// A line of its own.
fn text(lines: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\\' => lines.push_str("\\\\"),
            '\n' => lines.push_str("\\n"),
            '\r' => lines.push_str("\\r"),
            c => lines.push(c),
        }
    }
    lines.push('\n');
}

/// An answer, without the NUL at its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Root { is_folder: bool, path: String },
    Ok(Option<String>),
    Skipped,
    Go { have: u64, digest: String },
    File { size: u64, modified: Option<SystemTime>, offset: u64 },
    Sum(String),
    Listing,
    Entry(Entry),
    EndOfListing,
    Error(Refusal),
}

/// One of a listing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    /// Relative to the root, which is itself `.`.
    Folder(Vec<u8>),
    File {
        path: Vec<u8>,
        size: u64,
        modified: Option<SystemTime>,
    },
    /// Neither, or a link to a folder.
    Other(Vec<u8>),
    /// Why a folder is not listed.
    Problem(String),
}

impl Entry {
    /// Bytes of its name or message.
    pub(super) fn text_len(&self) -> usize {
        match self {
            Self::Folder(path) | Self::File { path, .. } | Self::Other(path) => path.len(),
            Self::Problem(message) => message.len(),
        }
    }
}

impl Answer {
    /// `None` for what no far end says.
    pub(super) fn parse(answer: &[u8]) -> Option<Self> {
        let (verb, rest) = match answer.iter().position(|byte| *byte == b' ') {
            Some(at) => (answer.get(..at)?, answer.get(at + 1..)?),
            None => (answer, &[][..]),
        };
        let text = || String::from_utf8_lossy(rest).into_owned();
        Some(match verb {
            b"root" => {
                let text = text();
                let (what, path) = text.split_once(' ')?;
                Self::Root { is_folder: what == "folder", path: path.to_owned() }
            }
            b"ok" => Self::Ok((!rest.is_empty()).then(text)),
            b"skipped" => Self::Skipped,
            b"go" => {
                let text = text();
                let (have, digest) = text.split_once(' ')?;
                Self::Go { have: have.parse().ok()?, digest: digest.to_owned() }
            }
            b"file" => {
                let text = text();
                let mut parts = text.split(' ');
                Self::File {
                    size: parts.next()?.parse().ok()?,
                    modified: time(parts.next()?),
                    offset: parts.next()?.parse().ok()?,
                }
            }
            b"sum" => Self::Sum(text()),
            b"listing" => Self::Listing,
            b"." => Self::EndOfListing,
            b"error" => {
                let text = text();
                let (code, message) = text.split_once(' ').unwrap_or((&text, ""));
                Self::Error(Refusal { problem: Problem::from_code(code), message: message.trim().to_owned() })
            }
            b"d" | b"f" | b"x" | b"e" => Self::Entry(entry(verb, rest)?),
            _ => return None,
        })
    }
}

fn entry(verb: &[u8], rest: &[u8]) -> Option<Entry> {
    let mut parts = rest.splitn(3, |byte| *byte == b' ');
    let size = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let modified = std::str::from_utf8(parts.next()?).ok().and_then(time);
    let name = parts.next()?;
    let path = name.strip_prefix(b"./").unwrap_or(name).to_vec();
    Some(match verb {
        b"d" => Entry::Folder(path),
        b"f" => Entry::File { path, size, modified },
        b"x" => Entry::Other(path),
        _ => Entry::Problem(String::from_utf8_lossy(name).trim().to_owned()),
    })
}

/// Seconds since 1970, with any number of digits behind the point.
fn time(text: &str) -> Option<SystemTime> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos = Duration::from_nanos(digits.parse().ok()?);
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = if seconds < 0 { UNIX_EPOCH.checked_sub(whole)? } else { UNIX_EPOCH.checked_add(whole)? };
    base.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_lines() {
        let mut lines = String::new();
        to(&mut lines, To { kind: Kind::File, into: Some("a b"), expands: true, path: "C:\\x\ny" });
        let modified = Some(UNIX_EPOCH + Duration::new(1_700_000_000, 5));
        let file = Put {
            size: 7,
            existing: Existing::Update,
            waits: false,
            resumes: true,
            token: "ab",
            modified,
            path: "",
        };
        put(&mut lines, file);
        put(&mut lines, Put { modified: None, path: "d/e", ..file });
        get(&mut lines, 3, "x");
        assert_eq!(
            lines,
            "to f 1 1\na b\nC:\\\\x\\ny\n\
             put 7 update 0 1 ab 1700000000 5 2023-11-14T22:13:20.000000005Z\n\n\
             put 7 update 0 1 ab - - -\nd/e\n\
             get 3\nx\n"
        );
    }

    #[test]
    fn answers_are_read() {
        let file = Answer::parse(b"file 12 1700000000.25 3");
        let modified = Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
        assert_eq!(file, Some(Answer::File { size: 12, modified, offset: 3 }));
        assert_eq!(Answer::parse(b"ok"), Some(Answer::Ok(None)));
        assert_eq!(
            Answer::parse(b"root folder /a b"),
            Some(Answer::Root { is_folder: true, path: "/a b".to_owned() })
        );
        let refusal = Refusal { problem: Problem::DiskFull, message: "no room".to_owned() };
        assert_eq!(Answer::parse(b"error full no room"), Some(Answer::Error(refusal)));
        let modified = Some(UNIX_EPOCH + Duration::from_millis(1500));
        let entry = Entry::File { path: b"a/ \xff".to_vec(), size: 9, modified };
        assert_eq!(Answer::parse(b"f 9 1.5 ./a/ \xff"), Some(Answer::Entry(entry)));
        for wrong in [&b""[..], b"file x 1 2", b"go 1", b"root", b"hello", b"f 1 2"] {
            assert_eq!(Answer::parse(wrong), None);
        }
    }

    #[test]
    fn times_before_1970_are_times_too() {
        assert_eq!(time("-2.5"), UNIX_EPOCH.checked_sub(Duration::from_millis(1500)));
        assert_eq!(time("99999999999999999999"), None);
        assert_eq!(time("x"), None);
    }
}
