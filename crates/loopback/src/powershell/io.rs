//! What a pipeline gives and takes.

use std::fmt;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;
use winrm_clixml::{PsString, PsValue};
use winrm_psrp::Error;
use winrm_psrp::host::HostCall;
use winrm_psrp::message::HostResponseMessage;
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::server::{Carrier, RunspacePool};

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
    pub(super) async fn send(&self, message: impl FnOnce(&mut RunspacePool, Uuid) -> Result<(), Error>) {
        // In the order in which they are made.
        let mut stdout = self.stdout.lock().await;
        let made = message(&mut self.shell.pool(), self.id);
        if let Err(error) = made {
            return tracing::debug!(%error, "a message of a pipeline could not be sent");
        }
        while let Some(fragments) = self.shell.transmit(Carrier::CommandOutput(self.id)) {
            // The client wants no more of it.
            if stdout.write_all(&fragments).await.is_err() {
                return;
            }
        }
    }
}

/// A call whose answer nobody waits for any more, as when its pipeline was stopped, is forgotten.
struct Asked {
    shell: Arc<PowerShellShell>,
    call_id: i64,
}

impl Drop for Asked {
    fn drop(&mut self) {
        lock(&self.shell.host_calls).remove(&self.call_id);
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

    /// Gives an object.
    pub async fn output(&mut self, value: impl Into<PsValue>) {
        let value = value.into();
        self.writer.send(|pool, id| pool.write_output(id, &value)).await;
    }

    /// Tells of an error and goes on.
    pub async fn error(&mut self, record: ErrorRecord) {
        self.writer.send(|pool, id| pool.write_error(id, record)).await;
    }

    /// Warns.
    pub async fn warning(&mut self, text: &str) {
        self.writer.send(|pool, id| pool.write_warning(id, InformationalRecord::warning(text))).await;
    }

    /// Says more.
    pub async fn verbose(&mut self, text: &str) {
        self.writer.send(|pool, id| pool.write_verbose(id, InformationalRecord::verbose(text))).await;
    }

    /// Says what helps to find mistakes.
    pub async fn debug(&mut self, text: &str) {
        self.writer.send(|pool, id| pool.write_debug(id, InformationalRecord::debug(text))).await;
    }

    /// Tells how far it is.
    pub async fn progress(&mut self, record: ProgressRecord) {
        self.writer.send(|pool, id| pool.write_progress(id, record)).await;
    }

    /// Gives an information record.
    pub async fn information(&mut self, record: InformationRecord) {
        self.writer.send(|pool, id| pool.write_information(id, record)).await;
    }

    /// Calls a method of the client's host; its answer, if the method has one and the client is still there.
    pub async fn host_call(&mut self, call: HostCall) -> Option<HostResponseMessage> {
        let (sender, answer) = oneshot::channel();
        let shell = Arc::clone(&self.writer.shell);
        let mut waiting = None;
        let asked = &mut waiting;
        self.writer
            .send(|pool, id| {
                if let Some(call_id) = pool.call_host(Some(id), &call)? {
                    lock(&shell.host_calls).insert(call_id, sender);
                    *asked = Some(Asked { shell: Arc::clone(&shell), call_id });
                }
                Ok(())
            })
            .await;
        let _asked = waiting?;
        answer.await.ok()
    }

    /// The text of a secure string that the client sent.
    pub fn reveal(&self, value: &PsValue) -> Option<String> {
        let PsValue::SecureString(secret) = value.primitive() else { return None };
        let pool = self.writer.shell.pool();
        let secret = pool.session_key()?.decrypt(secret).ok()?;
        secret.expose_text().map(|text| text.to_string())
    }

    /// A text as a secure string; `None` before the client has asked for a key.
    pub fn secure_string(&self, text: &str) -> Option<PsValue> {
        let pool = self.writer.shell.pool();
        Some(pool.session_key()?.encrypt(&PsString::from(text)).into())
    }
}

impl fmt::Debug for PipelineIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineIo").field("id", &self.writer.id).finish_non_exhaustive()
    }
}
