//! Hosts and groups as an Ansible inventory has them, and what follows from them for each host.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::{InventoryError, Place};
use super::note::Note;
use super::variables::{Chosen, Findings, Values, Variable};
use super::{Inventory, InventoryHost, Members};

/// The group of all hosts, and the one of those in no other.
pub(super) const ALL: &str = "all";
pub(super) const UNGROUPED: &str = "ungrouped";

#[derive(Default)]
pub(super) struct Model {
    hosts: Vec<Host>,
    hosts_by_name: HashMap<String, usize>,
    groups: Vec<Group>,
    groups_by_name: HashMap<String, usize>,
    /// Group and host.
    members: HashSet<(usize, usize)>,
    pub(super) findings: Findings,
}

struct Host {
    name: String,
    line: Option<usize>,
    values: Values,
    /// In which it is itself, not by a child.
    groups: Vec<usize>,
}

struct Group {
    name: String,
    hosts: Vec<usize>,
    children: Vec<usize>,
    values: Values,
}

/// Whose variable.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    Host(usize),
    Group(usize),
}

impl Model {
    /// The host of this name; a new one if there is none yet.
    pub(super) fn host(&mut self, name: &str, line: Option<usize>) -> usize {
        if let Some(host) = self.hosts_by_name.get(name) {
            return *host;
        }
        let host = self.hosts.len();
        self.hosts.push(Host { name: name.to_owned(), line, values: Values::new(), groups: Vec::new() });
        self.hosts_by_name.insert(name.to_owned(), host);
        host
    }

    pub(super) fn known_host(&self, name: &str) -> Option<usize> {
        self.hosts_by_name.get(name).copied()
    }

    /// The group of this name; a new one if there is none yet.
    pub(super) fn group(&mut self, name: &str) -> usize {
        if let Some(group) = self.groups_by_name.get(name) {
            return *group;
        }
        let group = self.groups.len();
        let new =
            Group { name: name.to_owned(), hosts: Vec::new(), children: Vec::new(), values: Values::new() };
        self.groups.push(new);
        self.groups_by_name.insert(name.to_owned(), group);
        group
    }

    pub(super) fn join(&mut self, group: usize, host: usize) {
        if self.members.insert((group, host))
            && let (Some(group_entry), Some(host_entry)) =
                (self.groups.get_mut(group), self.hosts.get_mut(host))
        {
            group_entry.hosts.push(host);
            host_entry.groups.push(group);
        }
    }

    pub(super) fn adopt(&mut self, parent: usize, child: usize) {
        if let Some(parent) = self.groups.get_mut(parent) {
            parent.children.push(child);
        }
    }

    /// Sets a variable; a later value replaces an earlier one. `None` is a value that is vaulted.
    pub(super) fn set(&mut self, owner: Owner, key: &str, value: Option<&str>, place: &Place) {
        let values = match owner {
            Owner::Host(host) => self.hosts.get_mut(host).map(|host| &mut host.values),
            Owner::Group(group) => self.groups.get_mut(group).map(|group| &mut group.values),
        };
        if let Some(values) = values {
            self.findings.set(values, key, value, place);
        }
    }

    /// Hosts may be named outside of groups and inside, or in `all` alone.
    fn settle_ungrouped(&mut self, all: usize) {
        let ungrouped = self.group(UNGROUPED);
        let mut loose = Vec::new();
        for (at, host) in self.hosts.iter_mut().enumerate() {
            host.groups.retain(|group| *group != ungrouped);
            if host.groups.iter().all(|group| *group == all) {
                host.groups.push(ungrouped);
                loose.push(at);
            }
        }
        if let Some(group) = self.groups.get_mut(ungrouped) {
            group.hosts = loose;
        }
    }

    /// Hands the variables of groups down to the hosts.
    pub(super) fn resolve(mut self) -> Result<Inventory, InventoryError> {
        let all = self.group(ALL);
        self.settle_ungrouped(all);
        let ancestry = Ancestry::of(&self.groups, all)?;
        let mut hosts = Vec::with_capacity(self.hosts.len());
        let mut connections: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // Hosts in the same groups inherit the same.
        let mut inherited: HashMap<&[usize], Values> = HashMap::new();
        for host in &self.hosts {
            let values = inherited
                .entry(&host.groups)
                .or_insert_with(|| ancestry.inherit(&self.groups, &host.groups, all))
                .clone();
            let values: Values =
                values.into_iter().chain(host.values.iter().map(|(k, v)| (*k, v.clone()))).collect();
            let chosen = Chosen::of(&values);
            if let Some(connection) = chosen.other_connection {
                connections.entry(connection.text.clone()).or_default().push(host.name.clone());
            }
            let text = |value: Option<&super::variables::Value>| value.map(|value| value.text.clone());
            hosts.push(InventoryHost {
                name: host.name.clone(),
                address: text(chosen.address),
                port: chosen.port.map(|value| port(&value.text, &value.place)).transpose()?,
                user: text(chosen.user),
                scheme: text(chosen.scheme),
                line: host.line,
            });
        }
        drop(inherited);
        let mut notes = self.findings.into_notes();
        notes.extend(
            connections.into_iter().map(|(connection, hosts)| Note::OtherConnection { connection, hosts }),
        );
        let names: Vec<_> = self.groups.iter().map(|group| group.name.clone()).collect();
        let groups = self.groups.into_iter().map(|group| {
            let children = group.children.iter().filter_map(|child| names.get(*child)).cloned().collect();
            (group.name, Members { hosts: group.hosts, children })
        });
        Ok(Inventory { hosts, notes, groups: groups.collect() })
    }
}

