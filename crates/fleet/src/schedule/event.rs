//! What is told of a host.

use std::fmt;
use std::time::Duration;

/// Something happened on one host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event<P, T, E> {
    /// Position in the list that [`Fleet::new`](crate::Fleet::new) was given, from 0.
    pub host: usize,
    /// What happened.
    pub kind: EventKind<P, T, E>,
}

/// What happened on a host: `Started`, any number of `Progress`, then `Ended`. A host that is not tried only has `Ended`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EventKind<P, T, E> {
    /// The action was started.
    Started,
    /// The action reported this.
    Progress(P),
    /// The last event of this host, and there is exactly one.
    Ended(Outcome<T, E>),
}

/// How it ended on one host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome<T, E> {
    /// The action returned `Ok`.
    Done(T),
    /// The action returned `Err`.
    Failed(E),
    /// The action was not done within this time, and was dropped.
    TimedOut(Duration),
    /// The action panicked, with this message.
    Panicked(String),
    /// The runtime that ran the action was shut down.
    Aborted,
    /// The action was never started.
    NotTried(NotTried),
}

impl<T, E> Outcome<T, E> {
    /// The action ran and returned `Ok`.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The action was started but did not return `Ok`: what [`Fleet::max_failures`](crate::Fleet::max_failures) counts.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::TimedOut(_) | Self::Panicked(_) | Self::Aborted)
    }
}

/// Why a host was not tried.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NotTried {
    /// As many hosts had failed as [`Fleet::max_failures`](crate::Fleet::max_failures) allows.
    TooManyFailures,
    /// [`Fleet::stop_when`](crate::Fleet::stop_when) said so of an outcome.
    Stopped,
    /// [`Stopper::stop`](crate::Stopper::stop) was called.
    Cancelled,
}

impl fmt::Display for NotTried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyFailures => "not tried: too many other hosts failed",
            Self::Stopped => "not tried: what came of another host ended the run",
            Self::Cancelled => "not tried: cancelled",
        })
    }
}
