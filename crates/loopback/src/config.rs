//! What the service allows, with the defaults of Windows where Windows has one.

use std::time::Duration;

use winrm_wsman::ServiceConfig;

/// Bounds and quotas. Start from [`Limits::default`] and change what a test is about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// `MaxEnvelopeSizekb`, in bytes: no envelope above this is read or written. 512 000.
    pub max_envelope_size: usize,
    /// `MaxTimeoutms`: longer operation timeouts are cut to this. 60 s.
    pub max_timeout: Duration,
    /// `IdleTimeout` of shells that ask for none. 2 h.
    pub idle_timeout: Duration,
    /// `MaxShellsPerUser`. 30.
    pub max_shells_per_user: usize,
    /// `MaxProcessesPerShell`: commands of a shell that run at once. 25.
    pub max_processes_per_shell: usize,
    /// `MaxConcurrentCommandsPerShell`: commands of a shell, ended ones included that nobody terminated. 1000.
    pub max_commands_per_shell: usize,
    /// `MaxConnections`: a connection above this is closed at once. 300.
    pub max_connections: usize,
    /// A connection is closed after so long without a request. 120 s.
    pub connection_idle: Duration,
    /// How long the first output of a command waits for its end, so that both go in one answer however busy the machine is.
    /// The end of the command ends the wait. Later output is that of a command which goes on, and waits a fiftieth of it,
    /// to gather what is written together. 250 ms.
    pub settle: Duration,
    /// How long a terminated command may take to end by itself. 1 s.
    pub termination_grace: Duration,
    /// Entries kept in the request log; older ones are forgotten. 10 000.
    pub log_entries: usize,
    /// Whether shells that were created with a SessionId can be disconnected; Server 2012 R2 was seen to refuse. Yes.
    pub disconnects: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_envelope_size: 512_000,
            max_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_hours(2),
            max_shells_per_user: 30,
            max_processes_per_shell: 25,
            max_commands_per_shell: 1000,
            max_connections: 300,
            connection_idle: Duration::from_mins(2),
            settle: Duration::from_millis(250),
            termination_grace: Duration::from_secs(1),
            log_entries: 10_000,
            disconnects: true,
        }
    }
}

impl Limits {
    /// What `winrm/config` tells of them.
    pub(crate) fn config(&self) -> ServiceConfig {
        let number = |value: usize| u32::try_from(value).ok();
        let mut config = ServiceConfig::default();
        config.max_envelope_size_kb = number(self.max_envelope_size / 1024);
        config.max_timeout_ms = u32::try_from(self.max_timeout.as_millis()).ok();
        config.max_shells_per_user = number(self.max_shells_per_user);
        config.max_processes_per_shell = number(self.max_processes_per_shell);
        config
    }
}

/// How the service turns down a request above [`Limits::max_envelope_size`]. Windows does either.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OversizeReply {
    /// HTTP status 413 with an empty body.
    #[default]
    Status,
    /// A sealed fault 2150859025, as long as the body is less than twice too large.
    Fault,
}

/// What the service calls itself, in NTLM, in CreateResponse and in faults.
pub(crate) const COMPUTER_NAME: &str = "LOOPBACK";

/// `ProductVendor`: never mistaken for Windows.
pub(crate) const PRODUCT: &str = concat!("winrm-loopback/", env!("CARGO_PKG_VERSION"));
/// The `Server` header: with whose commands run here, which clients that bring scripts along need to know.
pub(crate) const SERVER_HEADER: &str = if cfg!(windows) {
    concat!("winrm-loopback/", env!("CARGO_PKG_VERSION"), " (windows)")
} else {
    concat!("winrm-loopback/", env!("CARGO_PKG_VERSION"), " (unix)")
};
