//! Recorded WinRS conversations, their requests sent to this service.
//!
//! The commands do what the recorded ones did, and each answer is compared with the one that Windows gave. Ids, times and
//! the names of machines and users are those of either side; `answers.rs` has what else may differ, and why.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "recorded/answers.rs"]
mod answers;
// Read for the client too, which needs more of it.
#[allow(dead_code)]
#[path = "recorded/exchanges.rs"]
mod exchanges;
#[path = "recorded/script.rs"]
mod script;
mod support;

use std::time::Duration;

use exchanges::{Exchange, RecordedShell, Step, captures, exchanges, folder};
use script::Scripts;
use support::{Client, Finished, builder};
use winrm_loopback::Limits;
use winrm_wsman::{Body, Message, ReceiveResponse, ServiceConfig};

/// An operation timeout that a test can wait for, where one is recorded to pass.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn recorded_requests_get_the_recorded_answers() {
    let Some(folder) = folder("exchanges") else { return };
    println!("recorded: exchanges {}", replay(exchanges(&folder)).await);
}

#[tokio::test]
async fn captured_requests_get_the_captured_answers() {
    let Some(folder) = folder("capture") else { return };
    println!("recorded: capture {}", replay(captures(&folder)).await);
}

/// How many requests were sent.
async fn replay(exchanges: Vec<Exchange>) -> usize {
    let mut count = 0;
    for exchange in exchanges {
        for shell in exchange.shells {
            count += shell.steps.len();
            play(shell).await;
        }
        for step in exchange.config {
            count += 1;
            ask_for_config(&step).await;
        }
    }
    count
}

/// A service with the recorded settings tells them alike, though fewer of them.
async fn ask_for_config(step: &Step) {
    let config = |message: &Message| match &message.body {
        Body::GetResponse(resource) => ServiceConfig::of(resource).unwrap(),
        other => panic!("{}: {other:?}", step.id),
    };
    let recorded = config(&step.response);
    let number = |value: Option<u32>| usize::try_from(value.unwrap()).unwrap();
    let mut limits = Limits::default();
    limits.max_envelope_size = number(recorded.max_envelope_size_kb) * 1024;
    limits.max_timeout = Duration::from_millis(recorded.max_timeout_ms.unwrap().into());
    limits.max_shells_per_user = number(recorded.max_shells_per_user);
    limits.max_processes_per_shell = number(recorded.max_processes_per_shell);
    let service = builder().limits(limits).start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let (status, answer) = ask(&mut client, &step.request_xml).await;
    assert_eq!(status, step.status, "{}", step.id);
    assert_eq!(config(&answer), recorded, "{}", step.id);
}

/// Sends a request as it is written.
async fn ask(client: &mut Client, request: &str) -> (u16, Message) {
    let (status, answer) = client.exchange(request.as_bytes()).await;
    let answer = Message::decode(&answer).unwrap();
    assert!(answer.header.relates_to(&Message::decode(request.as_bytes()).unwrap().header), "{request}");
    (status, answer)
}

async fn play(recorded: RecordedShell) {
    let RecordedShell { steps, outcomes } = recorded;
    let scripts = Scripts::default();
    let mut limits = Limits::default();
    if steps.iter().any(Step::timed_out) {
        limits.max_timeout = SHORT;
    }
    let service = builder().limits(limits).handler(scripts.handler()).start().await.unwrap();
    let client = Client::log_on(&service).await;
    let mut player = Player { client, scripts, ids: Vec::new(), finished: Vec::new() };
    for step in &steps {
        player.step(step).await;
    }

    let id = &steps[0].id;
    assert_eq!(player.finished.len(), outcomes.len(), "{id}");
    for (finished, outcome) in player.finished.iter().zip(&outcomes) {
        assert_eq!(finished.stdout, outcome.stdout, "{id}");
        assert_eq!(finished.stderr, outcome.stderr, "{id}");
        assert_eq!(finished.exit_code, outcome.exit_code.unwrap_or_default(), "{id}");
    }
    let deleted = steps.iter().any(|step| matches!(step.request.body, Body::Delete));
    assert_eq!(service.open_shells(), usize::from(!deleted), "{id}");
}

/// Sends what a recorded client sent, and has commands do what the recorded ones did.
struct Player {
    client: Client,
    scripts: Scripts,
    /// Recorded ids and those that stand for them here.
    ids: Vec<(String, String)>,
    /// The commands, in the order of their start.
    finished: Vec<Finished>,
}

