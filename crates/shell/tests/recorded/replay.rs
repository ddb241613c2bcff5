//! A server on loopback that gives recorded answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use winrm_wsman::{Body, CommandResponse, Message};

use crate::exchanges::{Step, command_id};
use crate::requests::differences;

pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "correct horse";

/// A program for which nothing is recorded, to ask for whose output something is.
pub(crate) const INVENTED: &str = "invented";
const INVENTED_ID: &str = "00000000-0000-0000-0000-000000000001";

/// Serves the answers of some steps, each once.
pub(crate) struct Replay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    steps: Vec<Step>,
    state: Mutex<State>,
    /// How many Sends have been answered.
    sends: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    served: Vec<bool>,
    /// Ends of input for which no answer is recorded.
    ends: usize,
    /// What was found wrong.
    failures: Vec<String>,
}

impl Replay {
    pub(crate) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { served: vec![false; steps.len()], ..State::default() };
        let shared = Arc::new(Shared { steps, state: Mutex::new(state), sends: watch::Sender::new(0) });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&serving).serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/wsman", self.address)
    }

    /// Waits until so many Sends of the recording have been answered.
    pub(crate) async fn has_taken_input(&self, sends: usize) {
        self.shared.sends.subscribe().wait_for(|taken| *taken >= sends).await.unwrap();
    }

    /// What must hold in the end: every answer was asked for, and nothing was wrong.
    pub(crate) fn finish(self) {
        let steps = &self.shared.steps;
        let mut state = self.shared.state();
        let unserved: Vec<_> = steps.iter().zip(&state.served).filter(|(_, served)| !**served).collect();
        let unserved: Vec<_> =
            unserved.into_iter().map(|(step, _)| format!("{}: never asked for", step.id)).collect();
        state.failures.extend(unserved);
        // A process that was silent for an operation timeout and has no input is told that there is none; and where data and
        // end are recorded in one request, ours are in two.
        let silent = steps.iter().any(Step::timed_out);
        let input = |end: bool| {
            steps.iter().any(|step| match &step.request.body {
                Body::Send(send) => {
                    !end || send.streams.iter().any(|stream| stream.end && !stream.data.is_empty())
                }
                _ => false,
            })
        };
        let allowed = usize::from(input(true) || (silent && !input(false)));
        let ends = state.ends;
        if ends > allowed || (silent && !input(false) && ends == 0) {
            state.failures.push(format!("{}: {ends} ends of input beside those recorded", steps[0].id));
        }
        assert!(state.failures.is_empty(), "{}", state.failures.join("\n"));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let credentials = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        while let Some((authorization, body)) = request(&mut stream).await {
            let answer = if authorization.as_deref() == Some(credentials.as_str()) {
                let (status, envelope) = self.answer(&body).await;
                format!(
                    "HTTP/1.1 {status} \r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n\
                     {envelope}",
                    envelope.len()
                )
            } else {
                "HTTP/1.1 401 \r\nWWW-Authenticate: Basic realm=\"WSMAN\"\r\nContent-Length: 0\r\n\r\n"
                    .to_owned()
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, body: &[u8]) -> (u16, String) {
        let request = Message::decode(body).unwrap();
        let Some(number) = self.pick(&request) else { return self.invent(&request) };
        let step = &self.steps[number];
        let found = differences(step, &request, &self.steps, INVENTED_ID);
        self.state().failures.extend(found);
        match &request.body {
            Body::Send(_) => self.sends.send_modify(|taken| *taken += 1),
            // What a command wrote because of its input is told after that was sent.
            Body::Receive(_) => {
                let before =
                    self.steps[..number].iter().filter(|step| matches!(step.request.body, Body::Send(_)));
                let before = before.count();
                self.sends.subscribe().wait_for(|taken| *taken >= before).await.unwrap();
            }
            _ => {}
        }
        (step.status, related(step, &request))
    }

    /// The first answer to such a request that was not given yet, one for the same command before others.
    fn pick(&self, request: &Message) -> Option<usize> {
        let mut state = self.state();
        let candidates = || {
            let steps = self.steps.iter().zip(&state.served).enumerate();
            let steps = steps.filter(|(_, (step, served))| {
                !**served && step.request.header.action() == request.header.action()
            });
            steps.map(|(number, (step, _))| (number, step))
        };
        let same_command = candidates().find(|(_, step)| step.command_id() == command_id(request));
        let (number, _) = same_command.or_else(|| candidates().next())?;
        state.served[number] = true;
        Some(number)
    }

    /// An answer to a request that no recorded client sent.
    fn invent(&self, request: &Message) -> (u16, String) {
        let id = command_id(request);
        // Who deletes the shell next need not free the place of a command; ours may be kept for others.
        let signalled = self
            .steps
            .iter()
            .any(|step| matches!(step.request.body, Body::Signal(_)) && step.command_id() == id);
        let given = self
            .steps
            .iter()
            .filter_map(Step::given_command_id)
            .chain([INVENTED_ID])
            .any(|given| Some(given) == id);
        let answer = match &request.body {
            Body::Command(line) if line.command == INVENTED => {
                Body::CommandResponse(CommandResponse { command_id: INVENTED_ID.to_owned() })
            }
            Body::Signal(_) if given && !signalled => Body::SignalResponse,
            Body::Send(send) if send.streams.iter().all(|stream| stream.end && stream.data.is_empty()) => {
                self.state().ends += 1;
                Body::SendResponse
            }
            other => {
                let failure = format!("{}: nothing recorded to answer {other:?}", self.steps[0].id);
                self.state().failures.push(failure);
                return (400, String::new());
            }
        };
        let answer = Message::response(&request.header, answer).encode().unwrap();
        (200, String::from_utf8(answer.to_vec()).unwrap())
    }
}

/// The recorded answer as it was sent, but to this request.
fn related(step: &Step, request: &Message) -> String {
    // Some faults relate to nothing.
    let Some(recorded) = &step.response.header.relates_to else { return step.response_xml.clone() };
    let ours = request.header.message_id.as_deref().unwrap();
    let answer = step.response_xml.replace(&format!(">{recorded}<"), &format!(">{ours}<"));
    assert!(Message::decode(answer.as_bytes()).unwrap().header.relates_to(&request.header), "{}", step.id);
    answer
}

/// The credentials and the body of the next request; `None` at the end of the connection.
async fn request(stream: &mut TcpStream) -> Option<(Option<String>, Vec<u8>)> {
    let mut buffer = Vec::new();
    let head_len = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..head_len].to_vec()).unwrap();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let mut lines = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        lines.next().map(|(_, value)| value.trim().to_owned())
    };
    let len: usize = header("Content-Length").unwrap().parse().unwrap();
    let mut body = buffer.split_off(head_len);
    while body.len() < len {
        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    assert_eq!(body.len(), len, "the next request before the answer to this one");
    Some((header("Authorization"), body))
}
