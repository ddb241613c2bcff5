//! What an action tells while it runs.

use std::fmt;

use tokio::sync::mpsc::Sender;

/// Reports progress of one action to the reader of [`Events`](crate::Events).
pub struct Reporter<P> {
    host: usize,
    sender: Sender<(usize, P)>,
}

impl<P> Reporter<P> {
    pub(super) fn new(host: usize, sender: Sender<(usize, P)>) -> Self {
        Self { host, sender }
    }

    /// Reports `progress`, waiting until there is room for it: a slow reader slows the action.
    ///
    /// What is sent after the action has ended, or after [`Events`](crate::Events) was dropped, is lost.
    pub async fn send(&self, progress: P) {
        // An error means that nobody reads any more; then this action is about to be dropped.
        let _ = self.sender.send((self.host, progress)).await;
    }
}

impl<P> Clone for Reporter<P> {
    fn clone(&self) -> Self {
        Self { host: self.host, sender: self.sender.clone() }
    }
}

impl<P> fmt::Debug for Reporter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("host", &self.host).finish_non_exhaustive()
    }
}
