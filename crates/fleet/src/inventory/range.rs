//! Ranges in names of hosts: `web[01:20].example.com`, `db-[a:f]`, `[1:10:2]`.

use std::net::Ipv6Addr;

use super::error::RangeProblem;

/// What Ansible calls a host pattern: a name with ranges, and a port.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Pattern<'a> {
    pub(super) name: &'a str,
    /// The digits after the last colon.
    pub(super) port: Option<&'a str>,
    /// The name is an address that stood in brackets, which are no range.
    is_address: bool,
}

impl<'a> Pattern<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let whole = Self { name: text, port: None, is_address: true };
        if text.contains("://") {
            return whole;
        }
        if let Some((address, rest)) = bracketed_address(text) {
            return match rest.strip_prefix(':').filter(|port| is_number(port)) {
                Some(port) => Self { name: address, port: Some(port), is_address: true },
                None if rest.is_empty() => Self { name: address, ..whole },
                None => whole,
            };
        }
        let Some((name, port)) = text.rsplit_once(':').filter(|(_, port)| is_number(port)) else {
            return Self { is_address: false, ..whole };
        };
        // Colons are part of ranges, and of addresses without brackets, which then have no port.
        if without_ranges(name).contains(':') {
            return Self { is_address: false, ..whole };
        }
        Self { name, port: Some(port), is_address: false }
    }

    /// Whether there is a range, or what was meant to be one.
    pub(super) fn has_range(&self) -> bool {
        !self.is_address && self.name.contains('[')
    }

    /// The names, in order: the first range changes slowest. `None` when there are more than `most`.
    pub(super) fn expand(&self, most: usize) -> Result<Option<Vec<String>>, RangeProblem> {
        if !self.has_range() {
            return Ok((most > 0).then(|| vec![self.name.to_owned()]));
        }
        let mut parts = Vec::new();
        let mut count = 1_usize;
        let mut rest = self.name;
        while let Some((literal, after)) = rest.split_once('[') {
            let (range, after) = after.split_once(']').ok_or(RangeProblem::Malformed)?;
            let range = Range::parse(range)?;
            // Counted before anything is made.
            match usize::try_from(range.len()).ok().and_then(|len| count.checked_mul(len)) {
                Some(more) if more <= most => count = more,
                _ => return Ok(None),
            }
            parts.push((literal, range));
            rest = after;
        }
        let mut names = vec![String::new()];
        for (literal, range) in parts {
            let steps: Vec<_> = range.steps().collect();
            names = names
                .iter()
                .flat_map(|name| steps.iter().map(move |step| format!("{name}{literal}{step}")))
                .collect();
        }
        for name in &mut names {
            name.push_str(rest);
        }
        Ok(Some(names))
    }
}

/// `[address]` at the beginning, and what follows.
fn bracketed_address(text: &str) -> Option<(&str, &str)> {
    let (address, rest) = text.strip_prefix('[')?.split_once(']')?;
    // A zone may follow the address.
    let (digits, _) = address.split_once('%').unwrap_or((address, ""));
    digits.parse::<Ipv6Addr>().ok().map(|_| (address, rest))
}

