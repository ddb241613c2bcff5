//! `winrm/config`: what a service tells administrators of its settings (MS-WSMV 2.2.4.10).

use winrm_xml::Element;

use crate::operation::get::Resource;
use crate::uri;

/// The settings of a service that matter to its clients. Read by Get on
/// [`RESOURCE_URI_CONFIG`](crate::uri::RESOURCE_URI_CONFIG), which by default only administrators may.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// `MaxEnvelopeSizekb`: the longest envelope, in units of 1024 bytes.
    pub max_envelope_size_kb: Option<u32>,
    /// `MaxTimeoutms`: the longest operation timeout, in milliseconds.
    pub max_timeout_ms: Option<u32>,
    /// `Winrs/MaxShellsPerUser`.
    pub max_shells_per_user: Option<u32>,
    /// `Winrs/MaxProcessesPerShell`.
    pub max_processes_per_shell: Option<u32>,
}

impl ServiceConfig {
    /// Reads the answer to Get; `None` when it is about something else. Settings that are missing, or no numbers, are
    /// `None`.
    pub fn of(resource: &Resource) -> Option<Self> {
        let Resource::Other(config) = resource else { return None };
        if !config.is(uri::NS_CONFIG, "Config") {
            return None;
        }
        let winrs = config.child(uri::NS_CONFIG, "Winrs");
        Some(Self {
            max_envelope_size_kb: number(Some(config), "MaxEnvelopeSizekb"),
            max_timeout_ms: number(Some(config), "MaxTimeoutms"),
            max_shells_per_user: number(winrs, "MaxShellsPerUser"),
            max_processes_per_shell: number(winrs, "MaxProcessesPerShell"),
        })
    }

    /// As a service answers.
    pub fn to_resource(self) -> Resource {
        let with = |parent: Element, name: &str, value: Option<u32>| match value {
            Some(value) => parent.with_child(Element::new(uri::NS_CONFIG, name).with_text(value.to_string())),
            None => parent,
        };
        let winrs = Element::new(uri::NS_CONFIG, "Winrs");
        let winrs = with(winrs, "MaxProcessesPerShell", self.max_processes_per_shell);
        let winrs = with(winrs, "MaxShellsPerUser", self.max_shells_per_user);
        let config = Element::new(uri::NS_CONFIG, "Config");
        let config = with(config, "MaxEnvelopeSizekb", self.max_envelope_size_kb);
        let config = with(config, "MaxTimeoutms", self.max_timeout_ms);
        Resource::Other(config.with_child(winrs))
    }
}

fn number(parent: Option<&Element>, name: &str) -> Option<u32> {
    parent?.child(uri::NS_CONFIG, name)?.text().trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let config = ServiceConfig {
            max_envelope_size_kb: Some(150),
            max_shells_per_user: Some(30),
            ..ServiceConfig::default()
        };
        assert_eq!(ServiceConfig::of(&config.to_resource()), Some(config));
        let other = Resource::Other(Element::new("urn:x", "Config"));
        assert_eq!(ServiceConfig::of(&other), None);
        let odd = Element::new(uri::NS_CONFIG, "MaxTimeoutms").with_text("often");
        let odd = Element::new(uri::NS_CONFIG, "Config").with_child(odd);
        assert_eq!(ServiceConfig::of(&Resource::Other(odd)), Some(ServiceConfig::default()));
    }
}
