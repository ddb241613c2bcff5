//! Qualified names inside text, as fault codes are.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A name that a text or attribute value holds, its prefix resolved where it stood.
///
/// Two names are equal when namespace and local name are; the spelling is for people.
#[derive(Clone, Debug, Default)]
pub struct QName {
    /// What the prefix was bound to; `None` where it has no prefix and there is no default namespace, or the
    /// sender forgot to declare the prefix.
    pub namespace: Option<String>,
    /// The part behind the colon.
    pub local: String,
    /// As sent, prefix included. Not compared.
    pub text: String,
}

impl QName {
    /// A name in a namespace, spelt with the given prefix if there is a choice.
    pub fn new(namespace: &str, prefix: &str, local: &str) -> Self {
        let text = if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") };
        Self { namespace: Some(namespace.to_owned()), local: local.to_owned(), text }
    }

    /// Whether this is that name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace.as_deref() == Some(namespace)
    }

    /// The prefix as sent, empty where there is none.
    pub fn prefix(&self) -> &str {
        self.text.rsplit_once(':').map_or("", |(prefix, _)| prefix)
    }
}

impl PartialEq for QName {
    fn eq(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.local == other.local
    }
}

impl Eq for QName {}

impl Hash for QName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.namespace.hash(state);
        self.local.hash(state);
    }
}

/// As sent.
impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
