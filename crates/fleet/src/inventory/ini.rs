//! Ansible's INI format.

use std::collections::HashSet;

use super::error::{InventoryError, Place};
use super::model::{ALL, Model, Owner, UNGROUPED, port};
use super::plain::{check_name, lines};
use super::range::Pattern;
use super::variables::is_name;
use super::words::{before_comment, split, unquote};
use super::{Inventory, MAX_HOSTS};

/// A line of the form `[group]` or `[group:kind]`.
#[derive(Clone, Copy)]
struct Header<'a> {
    group: &'a str,
    kind: Option<&'a str>,
}

/// What the lines of a section are.
#[derive(Clone, Copy)]
enum Section<'a> {
    Hosts(&'a str),
    Vars(&'a str),
    Children(&'a str),
}

impl<'a> Header<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
        let rest = rest.trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            return None;
        }
        let (group, kind) = match inside.split_once(':') {
            Some((group, kind)) => (group, Some(kind)),
            None => (inside, None),
        };
        let odd = |c: char| c.is_whitespace() || "[]\"',{}".contains(c);
        let is_kind =
            |kind: &str| !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let fits = !group.is_empty() && !group.contains(odd) && kind.is_none_or(is_kind);
        fits.then_some(Self { group, kind })
    }
}

/// Whether this line would mean something else in a plain list, or nothing.
pub(super) fn is_typical(line: &str) -> bool {
    if Header::parse(line).is_some() {
        return true;
    }
    let mut words = before_comment(line).split_whitespace();
    words.next().is_some_and(|host| Pattern::new(host).has_range() || host.starts_with("ansible_"))
        || words.any(|word| {
            word.starts_with("ansible_") || word.split_once('=').is_some_and(|(key, _)| is_name(key))
        })
}

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let mut reader = Reader { model: Model::default(), ranged: 0 };
    let mut section = Section::Hosts(UNGROUPED);
    let mut defined = HashSet::from([ALL, UNGROUPED]);
    // Groups may be defined below the place that needs them.
    let mut needed: Vec<(usize, &str)> = Vec::new();
    for (number, line) in lines(text) {
        if let Some(header) = Header::parse(line) {
            section = match header.kind {
                None | Some("hosts") => Section::Hosts(header.group),
                Some("vars") => Section::Vars(header.group),
                Some("children") => Section::Children(header.group),
                Some(_) => return Err(InventoryError::UnknownSection { line: number }),
            };
            reader.model.group(header.group);
            if let Section::Vars(group) = section {
                needed.push((number, group));
            } else {
                defined.insert(header.group);
            }
            continue;
        }
        match section {
            Section::Hosts(group) => reader.hosts(number, line, group)?,
            Section::Vars(group) => reader.variable(number, line, group)?,
            Section::Children(group) => {
                let child = before_comment(line).trim_end();
                // Not repeated in an error: a variable out of its place may be a password.
                if child.contains(|c: char| c.is_whitespace() || "=:".contains(c)) {
                    return Err(InventoryError::ExpectedGroup { line: number });
                }
                let (parent, added) = (reader.model.group(group), reader.model.group(child));
                reader.model.adopt(parent, added);
                needed.push((number, child));
            }
        }
    }
    match needed.into_iter().find(|(_, group)| !defined.contains(group)) {
        Some((line, group)) => Err(InventoryError::UndefinedGroup { line, group: group.to_owned() }),
        None => reader.model.resolve(),
    }
}

struct Reader {
    model: Model,
    /// Hosts that lines have made so far, the same host in two lines being two.
    ranged: usize,
}

impl Reader {
    /// `pattern key=value…`
    fn hosts(&mut self, line: usize, text: &str, group: &str) -> Result<(), InventoryError> {
        let place = Place::Line(line);
        let split = split(text).map_err(|_| InventoryError::UnclosedQuote { line })?;
        let mut words = split.words.iter();
        let Some(pattern) = words.next() else { return Err(InventoryError::NotAHost { place }) };
        let is_url = pattern.contains("://");
        if !is_url && (pattern.contains('=') || (pattern.starts_with("ansible_") && pattern.contains(':'))) {
            return Err(InventoryError::NoHost { line });
        }
        let mut variables = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((key, value)) if !key.is_empty() => variables.push((key, unquote(value))),
                _ => return Err(InventoryError::ExpectedAssignment { line }),
            }
        }
        if split.dropped_backslash {
            self.model.findings.dropped_backslash.get_or_insert(line);
        }
        check_name(pattern, &place)?;
        let pattern = Pattern::new(pattern);
        if let Some(digits) = pattern.port {
            // Checked here, where the line is known to hold it; kept as the variable that it is for Ansible.
            port(digits, &place)?;
        }
        let names = pattern
            .expand(MAX_HOSTS.saturating_sub(self.ranged))
            .map_err(|problem| InventoryError::Range { line, problem })?
            .ok_or(InventoryError::TooManyHosts { line, limit: MAX_HOSTS })?;
        // A port alone, as in `:5985`.
        if names.iter().any(String::is_empty) {
            return Err(InventoryError::NotAHost { place });
        }
        self.ranged += names.len();
        let group = self.model.group(group);
        for name in names {
            let host = self.model.host(&name, Some(line));
            self.model.join(group, host);
            if let Some(digits) = pattern.port {
                self.model.set(Owner::Host(host), "ansible_port", Some(digits), &place);
            }
            for (key, value) in &variables {
                self.model.set(Owner::Host(host), key, Some(value), &place);
            }
        }
        Ok(())
    }

    /// `key = value`, the rest of the line being the value.
    fn variable(&mut self, line: usize, text: &str, group: &str) -> Result<(), InventoryError> {
        let (key, value) = text.split_once('=').ok_or(InventoryError::ExpectedAssignment { line })?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(InventoryError::ExpectedAssignment { line });
        }
        let group = self.model.group(group);
        self.model.set(Owner::Group(group), key, Some(&self::value(value)), &Place::Line(line));
        Ok(())
    }
}

/// A value without its quotes, and without the comment behind it.
fn value(text: &str) -> String {
    if let Some(quote @ ('\'' | '"')) = text.chars().next() {
        let end = text.char_indices().skip(1).find(|(_, c)| *c == quote).map(|(at, _)| at + 1);
        if let Some((quoted, rest)) = end.and_then(|end| text.split_at_checked(end))
            && before_comment(rest).trim().is_empty()
        {
            return unquote(quoted);
        }
    }
    unquote(before_comment(text).trim_end())
}
