//! Calls of the host, one after the other: what a script writes must not change its order.

use std::sync::Arc;

use tokio::sync::mpsc;
use uuid::Uuid;
use winrm_psrp::message::HostCallMessage;

use super::inner::{Inner, lock};
use crate::host::{PsHost, answer};

/// Calls that the host may be behind before the server has to wait.
const BEHIND: usize = 64;

/// A call for the host of a pipeline, or of the pool.
pub(super) type Call = (Option<Uuid>, HostCallMessage);

/// Where calls wait.
#[derive(Clone, Debug)]
pub(super) struct HostCalls(mpsc::Sender<Call>);

impl HostCalls {
    pub(super) fn new() -> (Self, mpsc::Receiver<Call>) {
        let (sender, calls) = mpsc::channel(BEHIND);
        (Self(sender), calls)
    }

    /// Waits while the host is behind: who writes to it has to wait then.
    pub(super) async fn push(&self, pipeline: Option<Uuid>, call: HostCallMessage) {
        // Nobody is left to answer when the pool is no more.
        drop(self.0.send((pipeline, call)).await);
    }
}

/// A host, and the calls of it.
pub(super) struct Served {
    pub(super) host: Arc<dyn PsHost>,
    pub(super) calls: mpsc::Receiver<Call>,
}

impl Served {
    /// Lets the host do what the server wants of it, until the pool is no more.
    pub(super) async fn serve(self, inner: Arc<Inner>) {
        let Self { host, mut calls } = self;
        let mut state = inner.state();
        let work = async {
            while let Some((pipeline, call)) = calls.recv().await {
                let call_id = call.call_id;
                let Some(answer) = answer(Arc::clone(&host), call, &inner).await else { continue };
                let answer = answer.as_ref().map_err(Clone::clone);
                let responded = lock(&inner.protocol).respond(pipeline, call_id, answer);
                if let Err(error) = responded {
                    tracing::debug!(%error, "nobody waits for the host's answer any more");
                    continue;
                }
                if let Err(error) = inner.flush_responses(pipeline).await {
                    tracing::warn!(%error, "the host's answer could not be sent");
                }
            }
        };
        tokio::select! {
            () = work => {}
            _ = state.wait_for(|(state, _)| state.is_final()) => {}
        }
    }
}
