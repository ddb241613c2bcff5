//! The server's runspace pool.

use std::collections::BTreeMap;

use uuid::Uuid;
use winrm_clixml::PsValue;

use super::Config;
use crate::fragment::Fragmenter;
use crate::host::HostMethodId;
use crate::key::rand_core::TryCryptoRng;
use crate::key::{PublicKey, SessionKey};
use crate::link::Link;
use crate::message::{
    ApplicationPrivateData, Availability, RunspaceAvailability, RunspacePoolInitData,
    RunspacePoolStateMessage, SessionCapability, UserEvent,
};
use crate::record::ErrorRecord;
use crate::{Destination, Error, Message, MessageType, PipelineState, RawMessage, RunspacePoolState};

/// The server's side of a runspace pool (MS-PSRP 3.2.1.2), which makes no I/O of its own and runs nothing.
///
/// ```text
/// BeforeOpen ─ SESSION_CAPABILITY ─▶ NegotiationSucceeded ─ INIT_RUNSPACEPOOL, accept ─▶ Opened ─ closed ─▶ Closed
///                        ▲                                      fail │                     │ ▲
///                        └ SESSION_CAPABILITY ─ Disconnected ◀───────│──── disconnected ───┘ │ reconnected, or
///                                                                    ▼                       │ CONNECT_RUNSPACEPOOL
///                                                                 Broken                     │ and accept
/// ```
///
/// Bytes from the client go into [`handle_data`](Self::handle_data), which gives events; bytes for the client come out
/// of [`poll_transmit`](Self::poll_transmit).
#[derive(Debug)]
pub struct RunspacePool {
    pub(super) config: Config,
    /// The client names it in its first message.
    pub(super) id: Option<Uuid>,
    pub(super) state: RunspacePoolState,
    pub(super) link: Link,
    pub(super) outbox: Fragmenter<Carrier>,
    pub(super) peer: Option<SessionCapability>,
    /// What is negotiated about, until it is accepted.
    pub(super) negotiation: Negotiation,
    /// Whether it was opened, so that it can be connected to.
    pub(super) was_open: bool,
    pub(super) min_runspaces: i32,
    pub(super) max_runspaces: i32,
    pub(super) pipelines: BTreeMap<Uuid, Pipeline>,
    /// Questions of the client that wait for our answers.
    pub(super) questions: BTreeMap<i64, Question>,
    pub(super) next_call: i64,
    /// Host calls that wait for the client's answers.
    pub(super) calls: BTreeMap<(Option<Uuid>, i64), HostMethodId>,
    /// Whether the client's key has come.
    pub(super) key_received: bool,
    session_key: Option<SessionKey>,
}

/// What the client's first messages are about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Negotiation {
    /// Only SESSION_CAPABILITY came.
    None,
    Opening,
    Connecting,
    Done,
}

/// What the client asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    SetMax(i32),
    SetMin(i32),
    Available,
    Reset,
}

/// A pipeline that has not ended (MS-PSRP 3.2.1.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Pipeline {
    pub(super) state: PipelineState,
    pub(super) input_open: bool,
}

/// What carries a payload in WS-Man (MS-PSRP 3.2.5.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Carrier {
    /// `connectResponseXml` of ConnectResponse.
    ConnectResponse,
    /// The shell's stream `stdout`.
    Output,
    /// The stream `stdout` of this command.
    CommandOutput(Uuid),
}

impl Carrier {
    /// The pipeline that it belongs to, if it is not the pool.
    pub fn pipeline(self) -> Option<Uuid> {
        match self {
            Self::CommandOutput(id) => Some(id),
            Self::ConnectResponse | Self::Output => None,
        }
    }
}

/// A payload for the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transmit {
    /// Where it goes.
    pub carrier: Carrier,
    /// Fragments.
    pub payload: Vec<u8>,
}

impl RunspacePool {
    /// A pool that nobody has opened.
    pub fn new(config: Config) -> Self {
        let link = Link::new(Destination::Server, config.limits.clone());
        Self {
            config,
            id: None,
            state: RunspacePoolState::BeforeOpen,
            link,
            outbox: Fragmenter::default(),
            peer: None,
            negotiation: Negotiation::None,
            was_open: false,
            min_runspaces: 1,
            max_runspaces: 1,
            pipelines: BTreeMap::new(),
            questions: BTreeMap::new(),
            next_call: 1,
            calls: BTreeMap::new(),
            key_received: false,
            session_key: None,
        }
    }

    /// What the client named it, once it has.
    pub fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// Where it is.
    pub fn state(&self) -> RunspacePoolState {
        self.state
    }

    /// What the client speaks, once it has told.
    pub fn peer_capability(&self) -> Option<&SessionCapability> {
        self.peer.as_ref()
    }

