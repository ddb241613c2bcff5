//! Our requests beside recorded ones: what may differ, and why.

use std::time::Duration;

use winrm_wsman::{Body, Header, Message, WsOption, XsDuration, uri};

use crate::exchanges::Step;

/// The longest operation timeout that a client can be set to.
pub(crate) const LONGEST_OPERATION_TIMEOUT: Duration = Duration::from_mins(1);

/// Takes away what is ours or theirs alone on purpose, and tells what differs apart from that.
pub(crate) fn differences(step: &Step, ours: &Message, steps: &[Step], invented_id: &str) -> Option<String> {
    let (mut ours, mut recorded) = (ours.clone(), step.request.clone());
    let piped = steps.iter().any(|step| matches!(step.request.body, Body::Send(_)));
    let agreed = header(&mut ours.header, &mut recorded.header)
        .and_then(|()| options(&mut ours, &mut recorded, piped))
        .and_then(|()| body(&mut ours.body, &mut recorded.body, steps, invented_id));
    match agreed {
        Err(difference) => Some(format!("{}: {difference}", step.id)),
        Ok(()) if ours == recorded => None,
        Ok(()) => Some(format!("{}:\n  ours     {ours:?}\n  recorded {recorded:?}", step.id)),
    }
}

fn header(ours: &mut Header, recorded: &mut Header) -> Result<(), String> {
    // Which host and which message.
    for header in [&mut *ours, &mut *recorded] {
        header.to.take().ok_or("no To")?;
        header.message_id.take().ok_or("no MessageID")?;
    }
    // Longer ones are refused, as Windows cuts them to this; some clients ask for as long as a command may take.
    let longest = XsDuration::try_from(LONGEST_OPERATION_TIMEOUT).unwrap();
    recorded.operation_timeout = recorded.operation_timeout.map(|timeout| timeout.min(longest));
    let about_a_shell = recorded.resource_uri.as_deref() == Some(uri::RESOURCE_URI_CMD);
    // Which session. Windows refuses to disconnect from a shell that was created without one, so ours always have it; old
    // clients have none.
    recorded.session_id = None;
    if ours.session_id.take().is_some() != about_a_shell {
        return Err("a SessionId where there is no shell, or none where there is one".to_owned());
    }
    Ok(())
}

fn options(ours: &mut Message, recorded: &mut Message, piped: bool) -> Result<(), String> {
    let (mine, theirs) = (&mut ours.header.options, &mut recorded.header.options);
    for option in theirs.iter_mut() {
        // A host that cannot do without a profile shall open the shell with one.
        if option.name == uri::OPTION_NO_PROFILE {
            option.must_comply = false;
        }
    }
    match &recorded.body {
        Body::Create(_) => {
            // Ours say what others leave to the host: the profile is loaded, and programs write UTF-8.
            said_by_one(mine, theirs, uri::OPTION_NO_PROFILE, "FALSE")?;
            said_by_one(mine, theirs, uri::OPTION_CODEPAGE, "65001")?;
        }
        Body::Command(_) => {
            // FALSE is what hosts do without it, and Windows ignores it since Server 2012 R2.
            said_by_one(theirs, mine, uri::OPTION_SKIP_CMD_SHELL, "FALSE")?;
            if piped {
                // Others say TRUE or nothing, which is TRUE, and send input to a console all the same. A program that reads
                // a pipe wants no console.
                theirs.retain(|option| option.name != uri::OPTION_CONSOLE_MODE_STDIN);
                said_by_one(mine, theirs, uri::OPTION_CONSOLE_MODE_STDIN, "FALSE")?;
            } else {
                said_by_one(mine, theirs, uri::OPTION_CONSOLE_MODE_STDIN, "TRUE")?;
            }
        }
        // Lets the host hold the request until there is output; old clients do without.
        Body::Receive(_) => said_by_one(mine, theirs, uri::OPTION_KEEP_ALIVE, "TRUE")?,
        _ => {}
    }
    for options in [mine, theirs] {
        options.sort_by(|one, other| one.name.cmp(&other.name));
        // Of all these values, hosts ignore the case.
        for option in options {
            option.value.make_ascii_uppercase();
        }
    }
    Ok(())
}

/// Takes the option away where only `by` has it, which must have it with this value.
fn said_by_one(by: &mut Vec<WsOption>, silent: &[WsOption], name: &str, value: &str) -> Result<(), String> {
    if silent.iter().any(|option| option.name == name) {
        return Ok(());
    }
    let expected = WsOption::new(name, value);
    match by.iter().position(|option| option.name == name) {
        None => Ok(()),
        Some(at) => {
            let mut option = by.remove(at);
            option.value.make_ascii_uppercase();
            if option == expected { Ok(()) } else { Err(format!("{option:?} instead of {expected:?}")) }
        }
    }
}

fn body(ours: &mut Body, recorded: &mut Body, steps: &[Step], invented_id: &str) -> Result<(), String> {
    match (ours, recorded) {
        (Body::Create(_), Body::Create(recorded)) => {
            // There is no way to ask for them: names are for who lists shells, and Windows takes no notice of lifetimes.
            recorded.name = None;
            recorded.lifetime = None;
        }
        (Body::Command(ours), Body::Command(recorded)) => {
            // Chosen by us, so that a command whose answer is lost can still be ended.
            ours.command_id.take().ok_or("no CommandId")?;
            recorded.command_id = None;
        }
        (Body::Receive(ours), Body::Receive(recorded)) => {
            let given = |id: &Option<String>| {
                steps.iter().filter_map(Step::given_command_id).any(|given| Some(given) == id.as_deref())
            };
            // Some recorded clients ask on purpose for the output of a command that does not exist, or of none.
            if !given(&recorded.command_id) {
                recorded.command_id = None;
                let real = given(&ours.command_id) || ours.command_id.as_deref() == Some(invented_id);
                ours.command_id.take().filter(|_| real).ok_or("output of an unknown command")?;
            }
        }
        (Body::Send(ours), Body::Send(recorded)) => {
            // The end of input goes in a request of its own.
            for (ours, recorded) in ours.streams.iter().zip(&mut recorded.streams) {
                recorded.end &= ours.end || recorded.data.is_empty();
            }
        }
        (Body::Signal(_), Body::Signal(recorded)) if recorded.code == uri::SIGNAL_CTRL_C => {
            // Sent when the command has ended, to free its place; terminate does so even if it has not.
            uri::SIGNAL_TERMINATE.clone_into(&mut recorded.code);
        }
        _ => {}
    }
    Ok(())
}
