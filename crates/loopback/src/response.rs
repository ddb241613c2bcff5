//! What the service says when all is well: bodies of answers.

use std::time::Duration;

use bytes::Bytes;
use winrm_wsman::{
    Body, CommandState, ExitCode, Fault, IdentifyResponse, ReceiveResponse, Shell as ShellBody, State,
    Stream, Variable, XsDuration, uri,
};

use crate::config::{COMPUTER_NAME, PRODUCT};
use crate::operations::Outcome;
use crate::shell::Shell;
use crate::stdout::Portion;

/// Without log-on, nothing is said about the system (as Windows answers `WSMANIDENTIFY: unauthenticated`).
pub(crate) fn identify(user: Option<&str>, body: &Body) -> Outcome {
    if !matches!(body, Body::Identify) {
        return Err(Fault::access_denied(COMPUTER_NAME).into());
    }
    let system = if user.is_some() { std::env::consts::OS } else { "0.0.0" };
    Ok(Body::IdentifyResponse(IdentifyResponse {
        protocol_versions: vec![uri::NS_WSMAN.to_owned()],
        product_vendor: Some(PRODUCT.to_owned()),
        product_version: Some(format!("OS: {system} SP: 0.0 Stack: 3.0")),
        security_profiles: Vec::new(),
    }))
}

/// What CreateResponse tells of a shell, in the order of recorded answers.
pub(crate) fn describe(shell: &Shell) -> ShellBody {
    let settings = &shell.settings;
    let or = |names: &[String], usual: &[&str]| {
        if names.is_empty() { usual.iter().map(|&name| name.to_owned()).collect() } else { names.to_vec() }
    };
    ShellBody {
        shell_id: Some(settings.id.clone()),
        // Recorded hosts tell the names of PowerShell's shells, and not those of `cmd`.
        name: settings.name.clone().filter(|_| settings.resource_uri != uri::RESOURCE_URI_CMD),
        resource_uri: Some(settings.resource_uri.clone()),
        owner: Some(settings.owner.clone()),
        client_ip: Some(settings.client.to_string()),
        environment: settings.environment.iter().map(|(name, value)| Variable::new(name, value)).collect(),
        working_directory: settings.working_directory.clone(),
        idle_timeout: XsDuration::try_from(settings.idle_timeout).ok(),
        input_streams: or(&settings.input_streams, &["stdin"]),
        output_streams: or(&settings.output_streams, &["stdout", "stderr"]),
        shell_run_time: XsDuration::try_from(Duration::ZERO).ok(),
        shell_inactivity: XsDuration::try_from(Duration::ZERO).ok(),
        ..ShellBody::default()
    }
}

/// What a list tells of a shell: as at its creation, with what has become of it.
pub(crate) fn describe_now(shell: &Shell) -> ShellBody {
    let (age, inactivity) = shell.times();
    // Lists of recorded hosts have no environment.
    ShellBody {
        environment: Vec::new(),
        state: Some(if shell.is_disconnected() { "Disconnected" } else { "Connected" }.to_owned()),
        shell_run_time: XsDuration::try_from(age).ok(),
        shell_inactivity: XsDuration::try_from(inactivity).ok(),
        ..describe(shell)
    }
}

/// Of a command; with no id of a runspace pool, which has no state of a command either.
pub(crate) fn receive_response(command_id: &str, portion: Portion) -> ReceiveResponse {
    let command_id = Some(command_id.to_owned()).filter(|id| !id.is_empty());
    let stream = |channel: crate::stdout::Channel, data, end| Stream {
        name: channel.name().to_owned(),
        command_id: command_id.clone(),
        end,
        data,
    };
    let mut streams: Vec<_> =
        portion.blocks.into_iter().map(|(channel, data)| stream(channel, data, false)).collect();
    streams.extend(portion.ended.into_iter().map(|channel| stream(channel, Bytes::new(), true)));
    let state = if portion.exit_code.is_some() { State::Done } else { State::Running };
    ReceiveResponse {
        streams,
        command_state: command_id.is_some().then(|| CommandState {
            command_id: command_id.clone(),
            state,
            exit_code: portion.exit_code.map(ExitCode),
        }),
    }
}