    /// At least this many runspaces.
    pub fn min_runspaces(&self) -> i32 {
        self.min_runspaces
    }

    /// At most this many.
    pub fn max_runspaces(&self) -> i32 {
        self.max_runspaces
    }

    /// The pipelines that have not ended.
    pub fn pipelines(&self) -> impl Iterator<Item = (Uuid, PipelineState)> {
        self.pipelines.iter().map(|(id, pipeline)| (*id, pipeline.state))
    }

    /// Where a pipeline is; none once it has ended.
    pub fn pipeline_state(&self, id: Uuid) -> Option<PipelineState> {
        self.pipelines.get(&id).map(|pipeline| pipeline.state)
    }

    /// The session key, once it was sent.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Opens the pool for the client that asked to open or to connect (MS-PSRP 3.2.5.4.2, 3.1.4.10.3), with what the
    /// application has to say about itself.
    ///
    /// # Errors
    ///
    /// Nobody asked, or the data cannot be written.
    pub fn accept(&mut self, private_data: PsValue) -> Result<(), Error> {
        const OPERATION: &str = "accept";
        self.expect(OPERATION, RunspacePoolState::NegotiationSucceeded)?;
        let private_data = Message::ApplicationPrivateData(ApplicationPrivateData { data: private_data });
        match self.negotiation {
            Negotiation::Opening => {
                let private_data = self.encode(None, &private_data)?;
                let opened = RunspacePoolStateMessage { state: RunspacePoolState::Opened, error: None };
                let opened = self.encode(None, &Message::RunspacePoolState(opened))?;
                self.outbox.push(Carrier::Output, private_data);
                self.outbox.push(Carrier::Output, opened);
            }
            Negotiation::Connecting => {
                let data = RunspacePoolInitData {
                    min_runspaces: self.min_runspaces,
                    max_runspaces: self.max_runspaces,
                };
                let data = self.encode(None, &Message::RunspacePoolInitData(data))?;
                let private_data = self.encode(None, &private_data)?;
                self.outbox.push_front(Carrier::ConnectResponse, data);
                // Windows leaves it to the stream.
                self.outbox.push(Carrier::Output, private_data);
            }
            Negotiation::None | Negotiation::Done => {
                return Err(Error::InvalidState { operation: OPERATION, state: self.state });
            }
        }
        self.negotiation = Negotiation::Done;
        self.was_open = true;
        self.state = RunspacePoolState::Opened;
        Ok(())
    }

    /// Gives the pool up, and tells the client why, behind what waits to be sent (MS-PSRP 3.2.5.4.9).
    ///
    /// # Errors
    ///
    /// The pool has ended, nobody has opened it, or the error cannot be written.
    pub fn fail(&mut self, error: ErrorRecord) -> Result<(), Error> {
        use RunspacePoolState::{BeforeOpen, Broken, Closed};
        if matches!(self.state, BeforeOpen | Broken | Closed) {
            return Err(Error::InvalidState { operation: "fail", state: self.state });
        }
        let told = RunspacePoolStateMessage { state: Broken, error: Some(error) };
        let told = self.encode(None, &Message::RunspacePoolState(told))?;
        self.end(Broken);
        self.outbox.push(Carrier::Output, told);
        Ok(())
    }

    /// Answers a question of the client about the pool (MS-PSRP 2.2.2.8). Bounds change with an answer of `true`.
    ///
    /// # Errors
    ///
    /// The client asked nothing of this number, or the answer is of another kind.
    pub fn answer(&mut self, call_id: i64, response: Availability) -> Result<(), Error> {
        self.expect("answer", RunspacePoolState::Opened)?;
        let question = *self.questions.get(&call_id).ok_or(Error::NoCall { call_id })?;
        let fits = matches!(
            (question, response),
            (Question::Available, Availability::Available(_))
                | (Question::SetMax(_) | Question::SetMin(_) | Question::Reset, Availability::Done(_))
        );
        if !fits {
            return Err(Error::NoCall { call_id });
        }
        let message = Message::RunspaceAvailability(RunspaceAvailability { response, call_id });
        let message = self.encode(None, &message)?;
        self.outbox.push(Carrier::Output, message);
        self.questions.remove(&call_id);
        match (question, response) {
            (Question::SetMax(bound), Availability::Done(true)) => self.max_runspaces = bound,
            (Question::SetMin(bound), Availability::Done(true)) => self.min_runspaces = bound,
            _ => {}
        }
        Ok(())
    }

    /// Asks the client for its key (MS-PSRP 2.2.2.5), before secrets are sent.
    ///
    /// # Errors
    ///
    /// The pool is not open, or the key was sent before.
    pub fn request_key(&mut self) -> Result<(), Error> {
        self.expect("ask for the key", RunspacePoolState::Opened)?;
        if self.key_received {
            return Err(Error::KeyAskedBefore);
        }
        let message = self.encode(None, &Message::PublicKeyRequest)?;
        self.outbox.push(Carrier::Output, message);
        Ok(())
    }

