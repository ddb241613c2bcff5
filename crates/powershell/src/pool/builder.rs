//! Opening pools.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;
use winrm_clixml::PsValue;
use winrm_psrp::client::{Carrier, Config};
use winrm_psrp::host::HostInfo;
use winrm_psrp::message::primitive_dictionary;
use winrm_transport::Client;

use super::{Inner, RunspacePool, lock};
use crate::error::Error;
use crate::host::{NoHost, PsHost};
use crate::wire::Wire;

/// The configuration that every host has.
const DEFAULT_CONFIGURATION: &str = "Microsoft.PowerShell";
/// As .NET's `OpenTimeout`.
const OPEN_TIMEOUT: Duration = Duration::from_mins(3);

/// Opens a [`RunspacePool`], or connects to one.
#[derive(Clone)]
pub struct RunspacePoolBuilder {
    client: Client,
    configuration: String,
    name: Option<String>,
    idle_timeout: Option<Duration>,
    open_timeout: Duration,
    config: Config,
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
            open_timeout: OPEN_TIMEOUT,
            config: Config::default(),
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
        self.config.init.min_runspaces = runspaces;
        self
    }

    /// Most runspaces, and so most pipelines that run at once; 1 unless set.
    pub fn max_runspaces(mut self, runspaces: i32) -> Self {
        self.config.init.max_runspaces = runspaces;
        self
    }

    /// How long the server keeps the pool while nobody uses it; its own setting unless set.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// How long the server may take to open the pool once it has made its shell; three minutes unless set.
    pub fn open_timeout(mut self, timeout: Duration) -> Self {
        self.open_timeout = timeout;
        self
    }

    /// A name by which administrators may know it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What scripts find in `$PSSenderInfo.ApplicationArguments`.
    pub fn application_arguments(mut self, arguments: impl IntoIterator<Item = (String, PsValue)>) -> Self {
        self.config.init.application_arguments = primitive_dictionary(arguments);
        self
    }

    /// Who answers when the server calls methods of the host: nobody unless set, so that prompts fail.
    pub fn host(mut self, host: impl PsHost) -> Self {
        self.config.init.host_info = match host.data() {
            Some(data) => HostInfo::full(data),
            None => HostInfo { is_host_null: false, is_host_ui_null: false, ..HostInfo::none() },
        };
        self.host = Arc::new(host);
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Open`] with the service's or the network's reason, [`Error::Refused`] with PowerShell's, and
    /// [`Error::TimedOut`].
    pub async fn open(self) -> Result<RunspacePool, Error> {
        let id = Uuid::new_v4();
        let inner = self.inner(id);
        lock(&inner.protocol).open()?;
        let handle = inner.create(self.name.as_deref(), self.idle_timeout).await?;
        handle.opened(self.open_timeout).await?;
        Ok(RunspacePool::of(handle))
    }

    /// Connects to a pool that another client has disconnected from, by its id.
    ///
    /// # Errors
    /// [`Error::Open`]: there is no such pool, somebody has it, or the host does not have that.
    pub async fn connect(self, id: Uuid) -> Result<RunspacePool, Error> {
        let inner = self.inner(id);
        let room = inner.wire.room();
        let fragments = {
            let mut pool = lock(&inner.protocol);
            pool.connect()?;
            let sent = pool.poll_transmit_of(room, |carrier| carrier == Carrier::Connect)?;
            sent.map(|sent| Bytes::from(sent.payload)).unwrap_or_default()
        };
        let answer = inner.wire.connect(fragments).await;
        let answer = answer.map_err(|error| Error::Open(Arc::new(error)))?;
        let handle = inner.share();
        handle.take(None, &answer).await?;
        lock(&handle.protocol).handle_connected()?;
        handle.set_open();
        Ok(RunspacePool::of(handle))
    }

    fn inner(&self, id: Uuid) -> Inner {
        let wire = Wire::new(&self.client, &self.configuration, id);
        Inner::new(wire, id, self.config.clone(), Arc::clone(&self.host))
    }
}
