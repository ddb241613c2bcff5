//! One wrong password is one log-on, however many connections and hosts it is for.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, MutexGuard};

/// Lets credentials be tried on one connection before there are others, and on none once they were refused.
///
/// Every client has one of its own. Clients of many hosts that log on with the same credentials shall share one
/// ([`ClientBuilder::log_on_guard`](crate::ClientBuilder::log_on_guard)): a wrong password for a domain account, tried on a few
/// hosts at once, locks the account. Connections are opened meanwhile, and
/// the first tokens exchanged, so that a host that does not answer holds nobody up before it is to judge the credentials.
///
/// The first refusal is the last log-on, also when other hosts took the credentials before: a password may be changed, and an
/// account barred, any time.
#[derive(Clone, Default)]
pub struct LogOnGuard {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Held by the log-on whose outcome everybody waits for.
    first: Mutex<()>,
    proved: AtomicBool,
    /// The host that refused them.
    refused_by: OnceLock<String>,
}

/// The right to log on.
pub(crate) enum MayLogOn<'a> {
    /// Together with others: the credentials have been good before.
    Freely,
    /// Alone, until the outcome is known.
    First(#[expect(dead_code, reason = "held, not read")] MutexGuard<'a, ()>),
    /// Not again: this host refused them.
    Refused(&'a str),
}

impl LogOnGuard {
    /// For credentials that were not tried yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a host took the credentials.
    pub fn is_proved(&self) -> bool {
        self.state.proved.load(Ordering::Acquire)
    }

    /// The host that refused them, after which nobody logs on with them any more.
    pub fn refused_by(&self) -> Option<&str> {
        self.state.refused_by.get().map(String::as_str)
    }

    /// Waits until a log-on may be tried.
    pub(crate) async fn may_log_on(&self) -> MayLogOn<'_> {
        if let Some(known) = self.judge() {
            return known;
        }
        let first = self.state.first.lock().await;
        self.judge().unwrap_or(MayLogOn::First(first))
    }

    fn judge(&self) -> Option<MayLogOn<'_>> {
        match self.refused_by() {
            Some(host) => Some(MayLogOn::Refused(host)),
            None => self.is_proved().then_some(MayLogOn::Freely),
        }
    }

    pub(crate) fn proved(&self) {
        self.state.proved.store(true, Ordering::Release);
    }

    pub(crate) fn refused(&self, host: &str) {
        // The first one is who told.
        self.state.refused_by.get_or_init(|| host.to_owned());
    }
}

impl fmt::Debug for LogOnGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOnGuard")
            .field("is_proved", &self.is_proved())
            .field("refused_by", &self.refused_by())
            .finish_non_exhaustive()
    }
}
