//! News of the pool itself, fetched by one task: while somebody waits for some, and when nobody has used the pool for long.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use winrm_psrp::RunspacePoolState;
use winrm_wsman::FaultCode;

use super::inner::{Inner, lock};
use crate::error::Error;
use crate::wire::EMPTY_ANSWER_PAUSE;

/// A pool that nobody has used for so long is asked for its news, so that its server does not take it for abandoned.
const IDLE: Duration = Duration::from_secs(20);

/// What those who wait for news and the task that fetches them tell each other.
pub(super) struct News {
    /// Has an item while somebody waits who has not been told since.
    wanted: mpsc::Sender<()>,
    /// Until the task has it.
    wishes: Mutex<Option<mpsc::Receiver<()>>>,
    came: watch::Sender<()>,
    last_used: Mutex<Instant>,
}

impl News {
    pub(super) fn new() -> Self {
        let (wanted, wishes) = mpsc::channel(1);
        Self {
            wanted,
            wishes: Mutex::new(Some(wishes)),
            came: watch::Sender::new(()),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// Notes that the server was heard or spoken to.
    pub(super) fn used(&self) {
        *lock(&self.last_used) = Instant::now();
    }

    /// Wakes all who wait, to see whether it is what they wait for.
    pub(super) fn came(&self) {
        self.came.send_replace(());
    }

    /// Waits until they are to be fetched.
    async fn due(&self, wishes: &mut mpsc::Receiver<()>) {
        loop {
            let idle_at = *lock(&self.last_used) + IDLE;
            tokio::select! {
                _ = wishes.recv() => return,
                () = tokio::time::sleep_until(idle_at) => {}
            }
            if *lock(&self.last_used) + IDLE <= Instant::now() {
                return;
            }
        }
    }
}

impl Inner {
    /// Waits for news until something is so, or the pool is no more.
    pub(super) async fn news_until(&self, is_so: impl Fn() -> bool) {
        let mut came = self.news.came.subscribe();
        while !is_so() && !self.state().borrow().0.is_final() {
            // One wish is enough for all.
            let _ = self.news.wanted.try_send(());
            drop(came.changed().await);
        }
    }
}

/// Fetches them until the pool is no more.
pub(super) async fn fetch(inner: Arc<Inner>) {
    let Some(mut wishes) = lock(&inner.news.wishes).take() else { return };
    let mut state = inner.state();
    let client = inner.wire.client.clone();
    let work = async {
        loop {
            inner.news.due(&mut wishes).await;
            if inner.is_disconnected() {
                // Until it is reconnected there is nothing to ask for.
                let mut state = inner.state();
                drop(state.wait_for(|(state, _)| *state != RunspacePoolState::Disconnected).await);
                inner.news.used();
            } else if !receive(&inner).await {
                return;
            }
            // Whoever wants more says so again.
            let _ = wishes.try_recv();
            inner.news.came();
        }
    };
    tokio::select! {
        () = work => {}
        _ = state.wait_for(|(state, _)| state.is_final()) => {}
        () = client.closing() => inner.abandon(),
    }
}

/// One Receive of the pool's stream; false when there will be no more.
async fn receive(inner: &Arc<Inner>) -> bool {
    match inner.wire.receive(None).await {
        Ok(answer) => {
            inner.news.used();
            let mut is_empty = true;
            for stream in answer.streams {
                is_empty &= stream.data.is_empty();
                if let Err(error) = inner.take(None, &stream.data).await {
                    tracing::warn!(%error, "the runspace pool is broken");
                    return false;
                }
            }
            if is_empty {
                tokio::time::sleep(EMPTY_ANSWER_PAUSE).await;
            }
            true
        }
        Err(error) => match error.fault_code() {
            Some(FaultCode::TIMED_OUT) => true,
            Some(FaultCode::SHELL_DISCONNECTED | FaultCode::STREAM_DISCONNECTED)
                if inner.is_disconnected() =>
            {
                true
            }
            _ => {
                if !inner.gone.load(Ordering::Acquire) {
                    tracing::debug!(%error, "the runspace pool is lost");
                    let state = RunspacePoolState::Broken;
                    let source = Some(Arc::new(error));
                    inner.end(
                        state,
                        Some(Error::PoolLost { state, error: None, source, output: Box::default() }),
                    );
                }
                false
            }
        },
    }
}
