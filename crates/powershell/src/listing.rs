//! What runspace pools a host has, and what runs in them.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use winrm_transport::Client;
use winrm_wsman::{Condition, Filter, ListedCommand, Resource, Selector, Shell, XsDuration, uri};

use crate::error::Error;
use crate::pool::RunspacePool;
use crate::wire::upper;

/// A runspace pool, as its host lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ListedPool {
    /// Its id, by which [`RunspacePoolBuilder::connect`](crate::RunspacePoolBuilder::connect) takes it over.
    pub id: Uuid,
    /// Its session configuration.
    pub configuration: String,
    /// The name that it was given.
    pub name: Option<String>,
    /// Whose it is.
    pub owner: Option<String>,
    /// The address of the client that it was made from.
    pub client_ip: Option<String>,
    /// Whether a client has left it, so that another one can connect.
    pub is_disconnected: bool,
    /// How long it is kept while nobody uses it.
    pub idle_timeout: Option<Duration>,
    /// How long it has been there.
    pub age: Option<Duration>,
    /// How long nobody has used it.
    pub inactivity: Option<Duration>,
}

impl RunspacePool {
    /// The pools of `client`'s user on its host; of all users, where an administrator asks.
    ///
    /// # Errors
    /// [`Error::List`].
    pub async fn list(client: &Client) -> Result<Vec<ListedPool>, Error> {
        let shells = client.enumerate(uri::RESOURCE_URI_SHELL, None).await.map_err(failed)?;
        Ok(shells.iter().filter_map(pool).collect())
    }

    /// The ids of the pipelines that a pool has, which need not be this client's.
    ///
    /// # Errors
    /// [`Error::List`], also where there is no such pool.
    pub async fn list_pipelines(client: &Client, pool: Uuid) -> Result<Vec<Uuid>, Error> {
        let selectors = vec![Selector::new(uri::SELECTOR_SHELL_ID, upper(pool))];
        let filter = Filter {
            dialect: Some(uri::DIALECT_SELECTOR.to_owned()),
            condition: Condition::Selectors(selectors),
        };
        let commands =
            client.enumerate(uri::RESOURCE_URI_SHELL_COMMAND, Some(filter)).await.map_err(failed)?;
        let ids = commands.iter().filter_map(|command| ListedCommand::of(command)?.command_id.parse().ok());
        Ok(ids.collect())
    }
}

fn failed(error: winrm_transport::Error) -> Error {
    Error::List(Arc::new(error))
}

/// Of a shell, if it is one of PowerShell.
fn pool(resource: &Resource) -> Option<ListedPool> {
    let Resource::Shell(shell) = resource else { return None };
    let Shell { resource_uri, shell_id, name, owner, client_ip, state, .. } = &**shell;
    let configuration = resource_uri.as_ref()?.strip_prefix(uri::NS_POWERSHELL)?.strip_prefix('/')?;
    let duration = |time: Option<XsDuration>| time.map(XsDuration::get);
    Some(ListedPool {
        id: shell_id.as_ref()?.parse().ok()?,
        configuration: configuration.to_owned(),
        name: name.clone(),
        owner: owner.clone(),
        client_ip: client_ip.clone(),
        is_disconnected: state.as_deref() == Some("Disconnected"),
        idle_timeout: duration(shell.idle_timeout),
        age: duration(shell.shell_run_time),
        inactivity: duration(shell.shell_inactivity),
    })
}