/// A port number, which is not 0.
pub(super) fn port(text: &str, place: &Place) -> Result<u16, InventoryError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| InventoryError::Port { place: place.clone() })
}

/// Who is above whom.
struct Ancestry {
    parents: Vec<Vec<usize>>,
    /// Of the longest way down from `all`: what is deeper is nearer to the host.
    depth: Vec<usize>,
}

impl Ancestry {
    fn of(groups: &[Group], all: usize) -> Result<Self, InventoryError> {
        let mut parents = vec![Vec::new(); groups.len()];
        for (parent, group) in groups.iter().enumerate() {
            for child in &group.children {
                if let Some(parents) = parents.get_mut(*child) {
                    parents.push(parent);
                }
            }
        }
        // From the top: a group comes when all of its parents have come.
        let mut missing: Vec<_> = parents.iter().map(Vec::len).collect();
        let mut depth: Vec<_> = (0..groups.len()).map(|group| usize::from(group != all)).collect();
        let mut ready: Vec<_> = (0..groups.len()).filter(|group| missing.get(*group) == Some(&0)).collect();
        while let Some(parent) = ready.pop() {
            let below = depth.get(parent).map_or(0, |depth| depth + 1);
            for child in groups.get(parent).map_or(&[][..], |group| &group.children) {
                if let Some(depth) = depth.get_mut(*child) {
                    *depth = below.max(*depth);
                }
                if let Some(missing) = missing.get_mut(*child) {
                    *missing -= 1;
                    if *missing == 0 {
                        ready.push(*child);
                    }
                }
            }
        }
        // Below a loop groups never come either; those of the loop itself are their own ancestors.
        let ancestry = Self { parents, depth };
        let mut stuck =
            groups.iter().zip(&missing).enumerate().filter(|(_, (_, missing))| **missing > 0).peekable();
        if stuck.peek().is_some() {
            let name = stuck
                .find(|(group, _)| ancestry.is_above_itself(*group))
                .map_or_else(String::new, |(_, (group, _))| group.name.clone());
            return Err(InventoryError::GroupLoop { group: name });
        }
        // Everything is below `all`, even if it does not say so.
        if let Some(parent) = ancestry.parents.get(all).and_then(|parents| parents.first()) {
            let group = groups.get(*parent).map_or_else(String::new, |group| group.name.clone());
            return Err(InventoryError::GroupLoop { group });
        }
        Ok(ancestry)
    }

    fn is_above_itself(&self, group: usize) -> bool {
        let parents = self.parents.get(group).map_or(&[][..], Vec::as_slice);
        self.lineage(parents).contains(&group)
    }

    /// These groups and all above them.
    fn lineage(&self, groups: &[usize]) -> HashSet<usize> {
        let mut seen: HashSet<_> = groups.iter().copied().collect();
        let mut waiting: Vec<_> = seen.iter().copied().collect();
        while let Some(group) = waiting.pop() {
            for parent in self.parents.get(group).into_iter().flatten() {
                if seen.insert(*parent) {
                    waiting.push(*parent);
                }
            }
        }
        seen
    }

    /// What a host in `own` groups gets from them: of two groups, from the deeper one; at the same depth, from the one
    /// with the higher priority; then from the one whose name comes later.
    fn inherit(&self, groups: &[Group], own: &[usize], all: usize) -> Values {
        let mut lineage = self.lineage(own);
        lineage.insert(all);
        let mut sorted: Vec<_> = lineage
            .into_iter()
            .filter_map(|at| {
                let group = groups.get(at)?;
                // Ansible's default.
                let priority = group.values.get(&Variable::GroupPriority);
                let priority = priority.and_then(|value| value.text.parse::<i64>().ok()).unwrap_or(1);
                Some((self.depth.get(at)?, priority, &group.name, &group.values))
            })
            .collect();
        sorted.sort_by_key(|(depth, priority, name, _)| (*depth, *priority, *name));
        let values = sorted.into_iter().flat_map(|(_, _, _, values)| values);
        values.map(|(variable, value)| (*variable, value.clone())).collect()
    }
}
