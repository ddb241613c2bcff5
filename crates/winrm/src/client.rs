//! The client most users depend on: the transport's, with commands.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use winrm_transport::auth::Security;
use winrm_transport::{
    AuthMethod, ConfigError, Connector, Credentials, Endpoint, EndpointError, Error, LogOnGuard,
    MessageEncryption, Pin, Probe, Proxy, ProxyMode, RetryPolicy, TlsBackend, WireTrace,
};
use winrm_wsman::{IdentifyResponse, ServiceConfig};

/// A WinRM host.
///
/// Cheap to clone, `Send + Sync`; clones share their connections, which are opened on demand and used again.
/// Nothing is ever run twice on its own.
#[derive(Clone, Debug)]
pub struct Client {
    transport: winrm_transport::Client,
}

impl Client {
    /// A builder for `host`, `host:port`, `[v6]:port` or an URL; see [`Endpoint`].
    ///
    /// # Errors
    /// [`EndpointError`] for anything else.
    pub fn builder(target: impl AsRef<str>) -> Result<ClientBuilder, EndpointError> {
        winrm_transport::Client::builder(target).map(ClientBuilder::from)
    }

    /// A program to run in a shell of its own, with arguments that reach it as given.
    #[cfg(feature = "shell")]
    pub fn command(&self, program: impl Into<String>) -> winrm_shell::Command {
        winrm_shell::Command::new(&self.transport, program)
    }

    /// A whole line for the host's command interpreter, sent as it is: `dir | findstr x`.
    #[cfg(feature = "shell")]
    pub fn raw_command(&self, line: impl Into<String>) -> winrm_shell::Command {
        winrm_shell::Command::raw(&self.transport, line)
    }

    /// A PowerShell script in a `powershell.exe` of its own, with text in and out; see [`Command::powershell`](winrm_shell::Command::powershell).
    #[cfg(feature = "shell")]
    pub fn powershell(&self, script: impl AsRef<str>) -> winrm_shell::Command {
        winrm_shell::Command::powershell(&self.transport, script)
    }

    /// A pool of runspaces for PowerShell remoting: objects in, objects out.
    ///
    /// ```no_run
    /// # async fn run(client: winrm::Client) -> Result<(), winrm::powershell::Error> {
    /// let pool = client.runspace_pool().open().await?;
    /// let services = pool.command("Get-Service").invoke().await?;
    /// println!("{} services", services.output.len());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "powershell")]
    pub fn runspace_pool(&self) -> winrm_powershell::RunspacePoolBuilder {
        winrm_powershell::RunspacePool::builder(&self.transport)
    }

    /// A shell for several commands that share environment, directory and code page.
    #[cfg(feature = "shell")]
    pub fn shell(&self) -> winrm_shell::ShellBuilder {
        winrm_shell::Shell::builder(&self.transport)
    }

    /// Copies a file or folder to the host; await it.
    ///
    /// ```no_run
    /// # async fn run(client: winrm::Client) -> Result<(), winrm::files::CopyError> {
    /// let copied = client.upload("site.zip", r"C:\inetpub\site.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "files")]
    pub fn upload(
        &self,
        source: impl Into<PathBuf>,
        target: impl Into<String>,
    ) -> winrm_shell::files::Upload {
        winrm_shell::files::Upload::new(winrm_shell::files::WinRs::new(&self.transport), source, target)
    }

    /// Copies a file or folder from the host; await it.
    #[cfg(feature = "files")]
    pub fn download(
        &self,
        source: impl Into<String>,
        target: impl Into<PathBuf>,
    ) -> winrm_shell::files::Download {
        winrm_shell::files::Download::new(winrm_shell::files::WinRs::new(&self.transport), source, target)
    }

    /// Logs on and asks the service who it is: vendor, version of the operating system, protocol versions
    /// (DSP0226 section 11).
    ///
    /// # Errors
    /// [`Error`] names host, step and remedy.
    pub async fn identify(&self) -> Result<IdentifyResponse, Error> {
        self.transport.identify().await
    }

