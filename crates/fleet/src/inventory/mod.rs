//! Lists of hosts, read from text.

mod error;
mod ini;
mod json;
mod model;
mod note;
mod plain;
mod range;
mod variables;
mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use error::{InventoryError, Place, RangeProblem};
pub use note::Note;

/// The most hosts that the lines of an INI inventory may make by their ranges. One more is an error.
pub const MAX_HOSTS: usize = 100_000;

/// A host of an inventory.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct InventoryHost {
    /// Its name. In plain lists the whole target as given: `host`, `host:port`, `[v6]:port` or a URL.
    pub name: String,
    /// Where to connect, if not to the name: `ansible_host` and what overrides it.
    pub address: Option<String>,
    /// `ansible_port` and what overrides it, or what follows the name in an INI inventory. Ansible takes 5986 where
    /// nothing is said.
    pub port: Option<u16>,
    /// `ansible_user` and what overrides it.
    pub user: Option<String>,
    /// `ansible_winrm_scheme` or `ansible_psrp_protocol`, as given. Where nothing is said, Ansible takes `http` for port
    /// 5985 and `https` for any other.
    pub scheme: Option<String>,
    /// The line that first names it, from 1; none in JSON.
    pub line: Option<usize>,
}

impl InventoryHost {
    fn named(name: &str, line: Option<usize>) -> Self {
        Self { name: name.to_owned(), address: None, port: None, user: None, scheme: None, line }
    }
}

/// Hosts in the order in which the text first names them, their groups, and what is worth telling.
///
/// Each host is there once. Passwords are never kept, shown or repeated in errors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inventory {
    hosts: Vec<InventoryHost>,
    notes: Vec<Note>,
    groups: BTreeMap<String, Members>,
}

/// What is in a group: positions of hosts, and names of groups below.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Members {
    hosts: Vec<usize>,
    children: Vec<String>,
}

impl Inventory {
    /// Reads a host list, telling its format by its text.
    ///
    /// - A JSON object is what `ansible-inventory --list` prints: `_meta.hostvars`, and groups with `hosts`, `children`
    ///   and `vars`.
    /// - With a line `[group]`, a variable or a range of hosts, it is Ansible's INI format: sections `[group]`,
    ///   `[group:vars]`, `[group:children]`; ranges `web[01:20]`, `db-[a:f]`, `[1:10:2]`; variables behind the host,
    ///   quoted as in a shell. Host over group, the group nearest to the host over those above it, `all` last.
    /// - Otherwise it is a plain list, one target a line, `#` and `;` beginning comment lines, and a `#` after a blank a
    ///   comment.
    ///
    /// Byte order marks and line ends of Windows are fine. Variables other than those of [`InventoryHost`] are ignored, and
    /// [notes](Self::notes) tell of those that may matter.
    ///
    /// # Errors
    ///
    /// When the text is none of these, with the line where it departs from its format.
    pub fn parse(text: &str) -> Result<Self, InventoryError> {
        // Editors on Windows begin files with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with('{') {
            return json::parse(text);
        }
        if text.trim_start().starts_with("$ANSIBLE_VAULT") {
            return Err(InventoryError::Encrypted);
        }
        if let Some((line, first)) = plain::lines(text).next() {
            let first = words::before_comment(first).trim_end();
            if first == "---" || first.ends_with(':') {
                return Err(InventoryError::Yaml { line });
            }
        }
        if plain::lines(text).any(|(_, line)| ini::is_typical(line)) {
            return ini::parse(text);
        }
        plain::parse(text)
    }

    /// All hosts.
    pub fn hosts(&self) -> &[InventoryHost] {
        &self.hosts
    }

    /// All hosts, without the rest.
    pub fn into_hosts(self) -> Vec<InventoryHost> {
        self.hosts
    }

    /// What the reader of the list should know.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Names of the groups, sorted, `all` and `ungrouped` among them.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// The hosts of a group and of the groups below it, in the order of the inventory; `None` when there is no such group.
    pub fn group(&self, name: &str) -> Option<Vec<&InventoryHost>> {
        let members = self.groups.get(name)?;
        if name == model::ALL {
            return Some(self.hosts.iter().collect());
        }
        let mut chosen = vec![false; self.hosts.len()];
        let mut seen = BTreeSet::from([name]);
        let mut waiting = vec![members];
        while let Some(members) = waiting.pop() {
            for host in &members.hosts {
                if let Some(chosen) = chosen.get_mut(*host) {
                    *chosen = true;
                }
            }
            let below = members.children.iter().filter(|child| seen.insert(child));
            waiting.extend(below.filter_map(|child| self.groups.get(child)));
        }
        Some(self.hosts.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(host, _)| host).collect())
    }
}
