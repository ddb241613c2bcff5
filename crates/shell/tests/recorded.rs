//! Recorded WinRS conversations, their answers served to this client.
//!
//! What the client reports is compared with what the recordings say that happened, and each request with the one that another
//! client sent to Windows at that point. `requests.rs` has what may differ, and why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests may fail"
)]

// The same reader of the same files as for the service.
#[allow(dead_code)]
#[path = "../../loopback/tests/recorded/exchanges.rs"]
mod exchanges;
#[path = "recorded/replay.rs"]
mod replay;
#[path = "recorded/requests.rs"]
mod requests;

use std::time::Duration;

use exchanges::{Exchange, Outcome, RecordedShell, Step, captures, exchanges, folder};
use replay::Replay;
use tokio::io::AsyncWriteExt as _;
use winrm_shell::{Command, Error, Shell, Stdio};
use winrm_transport::{AuthMethod, Client, Credentials};
use winrm_wsman::{Body, CommandLine, Header, ServiceConfig, uri};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn recorded_answers_are_understood() {
    let Some(folder) = folder("exchanges") else { return };
    println!("recorded: exchanges {}", replay(exchanges(&folder)).await);
}

#[tokio::test]
async fn captured_answers_are_understood() {
    let Some(folder) = folder("capture") else { return };
    println!("recorded: capture {}", replay(captures(&folder)).await);
}

/// How many answers were served.
async fn replay(exchanges: Vec<Exchange>) -> usize {
    let mut count = 0;
    for exchange in exchanges {
        for shell in exchange.shells {
            count += shell.steps.len();
            let id = shell.steps[0].id.clone();
            // Both sides wait for each other, and an answer that is not recorded never comes.
            tokio::time::timeout(PATIENCE, play(shell))
                .await
                .unwrap_or_else(|_| panic!("{id}: no end of it"));
        }
        for step in exchange.config {
            count += 1;
            ask_for_config(step).await;
        }
    }
    count
}

/// A client as the recorded one was set up.
fn client(replay: &Replay, recorded: &Header) -> Client {
    Client::builder(replay.url())
        .unwrap()
        .credentials(Credentials::password(replay::USER, replay::PASSWORD))
        .auth_method(AuthMethod::Basic)
        .dangerous_allow_clear_text_basic()
        .operation_timeout(recorded.operation_timeout.unwrap().get().min(requests::LONGEST_OPERATION_TIMEOUT))
        .max_envelope_size(recorded.max_envelope_size.unwrap())
        .build()
        .unwrap()
}

async fn ask_for_config(step: Step) {
    let Body::GetResponse(resource) = &step.response.body else { panic!("{}: {:?}", step.id, step.response) };
    let expected = ServiceConfig::of(resource);
    assert!(expected.is_some(), "{}", step.id);
    let id = step.id.clone();
    let header = step.request.header.clone();
    let replay = Replay::start(vec![step]).await;
    let client = client(&replay, &header);
    assert_eq!(client.service_config().await.unwrap(), expected, "{id}");
    client.close().await;
    replay.finish();
}

/// Does what the recorded client did.
async fn play(recorded: RecordedShell) {
    let RecordedShell { steps, outcomes } = recorded;
    let create = &steps[0];
    let name = create.id.clone();
    let header = create.request.header.clone();
    let Body::Create(asked) = &create.request.body else { panic!("{name}: begins without a Create") };
    let asked = (**asked).clone();
    let commands = commands(&steps, outcomes);
    let replay = Replay::start(steps).await;

    let client = client(&replay, &header);
    let mut builder = Shell::builder(&client);
    for variable in asked.environment {
        builder = builder.env(variable.name, variable.value);
    }
    if let Some(directory) = asked.working_directory {
        builder = builder.current_dir(directory);
    }
    if let Some(timeout) = asked.idle_timeout {
        builder = builder.idle_timeout(timeout.get());
    }
    if let Some(value) = header.option(uri::OPTION_NO_PROFILE) {
        builder = builder.no_profile(value.eq_ignore_ascii_case("TRUE"));
    }
    if let Some(value) = header.option(uri::OPTION_CODEPAGE) {
        builder = builder.codepage(value.parse().unwrap());
    }
    let shell = builder.open().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    for command in &commands {
        command.run(&replay, &shell).await;
    }
    shell.close().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    client.close().await;
    replay.finish();
}

