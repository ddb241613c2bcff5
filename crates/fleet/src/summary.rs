//! What became of the hosts, in a few lines.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::schedule::{NotTried, Outcome};

/// Hosts that the table names for each cause.
const LISTED: usize = 20;

/// Gathers outcomes: counts, and failures grouped by their cause.
///
/// Keeps one entry for each host that was not done, and nothing of results. `Display` is a text table of several lines
/// without a line break at its end.
#[derive(Clone, Debug)]
pub struct Summary {
    started: Instant,
    last: Instant,
    done: usize,
    failed: usize,
    timed_out: usize,
    /// By cause.
    failures: BTreeMap<String, Vec<Entry>>,
    not_tried: BTreeMap<NotTried, Vec<Entry>>,
}

/// Position and label, so that sorting restores the order of the hosts.
type Entry = (usize, String);

/// Hosts that failed for one cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group<'a> {
    /// What the error says.
    pub cause: &'a str,
    /// Labels, in the order of the hosts.
    pub hosts: Vec<&'a str>,
}

impl Summary {
    /// Without outcomes; the clock starts.
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            started: now,
            last: now,
            done: 0,
            failed: 0,
            timed_out: 0,
            failures: BTreeMap::new(),
            not_tried: BTreeMap::new(),
        }
    }

    /// Adds what became of the host at this position. Errors are grouped by what `Display` says of them.
    pub fn record<T, E: fmt::Display>(&mut self, host: usize, label: &str, outcome: &Outcome<T, E>) {
        self.record_with(host, label, outcome, E::to_string);
    }

    /// As [`record`](Self::record), with `cause` to put errors into words, such as with all their sources.
    pub fn record_with<T, E>(
        &mut self,
        host: usize,
        label: &str,
        outcome: &Outcome<T, E>,
        cause: impl FnOnce(&E) -> String,
    ) {
        self.last = Instant::now();
        let entry = (host, label.to_owned());
        match outcome {
            Outcome::Done(_) => self.done += 1,
            Outcome::NotTried(reason) => self.not_tried.entry(*reason).or_default().push(entry),
            Outcome::TimedOut(deadline) => {
                self.timed_out += 1;
                self.failures
                    .entry(format!("not done within {} s", deadline.as_secs_f64()))
                    .or_default()
                    .push(entry);
            }
            Outcome::Failed(error) => self.fail(cause(error), entry),
            Outcome::Panicked(message) => self.fail(format!("panicked: {message}"), entry),
            Outcome::Aborted => self.fail("aborted: the runtime was shut down".to_owned(), entry),
        }
    }

    fn fail(&mut self, cause: String, entry: Entry) {
        self.failed += 1;
        self.failures.entry(cause).or_default().push(entry);
    }

    /// Hosts on which the action was done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Hosts on which it failed otherwise than by its deadline.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Hosts on which it was not done in time.
    pub fn timed_out(&self) -> usize {
        self.timed_out
    }

    /// Hosts on which it was not started.
    pub fn not_tried(&self) -> usize {
        self.not_tried.values().map(Vec::len).sum()
    }

    /// All hosts recorded.
    pub fn total(&self) -> usize {
        self.done + self.failed + self.timed_out + self.not_tried()
    }

    /// From [`new`](Self::new) to the outcome recorded last.
    pub fn elapsed(&self) -> Duration {
        self.last.duration_since(self.started)
    }

    /// The failures, time-outs among them, by cause: what most hosts share first, then by the text of the cause.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<_> =
            self.failures.iter().map(|(cause, entries)| Group { cause, hosts: labels(entries) }).collect();
        // Stable, and the causes are sorted already.
        groups.sort_by_key(|group| std::cmp::Reverse(group.hosts.len()));
        groups
    }

    /// Labels of the hosts that were not tried, in the order of the hosts, for each reason.
    pub fn not_tried_hosts(&self) -> Vec<(NotTried, Vec<&str>)> {
        self.not_tried.iter().map(|(reason, entries)| (*reason, labels(entries))).collect()
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self::new()
    }
}

