//! Shells that are left alone for a while (MS-WSMV 3.1.4.15 and 3.1.4.16).

use std::sync::Arc;
use std::time::Duration;

use winrm_wsman::{Body, Connect, ConnectResponse, Disconnect, Fault, Header, XsDuration};

use crate::config::COMPUTER_NAME;
use crate::fault;
use crate::operations::{Operations, Outcome};
use crate::powershell::PROMPT_RESPONSE;
use crate::shell::{InUse, Shell};

/// The shortest IdleTimeOut of a Disconnect that Windows takes.
const MIN_DISCONNECTED_IDLE: Duration = Duration::from_mins(1);

impl Operations {
    pub(crate) fn disconnect(&self, user: &str, header: &Header, asked: &Disconnect) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        self.disconnectable(&shell)?;
        let idle_timeout = asked.idle_timeout.map(XsDuration::get);
        if idle_timeout.is_some_and(|timeout| timeout < MIN_DISCONNECTED_IDLE) {
            return Err(Fault::invalid_parameter(COMPUTER_NAME).into());
        }
        shell.disconnect(&self.shells, idle_timeout);
        Ok(Body::DisconnectResponse)
    }

    /// Windows takes who creates a shell without a SessionId for a client too old for that.
    fn disconnectable(&self, shell: &Shell) -> Outcome<()> {
        if self.limits.disconnects && shell.settings.session_id.is_some() {
            return Ok(());
        }
        Err(fault::disconnect_not_supported().into())
    }

    /// As [`shell`](Self::shell), to use it.
    pub(crate) fn connected(&self, user: &str, header: &Header) -> Outcome<(Arc<Shell>, InUse)> {
        let (shell, in_use) = self.shell(user, header)?;
        if shell.is_disconnected() {
            return Err(fault::shell_disconnected().into());
        }
        Ok((shell, in_use))
    }

    /// Another client takes over a runspace pool that was left alone (MS-WSMV 3.1.4.17). Shells of `cmd` cannot be connected to.
    pub(crate) fn connect(&self, user: &str, header: &Header, asked: &Connect) -> Outcome {
        if let Some(id) = &asked.command_id {
            return self.connect_command(user, header, id);
        }
        let (shell, _in_use) = self.shell_of_any_session(user, header)?;
        let Some((pool, _)) = &shell.powershell else {
            return Err(fault::disconnect_not_supported().into());
        };
        self.disconnectable(&shell)?;
        let fragments = asked.connect_xml.as_ref().filter(|_| shell.is_disconnected());
        let fragments = fragments.ok_or_else(|| Fault::invalid_parameter(COMPUTER_NAME))?;
        let answer = pool.connect(fragments).map_err(|_| Fault::invalid_parameter(COMPUTER_NAME))?;
        shell.take_over(header.session_id.clone());
        shell.reconnect(&self.shells);
        Ok(Body::ConnectResponse(ConnectResponse {
            input_streams: vec!["stdin".to_owned(), PROMPT_RESPONSE.to_owned()],
            output_streams: vec!["stdout".to_owned()],
            connect_response_xml: Some(answer),
        }))
    }

    /// A pipeline of a pool that was taken over: its output waits for whoever asks for it.
    fn connect_command(&self, user: &str, header: &Header, id: &str) -> Outcome {
        let (shell, _in_use) = self.connected(user, header)?;
        shell.command(id).ok_or_else(|| Fault::command_not_found(COMPUTER_NAME))?;
        Ok(Body::ConnectResponse(ConnectResponse::default()))
    }

    pub(crate) fn reconnect(&self, user: &str, header: &Header) -> Outcome {
        let (shell, _in_use) = self.shell(user, header)?;
        self.disconnectable(&shell)?;
        shell.reconnect(&self.shells);
        Ok(Body::ReconnectResponse)
    }
}
