//! Objects for a pipeline that runs.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures_core::Stream;
use uuid::Uuid;
use winrm_clixml::PsValue;

use crate::error::Error;
use crate::pool::{Handle, lock};

/// The input of a running pipeline. Dropping it ends the input.
#[derive(Debug)]
pub struct Input {
    pool: Arc<Handle>,
    id: Uuid,
    has_ended: bool,
}

impl Input {
    pub(crate) fn new(pool: Arc<Handle>, id: Uuid) -> Self {
        Self { pool, id, has_ended: false }
    }

    /// Sends an object, and waits until the server has taken it.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the pipeline is over, [`Error::Send`] when it cannot be reached.
    pub async fn send(&mut self, value: &PsValue) -> Result<(), Error> {
        lock(&self.pool.protocol).send_input(self.id, value)?;
        self.flush().await
    }

    /// Sends several objects in as few requests as they fit into.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_many(&mut self, values: impl IntoIterator<Item = PsValue>) -> Result<(), Error> {
        for value in values {
            self.gather(&value).await?;
        }
        self.flush().await
    }

    /// Sends objects as a stream has them, those that it has at once in as few requests as they fit into, until its end. The stream is
    /// asked for more only when the server has taken what it gave.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_stream<S>(&mut self, values: S) -> Result<(), Error>
    where
        S: Stream,
        S::Item: Into<PsValue>,
    {
        let mut values = pin!(values);
        loop {
            let ready = poll_fn(|cx| Poll::Ready(values.as_mut().poll_next(cx))).await;
            let value = match ready {
                Poll::Ready(value) => value,
                Poll::Pending => {
                    self.flush().await?;
                    poll_fn(|cx| values.as_mut().poll_next(cx)).await
                }
            };
            match value {
                Some(value) => self.gather(&value.into()).await?,
                None => return self.flush().await,
            }
        }
    }

    /// Keeps an object until a request is full.
    async fn gather(&self, value: &PsValue) -> Result<(), Error> {
        let waiting = {
            let mut pool = lock(&self.pool.protocol);
            pool.send_input(self.id, value)?;
            pool.pending_of(|carrier| carrier.pipeline() == Some(self.id))
        };
        if waiting >= self.pool.wire.room() { self.flush().await } else { Ok(()) }
    }

    /// Ends the input.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn end(mut self) -> Result<(), Error> {
        self.has_ended = true;
        lock(&self.pool.protocol).end_input(self.id)?;
        self.flush().await
    }

    pub(crate) async fn send_all(mut self, values: Vec<PsValue>) -> Result<(), Error> {
        self.send_many(values).await?;
        self.end().await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.pool.flush(Some(self.id)).await.map_err(|error| Error::Send(Arc::new(error)))
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.has_ended || lock(&self.pool.protocol).end_input(self.id).is_err() {
            return;
        }
        let (pool, id) = (Arc::clone(&self.pool), self.id);
        self.pool.wire.client.spawn_background(async move {
            if let Err(error) = pool.flush(Some(id)).await {
                tracing::debug!(%error, "the end of input was not taken");
            }
        });
    }
}