    /// Reads the service's settings (`winrm/config`), which by default only administrators may: for others it is `None`.
    ///
    /// # Errors
    /// [`Error`] names host, step and remedy.
    pub async fn service_config(&self) -> Result<Option<ServiceConfig>, Error> {
        self.transport.service_config().await
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        self.transport.endpoint()
    }

    /// What the last log-on negotiated; `None` before the first.
    pub fn security(&self) -> Option<Security> {
        self.transport.security()
    }

    /// The client underneath, for messages that nothing here has a name for.
    pub fn transport(&self) -> &winrm_transport::Client {
        &self.transport
    }

    /// Waits for outstanding clean-up, 10 s at most, and closes the connections. Clones are closed with it.
    pub async fn close(&self) {
        self.transport.close().await;
    }
}

impl From<winrm_transport::Client> for Client {
    fn from(transport: winrm_transport::Client) -> Self {
        Self { transport }
    }
}

/// Builds a [`Client`]. The defaults are the safe choice; what weakens them says so in its name.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    transport: winrm_transport::ClientBuilder,
}

impl From<winrm_transport::ClientBuilder> for ClientBuilder {
    fn from(transport: winrm_transport::ClientBuilder) -> Self {
        Self { transport }
    }
}

impl ClientBuilder {
    /// For an endpoint already parsed.
    pub fn for_endpoint(endpoint: Endpoint) -> Self {
        winrm_transport::ClientBuilder::for_endpoint(endpoint).into()
    }

    #[cfg(feature = "fleet")]
    pub(crate) fn transport(&self) -> &winrm_transport::ClientBuilder {
        &self.transport
    }

