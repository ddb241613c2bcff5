//! A bounded set of authenticated connections to one endpoint.
//!
//! A connection is taken out for one exchange and put back after it, so that exchanges never interleave, and a
//! cancelled one drops its connection with the context that nobody can continue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::auth::Security;
use crate::session::Session;

/// HTTP.sys closes a connection after 120 s without a request; one idle for this long is not used again.
const MAX_IDLE: Duration = Duration::from_secs(90);
/// Connections for what must never wait for a Receive.
const CONTROL_CONNECTIONS: usize = 8;

/// Who may wait for whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lane {
    /// Receive: may hold its connection for the whole operation timeout.
    Poll,
    /// Everything else: answered at once.
    Control,
}

pub(crate) struct Pool {
    /// Most recently used last.
    idle: Mutex<Vec<Session>>,
    polls: Semaphore,
    controls: Semaphore,
    /// This endpoint wants AUTHENTICATE without a body.
    empty_form: AtomicBool,
    security: Mutex<Option<Security>>,
}

impl Pool {
    pub(crate) fn new(max_polls: usize) -> Self {
        Self {
            idle: Mutex::default(),
            polls: Semaphore::new(max_polls.min(Semaphore::MAX_PERMITS)),
            controls: Semaphore::new(CONTROL_CONNECTIONS),
            empty_form: AtomicBool::new(false),
            security: Mutex::default(),
        }
    }

    /// Waits for a turn; `None` once the pool is closed.
    pub(crate) async fn turn(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let semaphore = match lane {
            Lane::Poll => &self.polls,
            Lane::Control => &self.controls,
        };
        semaphore.acquire().await.ok()
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
        if !self.controls.is_closed() {
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

    /// Remembers what a log-on that worked was like.
    pub(crate) fn negotiated(&self, security: Security, empty_form: bool) {
        self.empty_form.store(empty_form, Ordering::Relaxed);
        *self.security.lock().unwrap_or_else(PoisonError::into_inner) = Some(security);
    }

    /// Drops idle connections; nobody gets a turn any more.
    pub(crate) fn close(&self) {
        self.polls.close();
        self.controls.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
