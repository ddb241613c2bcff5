//! Runspace pools.

mod builder;
mod host_calls;
mod inner;
mod news;

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;
use winrm_clixml::{PsString, PsValue};
use winrm_psrp::RunspacePoolState;
use winrm_psrp::client;
use winrm_psrp::message::{
    Availability, Command, CreatePipeline, PowerShell as Statements, SessionCapability,
};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::powershell::PowerShell;
use crate::running::{self, Running};

pub use builder::RunspacePoolBuilder;
pub(crate) use inner::{Handle, Inner, lock};

/// Runspaces on a host, in which pipelines run: as many at once as the pool has runspaces, the others wait.
///
/// Clones share the pool. When the last one and all its pipelines are dropped, it is deleted behind the caller's back;
/// [`Client::close`](winrm_transport::Client::close) waits for that. [`close`](Self::close) does it at once and tells of errors.
#[derive(Clone)]
pub struct RunspacePool {
    inner: Arc<Handle>,
}

impl RunspacePool {
    /// A builder for a pool on `client`'s host.
    pub fn builder(client: &winrm_transport::Client) -> RunspacePoolBuilder {
        RunspacePoolBuilder::new(client)
    }

    pub(crate) fn of(inner: Arc<Handle>) -> Self {
        Self { inner }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        lock(&self.inner.protocol).id()
    }

    /// Its state.
    pub fn state(&self) -> RunspacePoolState {
        lock(&self.inner.protocol).state()
    }

    /// The versions that the server told.
    pub fn server(&self) -> Option<SessionCapability> {
        lock(&self.inner.protocol).peer_capability().cloned()
    }

    /// What the server wants its clients to know: a dictionary with `PSVersionTable` in it.
    pub fn private_data(&self) -> Option<PsValue> {
        lock(&self.inner.private_data).clone()
    }

    /// A pipeline that runs a script.
    pub fn script(&self, text: impl Into<String>) -> PowerShell {
        PowerShell::new(Arc::clone(&self.inner), CreatePipeline::new(Statements::script(text.into())))
    }

    /// A pipeline that runs a command.
    pub fn command(&self, name: impl Into<String>) -> PowerShell {
        PowerShell::new(
            Arc::clone(&self.inner),
            CreatePipeline::new(Statements::default().with(Command::named(name.into()))),
        )
    }

    /// A pipeline that was put together before.
    pub fn pipeline(&self, pipeline: CreatePipeline) -> PowerShell {
        PowerShell::new(Arc::clone(&self.inner), pipeline)
    }

    /// Sets the most runspaces; false if the server does not want to.
    ///
    /// # Errors
    /// The pool is lost, or does not answer.
    pub async fn set_max_runspaces(&self, runspaces: i32) -> Result<bool, Error> {
        self.done(|pool| pool.set_max_runspaces(runspaces)).await
    }

    /// Sets the least runspaces; false if the server does not want to.
    ///
    /// # Errors
    /// The pool is lost, or does not answer.
    pub async fn set_min_runspaces(&self, runspaces: i32) -> Result<bool, Error> {
        self.done(|pool| pool.set_min_runspaces(runspaces)).await
    }

    /// How many runspaces are free.
    ///
    /// # Errors
    /// The pool is lost, or does not answer.
    pub async fn available_runspaces(&self) -> Result<i64, Error> {
        match self.inner.call(client::RunspacePool::get_available_runspaces).await? {
            Availability::Available(runspaces) => Ok(runspaces),
            Availability::Done(done) => Ok(done.into()),
        }
    }

    /// Resets variables, the current location and more, as a new pool has them; false if the server cannot. Only pools of one
    /// runspace can be reset.
    ///
    /// # Errors
    /// The pool is lost, or does not answer.
    pub async fn reset(&self) -> Result<bool, Error> {
        self.done(client::RunspacePool::reset_runspace_state).await
    }

    async fn done(
        &self,
        call: impl FnOnce(&mut client::RunspacePool) -> Result<i64, winrm_psrp::Error>,
    ) -> Result<bool, Error> {
        match self.inner.call(call).await? {
            Availability::Done(done) => Ok(done),
            Availability::Available(runspaces) => Ok(runspaces > 0),
        }
    }

    /// A text as a secure string that this pool's server can read; the first one exchanges keys.
    ///
    /// # Errors
    /// The keys cannot be exchanged.
    pub async fn secure_string(&self, text: &str) -> Result<PsValue, Error> {
        self.inner.exchange_key().await?;
        let pool = lock(&self.inner.protocol);
        let key = pool.session_key().ok_or_else(|| self.inner.lost())?;
        Ok(key.encrypt(&PsString::from(text)).into())
    }

    /// The text of a secure string that this pool's server sent; `None` for another value, and for a text that is not Unicode.
    ///
    /// # Errors
    /// It cannot be decrypted.
    pub fn reveal(&self, value: &PsValue) -> Result<Option<Zeroizing<String>>, Error> {
        let PsValue::SecureString(secret) = value.primitive() else { return Ok(None) };
        let pool = lock(&self.inner.protocol);
        let key = pool.session_key().ok_or_else(|| self.inner.lost())?;
        Ok(key.decrypt(secret)?.expose_text())
    }

    /// Takes up a pipeline of a pool that was [connected](RunspacePoolBuilder::connect) to, by the id that
    /// [`list_pipelines`](Self::list_pipelines) gave: what it has given that nobody has read, and what it gives from now on.
    ///
    /// # Errors
    /// [`Error::Start`]: there is no such pipeline; [`Error::Protocol`]: it is read here already.
    pub async fn attach(&self, pipeline: Uuid) -> Result<Running, Error> {
        running::attach(&self.inner, pipeline).await
    }

    /// Leaves the pool to itself: it and its pipelines go on without this client, until [`reconnect`](Self::reconnect) or another
    /// client connects. Pipelines that are read from here wait meanwhile.
    ///
    /// # Errors
    /// [`Error::Call`], where the server does not have that.
    pub async fn disconnect(&self) -> Result<(), Error> {
        self.inner.disconnect().await
    }

    /// Comes back to a pool that was disconnected; pipelines go on to be read.
    ///
    /// # Errors
    /// [`Error::Call`]: the pool is gone, or somebody else has connected to it.
    pub async fn reconnect(&self) -> Result<(), Error> {
        self.inner.reconnect().await
    }

    /// Deletes it with all that runs in it.
    ///
    /// # Errors
    /// [`Error::Close`]. That it is gone already is no error.
    pub async fn close(self) -> Result<(), Error> {
        self.inner.close().await
    }
}

impl fmt::Debug for RunspacePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunspacePool")
            .field("id", &self.id())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
