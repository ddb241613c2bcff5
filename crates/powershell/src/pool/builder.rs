//! Opening pools.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use uuid::Uuid;
use winrm_psrp::client::PoolOptions;
use winrm_psrp::clixml::{PsObject, PsValue};
use winrm_psrp::host::HostInfo;
use winrm_transport::Client;

use super::{Inner, RunspacePool, lock};
use crate::error::Error;
use crate::host::{NoHost, PsHost};
use crate::wire::Wire;

/// The configuration that every host has.
const DEFAULT_CONFIGURATION: &str = "Microsoft.PowerShell";

/// Opens a [`RunspacePool`], or connects to one.
#[derive(Clone)]
pub struct RunspacePoolBuilder {
    client: Client,
    configuration: String,
    name: Option<String>,
    idle_timeout: Option<Duration>,
    options: PoolOptions,
    host: Arc<dyn PsHost>,
}

impl std::fmt::Debug for RunspacePoolBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunspacePoolBuilder")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

impl RunspacePoolBuilder {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            configuration: DEFAULT_CONFIGURATION.to_owned(),
            name: None,
            idle_timeout: None,
            options: PoolOptions::default(),
            host: Arc::new(NoHost),
        }
    }

    /// The session configuration, such as that of a JEA endpoint or `PowerShell.7`; `Microsoft.PowerShell` unless set.
    pub fn configuration(mut self, name: impl Into<String>) -> Self {
        self.configuration = name.into();
        self
    }

    /// Least runspaces, 1 unless set.
    pub fn min_runspaces(mut self, runspaces: i32) -> Self {
        self.options.min_runspaces = runspaces;
        self
    }

    /// Most runspaces, and so most pipelines that run at once; 1 unless set.
    pub fn max_runspaces(mut self, runspaces: i32) -> Self {
        self.options.max_runspaces = runspaces;
        self
    }

    /// How long the server keeps the pool while nobody uses it; its own setting unless set.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// A name by which administrators may know it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What scripts find in `$PSSenderInfo.ApplicationArguments`.
    pub fn application_arguments(mut self, arguments: impl IntoIterator<Item = (String, PsValue)>) -> Self {
        let entries = arguments.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let dictionary = PsObject::new()
            .with_type_names([
                "System.Management.Automation.PSPrimitiveDictionary",
                "System.Collections.Hashtable",
                "System.Object",
            ])
            .with_content(winrm_psrp::clixml::Content::Dictionary(entries));
        self.options.application_arguments = dictionary.into();
        self
    }

    /// Who answers when the server calls methods of the host: nobody unless set, so that prompts fail.
    pub fn host(mut self, host: impl PsHost) -> Self {
        self.options.host_info = match host.data() {
            Some(data) => HostInfo::whole(data),
            None => HostInfo {
                is_null: false,
                is_ui_null: false,
                use_runspace_host: false,
                ..HostInfo::default()
            },
        };
        self.host = Arc::new(host);
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Open`] with the service's or the network's reason, and [`Error::Refused`] with PowerShell's.
    pub async fn open(self) -> Result<RunspacePool, Error> {
        let wire = Wire::new(&self.client, &self.configuration, self.options.id);
        let inner = Inner::new(wire, self.options, self.host);
        lock(&inner.protocol).open()?;
        let inner = inner.create(self.name.as_deref(), self.idle_timeout).await?;
        inner.opened().await?;
        Ok(RunspacePool::of(inner))
    }

    /// Connects to a pool that another client has disconnected from, by its id.
    ///
    /// # Errors
    /// [`Error::Open`]: there is no such pool, somebody has it, or the host does not have that.
    pub async fn connect(mut self, id: Uuid) -> Result<RunspacePool, Error> {
        self.options.id = id;
        let wire = Wire::new(&self.client, &self.configuration, id);
        let inner = Inner::new(wire, self.options, self.host);
        let mut fragments = BytesMut::new();
        {
            let mut pool = lock(&inner.protocol);
            pool.connect()?;
            pool.take_output(None, &mut fragments, inner.wire.room());
        }
        let answer = inner.wire.connect(fragments.freeze()).await;
        let answer = answer.map_err(|error| Error::Open(Arc::new(error)))?;
        let inner = inner.share();
        inner.take(None, &answer).await?;
        inner.opened().await?;
        Ok(RunspacePool::of(inner))
    }
}
