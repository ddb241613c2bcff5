//! The terms of a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::events::{Events, Ran};
use super::reporter::Reporter;
use super::stopper::Stopper;

/// How many actions run at once when nothing else is said.
const DEFAULT_PARALLEL: usize = 50;

/// One action on many hosts: its terms, then [`run`](Self::run).
///
/// Nothing happens before [`Events`] is read. `T` and `E` are what the action returns.
pub struct Fleet<H, T, E> {
    pub(super) hosts: Vec<H>,
    pub(super) parallel: usize,
    pub(super) max_failures: Option<usize>,
    pub(super) stop_when: Option<StopWhen<T, E>>,
    pub(super) stopper: Stopper,
    host_deadline: Option<Duration>,
}

pub(super) type StopWhen<T, E> = Box<dyn FnMut(&Result<T, E>) -> bool + Send>;

impl<H, T, E> Fleet<H, T, E> {
    /// A run over `hosts`, which start in this order.
    pub fn new(hosts: impl IntoIterator<Item = H>) -> Self {
        Self {
            hosts: hosts.into_iter().collect(),
            parallel: DEFAULT_PARALLEL,
            max_failures: None,
            stop_when: None,
            stopper: Stopper::new(),
            host_deadline: None,
        }
    }

    /// The most actions that run at once: 50 by default, at least 1.
    pub fn parallel(mut self, actions: usize) -> Self {
        self.parallel = actions.max(1);
        self
    }

    /// What each action has, from its own start; one that takes longer is dropped and ends as
    /// [`Outcome::TimedOut`](crate::Outcome::TimedOut). None by default.
    ///
    /// The time a reporter waits for a slow reader counts. An action that blocks its thread cannot be dropped. The runtime
    /// must have its timers enabled; otherwise each action ends as [`Outcome::Panicked`](crate::Outcome::Panicked).
    pub fn host_deadline(mut self, deadline: Duration) -> Self {
        self.host_deadline = Some(deadline);
        self
    }

    /// After so many failures (at least 1) no new host starts; actions that run go on. No limit by default.
    ///
    /// Whatever was started and did not return `Ok` is a failure.
    pub fn max_failures(mut self, failures: usize) -> Self {
        self.max_failures = Some(failures.max(1));
        self
    }

    /// After the first failure no new host starts.
    pub fn fail_fast(self) -> Self {
        self.max_failures(1)
    }

    /// After an outcome of which `stop` says `true` no new host starts; actions that run go on.
    ///
    /// For what is bound to go wrong the same way on the next host, such as a password that is refused.
    pub fn stop_when(mut self, stop: impl FnMut(&Result<T, E>) -> bool + Send + 'static) -> Self {
        self.stop_when = Some(Box::new(stop));
        self
    }

    /// A handle that stops new hosts from starting.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }
}

impl<H, T, E> Fleet<H, T, E>
where
    H: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Runs `action` on the hosts, as the returned stream is read.
    ///
    /// Each action becomes a task of the tokio runtime in which the stream is polled, so actions run in parallel on a
    /// runtime of several threads. A host that has not started is an entry of a list and nothing more.
    pub fn run<P, F, A>(self, action: F) -> Events<H, P, T, E>
    where
        P: Send + 'static,
        F: Fn(H, Reporter<P>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<T, E>> + Send + 'static,
    {
        let action = Arc::new(action);
        let deadline = self.host_deadline;
        let start = move |tasks: &mut JoinSet<Ran<T, E>>, host: H, reporter: Reporter<P>| {
            let action = Arc::clone(&action);
            // Called inside the task, so that a panic before the first await is the task's as well.
            let run = async move {
                match deadline {
                    Some(deadline) => {
                        timeout(deadline, async { action(host, reporter).await }).await.map_err(|_| deadline)
                    }
                    None => Ok(action(host, reporter).await),
                }
            };
            tasks.spawn(run).id()
        };
        Events::new(self, Box::new(start))
    }
}

impl<H, T, E> fmt::Debug for Fleet<H, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("hosts", &self.hosts.len())
            .field("parallel", &self.parallel)
            .field("host_deadline", &self.host_deadline)
            .field("max_failures", &self.max_failures)
            .field("stop_when", &self.stop_when.is_some())
            .field("stopper", &self.stopper)
            .finish()
    }
}
