//! The scheduler: a stream that starts actions as it is read.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{Id, JoinError, JoinSet};

use super::event::{Event, EventKind, NotTried, Outcome};
use super::fleet::{Fleet, StopWhen};
use super::reporter::Reporter;
use super::stopper::Stopper;

/// Progress that may wait for the reader, over all hosts; reporters wait for room beyond that.
const PROGRESS_BUFFER: usize = 64;

/// What a task returns: the action's result, or the time within which there was none.
pub(super) type Ran<T, E> = Result<Result<T, E>, Duration>;

/// Spawns the action for one host.
pub(super) type Start<H, P, T, E> = Box<dyn Fn(&mut JoinSet<Ran<T, E>>, H, Reporter<P>) -> Id + Send>;

/// What happens on the hosts, from [`Fleet::run`].
///
/// Of each host, events come in the order `Started`, `Progress`, `Ended`, and `Started` in the order of the hosts; hosts
/// that are not tried are told last. The stream ends after one `Ended` for each host.
///
/// It is also what drives the run: hosts start while it is polled, and actions wait when their progress is not read.
/// Dropping it aborts the actions: each is dropped as soon as its task is at an await point.
///
/// # Panics
///
/// When polled outside of a tokio runtime.
pub struct Events<H, P, T, E> {
    /// Hosts that have not started, with their positions.
    waiting: std::iter::Enumerate<std::vec::IntoIter<H>>,
    start: Start<H, P, T, E>,
    parallel: usize,
    tasks: JoinSet<Ran<T, E>>,
    /// Which host a task belongs to: a panicked task does not tell by itself.
    running: HashMap<Id, usize>,
    /// The hosts in `running`: progress of others comes too late.
    started: HashSet<usize>,
    sender: Sender<(usize, P)>,
    progress: Receiver<(usize, P)>,
    /// An outcome that is known, behind so much progress that was reported before it.
    ended: Option<(usize, Outcome<T, E>, usize)>,
    failures: usize,
    max_failures: Option<usize>,
    stop_when: Option<StopWhen<T, E>>,
    stopper: Stopper,
    stopped: Option<NotTried>,
}

impl<H, P, T, E> Events<H, P, T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    pub(super) fn new(fleet: Fleet<H, T, E>, start: Start<H, P, T, E>) -> Self {
        let (sender, progress) = channel(PROGRESS_BUFFER);
        Self {
            waiting: fleet.hosts.into_iter().enumerate(),
            start,
            parallel: fleet.parallel,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            started: HashSet::new(),
            sender,
            progress,
            ended: None,
            failures: 0,
            max_failures: fleet.max_failures,
            stop_when: fleet.stop_when,
            stopper: fleet.stopper,
            stopped: None,
        }
    }

    /// The next event; `None` after the last. Giving up the wait loses nothing.
    pub async fn next(&mut self) -> Option<Event<P, T, E>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Aborts the actions, and returns once all of them are dropped. Their outcomes are lost.
    pub async fn abort(mut self) {
        self.tasks.shutdown().await;
    }

    /// A handle that stops new hosts from starting.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Why no host starts any more, once that is so.
    fn stopped(&mut self) -> Option<NotTried> {
        if self.stopped.is_none() && self.stopper.is_stopped() {
            self.stopped = Some(NotTried::Cancelled);
        }
        self.stopped
    }

    /// Starts the next host, if one is left and may start.
    fn start_one(&mut self) -> Option<usize> {
        if self.running.len() >= self.parallel || self.stopped().is_some() {
            return None;
        }
        let (host, value) = self.waiting.next()?;
        let id = (self.start)(&mut self.tasks, value, Reporter::new(host, self.sender.clone()));
        self.running.insert(id, host);
        self.started.insert(host);
        Some(host)
    }

    /// Notes that a task is over: the outcome waits until the progress reported before has been read.
    fn end(&mut self, joined: Result<(Id, Ran<T, E>), JoinError>) {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(host) = self.running.remove(&id) else { return };
        let outcome = match joined {
            Ok((_, Ok(result))) => {
                if self.stop_when.as_mut().is_some_and(|stop| stop(&result)) {
                    self.stopped.get_or_insert(NotTried::Stopped);
                }
                match result {
                    Ok(value) => Outcome::Done(value),
                    Err(error) => Outcome::Failed(error),
                }
            }
            Ok((_, Err(deadline))) => Outcome::TimedOut(deadline),
            Err(error) => match error.try_into_panic() {
                Ok(payload) => Outcome::Panicked(panic_message(&*payload)),
                Err(_) => Outcome::Aborted,
            },
        };
        if outcome.is_failure() {
            self.failures += 1;
            if self.max_failures.is_some_and(|most| self.failures >= most) {
                self.stopped.get_or_insert(NotTried::TooManyFailures);
            }
        }
        // The task is over, so what it reported is among these, and no later one can be.
        self.ended = Some((host, outcome, self.progress.len()));
    }
}

impl<H, P, T, E> Stream for Events<H, P, T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    type Item = Event<P, T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some((host, outcome, ahead)) = this.ended.take() {
                if ahead == 0 {
                    this.started.remove(&host);
                    return Poll::Ready(Some(Event { host, kind: EventKind::Ended(outcome) }));
                }
                let polled = this.progress.poll_recv(cx);
                this.ended = Some((host, outcome, if polled.is_ready() { ahead - 1 } else { ahead }));
                // The stream itself holds a sender, so the channel never ends.
                if let Some((host, progress)) = ready!(polled)
                    && this.started.contains(&host)
                {
                    return Poll::Ready(Some(Event { host, kind: EventKind::Progress(progress) }));
                }
                continue;
            }
            // Outcomes first: they decide whether another host may start, and must not wait behind the progress of others.
            let joined = this.tasks.poll_join_next_with_id(cx);
            if let Poll::Ready(Some(joined)) = joined {
                this.end(joined);
                continue;
            }
            if let Some(host) = this.start_one() {
                return Poll::Ready(Some(Event { host, kind: EventKind::Started }));
            }
            if joined.is_ready() {
                // Nothing runs and nothing may start.
                let reason = this.stopped.unwrap_or(NotTried::Cancelled);
                let left = this.waiting.next();
                return Poll::Ready(
                    left.map(|(host, _)| Event { host, kind: EventKind::Ended(Outcome::NotTried(reason)) }),
                );
            }
            if let Some((host, progress)) = ready!(this.progress.poll_recv(cx))
                && this.started.contains(&host)
            {
                return Poll::Ready(Some(Event { host, kind: EventKind::Progress(progress) }));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // At least `Ended` for each host that has not had it.
        (self.waiting.len() + self.started.len(), None)
    }
}

/// Nothing in it is pinned in place: tasks are pinned by the runtime.
impl<H, P, T, E> Unpin for Events<H, P, T, E> {}

impl<H, P, T, E> fmt::Debug for Events<H, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("waiting", &self.waiting.len())
            .field("running", &self.running.len())
            .field("failures", &self.failures)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

/// What `panic!` was given, which is a string unless somebody went out of their way.
fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else {
        "no message".to_owned()
    }
}
