//! Lists of shells and of their commands (Enumerate, DSP0226 section 8; as Windows answers `Get-PSSession -ComputerName`).

use winrm_wsman::{Batch, Body, Condition, Enumerate, Fault, Header, ListedCommand, Resource, uri};

use crate::config::COMPUTER_NAME;
use crate::fault;
use crate::operations::{Operations, Outcome};
use crate::response::describe_now;

/// Whether it is to a resource that is a list.
pub(crate) fn is_list(header: &Header) -> bool {
    matches!(header.resource_uri.as_deref(), Some(uri::RESOURCE_URI_SHELL | uri::RESOURCE_URI_SHELL_COMMAND))
}

impl Operations {
    /// All at once: there are never many, as users have quotas.
    pub(crate) fn enumerate(&self, user: &str, header: &Header, asked: &Enumerate) -> Outcome {
        if !asked.optimize {
            return Err(fault::unsupported_feature("lists come with the answer to Enumerate").into());
        }
        let items = if header.resource_uri.as_deref() == Some(uri::RESOURCE_URI_SHELL) {
            self.list_shells(user, asked)?
        } else {
            self.list_commands(user, asked)?
        };
        Ok(Body::EnumerateResponse(Batch {
            context: Some(String::new()),
            items,
            end_of_sequence: true,
            ..Batch::default()
        }))
    }

    fn list_shells(&self, user: &str, asked: &Enumerate) -> Outcome<Vec<Resource>> {
        if asked.filter.is_some() {
            return Err(fault::unsupported_feature("shells are not filtered").into());
        }
        let shells = self.shells.of(user);
        Ok(shells.iter().map(|shell| Resource::Shell(Box::new(describe_now(shell)))).collect())
    }

    fn list_commands(&self, user: &str, asked: &Enumerate) -> Outcome<Vec<Resource>> {
        let condition = asked.filter.as_ref().map(|filter| &filter.condition);
        let Some(Condition::Selectors(selectors)) = condition else {
            return Err(fault::insufficient_selectors().into());
        };
        let [selector] = selectors.as_slice() else {
            return Err(fault::insufficient_selectors().into());
        };
        let is_shell_id = selector.name.eq_ignore_ascii_case(uri::SELECTOR_SHELL_ID);
        let shell = self.shells.get(&selector.value, user).filter(|_| is_shell_id);
        let shell = shell.ok_or_else(|| Fault::shell_not_found(COMPUTER_NAME))?;
        let listed = |command_id| {
            let shell_id = Some(shell.settings.id.clone());
            ListedCommand { command_id, shell_id }.to_resource()
        };
        Ok(shell.command_ids().into_iter().map(listed).collect())
    }
}
