//! What a pipeline gives and takes.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;
use winrm_psrp::clixml::PsValue;
use winrm_psrp::host::{HostMethod, HostResponse};
use winrm_psrp::message::Body;
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};

use super::{PowerShellShell, lock};
use crate::stdout::OutputWriter;

/// Writes messages of a pipeline to its client, and waits while that is behind.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) shell: Arc<PowerShellShell>,
    pub(super) id: Uuid,
    pub(super) stdout: Arc<Mutex<OutputWriter>>,
}

impl Writer {
    pub(super) async fn send(
        &self,
        message: impl FnOnce(&mut winrm_psrp::server::Pool, Uuid) -> Result<(), winrm_psrp::Error>,
    ) {
        // In the order in which they are made.
        let mut stdout = self.stdout.lock().await;
        let made = message(&mut self.shell.pool(), self.id);
        if let Err(error) = made {
            return tracing::debug!(%error, "a message of a pipeline could not be sent");
        }
        loop {
            let mut fragments = BytesMut::new();
            let more = self.shell.pool().take_output(Some(self.id), &mut fragments, self.shell.room);
            // The client wants no more of it.
            if stdout.write_all(&fragments).await.is_err() || !more {
                return;
            }
        }
    }
}

/// The streams of a pipeline.
pub struct PipelineIo {
    pub(super) writer: Writer,
    pub(super) input: mpsc::Receiver<PsValue>,
}

impl PipelineIo {
    /// The next object of its input; `None` at its end.
    pub async fn input(&mut self) -> Option<PsValue> {
        self.input.recv().await
    }

    async fn send(&mut self, body: Body) {
        self.writer.send(|pool, id| pool.pipeline_message(id, body)).await;
    }

    /// Gives an object.
    pub async fn output(&mut self, value: impl Into<PsValue>) {
        self.send(Body::PipelineOutput(value.into())).await;
    }

    /// Tells of an error and goes on.
    pub async fn error(&mut self, record: ErrorRecord) {
        self.send(Body::ErrorRecord(record)).await;
    }

    /// Warns.
    pub async fn warning(&mut self, text: &str) {
        self.send(Body::WarningRecord(InformationalRecord::new("WarningRecord", text))).await;
    }

    /// Says more.
    pub async fn verbose(&mut self, text: &str) {
        self.send(Body::VerboseRecord(InformationalRecord::new("VerboseRecord", text))).await;
    }

    /// Says what helps to find mistakes.
    pub async fn debug(&mut self, text: &str) {
        self.send(Body::DebugRecord(InformationalRecord::new("DebugRecord", text))).await;
    }

    /// Tells how far it is.
    pub async fn progress(&mut self, record: ProgressRecord) {
        self.send(Body::ProgressRecord(record)).await;
    }

    /// Gives an information record.
    pub async fn information(&mut self, record: InformationRecord) {
        self.send(Body::InformationRecord(record)).await;
    }

    /// Calls a method of the client's host; its answer, if the method has one and the client is still there.
    pub async fn host_call(&mut self, method: HostMethod, parameters: Vec<PsValue>) -> Option<HostResponse> {
        let (sender, answer) = oneshot::channel();
        let shell = Arc::clone(&self.writer.shell);
        self.writer
            .send(|pool, id| {
                let call = pool.host_call(Some(id), method, parameters)?;
                if method.returns() {
                    lock(&shell.host_calls).insert(call, sender);
                }
                Ok(())
            })
            .await;
        if method.returns() { answer.await.ok() } else { None }
    }

    /// The text of a secure string that the client sent.
    pub fn reveal(&self, value: &PsValue) -> Option<String> {
        let PsValue::SecureString(secret) = value.primitive() else { return None };
        let pool = self.writer.shell.pool();
        pool.session_key()?.decrypt(secret).ok().map(|text| text.to_string())
    }

    /// A text as a secure string; `None` before the client has asked for a key.
    pub fn secure_string(&self, text: &str) -> Option<PsValue> {
        let pool = self.writer.shell.pool();
        Some(pool.session_key()?.encrypt(text).into())
    }
}

impl fmt::Debug for PipelineIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineIo").field("id", &self.writer.id).finish_non_exhaustive()
    }
}
