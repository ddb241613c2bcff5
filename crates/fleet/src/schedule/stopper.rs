//! Stopping from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps hosts that have not started from starting. Clones stop the same run.
///
/// Actions that run go on: to end those too, drop [`Events`](crate::Events).
#[derive(Clone, Debug)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// From now on no host starts; those left end as [`NotTried::Cancelled`](crate::NotTried::Cancelled).
    pub fn stop(&self) {
        // Nobody needs to be woken: the hosts left are told last, and until then some action is running.
        self.0.store(true, Ordering::Release);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