fn labels(entries: &[Entry]) -> Vec<&str> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(host, _)| *host);
    entries.into_iter().map(|(_, label)| label.as_str()).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} done", self.done)?;
        for (count, what) in
            [(self.failed, "failed"), (self.timed_out, "timed out"), (self.not_tried(), "not tried")]
        {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        let groups = self.groups();
        let width = groups.first().map_or(0, |group| group.hosts.len().to_string().len());
        for group in groups {
            write!(f, "\n  {:>width$}  {}: ", group.hosts.len(), one_line(group.cause))?;
            for (number, host) in group.hosts.iter().take(LISTED).enumerate() {
                let separator = if number == 0 { "" } else { ", " };
                write!(f, "{separator}{}", one_line(host))?;
            }
            if let Some(more @ 1..) = group.hosts.len().checked_sub(LISTED) {
                write!(f, " and {more} more")?;
            }
        }
        Ok(())
    }
}

/// Causes may quote what a remote host says: it must break neither the table nor the terminal.
fn one_line(text: &str) -> String {
    let words: Vec<_> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Ended = Outcome<(), &'static str>;

    fn summary(outcomes: impl IntoIterator<Item = (usize, Ended)>) -> Summary {
        let mut summary = Summary::new();
        for (host, outcome) in outcomes {
            summary.record(host, &format!("web{host:02}"), &outcome);
        }
        summary
    }

    #[test]
    fn the_table_counts_and_groups() {
        let refused = Outcome::Failed("connection refused");
        let summary = summary([
            (9, refused.clone()),
            (3, Outcome::Done(())),
            (7, refused.clone()),
            (4, Outcome::TimedOut(Duration::from_millis(1500))),
            (1, refused),
            (5, Outcome::Panicked("oh".to_owned())),
            (8, Outcome::NotTried(NotTried::Cancelled)),
            (6, Outcome::NotTried(NotTried::Stopped)),
        ]);
        assert_eq!(
            summary.to_string(),
            "1 done, 4 failed, 1 timed out, 2 not tried\n  \
             3  connection refused: web01, web07, web09\n  \
             1  not done within 1.5 s: web04\n  \
             1  panicked: oh: web05"
        );
        assert_eq!((summary.done(), summary.failed(), summary.timed_out()), (1, 4, 1));
        assert_eq!(summary.total(), 8);
        assert_eq!(
            summary.not_tried_hosts(),
            [(NotTried::Stopped, vec!["web06"]), (NotTried::Cancelled, vec!["web08"])]
        );
    }

    #[test]
    fn groups_are_sorted_by_count_then_cause() {
        let summary = summary([
            (1, Outcome::Failed("b")),
            (2, Outcome::Failed("a")),
            (3, Outcome::Failed("c")),
            (4, Outcome::Failed("c")),
        ]);
        let causes: Vec<_> = summary.groups().iter().map(|group| group.cause).collect();
        assert_eq!(causes, ["c", "a", "b"]);
    }

    #[test]
    fn long_lists_are_cut_and_counts_aligned() {
        let many = (0..200).map(|host| (host, Outcome::Failed("x")));
        let table = summary(many.chain([(200, Outcome::Failed("y"))])).to_string();
        assert!(table.contains("\n  200  x: web00, web01"), "{table}");
        assert!(table.contains("web19 and 180 more\n    1  y: web200"), "{table}");
        let exact = summary((0..20).map(|host| (host, Outcome::Failed("x")))).to_string();
        assert!(exact.ends_with("web19"), "{exact}");
    }

    #[test]
    fn causes_stay_on_their_line() {
        let table = summary([(1, Outcome::Failed("one\r\n  two\u{1b}[31m"))]).to_string();
        assert_eq!(table, "0 done, 1 failed\n  1  one two [31m: web01");
    }

    #[tokio::test(start_paused = true)]
    async fn time_ends_with_the_last_outcome() {
        let mut summary = Summary::new();
        tokio::time::advance(Duration::from_secs(3)).await;
        summary.record(0, "web", &Ended::Done(()));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(summary.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn causes_can_be_put_into_other_words() {
        let mut summary = Summary::new();
        summary.record_with(0, "web", &Outcome::<(), u8>::Failed(7), |code| format!("code {code}"));
        assert_eq!(summary.to_string(), "0 done, 1 failed\n  1  code 7: web");
    }
}