/// A recorded command, and what is known of it.
struct Recorded {
    id: String,
    line: CommandLine,
    /// What it was sent, and how often.
    input: Vec<(bytes::Bytes, bool)>,
    outcome: Outcome,
    /// The fault by which the client that asked for output lost it.
    fault: Option<winrm_wsman::Fault>,
}

/// The commands of a shell, in order.
fn commands(steps: &[Step], outcomes: Vec<Outcome>) -> Vec<Recorded> {
    let mut commands = Vec::new();
    let mut outcomes = outcomes.into_iter();
    for step in steps {
        match &step.request.body {
            Body::Command(line) => commands.push(Recorded {
                id: step.id.clone(),
                line: line.clone(),
                input: Vec::new(),
                outcome: outcomes.next().unwrap(),
                fault: None,
            }),
            Body::Receive(_) => {
                let fault = step.response.as_fault().filter(|_| !step.timed_out());
                // Asked of a shell that runs nothing; a client that mirrors processes asks for a process's output alone.
                if commands.is_empty() {
                    assert!(fault.is_some(), "{}: output of no command", step.id);
                    commands.push(Recorded {
                        id: step.id.clone(),
                        line: CommandLine { command: replay::INVENTED.to_owned(), ..CommandLine::default() },
                        input: Vec::new(),
                        outcome: Outcome { stdout: Vec::new(), stderr: Vec::new(), exit_code: None },
                        fault: None,
                    });
                }
                let command = commands.last_mut().unwrap();
                assert!(command.fault.is_none(), "{}: asked again after a fault", step.id);
                command.fault = fault.cloned();
            }
            Body::Send(send) => {
                let [stream] = &send.streams[..] else { panic!("{}: {send:?}", step.id) };
                commands.last_mut().unwrap().input.push((stream.data.clone(), stream.end));
            }
            _ => {}
        }
    }
    for command in &commands {
        assert_eq!(command.fault.is_some(), command.outcome.exit_code.is_none(), "{}", command.id);
    }
    commands
}

impl Recorded {
    async fn run(&self, replay: &Replay, shell: &Shell) {
        let Self { id, outcome, .. } = self;
        let mut command = self.command(shell);
        if !self.input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().await.unwrap_or_else(|error| panic!("{id}: {error:?}"));
        // Kept from `wait_with_output`, which would close it.
        let mut stdin = child.stdin.take();
        for (number, (data, end)) in self.input.iter().enumerate() {
            stdin.as_mut().unwrap().write_all(data).await.unwrap();
            if *end {
                stdin = None;
            }
            // One request each, as recorded.
            replay.has_taken_input(number + 1).await;
        }
        let result = child.wait_with_output().await;
        match (&self.fault, result) {
            (None, Ok(output)) => {
                assert_eq!(output.stdout, outcome.stdout, "{id}");
                assert_eq!(output.stderr, outcome.stderr, "{id}");
                assert_eq!(output.status.raw(), outcome.exit_code, "{id}");
            }
            (Some(fault), Err(error)) => {
                let Error::Lost { output, source } = &error else { panic!("{id}: {error:?}") };
                assert_eq!(source.fault(), Some(fault), "{id}");
                assert_eq!(output.stdout, outcome.stdout, "{id}");
                assert_eq!(output.stderr, outcome.stderr, "{id}");
            }
            (_, other) => panic!("{id}: {other:?}"),
        }
        drop(stdin);
    }

    /// The recorded clients leave quoting to their callers: what needs any goes as it is. Plain words go through our quoting,
    /// which must leave them as they are.
    fn command(&self, shell: &Shell) -> Command {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "\\/:._-".contains(c));
        let CommandLine { command: program, arguments, .. } = &self.line;
        let mut command = if plain(program) { shell.command(program) } else { shell.raw_command(program) };
        for argument in arguments {
            if plain(argument) {
                command.arg(argument)
            } else {
                command.raw_arg(argument)
            };
        }
        command
    }
}
