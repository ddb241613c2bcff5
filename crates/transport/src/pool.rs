//! A bounded set of authenticated connections to one endpoint.
//!
//! A connection is taken out for one exchange and put back after it, so that exchanges never interleave, and a
//! cancelled one drops its connection with the context that nobody can continue.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use winrm_wsman::Body;

use crate::auth::Security;
use crate::session::Session;

/// HTTP.sys closes a connection after 120 s without a request; one idle for this long is not used again.
const MAX_IDLE: Duration = Duration::from_secs(90);
/// Connections of each lane but that of Receive.
const LANE_CONNECTIONS: usize = 8;

/// Resources remembered for keeping answers.
const MAX_ROBUST: usize = 64;

/// Who may wait for whom: only requests of one lane for each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lane {
    /// Receive: may be held for the whole operation timeout.
    Poll,
    /// Send: held while the process does not read.
    Input,
    /// Signal and Delete: must get through whatever else is stuck.
    Urgent,
    /// Create, Command and the rest.
    Other,
}

impl Lane {
    pub(crate) fn of(body: &Body) -> Self {
        match body {
            Body::Receive(_) => Self::Poll,
            Body::Send(_) => Self::Input,
            Body::Signal(_) | Body::Delete => Self::Urgent,
            _ => Self::Other,
        }
    }
}

pub(crate) struct Pool {
    /// Most recently used last.
    idle: Mutex<Vec<Session>>,
    polls: Semaphore,
    inputs: Semaphore,
    urgent: Semaphore,
    others: Semaphore,
    /// This endpoint wants AUTHENTICATE without a body.
    empty_form: AtomicBool,
    /// A log-on has worked here.
    logged_on: AtomicBool,
    /// Resources whose service keeps answers.
    robust: Mutex<HashSet<String>>,
    security: Mutex<Option<Security>>,
    server: Mutex<Option<Arc<str>>>,
}

impl Pool {
    pub(crate) fn new(max_polls: usize) -> Self {
        Self {
            idle: Mutex::default(),
            polls: Semaphore::new(max_polls.min(Semaphore::MAX_PERMITS)),
            inputs: Semaphore::new(LANE_CONNECTIONS),
            urgent: Semaphore::new(LANE_CONNECTIONS),
            others: Semaphore::new(LANE_CONNECTIONS),
            empty_form: AtomicBool::new(false),
            logged_on: AtomicBool::new(false),
            robust: Mutex::default(),
            security: Mutex::default(),
            server: Mutex::default(),
        }
    }

    /// Waits for a turn; `None` once the pool is closed.
    pub(crate) async fn turn(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let semaphore = match lane {
            Lane::Poll => &self.polls,
            Lane::Input => &self.inputs,
            Lane::Urgent => &self.urgent,
            Lane::Other => &self.others,
        };
        semaphore.acquire().await.ok()
    }

    /// Whether a log-on has worked here.
    pub(crate) fn has_logged_on(&self) -> bool {
        self.logged_on.load(Ordering::Acquire)
    }

    /// The most recently used connection that is still good.
    pub(crate) fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| session.is_usable(MAX_IDLE));
        idle.pop()
    }

    /// Gives a connection back after a complete exchange.
    pub(crate) fn put(&self, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|session| session.is_usable(MAX_IDLE));
        if !self.urgent.is_closed() {
            idle.push(session);
        }
    }

    pub(crate) fn wants_empty_form(&self) -> bool {
        self.empty_form.load(Ordering::Relaxed)
    }

    /// What the last log-on negotiated.
    pub(crate) fn security(&self) -> Option<Security> {
        *self.security.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server called itself at the last log-on.
    pub(crate) fn server(&self) -> Option<Arc<str>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The service keeps answers to requests for this resource. Few are remembered: a client talks to few.
    pub(crate) fn keeps_answers(&self, resource: &str) {
        let mut robust = self.robust.lock().unwrap_or_else(PoisonError::into_inner);
        if robust.len() < MAX_ROBUST && !robust.contains(resource) {
            robust.insert(resource.to_owned());
        }
    }

    pub(crate) fn is_robust(&self, resource: &str) -> bool {
        self.robust.lock().unwrap_or_else(PoisonError::into_inner).contains(resource)
    }

    /// Remembers what a log-on that worked was like.
    pub(crate) fn negotiated(&self, session: &Session, empty_form: bool) {
        self.empty_form.store(empty_form, Ordering::Relaxed);
        self.logged_on.store(true, Ordering::Release);
        *self.security.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.security());
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = session.server().map(Arc::from);
    }

    /// Drops idle connections; nobody gets a turn any more.
    pub(crate) fn close(&self) {
        for lane in [&self.polls, &self.inputs, &self.urgent, &self.others] {
            lane.close();
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