    /// Who to log on as.
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.transport.credentials(credentials).into()
    }

    /// How to log on; [`AuthMethod::Negotiate`] unless set.
    pub fn auth_method(self, method: AuthMethod) -> Self {
        self.transport.auth_method(method).into()
    }

    /// Whether messages are sealed inside TLS too; [`MessageEncryption::Auto`] unless set. Over http they always are.
    pub fn message_encryption(self, message_encryption: MessageEncryption) -> Self {
        self.transport.message_encryption(message_encryption).into()
    }

    /// Trusts the certificate authorities in this file, PEM or one in DER, in place of the system's. May be given several
    /// times. The file is read by [`build`](Self::build).
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        self.transport.ca_file(path).into()
    }

    /// As [`ca_file`](Self::ca_file), from memory.
    pub fn ca_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.ca_certificates(pem).into()
    }

    /// Accepts a certificate with this pin, whoever signed it and for whatever name, and no certificate without a pin
    /// given. May be given several times.
    pub fn pin(self, pin: Pin) -> Self {
        self.transport.pin(pin).into()
    }

    /// The implementation of TLS; [`TlsBackend::Rustls`] unless set.
    pub fn tls_backend(self, backend: TlsBackend) -> Self {
        self.transport.tls_backend(backend).into()
    }

    /// The certificate to log on by; for [`AuthMethod::Certificate`], which needs no credentials.
    #[cfg(feature = "tls")]
    pub fn client_certificate(self, certificate: winrm_transport::ClientCertificate) -> Self {
        self.transport.client_certificate(certificate).into()
    }

    /// Accepts any certificate at all. **Whoever is between the client and the host can be the host**: it can read and
    /// change everything, and with [`AuthMethod::Basic`] learns the password. [`pin`](Self::pin) is as easy and safe.
    pub fn dangerous_accept_any_certificate(self) -> Self {
        self.transport.dangerous_accept_any_certificate().into()
    }

    /// The name the service is known by to the authentication mechanism; `HTTP/host` unless set.
    pub fn service_principal_name(self, name: impl Into<String>) -> Self {
        self.transport.service_principal_name(name).into()
    }

    /// For resolving the name and opening the connection; 30 s unless set.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.transport.connect_timeout(timeout).into()
    }

    /// How long the service may hold a request before it answers; 20 s unless set, from 0.5 to 60 s. A command may
    /// run for any number of these.
    pub fn operation_timeout(self, timeout: Duration) -> Self {
        self.transport.operation_timeout(timeout).into()
    }

    /// The longest answer taken, in bytes of the unsealed envelope; 512 000 unless set, at least 8192.
    pub fn max_envelope_size(self, bytes: u32) -> Self {
        self.transport.max_envelope_size(bytes).into()
    }

    /// The most connections that wait for output at once; 32 unless set.
    pub fn max_connections(self, connections: usize) -> Self {
        self.transport.max_connections(connections).into()
    }

    /// How often an exchange is tried again where that cannot hurt.
    pub fn retries(self, policy: RetryPolicy) -> Self {
        self.transport.retries(policy).into()
    }

    /// Shares what is known about the credentials with other clients that use the same: one host is logged on to before the
    /// others, and after a refusal none is any more.
    pub fn log_on_guard(self, guard: LogOnGuard) -> Self {
        self.transport.log_on_guard(guard).into()
    }

    /// Sends [`AuthMethod::Basic`] over `http://` endpoints too. **Whoever is on the network reads the password, and every
    /// command, its input and its output, and can change them.**
    pub fn dangerous_allow_clear_text_basic(self) -> Self {
        self.transport.dangerous_allow_clear_text_basic().into()
    }

    /// Copies every envelope, unsealed, to `target`. **They hold command lines, input and output.**
    pub fn trace_wire(self, target: Arc<dyn WireTrace>) -> Self {
        self.transport.trace_wire(target).into()
    }

    /// Goes through this proxy, also to loopback addresses. None is used unless this or
    /// [`proxy_from_environment`](Self::proxy_from_environment) says so.
    pub fn proxy(self, proxy: Proxy) -> Self {
        self.transport.proxy(proxy).into()
    }

    /// Goes through the proxy that `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` names, unless `NO_PROXY` excepts the host.
    /// Loopback addresses never go through it.
    pub fn proxy_from_environment(self) -> Self {
        self.transport.proxy_from_environment().into()
    }

    /// Goes through no proxy, which is the default.
    pub fn no_proxy(self) -> Self {
        self.transport.no_proxy().into()
    }

    /// How an HTTP proxy is used for `http://` endpoints; [`ProxyMode::Auto`] unless set.
    pub fn proxy_mode(self, mode: ProxyMode) -> Self {
        self.transport.proxy_mode(mode).into()
    }

    /// Connects to this address, `host`, `host:port` or `[v6]:port`, in place of the endpoint's. Everything else goes by the
    /// endpoint's name: `Host`, the certificate, the service principal name.
    ///
    /// # Errors
    /// [`EndpointError`] for what is no address.
    pub fn connect_to(self, address: impl AsRef<str>) -> Result<Self, EndpointError> {
        self.transport.connect_to(address).map(Self::from)
    }

    /// Opens byte streams another way than by TCP.
    pub fn connector(self, connector: Arc<dyn Connector>) -> Self {
        self.transport.connector(connector).into()
    }

    /// Goes on although the negotiated context lacks signing, sealing, key exchange, 128-bit keys or extended
    /// session security. Whoever is on the network may then read or change messages.
    pub fn dangerous_allow_weak_security_context(self) -> Self {
        self.transport.dangerous_allow_weak_security_context().into()
    }

    /// Asks the host what answers there and which schemes it offers, without log-on.
    ///
    /// # Errors
    /// When nothing answers in HTTP.
    pub async fn probe(&self) -> Result<Probe, Error> {
        winrm_transport::probe(&self.transport).await
    }

    /// Asks the host again and again, without log-on, until a service answers, for `limit` at most; see
    /// [`transport::wait_until_ready`](crate::transport::wait_until_ready).
    ///
    /// # Errors
    /// What waiting does not mend, or at the limit why the last attempt failed.
    pub async fn wait_until_ready(
        &self,
        limit: Duration,
        not_yet: impl FnMut(&Error),
    ) -> Result<Probe, Error> {
        winrm_transport::wait_until_ready(&self.transport, limit, not_yet).await
    }

    /// The client. Nothing is sent before the first request.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that cannot work.
    pub fn build(self) -> Result<Client, ConfigError> {
        self.transport.build().map(Client::from)
    }
}
