//! Recorded conversations with the shells of `cmd`, cut into shells.
//!
//! Read from the folder that `WINRM_FIXTURES` names. Every entry of its index is either taken apart here or, being one of
//! PowerShell's by its own word, left out; one that is neither fails.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use winrm_wsman::{Body, FaultCode, Message, uri};

/// What is recorded of one conversation, less what PowerShell's shells said.
pub(crate) struct Exchange {
    pub(crate) shells: Vec<RecordedShell>,
    /// Questions for the settings of the service.
    pub(crate) config: Vec<Step>,
}

/// A shell from its Create to its Delete.
pub(crate) struct RecordedShell {
    pub(crate) steps: Vec<Step>,
    /// Of its commands, in the order of their start.
    pub(crate) outcomes: Vec<Outcome>,
}

/// One request and its answer.
pub(crate) struct Step {
    /// Exchange and number, for failures.
    pub(crate) id: String,
    pub(crate) request: Message,
    pub(crate) request_xml: String,
    pub(crate) response: Message,
    pub(crate) response_xml: String,
    pub(crate) status: u16,
}

/// What a command was seen to do.
pub(crate) struct Outcome {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// `None` where nobody came to know it.
    pub(crate) exit_code: Option<u32>,
}

impl Step {
    /// The command that the request is about; where it names one that does not exist, that.
    pub(crate) fn command_id(&self) -> Option<&str> {
        command_id(&self.request)
    }

    /// The id that the service gave to a command.
    pub(crate) fn given_command_id(&self) -> Option<&str> {
        match &self.response.body {
            Body::CommandResponse(response) => Some(&response.command_id),
            _ => None,
        }
    }

    /// Whether the answer is that nothing happened for a while.
    pub(crate) fn timed_out(&self) -> bool {
        let code = self.response.as_fault().and_then(winrm_wsman::Fault::wsman_code);
        code == Some(FaultCode::TIMED_OUT)
    }
}

/// The command that a request is about.
pub(crate) fn command_id(request: &Message) -> Option<&str> {
    match &request.body {
        Body::Receive(receive) => receive.command_id.as_deref(),
        Body::Send(send) => send.streams.first().and_then(|stream| stream.command_id.as_deref()),
        Body::Signal(signal) => signal.command_id.as_deref(),
        _ => None,
    }
}

/// The folder of recordings; `None` when none are at hand.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("WINRM_FIXTURES") else {
        println!("recorded: skipped");
        return None;
    };
    Some(PathBuf::from(root).join(name))
}

/// Every conversation of the index.
pub(crate) fn exchanges(folder: &Path) -> Vec<Exchange> {
    let index = json(&folder.join("index.json"));
    let mut exchanges = Vec::new();
    for entry in array(&index["exchanges"]) {
        let id = text(&entry["id"]);
        match text(&entry["category"]) {
            // All about PowerShell, also where a step is a question for the shell from outside.
            "psrp" => {}
            category @ ("winrs" | "client" | "wsman") => {
                let exchange = exchange(id, &json(&folder.join(text(&entry["file"]))));
                let found = match category {
                    "winrs" => !exchange.shells.is_empty(),
                    "wsman" => !exchange.shells.is_empty() || !exchange.config.is_empty(),
                    // Some use PowerShell for everything.
                    _ => true,
                };
                assert!(found, "{id}: nothing in it that these tests know");
                exchanges.push(exchange);
            }
            other => panic!("{id}: category {other} is not known to these tests"),
        }
    }
    assert!(exchanges.iter().any(|exchange| !exchange.shells.is_empty()), "no recorded shell");
    exchanges
}

/// Every captured conversation in clear; those that are sealed are for others to replay.
pub(crate) fn captures(folder: &Path) -> Vec<Exchange> {
    let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut captures = Vec::new();
    for path in files {
        let capture = json(&path);
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut steps = Vec::new();
        for (number, exchange) in array(&capture["exchanges"]).iter().enumerate() {
            let sealed = exchange["request_body_b64"].is_string();
            // The same request comes again with a token.
            if sealed || exchange["status"] == 401 {
                continue;
            }
            let id = format!("{name} {number}");
            steps.push(step(id, &exchange["request_body"], &exchange["response_body"], &exchange["status"]));
        }
        let mut capture = cut(steps);
        for shell in &mut capture.shells {
            shell.outcomes = told(&shell.steps);
        }
        captures.push(capture);
    }
    assert!(captures.iter().any(|capture| !capture.shells.is_empty()), "no captured shell");
    captures
}

