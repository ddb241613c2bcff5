//! A command as lists of a shell's commands name it (Enumerate of [`RESOURCE_URI_SHELL_COMMAND`](crate::uri::RESOURCE_URI_SHELL_COMMAND)).

use winrm_xml::Element;

use crate::operation::get::Resource;
use crate::uri;

/// `rsp:Command` of a list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListedCommand {
    /// `rsp:CommandId`.
    pub command_id: String,
    /// `rsp:ShellId`, of the shell that it runs in.
    pub shell_id: Option<String>,
}

impl ListedCommand {
    /// Reads an item; `None` when it is something else.
    pub fn of(resource: &Resource) -> Option<Self> {
        let Resource::Other(command) = resource else { return None };
        let text = |local: &str| Some(command.child(uri::NS_SHELL, local)?.text().trim().to_owned());
        let is_command = command.is(uri::NS_SHELL, "Command");
        is_command
            .then(|| text("CommandId"))?
            .map(|command_id| Self { command_id, shell_id: text("ShellId") })
    }

    /// As a service answers.
    pub fn to_resource(&self) -> Resource {
        let child = |local: &str, text: &str| Element::new(uri::NS_SHELL, local).with_text(text);
        let mut command = Element::new(uri::NS_SHELL, "Command");
        if let Some(id) = &self.shell_id {
            command = command.with_child(child("ShellId", id));
        }
        Resource::Other(command.with_child(child("CommandId", &self.command_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back() {
        let command = ListedCommand { command_id: "A".to_owned(), shell_id: Some("B".to_owned()) };
        assert_eq!(ListedCommand::of(&command.to_resource()), Some(command));
        assert_eq!(ListedCommand::of(&Resource::Other(Element::new(uri::NS_SHELL, "Command"))), None);
        assert_eq!(ListedCommand::of(&Resource::Other(Element::new("urn:x", "Command"))), None);
    }
}
