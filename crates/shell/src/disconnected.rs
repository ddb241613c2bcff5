//! Shells that go on without us, and the way back to them (MS-WSMV 3.1.4.15 and 3.1.4.16).

use std::sync::Arc;
use std::time::Duration;

use winrm_transport::Client;
use winrm_wsman::{Body, Disconnect, XsDuration, uri};

use crate::child::Child;
use crate::error::Error;
use crate::running;
use crate::shell::{Shell, ShellInner};

/// What it takes to come back to a shell: from the same program or another one, as the same user.
///
/// Nothing in it is secret; who has it still has to log on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DisconnectedShell {
    /// By which the service knows it.
    pub shell_id: String,
    /// The `SessionId` it was opened with, which every request to it repeats.
    pub session_id: String,
}

impl DisconnectedShell {
    /// Connects to the shell again.
    ///
    /// # Errors
    /// [`Error::Reconnect`]: where its time was over there is no such shell any more.
    pub async fn reconnect(&self, client: &Client) -> Result<Shell, Error> {
        let shell = ShellInner::known(client, &self.shell_id, &self.session_id);
        match shell.request(uri::ACTION_RECONNECT, Vec::new(), Body::Reconnect).await {
            Ok(_) => Ok(Shell::of(shell)),
            Err(error) => {
                // It may be somebody else's by now, or come back to later: it is not ours to delete.
                shell.leave();
                Err(Error::Reconnect(Arc::new(error)))
            }
        }
    }
}

impl Shell {
    /// Leaves the shell and what runs in it to the host, to come back by [`DisconnectedShell::reconnect`] and
    /// [`attach`](Self::attach). The service deletes it when nobody has come for `idle_timeout`, a minute at least; for its own time unless
    /// set.
    ///
    /// Processes go on, until what they write has filled the service's buffers. The streams of every [`Child`] end with
    /// [`Error::Disconnected`] once what had arrived is read, so keep their [ids](Child::id). Dropping them, this or the client ends
    /// nothing any more.
    ///
    /// # Errors
    /// [`Error::Disconnect`]: hosts before Server 2012 have no disconnected shells, Server 2012 R2 was seen to refuse them for `cmd`.
    /// The shell can be used as before then.
    pub async fn disconnect(&self, idle_timeout: Option<Duration>) -> Result<DisconnectedShell, Error> {
        let shell = self.inner();
        let idle_timeout = idle_timeout.and_then(|timeout| XsDuration::try_from(timeout).ok());
        let body = Body::Disconnect(Disconnect { idle_timeout, buffer_mode: None });
        shell
            .request(uri::ACTION_DISCONNECT, Vec::new(), body)
            .await
            .map_err(|error| Error::Disconnect(Arc::new(error)))?;
        shell.leave();
        Ok(DisconnectedShell { shell_id: shell.id().to_owned(), session_id: shell.session_id().to_owned() })
    }

    /// A process that was started in this shell before it was disconnected, by its [id](Child::id). Its output is what nobody has
    /// fetched yet; its standard input is not ours any more. Whether there is such a process, waiting for it tells.
    pub fn attach(&self, command_id: impl Into<String>) -> Child {
        running::attach(Arc::clone(self.inner()), command_id.into())
    }
}