fn exchange(id: &str, recorded: &Value) -> Exchange {
    let mut steps = Vec::new();
    for recorded in array(&recorded["steps"]) {
        if recorded["psrp"].as_bool().unwrap() {
            continue;
        }
        let id = format!("{id} {}", recorded["n"]);
        // Neither occurs in a shell of `cmd` so far.
        for field in ["transport_failure", "response_delay_s"] {
            assert!(recorded[field].is_null(), "{id}: {field} is not known to these tests");
        }
        let [request, response, status] =
            ["request_xml", "response_xml", "http_status"].map(|field| &recorded[field]);
        steps.push(step(id, request, response, status));
    }
    let mut exchange = cut(steps);

    let expected = &recorded["expected"];
    let expected_shells: Vec<_> = array(&expected["shells"])
        .iter()
        .filter(|shell| !shell["psrp"].as_bool().unwrap())
        .map(|shell| text(&shell["shell_id"]))
        .collect();
    let shells: Vec<_> = exchange.shells.iter().map(|shell| given_shell_id(&shell.steps[0])).collect();
    assert_eq!(expected_shells, shells, "{id}");
    let none = Vec::new();
    let mut outcomes = expected["commands"].as_array().unwrap_or(&none).iter();
    for shell in &mut exchange.shells {
        for step in &shell.steps {
            let Body::Command(line) = &step.request.body else { continue };
            let expected = outcomes.next().unwrap_or_else(|| panic!("{}: no outcome", step.id));
            assert_eq!(step.given_command_id(), expected["command_id"].as_str(), "{}", step.id);
            assert_eq!(line.command, text(&expected["command"]), "{}", step.id);
            shell.outcomes.push(outcome(expected));
        }
    }
    assert!(outcomes.next().is_none(), "{id}: outcomes of commands that are not recorded");
    exchange
}

/// Cuts a conversation into its shells.
fn cut(steps: Vec<Step>) -> Exchange {
    let mut exchange = Exchange { shells: Vec::new(), config: Vec::new() };
    for step in steps {
        let resource_uri = step.request.header.resource_uri.as_deref().unwrap();
        match (resource_uri, &step.request.body) {
            (uri::RESOURCE_URI_CONFIG, Body::Get) => exchange.config.push(step),
            (uri::RESOURCE_URI_CMD, Body::Create(_)) => {
                exchange.shells.push(RecordedShell { steps: vec![step], outcomes: Vec::new() });
            }
            (
                uri::RESOURCE_URI_CMD,
                Body::Command(_) | Body::Receive(_) | Body::Send(_) | Body::Signal(_) | Body::Delete,
            ) => {
                // The last one that has this id: edited recordings use one for all shells.
                let shell_id = step.request.header.shell_id().unwrap();
                let mut shells = exchange.shells.iter_mut().rev();
                let shell = shells.find(|shell| given_shell_id(&shell.steps[0]) == shell_id);
                shell.unwrap_or_else(|| panic!("{}: its shell is not recorded", step.id)).steps.push(step);
            }
            (resource_uri, body) => {
                panic!("{}: {resource_uri} {body:?} is not known to these tests", step.id)
            }
        }
    }
    exchange
}

fn given_shell_id(create: &Step) -> &str {
    let Body::CreateResponse(response) = &create.response.body else {
        panic!("{}: a shell that was refused is not known to these tests", create.id)
    };
    response.shell_id().unwrap()
}

fn step(id: String, request: &Value, response: &Value, status: &Value) -> Step {
    let (request_xml, response_xml) = (text(request).to_owned(), text(response).to_owned());
    let decode = |xml: &str| Message::decode(xml.as_bytes()).unwrap_or_else(|error| panic!("{id}: {error}"));
    Step {
        request: decode(&request_xml),
        response: decode(&response_xml),
        status: u16::try_from(status.as_u64().unwrap()).unwrap(),
        id,
        request_xml,
        response_xml,
    }
}

/// What the answers themselves tell of each command.
fn told(steps: &[Step]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in steps {
        match &step.response.body {
            Body::CommandResponse(_) => {
                outcomes.push(Outcome { stdout: Vec::new(), stderr: Vec::new(), exit_code: None });
            }
            Body::ReceiveResponse(portion) => {
                let outcome = outcomes.last_mut().unwrap();
                for stream in &portion.streams {
                    let all = if stream.name == "stdout" { &mut outcome.stdout } else { &mut outcome.stderr };
                    all.extend_from_slice(&stream.data);
                }
                let state = portion.command_state.as_ref();
                outcome.exit_code = state.and_then(|state| state.exit_code).map(|code| code.0);
            }
            _ => {}
        }
    }
    outcomes
}

fn outcome(expected: &Value) -> Outcome {
    let bytes = |field: &str| STANDARD.decode(text(&expected[field])).unwrap();
    let exit_code = expected["exit_code"].as_u64().map(|code| u32::try_from(code).unwrap());
    assert_eq!(expected["final_state"].as_str(), exit_code.map(|_| "Done"), "{expected}");
    Outcome { stdout: bytes("stdout_base64"), stderr: bytes("stderr_base64"), exit_code }
}

fn json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
