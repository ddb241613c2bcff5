//! Plain lists: one target a line.

use std::collections::HashMap;

use super::error::{InventoryError, Place};
use super::model::{ALL, UNGROUPED};
use super::note::Note;
use super::words::before_comment;
use super::{Inventory, InventoryHost, Members};

/// The longest name, address or URL of a host, in bytes. Names in DNS have 253 at most.
const MAX_NAME: usize = 1024;

/// The lines with something on them, without comments, and their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']))
}

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    let mut hosts: Vec<InventoryHost> = Vec::new();
    let mut repeated = Vec::new();
    // How often a name was there before.
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (number, line) in lines(text) {
        let name = before_comment(line).trim_end();
        if name.starts_with('@') {
            return Err(InventoryError::Nested { line: number });
        }
        check_name(name, &Place::Line(number))?;
        let again = seen.entry(comparable(name)).or_default();
        *again += 1;
        match *again {
            1 => hosts.push(InventoryHost::named(name, Some(number))),
            2 => repeated.push(name.to_owned()),
            _ => {}
        }
    }
    let mut notes = Vec::new();
    if !repeated.is_empty() {
        notes.push(Note::Repeated { names: repeated });
    }
    let everyone = || Members { hosts: (0..hosts.len()).collect(), children: Vec::new() };
    let groups = [ALL, UNGROUPED].map(|name| (name.to_owned(), everyone())).into();
    Ok(Inventory { hosts, notes, groups })
}

/// Whether this can be a host at all; whoever connects to it looks closer.
pub(super) fn check_name(name: &str, place: &Place) -> Result<(), InventoryError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "\"'`{}<>|\\^,;=".contains(c);
    if let Some((_, rest)) = name.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(InventoryError::Credentials { place: place.clone() });
        }
        // Paths and queries may hold more than names.
        if rest.is_empty()
            || name.len() > MAX_NAME
            || name.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return Err(InventoryError::NotAHost { place: place.clone() });
        }
        return Ok(());
    }
    if name.is_empty() || name.len() > MAX_NAME || name.contains(odd) {
        return Err(InventoryError::NotAHost { place: place.clone() });
    }
    Ok(())
}

/// Names of hosts are compared without case; paths in URLs are not.
fn comparable(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_ascii_lowercase() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{}://{}{path}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}
