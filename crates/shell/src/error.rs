//! What can go wrong with a remote process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::command_line::CommandLineError;

/// A failed shell or process. `source()` leads to the transport's error, which names host, step and remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Program or argument cannot be put on a command line.
    #[error("command line cannot be written")]
    CommandLine(#[from] CommandLineError),
    /// Environment, directory, code page and profile belong to the shell, and this one is open already.
    #[error("{setting} is set when a shell is opened: this one is open already")]
    ShellIsOpen {
        /// What was asked for.
        setting: &'static str,
    },
    /// The shell could not be opened.
    #[error("shell could not be opened")]
    Open(#[source] Arc<winrm_transport::Error>),
    /// The service opened a shell without saying which.
    #[error("service opened a shell without telling its id")]
    NoShellId,
    /// The process could not be started.
    #[error("process could not be started")]
    Spawn(#[source] Arc<winrm_transport::Error>),
    /// A signal could not be delivered.
    #[error("signal could not be delivered")]
    Signal(#[source] Arc<winrm_transport::Error>),
    /// The shell could not be deleted; the service does it when it has been idle long enough.
    #[error("shell could not be deleted")]
    Delete(#[source] Arc<winrm_transport::Error>),
    /// The host did not let go of the shell, which is as it was.
    #[error("shell could not be disconnected")]
    Disconnect(#[source] Arc<winrm_transport::Error>),
    /// The shell could not be connected to again.
    #[error("shell could not be reconnected")]
    Reconnect(#[source] Arc<winrm_transport::Error>),
    /// The shell was disconnected: the process goes on without us.
    #[error("shell was disconnected: the process goes on, and can be attached to after a reconnect")]
    Disconnected,
    /// [`Command::timeout`](crate::Command::timeout) was over; the process has been told to end. What it had written before is
    /// here.
    #[error("not done within {} s, and terminated after {} bytes of output", .timeout.as_secs_f32(), .output.len())]
    TimedOut {
        /// The time it had.
        timeout: Duration,
        /// Output received before; empty where the streams had been taken by the caller.
        output: Box<PartialOutput>,
    },
    /// The connection to the running process was lost. What it had written before is here.
    #[error("process was lost after {} bytes of output", .output.len())]
    Lost {
        /// Output received before; empty where the streams had been taken by the caller.
        output: Box<PartialOutput>,
        /// Why.
        #[source]
        source: Arc<winrm_transport::Error>,
    },
}

impl Error {
    /// Output that arrived before the failure.
    pub fn partial_output(&self) -> Option<&PartialOutput> {
        match self {
            Self::Lost { output, .. } | Self::TimedOut { output, .. } => Some(output),
            _ => None,
        }
    }

    /// Whether the host may have done, or may still do, what was asked, so that asking again may do it twice. Of a process
    /// that was started and lost, always.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::TimedOut { .. } | Self::Disconnected => true,
            other => other.transport().is_some_and(winrm_transport::Error::is_outcome_unknown),
        }
    }

    /// The transport's error, where it is the cause.
    pub fn transport(&self) -> Option<&winrm_transport::Error> {
        match self {
            Self::Open(error)
            | Self::Spawn(error)
            | Self::Signal(error)
            | Self::Delete(error)
            | Self::Disconnect(error)
            | Self::Reconnect(error) => Some(error),
            Self::Lost { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// What a lost process had written.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct PartialOutput {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl PartialOutput {
    /// Bytes of both.
    pub fn len(&self) -> usize {
        self.stdout.len() + self.stderr.len()
    }

    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Lengths only: output may be anybody's secret.
impl fmt::Debug for PartialOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartialOutput")
            .field("stdout_len", &self.stdout.len())
            .field("stderr_len", &self.stderr.len())
            .finish()
    }
}
