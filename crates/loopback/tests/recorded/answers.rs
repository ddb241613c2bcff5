//! Our answers beside recorded ones: what may differ, and why.

use bytes::Bytes;
use winrm_wsman::{Body, Header, Message, ReceiveResponse, Shell, Stream, WsManFault};

/// Fails where the answers differ by more than they may.
pub(crate) fn compare(id: &str, ours: Message, recorded: Message) {
    let (mut ours, mut recorded) = (comparable(ours), comparable(recorded));
    if let (Body::CreateResponse(ours), Body::CreateResponse(recorded)) = (&mut ours.body, &mut recorded.body)
    {
        // Old services do not describe the shell.
        ours.shell = ours.shell.take().filter(|_| recorded.shell.is_some());
    }
    assert_eq!(ours, recorded, "{id}");
}

/// A message without what belongs to one side, and output without its cuts.
fn comparable(message: Message) -> Message {
    let Message { header, mut body } = message;
    match &mut body {
        Body::CreateResponse(response) => {
            if let Some(created) = &mut response.resource_created {
                created.address = None;
            }
            if let Some(shell) = response.shell.take() {
                // Windows drops backslashes from names of variables when it describes a shell, though the shell has them.
                let mut environment = shell.environment;
                for variable in &mut environment {
                    variable.name.retain(|c| c != '\\');
                }
                response.shell = Some(Shell {
                    environment,
                    owner: shell.owner.map(|_| "somebody".to_owned()),
                    client_ip: shell.client_ip.map(|_| "somewhere".to_owned()),
                    shell_run_time: None,
                    shell_inactivity: None,
                    ..shell
                });
            }
        }
        Body::ReceiveResponse(response) => response.streams = joined(response),
        Body::Fault(fault) => {
            if let Some(fault) = &mut fault.wsman_fault {
                forget_machines(fault);
            }
        }
        _ => {}
    }
    let header = Header {
        action: header.action,
        to: header.to,
        not_understood: header.not_understood,
        ..Header::default()
    };
    Message { header, body }
}

/// Each stream as one block, ended or not.
fn joined(response: &ReceiveResponse) -> Vec<Stream> {
    let mut joined: Vec<Stream> = Vec::new();
    for stream in &response.streams {
        let same = |known: &&mut Stream| known.name == stream.name && known.command_id == stream.command_id;
        match joined.iter_mut().find(same) {
            Some(known) => {
                assert!(!known.end, "output behind its end: {response:?}");
                known.data = Bytes::from([&known.data[..], &stream.data].concat());
                known.end = stream.end;
            }
            None => joined.push(stream.clone()),
        }
    }
    joined.sort_by(|one, other| (&one.command_id, &one.name).cmp(&(&other.command_id, &other.name)));
    joined
}

fn forget_machines(fault: &mut WsManFault) {
    fault.machine = fault.machine.take().map(|_| "machine".to_owned());
    let inner = fault.provider_fault.as_mut().and_then(|provider| provider.wsman_fault.as_mut());
    if let Some(inner) = inner {
        forget_machines(inner);
    }
}
