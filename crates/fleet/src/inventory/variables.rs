//! Ansible's variables of hosts and groups: which are read, and which must not be.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Place;
use super::note::Note;

/// A variable that is read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Variable {
    Connection,
    GroupPriority,
    Host,
    Port,
    User,
    WinrmHost,
    WinrmPort,
    WinrmUser,
    WinrmScheme,
    PsrpHost,
    PsrpPort,
    PsrpUser,
    PsrpProtocol,
}

const NAMES: [(&str, Variable); 13] = [
    ("ansible_connection", Variable::Connection),
    ("ansible_group_priority", Variable::GroupPriority),
    ("ansible_host", Variable::Host),
    ("ansible_port", Variable::Port),
    ("ansible_user", Variable::User),
    ("ansible_winrm_host", Variable::WinrmHost),
    ("ansible_winrm_port", Variable::WinrmPort),
    ("ansible_winrm_user", Variable::WinrmUser),
    ("ansible_winrm_scheme", Variable::WinrmScheme),
    ("ansible_psrp_host", Variable::PsrpHost),
    ("ansible_psrp_port", Variable::PsrpPort),
    ("ansible_psrp_user", Variable::PsrpUser),
    ("ansible_psrp_protocol", Variable::PsrpProtocol),
];

/// What a variable is set to, and where.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) place: Place,
}

/// The variables of a host or group.
pub(super) type Values = BTreeMap<Variable, Value>;

/// What an inventory says that is not used.
#[derive(Debug, Default)]
pub(super) struct Findings {
    secret: Option<Place>,
    templates: Vec<(&'static str, Place)>,
    unread: BTreeSet<String>,
    pub(super) dropped_backslash: Option<usize>,
}

impl Findings {
    /// Sets a variable, unless it is none that is read. `None` is a value that is vaulted.
    pub(super) fn set(&mut self, values: &mut Values, key: &str, value: Option<&str>, place: &Place) {
        if !key.starts_with("ansible_") {
            return;
        }
        let vaulted =
            value.is_none_or(|value| value.starts_with("$ANSIBLE_VAULT") || value.starts_with("!vault"));
        if vaulted || key.to_ascii_lowercase().contains("pass") {
            self.secret.get_or_insert_with(|| place.clone());
            return;
        }
        let Some((name, variable)) = NAMES.iter().find(|(name, _)| *name == key) else {
            let is_ours = key.starts_with("ansible_winrm_") || key.starts_with("ansible_psrp_");
            // What is no name is not repeated: it may be half of a value.
            if is_ours && is_name(key) {
                self.unread.insert(key.to_owned());
            }
            return;
        };
        let value = value.unwrap_or_default();
        if value.contains("{{") || value.contains("{%") {
            self.templates.push((name, place.clone()));
            return;
        }
        values.insert(*variable, Value { text: value.to_owned(), place: place.clone() });
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        let mut notes = Vec::new();
        notes.extend(self.secret.map(|place| Note::SecretsIgnored { place }));
        notes.extend(self.dropped_backslash.map(|line| Note::BackslashDropped { line }));
        if !self.templates.is_empty() {
            notes.push(Note::TemplateIgnored { variables: self.templates });
        }
        if !self.unread.is_empty() {
            notes.push(Note::Unread { variables: self.unread.into_iter().collect() });
        }
        notes
    }
}

/// The values that count for a host, the general variable giving way to that of its connection plugin.
pub(super) struct Chosen<'a> {
    pub(super) address: Option<&'a Value>,
    pub(super) port: Option<&'a Value>,
    pub(super) user: Option<&'a Value>,
    pub(super) scheme: Option<&'a Value>,
    /// Of a connection that is neither winrm nor psrp.
    pub(super) other_connection: Option<&'a Value>,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(values: &'a Values) -> Self {
        let connection = values.get(&Variable::Connection).filter(|value| !value.text.is_empty());
        // Names of plugins may be full: `ansible.builtin.psrp`.
        let plugin = connection.map(|value| value.text.rsplit('.').next().unwrap_or_default());
        let by_psrp = plugin == Some("psrp");
        let choose = |winrm, psrp, general: Option<Variable>| {
            values
                .get(if by_psrp { &psrp } else { &winrm })
                .or_else(|| general.and_then(|general| values.get(&general)))
                .filter(|value| !value.text.is_empty())
        };
        Self {
            address: choose(Variable::WinrmHost, Variable::PsrpHost, Some(Variable::Host)),
            port: choose(Variable::WinrmPort, Variable::PsrpPort, Some(Variable::Port)),
            user: choose(Variable::WinrmUser, Variable::PsrpUser, Some(Variable::User)),
            scheme: choose(Variable::WinrmScheme, Variable::PsrpProtocol, None),
            other_connection: connection.filter(|_| !matches!(plugin, Some("winrm" | "psrp"))),
        }
    }
}

/// A name as Python has them.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
