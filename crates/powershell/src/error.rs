//! What can go wrong, in which step.

use std::sync::Arc;
use std::time::Duration;

use winrm_psrp::record::ErrorRecord;
use winrm_psrp::{PipelineState, RunspacePoolState};

use crate::PsOutput;

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pool could not be opened or connected to.
    #[error("the runspace pool could not be opened")]
    Open(#[source] Arc<winrm_transport::Error>),
    /// The server opened a shell and told that the pool is broken.
    #[error("the server did not open the runspace pool{}", reason(.0.as_ref()))]
    Refused(Option<ErrorRecord>),
    /// The pool is not open any more.
    #[error("the runspace pool is {state}{}", reason(error.as_ref()))]
    PoolLost {
        /// What it is.
        state: RunspacePoolState,
        /// What the server said about it.
        error: Option<ErrorRecord>,
        /// What the network or the service said about it.
        source: Option<Arc<winrm_transport::Error>>,
        /// What a pipeline gave before, where it was collected.
        output: Box<PsOutput>,
    },
    /// A pipeline could not be started. Whether it runs is not known if the source is
    /// [`is_outcome_unknown`](winrm_transport::Error::is_outcome_unknown).
    #[error("the pipeline could not be started")]
    Start(#[source] Arc<winrm_transport::Error>),
    /// A pipeline was lost while it ran, and goes on or not.
    #[error("the pipeline was lost while it ran; what becomes of it is not known")]
    Lost {
        /// Why.
        source: Arc<winrm_transport::Error>,
        /// What came before, where it was collected.
        output: Box<PsOutput>,
    },
    /// An error ended the pipeline: the exception that a script threw or did not catch.
    #[error("{}", text_of(error))]
    Failed {
        /// The error.
        error: Box<ErrorRecord>,
        /// What came before it, where it was collected.
        output: Box<PsOutput>,
    },
    /// The pipeline was stopped.
    #[error("the pipeline was stopped")]
    Stopped {
        /// What came before, where it was collected.
        output: Box<PsOutput>,
    },
    /// The pipeline ended in a state that is none of these, or without an error that says why.
    #[error("the pipeline ended as {state}")]
    Ended {
        /// The state.
        state: PipelineState,
        /// What came before, where it was collected.
        output: Box<PsOutput>,
    },
    /// The server ended the pipeline and did not say how: it may not have understood it.
    #[error("the server ended the pipeline without telling its state")]
    Untold {
        /// What came before, where it was collected.
        output: Box<PsOutput>,
    },
    /// Input or an answer of the host could not be sent.
    #[error("input could not be sent")]
    Send(#[source] Arc<winrm_transport::Error>),
    /// A pipeline could not be stopped.
    #[error("the pipeline could not be stopped")]
    Stop(#[source] Arc<winrm_transport::Error>),
    /// The pool could not be closed; its server will, once it was idle for too long.
    #[error("the runspace pool could not be closed")]
    Close(#[source] Arc<winrm_transport::Error>),
    /// A call about the pool was not answered.
    #[error("the runspace pool did not answer")]
    Call(#[source] Arc<winrm_transport::Error>),
    /// Pools or pipelines could not be listed.
    #[error("the host's runspace pools could not be listed")]
    List(#[source] Arc<winrm_transport::Error>),
    /// What was asked for makes no sense now, or a value cannot be sent.
    #[error("cannot be sent")]
    Protocol(#[source] Arc<winrm_psrp::Error>),
    /// What the server sent cannot be understood, and nothing behind it.
    #[error("the server's messages make no sense")]
    NotUnderstood {
        /// What is wrong with them.
        source: Arc<winrm_psrp::Error>,
        /// What a pipeline gave before, where it was collected.
        output: Box<PsOutput>,
    },
    /// The server answers, and what was waited for did not come.
    #[error("{step}: not done after {after:?}")]
    TimedOut {
        /// What was waited for.
        step: &'static str,
        /// For how long.
        after: Duration,
    },
    /// A secure string cannot be read or made.
    #[error("the session key")]
    Key(#[from] winrm_psrp::key::KeyError),
}

fn reason(error: Option<&ErrorRecord>) -> String {
    error.map(|error| format!(": {}", text_of(error))).unwrap_or_default()
}

/// What PowerShell would show first of an error: the message of its details, of its exception, or its own.
pub(crate) fn text_of(error: &ErrorRecord) -> String {
    let text = error.details_message().or_else(|| error.exception_message()).or_else(|| error.message());
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Error {
    /// The transport's error below, if that was it.
    pub fn transport(&self) -> Option<&winrm_transport::Error> {
        match self {
            Self::Open(error)
            | Self::Start(error)
            | Self::Lost { source: error, .. }
            | Self::PoolLost { source: Some(error), .. }
            | Self::Send(error)
            | Self::Stop(error)
            | Self::Close(error)
            | Self::Call(error)
            | Self::List(error) => Some(error),
            _ => None,
        }
    }

    /// What a pipeline gave before an error ended it, where it was collected.
    pub fn partial_output(&self) -> Option<&PsOutput> {
        match self {
            Self::Failed { output, .. }
            | Self::Stopped { output }
            | Self::Ended { output, .. }
            | Self::Untold { output }
            | Self::Lost { output, .. }
            | Self::PoolLost { output, .. }
            | Self::NotUnderstood { output, .. } => Some(output),
            _ => None,
        }
    }

    /// With what came before it.
    pub(crate) fn with_output(mut self, collected: PsOutput) -> Self {
        if let Self::Failed { output, .. }
        | Self::Stopped { output }
        | Self::Ended { output, .. }
        | Self::Untold { output }
        | Self::Lost { output, .. }
        | Self::PoolLost { output, .. }
        | Self::NotUnderstood { output, .. } = &mut self
        {
            **output = collected;
        }
        self
    }

    /// The error record, where PowerShell itself tells what went wrong.
    pub fn record(&self) -> Option<&ErrorRecord> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Refused(error) | Self::PoolLost { error, .. } => error.as_ref(),
            _ => None,
        }
    }
}

impl From<winrm_psrp::Error> for Error {
    fn from(error: winrm_psrp::Error) -> Self {
        Self::Protocol(Arc::new(error))
    }
}
