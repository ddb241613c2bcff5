//! The client for callers without a runtime.
//!
//! ```no_run
//! use winrm::{Client, Credentials};
//!
//! # fn run(password: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("web01.example.com")?
//!     .credentials(Credentials::password("EXAMPLE\\ops", password))
//!     .build_blocking()?;
//! let output = client.command("findstr").arg("x").input("xyz\r\nabc\r\n").output()?;
//! assert_eq!(output.stdout, b"xyz\r\n");
//! client.close();
//! # Ok(())
//! # }
//! ```
//!
//! A [`Client`] and its clones have one thread, with a tokio runtime that goes on between calls: connections are kept and what is
//! dropped is cleaned up while nobody calls. For many hosts, where that would be as many threads, there is `winrm::fleet`.
//!
//! Dropping the last clone closes the client behind the caller's back and never waits, so that it may happen anywhere, inside
//! async code too. What is outstanding then is lost if the program ends first: [`Client::close`] waits for it.
//!
//! # Panics
//! Whatever waits panics where the thread must not: inside async code. There, use [`crate::Client`], or
//! `tokio::task::spawn_blocking`.

#[cfg(feature = "shell")]
mod command;

use std::io;
#[cfg(feature = "files")]
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
#[cfg(feature = "files")]
use winrm_shell::files::{Copied, CopyError, Download, Upload};
use winrm_transport::auth::Security;
use winrm_transport::{ConfigError, Endpoint, Error};
use winrm_wsman::IdentifyResponse;

#[cfg(feature = "shell")]
pub use self::command::Command;
use crate::ClientBuilder;

/// Why there is no [`Client`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting that cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The thread of the client, or the runtime on it.
    #[error("the thread of the client could not be started")]
    Thread(#[from] io::Error),
}

/// A WinRM host; [`crate::Client`] whose methods return when they are done.
///
/// Cheap to clone, `Send + Sync`; clones share their connections and their thread.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    worker: Arc<Worker>,
}

/// The thread that drives the runtime until this is dropped.
#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Nothing is ever sent: the thread waits for this to be dropped.
    _stays: oneshot::Sender<()>,
}

impl Client {
    /// The client, and its thread. Nothing is sent before the first request.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn new(builder: ClientBuilder) -> Result<Self, BuildError> {
        let client = builder.build()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stays, gone) = oneshot::channel::<()>();
        let worker = Worker { runtime: runtime.handle().clone(), _stays: stays };
        let closing = client.clone();
        std::thread::Builder::new().name("winrm".to_owned()).spawn(move || {
            runtime.block_on(async {
                // An error, as nothing is sent.
                drop(gone.await);
                closing.close().await;
            });
        })?;
        Ok(Self { client, worker: Arc::new(worker) })
    }

    /// Waits for anything of the client that is asynchronous and has no method here: shells, streams, signals.
    ///
    /// ```no_run
    /// # fn run(client: winrm::blocking::Client) -> Result<(), winrm::CommandError> {
    /// let status = client.block_on(async |client| {
    ///     let shell = client.shell().current_dir(r"C:\work").open().await?;
    ///     shell.command("nmake").status().await
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Tasks that are spawned meanwhile go on afterwards, on the thread of the client.
    pub fn block_on<T>(&self, work: impl AsyncFnOnce(&crate::Client) -> T) -> T {
        self.worker.runtime.block_on(work(&self.client))
    }

    /// A program to run in a shell of its own, with arguments that reach it as given.
    #[cfg(feature = "shell")]
    pub fn command(&self, program: impl Into<String>) -> Command {
        Command::new(self.clone(), self.client.command(program))
    }

    /// A whole line for the host's command interpreter, sent as it is: `dir | findstr x`.
    #[cfg(feature = "shell")]
    pub fn raw_command(&self, line: impl Into<String>) -> Command {
        Command::new(self.clone(), self.client.raw_command(line))
    }

    /// A PowerShell script in a `powershell.exe` of its own; see [`Command::powershell`](winrm_shell::Command::powershell).
    #[cfg(feature = "shell")]
    pub fn powershell(&self, script: impl AsRef<str>) -> Command {
        Command::new(self.clone(), self.client.powershell(script))
    }

    /// Copies a file or folder to the host.
    ///
    /// # Errors
    /// [`CopyError`] tells what was copied in spite of it.
    #[cfg(feature = "files")]
    pub fn upload(&self, source: impl Into<PathBuf>, target: impl Into<String>) -> Result<Copied, CopyError> {
        self.upload_with(source, target, |upload| upload)
    }

    /// As [`upload`](Self::upload), with the options of [`Upload`].
    ///
    /// ```no_run
    /// use winrm::files::Existing;
    ///
    /// # fn run(client: winrm::blocking::Client) -> Result<(), winrm::files::CopyError> {
    /// client.upload_with("site.zip", r"C:\inetpub\site.zip", |upload| upload.existing(Existing::Update))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    #[cfg(feature = "files")]
    pub fn upload_with(
        &self,
        source: impl Into<PathBuf>,
        target: impl Into<String>,
        options: impl FnOnce(Upload) -> Upload,
    ) -> Result<Copied, CopyError> {
        let upload = options(self.client.upload(source, target));
        self.block_on(async |_| upload.await)
    }

    /// Copies a file or folder from the host.
    ///
    /// # Errors
    /// [`CopyError`] tells what was copied in spite of it.
    #[cfg(feature = "files")]
    pub fn download(
        &self,
        source: impl Into<String>,
        target: impl Into<PathBuf>,
    ) -> Result<Copied, CopyError> {
        self.download_with(source, target, |download| download)
    }

    /// As [`download`](Self::download), with the options of [`Download`].
    ///
    /// # Errors
    /// As [`download`](Self::download).
    #[cfg(feature = "files")]
    pub fn download_with(
        &self,
        source: impl Into<String>,
        target: impl Into<PathBuf>,
        options: impl FnOnce(Download) -> Download,
    ) -> Result<Copied, CopyError> {
        let download = options(self.client.download(source, target));
        self.block_on(async |_| download.await)
    }

    /// Logs on and asks the service who it is; see [`crate::Client::identify`].
    ///
    /// # Errors
    /// [`Error`] names host, step and remedy.
    pub fn identify(&self) -> Result<IdentifyResponse, Error> {
        self.block_on(async |client| client.identify().await)
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        self.client.endpoint()
    }

    /// What the last log-on negotiated; `None` before the first.
    pub fn security(&self) -> Option<Security> {
        self.client.security()
    }

    /// Waits for outstanding clean-up, 10 s at most, and closes the connections. Clones are closed with it.
    pub fn close(&self) {
        self.block_on(async |client| client.close().await);
    }
}

impl ClientBuilder {
    /// The client for callers without a runtime; see [`blocking`](crate::blocking).
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build_blocking(self) -> Result<Client, BuildError> {
        Client::new(self)
    }
}