fn without_ranges(name: &str) -> String {
    let mut depth = 0_usize;
    name.chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Both ends belong to it.
#[derive(Clone, Copy, Debug)]
struct Range {
    begin: u64,
    end: u64,
    step: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// With at least so many digits.
    Number(usize),
    /// Positions in [`LETTERS`].
    Letter,
}

/// The order in which Ansible counts letters.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

impl Range {
    fn parse(text: &str) -> Result<Self, RangeProblem> {
        let mut fields = text.split(':');
        let (Some(begin), Some(end), step, None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(RangeProblem::Malformed);
        };
        let step = match step {
            None => 1,
            Some(step) if is_number(step) => step.parse().map_err(|_| RangeProblem::Step)?,
            Some(_) => return Err(RangeProblem::Step),
        };
        if step == 0 {
            return Err(RangeProblem::Step);
        }
        if end.is_empty() {
            return Err(RangeProblem::NoEnd);
        }
        let (begin, end, kind) = match (letter(begin), letter(end)) {
            (Some(begin), Some(end)) => (begin, end, Kind::Letter),
            _ => numbers(begin, end)?,
        };
        if begin > end {
            return Err(RangeProblem::Backwards);
        }
        Ok(Self { begin, end, step, kind })
    }

    fn len(self) -> u64 {
        ((self.end - self.begin) / self.step).saturating_add(1)
    }

    fn steps(self) -> impl Iterator<Item = String> {
        let values = std::iter::successors(Some(self.begin), move |value| {
            value.checked_add(self.step).filter(|value| *value <= self.end)
        });
        values.map(move |value| match self.kind {
            Kind::Number(width) => format!("{value:0width$}"),
            Kind::Letter => {
                usize::try_from(value).ok().and_then(|value| LETTERS.chars().nth(value)).into_iter().collect()
            }
        })
    }
}

fn letter(text: &str) -> Option<u64> {
    let at = LETTERS.find(text).filter(|_| text.len() == 1)?;
    u64::try_from(at).ok()
}

/// A missing begin is 0. Leading zeros tell the width.
fn numbers(begin: &str, end: &str) -> Result<(u64, u64, Kind), RangeProblem> {
    let begin = if begin.is_empty() { "0" } else { begin };
    if !is_number(begin) || !is_number(end) {
        return Err(RangeProblem::Malformed);
    }
    let width = if begin.len() > 1 && begin.starts_with('0') { begin.len() } else { 0 };
    if width > 0 && end.len() != width {
        return Err(RangeProblem::Widths);
    }
    let value = |text: &str| text.parse::<u64>().map_err(|_| RangeProblem::Malformed);
    Ok((value(begin)?, value(end)?, Kind::Number(width)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expand(text: &str) -> Result<Option<Vec<String>>, RangeProblem> {
        Pattern::new(text).expand(1000)
    }

    fn names(text: &str) -> Vec<String> {
        expand(text).unwrap().unwrap()
    }

    #[test]
    fn ranges_are_expanded() {
        assert_eq!(names("web[08:11].x"), ["web08.x", "web09.x", "web10.x", "web11.x"]);
        assert_eq!(names("web[8:10]"), ["web8", "web9", "web10"]);
        assert_eq!(names("db-[a:d]"), ["db-a", "db-b", "db-c", "db-d"]);
        assert_eq!(names("n[1:10:4]"), ["n1", "n5", "n9"]);
        assert_eq!(names("n[a:e:2]"), ["na", "nc", "ne"]);
        assert_eq!(names("n[y:B]"), ["ny", "nz", "nA", "nB"]);
        assert_eq!(names("n[:2]"), ["n0", "n1", "n2"]);
        assert_eq!(names("[1:2][a:b]-[0:0]"), ["1a-0", "1b-0", "2a-0", "2b-0"]);
        assert_eq!(names("plain"), ["plain"]);
    }

    #[test]
    fn malformed_ranges_are_told() {
        for (text, problem) in [
            ("n[1]", RangeProblem::Malformed),
            ("n[1:2", RangeProblem::Malformed),
            ("n[1:b]", RangeProblem::Malformed),
            ("n[ab:cd]", RangeProblem::Malformed),
            ("n[1:2:3:4]", RangeProblem::Malformed),
            ("n[-1:2]", RangeProblem::Malformed),
            ("n[0:99999999999999999999]", RangeProblem::Malformed),
            ("n[1:]", RangeProblem::NoEnd),
            ("n[3:1]", RangeProblem::Backwards),
            ("n[01:100]", RangeProblem::Widths),
            ("n[1:5:0]", RangeProblem::Step),
            ("n[1:5:x]", RangeProblem::Step),
        ] {
            assert_eq!(expand(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn expansion_is_bounded() {
        assert_eq!(expand("n[1:1000]").unwrap().unwrap().len(), 1000);
        for text in ["n[1:1001]", "n[0:18446744073709551615]", "[0:99][0:99]", "[0:9][0:9][0:9][0:9]"] {
            assert_eq!(expand(text), Ok(None), "{text}");
        }
        assert_eq!(Pattern::new("n").expand(0), Ok(None));
    }

    #[test]
    fn ports_are_told_from_ranges_and_addresses() {
        let parts = |text| {
            let pattern = Pattern::new(text);
            (pattern.name, pattern.port, pattern.has_range())
        };
        assert_eq!(parts("web:5986"), ("web", Some("5986"), false));
        assert_eq!(parts("web[1:2]:5986"), ("web[1:2]", Some("5986"), true));
        assert_eq!(parts("web[1:2]"), ("web[1:2]", None, true));
        assert_eq!(parts("[1:2]"), ("[1:2]", None, true));
        assert_eq!(parts("[::1]:5985"), ("::1", Some("5985"), false));
        assert_eq!(parts("[fe80::1%eth0]"), ("fe80::1%eth0", None, false));
        assert_eq!(parts("::1"), ("::1", None, false));
        assert_eq!(parts("http://web:80/x"), ("http://web:80/x", None, false));
        assert_eq!(parts("web:x"), ("web:x", None, false));
    }

    proptest! {
        #[test]
        fn any_text_expands_within_the_bound(text in r"([a-z0-9:\[\]]|\PC){0,30}", most in 0_usize..50) {
            if let Ok(Some(names)) = Pattern::new(&text).expand(most) {
                prop_assert!(names.len() <= most);
            }
        }
    }
}