impl Player {
    async fn step(&mut self, step: &Step) {
        let id = &step.id;
        let request = self.translated(&step.request_xml);
        if let Body::ReceiveResponse(portion) = &step.response.body {
            self.produce(portion).await;
        }
        let (status, mut answer) = ask(&mut self.client, &request).await;
        assert_eq!(status, step.status, "{id}: {answer:?}");
        self.complete(step, &request, &mut answer).await;
        self.learn(step, &answer);
        let recorded = Message::decode(self.translated(&step.response_xml).as_bytes()).unwrap();
        answers::compare(id, answer.clone(), recorded);

        match (&step.request.body, answer.body) {
            (Body::Command(line), Body::CommandResponse(response)) => {
                let invocation = self.scripts.invocation(&response.command_id);
                assert_eq!(invocation.command, line.command, "{id}");
                assert_eq!(invocation.arguments, line.arguments, "{id}");
                self.finished.push(Finished::default());
            }
            (Body::Send(send), _) => {
                for stream in &send.streams {
                    let command_id = self.translated(stream.command_id.as_deref().unwrap());
                    let read = self.scripts.read(&command_id, stream.data.len(), stream.end).await;
                    assert_eq!(read, stream.data, "{id}");
                }
            }
            (_, Body::ReceiveResponse(portion)) => self.take(portion),
            _ => {}
        }
    }

    /// A recorded text with the ids of this side.
    fn translated(&self, text: &str) -> String {
        let replace = |text: String, (recorded, ours): &(String, String)| text.replace(recorded, ours);
        self.ids.iter().fold(text.to_owned(), replace)
    }

    /// Has commands write, close and end what the recorded ones did before they were asked.
    async fn produce(&mut self, portion: &ReceiveResponse) {
        for stream in &portion.streams {
            let id = self.translated(stream.command_id.as_deref().unwrap());
            self.scripts.write(&id, &stream.name, stream.data.clone(), stream.end).await;
        }
        let Some(state) = &portion.command_state else { return };
        if let Some(code) = state.exit_code {
            self.scripts.exit(&self.translated(state.command_id.as_deref().unwrap()), code.0);
        }
    }

    /// Asks on until the answer has all of what is recorded: output may be cut otherwise, and an end may come by itself.
    async fn complete(&mut self, step: &Step, request: &str, answer: &mut Message) {
        let (Body::ReceiveResponse(recorded), Body::ReceiveResponse(portion)) =
            (&step.response.body, &mut answer.body)
        else {
            return;
        };
        let extent = |portion: &ReceiveResponse| {
            let bytes: usize = portion.streams.iter().map(|stream| stream.data.len()).sum();
            let ends = portion.streams.iter().filter(|stream| stream.end).count();
            let code = portion.command_state.as_ref().and_then(|state| state.exit_code);
            (bytes, ends, code.is_some())
        };
        while extent(portion) != extent(recorded) {
            let (_, Message { body: Body::ReceiveResponse(more), .. }) = ask(&mut self.client, request).await
            else {
                panic!("{}: less than recorded: {portion:?}", step.id)
            };
            portion.streams.extend(more.streams);
            portion.command_state = more.command_state;
        }
    }

    /// Which id stands for which from now on.
    fn learn(&mut self, step: &Step, answer: &Message) {
        let pair = match (&step.response.body, &answer.body) {
            (Body::CreateResponse(recorded), Body::CreateResponse(ours)) => {
                (recorded.shell_id().unwrap(), ours.shell_id().unwrap())
            }
            (Body::CommandResponse(recorded), Body::CommandResponse(ours)) => {
                (recorded.command_id.as_str(), ours.command_id.as_str())
            }
            _ => return,
        };
        // Edited recordings use ids again.
        self.ids.retain(|(recorded, _)| recorded != pair.0);
        self.ids.push((pair.0.to_owned(), pair.1.to_owned()));
    }

    fn take(&mut self, portion: ReceiveResponse) {
        let finished = self.finished.last_mut().unwrap();
        for stream in portion.streams {
            let all = if stream.name == "stdout" { &mut finished.stdout } else { &mut finished.stderr };
            all.extend_from_slice(&stream.data);
        }
        if let Some(code) = portion.command_state.and_then(|state| state.exit_code) {
            finished.exit_code = code.0;
        }
    }
}
