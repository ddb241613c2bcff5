//! What happened, for tests: one entry a request, one a log-on.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::time::SystemTime;

use bytes::Bytes;
use winrm_wsman::FaultCode;

/// What a request did for the log-on of its connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AuthStep {
    /// Carried no token, on a connection that nobody had logged on to.
    #[default]
    None,
    /// Carried the n-th token of a log-on, counted from 1.
    Token(u32),
    /// Carried user and password.
    Basic,
    /// Went by the certificate of its channel.
    Certificate,
    /// Carried no token and used the log-on of its connection.
    Authenticated,
}

/// One request.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct LogEntry {
    /// Which connection, counted from 1 over the life of the service.
    pub connection: u64,
    /// Which request, counted from 1 over the life of the service.
    pub sequence: u64,
    /// When its head had been read.
    pub time: Option<SystemTime>,
    /// Its head as it came over the wire, from the method to the empty line. Holds authentication tokens.
    pub head: Bytes,
    /// What it did for the log-on.
    pub auth: AuthStep,
    /// Who sent it, once logged on.
    pub user: Option<String>,
    /// Whether its body was sealed, and the seal was good.
    pub sealed: bool,
    /// The action of its envelope; `Identify` has none.
    pub action: Option<String>,
    /// Name and value of each option in its envelope (DSP0226 section 6.4), in order; those of a set above 4 KiB are left
    /// out.
    pub options: Vec<(String, String)>,
    /// The command that the envelope is about.
    pub command_id: Option<String>,
    /// Bytes of its body.
    pub request_body: usize,
    /// HTTP status of the answer; `None` while there is none, or when the connection was closed instead.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub response_body: usize,
    /// The fault in the answer.
    pub fault: Option<FaultCode>,
}

impl LogEntry {
    /// The request line.
    pub fn request_line(&self) -> String {
        self.lines().next().unwrap_or_default()
    }

    /// The values of a header of the request, in order, by its name in any case.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let named = |line: String| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        self.lines().skip(1).filter_map(named).collect()
    }

    /// The last part of the action, for instance `Receive`; empty without one.
    pub fn action_name(&self) -> &str {
        self.action.as_deref().and_then(|action| action.rsplit('/').next()).unwrap_or_default()
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.head.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).trim_end().to_owned())
    }
}

impl fmt::Debug for LogEntry {
    // Without the head, which holds tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEntry")
            .field("connection", &self.connection)
            .field("sequence", &self.sequence)
            .field("auth", &self.auth)
            .field("user", &self.user)
            .field("sealed", &self.sealed)
            .field("action", &self.action_name())
            .field("options", &self.options)
            .field("request_body", &self.request_body)
            .field("status", &self.status)
            .field("response_body", &self.response_body)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

/// An attempt to log on: a last token came.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Logon {
    /// Which connection.
    pub connection: u64,
    /// Who, as `DOMAIN\user` or `user`; empty when the token could not be read so far.
    pub user: String,
    /// Why it failed; `None` when it did not.
    pub failure: Option<String>,
}

impl Logon {
    /// Whether the user is logged on.
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

/// What happened up to now. The entries are a slice: `log.len()`, `log[0]`, `log.iter()`.
#[derive(Clone, Debug, Default)]
pub struct Log {
    entries: Vec<LogEntry>,
    logons: Vec<Logon>,
}

impl Log {
    /// The requests, in the order they came.
    pub fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    /// The attempts to log on, in the order they came.
    pub fn logons(&self) -> &[Logon] {
        &self.logons
    }

    /// The last part of each action, `-` where a request had none: what a conversation looked like.
    pub fn actions(&self) -> Vec<&str> {
        let name = |entry: &'_ LogEntry| !entry.action_name().is_empty();
        self.entries.iter().map(|entry| if name(entry) { entry.action_name() } else { "-" }).collect()
    }
}

impl Deref for Log {
    type Target = [LogEntry];

    fn deref(&self) -> &[LogEntry] {
        &self.entries
    }
}

/// The log as the service keeps it.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<LogEntry>,
    logons: VecDeque<Logon>,
    limit: usize,
    /// Sequence number of the last entry.
    last: u64,
}

impl Journal {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Takes a new entry and numbers it.
    pub(crate) fn open(&mut self, mut entry: LogEntry) -> u64 {
        self.last += 1;
        entry.sequence = self.last;
        if self.entries.len() >= self.limit {
            self.entries.pop_front();
        }
        if self.limit > 0 {
            self.entries.push_back(entry);
        }
        self.last
    }

    /// Changes an entry, unless it was forgotten meanwhile.
    pub(crate) fn update(&mut self, sequence: u64, change: impl FnOnce(&mut LogEntry)) {
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.sequence == sequence) {
            change(entry);
        }
    }

    pub(crate) fn logon(&mut self, logon: Logon) {
        if self.logons.len() >= self.limit {
            self.logons.pop_front();
        }
        if self.limit > 0 {
            self.logons.push_back(logon);
        }
    }

    pub(crate) fn snapshot(&self) -> Log {
        Log { entries: self.entries.iter().cloned().collect(), logons: self.logons.iter().cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_in_any_case() {
        let head = "POST /wsman HTTP/1.1\r\nHost: h\r\ncontent-LENGTH: 0\r\nX: 1\r\nx:2\r\n\r\n";
        let entry = LogEntry { head: Bytes::from_static(head.as_bytes()), ..LogEntry::default() };
        assert_eq!(entry.request_line(), "POST /wsman HTTP/1.1");
        assert_eq!(entry.headers("Content-Length"), ["0"]);
        assert_eq!(entry.headers("x"), ["1", "2"]);
        assert_eq!(entry.headers("absent"), Vec::<String>::new());
        assert!(!format!("{entry:?}").contains("Host"));
    }

    #[test]
    fn old_entries_are_forgotten() {
        let mut journal = Journal::new(2);
        for _ in 0..3 {
            journal.open(LogEntry::default());
        }
        journal.update(1, |entry| entry.status = Some(1));
        journal.update(3, |entry| entry.status = Some(3));
        let log = journal.snapshot();
        let kept: Vec<_> = log.iter().map(|entry| (entry.sequence, entry.status)).collect();
        assert_eq!(kept, [(2, None), (3, Some(3))]);
    }
}