    /// Sends the session key under the client's key (MS-PSRP 3.2.5.4.4).
    ///
    /// # Errors
    ///
    /// The pool is not open, or no random values are to be had.
    pub fn send_session_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        client: &PublicKey,
        key: SessionKey,
        random: &mut R,
    ) -> Result<(), Error> {
        self.expect("send the session key", RunspacePoolState::Opened)?;
        let blob = client.encrypt(&key, random)?;
        let message = self.encode(None, &Message::EncryptedSessionKey(blob))?;
        self.outbox.push(Carrier::Output, message);
        self.session_key = Some(key);
        Ok(())
    }

    /// Raises an event at the client (MS-PSRP 2.2.2.12).
    ///
    /// # Errors
    ///
    /// The pool is not open, or the event cannot be written.
    pub fn raise_event(&mut self, event: UserEvent) -> Result<(), Error> {
        self.expect("raise an event", RunspacePoolState::Opened)?;
        let message = self.encode(None, &Message::UserEvent(Box::new(event)))?;
        self.outbox.push(Carrier::Output, message);
        Ok(())
    }

    /// The next payload of at most this many bytes.
    ///
    /// # Errors
    ///
    /// A size that has no room for a fragment.
    pub fn poll_transmit(&mut self, size: usize) -> Result<Option<Transmit>, Error> {
        self.poll_transmit_of(size, |_| true)
    }

    /// As [`poll_transmit`](Self::poll_transmit), of what waits for these carriers.
    ///
    /// # Errors
    ///
    /// As [`poll_transmit`](Self::poll_transmit).
    pub fn poll_transmit_of(
        &mut self,
        size: usize,
        wanted: impl Fn(Carrier) -> bool,
    ) -> Result<Option<Transmit>, Error> {
        let polled = self.outbox.poll_of(size, |carrier| wanted(*carrier))?;
        let Some((carrier, payload)) = polled else { return Ok(None) };
        if carrier == Carrier::ConnectResponse {
            // What does not fit into the response follows behind it.
            self.outbox.retag(|tag| if tag == Carrier::ConnectResponse { Carrier::Output } else { tag });
        }
        Ok(Some(Transmit { carrier, payload }))
    }

    /// Bytes that wait to be sent.
    pub fn pending(&self) -> usize {
        self.outbox.len()
    }

    pub(super) fn expect(&self, operation: &'static str, wanted: RunspacePoolState) -> Result<(), Error> {
        if self.state == wanted { Ok(()) } else { Err(Error::InvalidState { operation, state: self.state }) }
    }

    /// Queues our SESSION_CAPABILITY: without the pool's identifier when it is opened, with it when it is connected to.
    pub(super) fn send_capability(&mut self) -> Result<(), Error> {
        let message = Message::SessionCapability(self.config.capability.clone());
        let mut raw = self.raw(None, message.message_type(), message.encode()?);
        if self.was_open {
            // Before all that the client did not fetch while it was disconnected.
            self.outbox.push_front(Carrier::ConnectResponse, raw.encode());
        } else {
            raw.runspace_pool_id = Uuid::nil();
            self.outbox.push(Carrier::Output, raw.encode());
        }
        Ok(())
    }

    pub(super) fn encode(&self, pipeline: Option<Uuid>, message: &Message) -> Result<Vec<u8>, Error> {
        let message_type = message.message_type();
        let mut raw = self.raw(pipeline, message_type, message.encode()?);
        if message_type == MessageType::ENCRYPTED_SESSION_KEY {
            // MS-PSRP 3.2.5.4.4
            raw.runspace_pool_id = Uuid::nil();
        }
        Ok(raw.encode())
    }

    pub(super) fn wrap(&self, pipeline: Option<Uuid>, message_type: MessageType, data: Vec<u8>) -> Vec<u8> {
        self.raw(pipeline, message_type, data).encode()
    }

    fn raw(&self, pipeline: Option<Uuid>, message_type: MessageType, data: Vec<u8>) -> RawMessage {
        RawMessage {
            destination: Destination::Client,
            message_type,
            runspace_pool_id: self.id.unwrap_or_default(),
            pipeline_id: pipeline.unwrap_or_default(),
            byte_order_mark: self.config.byte_order_mark,
            data,
        }
    }

    /// The pool is gone, and all that belongs to it.
    pub(super) fn end(&mut self, state: RunspacePoolState) {
        self.state = state;
        self.pipelines.clear();
        self.questions.clear();
        self.calls.clear();
        self.link.reset();
    }
}
