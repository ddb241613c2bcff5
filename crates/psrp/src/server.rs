//! The server's side of a runspace pool and its pipelines (MS-PSRP 3.2).

use std::collections::{HashMap, HashSet};

use bytes::BytesMut;
use uuid::Uuid;
use winrm_clixml::PsValue;

use crate::channel::{Inbox, Outbox};
use crate::error::{Error, Rejected};
use crate::fragment::Limits;
use crate::host::{HostCall, HostResponse};
use crate::key::SessionKey;
use crate::message::{
    Availability, Body, ConnectRunspacePool, Destination, GetCommandMetadata, InitRunspacePool, Message,
    RunspacePoolInitData, SessionCapability,
};
use crate::pipeline::Pipeline;
use crate::record::ErrorRecord;
use crate::{PipelineState, PoolState};

/// Pipelines of one pool.
const MAX_PIPELINES: usize = 1024;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// To open the pool; [`Pool::opened`] answers.
    Init(Box<InitRunspacePool>),
    /// To connect to the pool; [`Pool::connected`] answers.
    Connect(ConnectRunspacePool),
    /// To run a pipeline.
    Start {
        /// Its id.
        id: Uuid,
        /// What it is.
        pipeline: Box<Pipeline>,
    },
    /// To tell what commands there are, as a pipeline does.
    Metadata {
        /// Its id.
        id: Uuid,
        /// Which commands.
        metadata: GetCommandMetadata,
    },
    /// An object of a pipeline's input.
    Input {
        /// Its id.
        id: Uuid,
        /// The object.
        value: PsValue,
    },
    /// The end of a pipeline's input.
    EndOfInput {
        /// Its id.
        id: Uuid,
    },
    /// To change bounds or reset the pool, or how many runspaces are free; [`Pool::availability`] answers.
    Call {
        /// The call's number.
        call: i64,
        /// What is asked.
        request: Request,
    },
    /// What a method of the client's host returned.
    HostResponse {
        /// Of this pipeline's host, or of the pool's.
        pipeline: Option<Uuid>,
        /// The answer.
        response: HostResponse,
    },
    /// There is a session key now.
    KeyExchanged,
    /// A message was passed over.
    Rejected(Rejected),
}

/// What a call about runspaces asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// The most of them.
    SetMax(i32),
    /// The least of them.
    SetMin(i32),
    /// How many are free.
    Available,
    /// A reset.
    Reset,
}

/// A runspace pool as its server sees it.
#[derive(Debug)]
pub struct Pool {
    id: Uuid,
    state: PoolState,
    inbox: Inbox,
    outbox: Outbox,
    client: Option<SessionCapability>,
    session_key: Option<SessionKey>,
    pipelines: HashMap<Uuid, Running>,
    calls: HashSet<i64>,
    host_calls: i64,
}

#[derive(Debug)]
struct Running {
    state: PipelineState,
    takes_input: bool,
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Pool {
    /// A pool that no client has told of yet: its id is the client's to choose.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// Under other bounds on messages.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            id: Uuid::nil(),
            state: PoolState::BeforeOpen,
            inbox: Inbox::new(limits),
            outbox: Outbox::default(),
            client: None,
            session_key: None,
            pipelines: HashMap::new(),
            calls: HashSet::new(),
            host_calls: 0,
        }
    }

    /// Its id, all zeros before a client has told it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its state.
    pub fn state(&self) -> PoolState {
        self.state
    }

    /// The versions of the client.
    pub fn client(&self) -> Option<&SessionCapability> {
        self.client.as_ref()
    }

    /// The session key, once it was exchanged.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Opens it, once [`Event::Init`] has come, with what the client is to know.
    ///
    /// # Errors
    ///
    /// Nobody has asked for it.
    pub fn opened(&mut self, private_data: PsValue) -> Result<(), Error> {
        self.require(PoolState::NegotiationSucceeded, "open it")?;
        self.send(Body::ApplicationPrivateData(private_data))?;
        self.send(Body::RunspacePoolState { state: PoolState::Opened, error: None })?;
        self.state = PoolState::Opened;
        Ok(())
    }

    /// Lets a client have it, once [`Event::Connect`] has come.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn connected(&mut self, bounds: RunspacePoolInitData, private_data: PsValue) -> Result<(), Error> {
        self.require(PoolState::Opened, "connect to it")?;
        self.send(Body::SessionCapability(SessionCapability::current()))?;
        self.send(Body::RunspacePoolInitData(bounds))?;
        self.send(Body::ApplicationPrivateData(private_data))
    }

    /// Ends it, by an error or not.
    ///
    /// # Errors
    ///
    /// It is over already.
    pub fn close(&mut self, error: Option<ErrorRecord>) -> Result<(), Error> {
        if self.state.is_final() {
            return Err(Error::PoolState { action: "close it", state: self.state });
        }
        let state = if error.is_some() { PoolState::Broken } else { PoolState::Closed };
        self.send(Body::RunspacePoolState { state, error })?;
        self.state = state;
        self.pipelines.clear();
        Ok(())
    }

    /// Answers [`Event::Call`].
    ///
    /// # Errors
    ///
    /// There is no such call, or it was answered.
    pub fn availability(&mut self, call: i64, availability: Availability) -> Result<(), Error> {
        if !self.calls.remove(&call) {
            return Err(Error::PoolState { action: "answer a call that nobody made", state: self.state });
        }
        self.send(Body::RunspaceAvailability { call, availability })
    }

    /// Asks the client for its key.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn request_key(&mut self) -> Result<(), Error> {
        self.require(PoolState::Opened, "exchange keys")?;
        self.send(Body::PublicKeyRequest)
    }

    /// Sends an object, record or host call of a pipeline.
    ///
    /// # Errors
    ///
    /// The pipeline is over, or a value cannot be written.
    pub fn pipeline_message(&mut self, id: Uuid, body: Body) -> Result<(), Error> {
        if !self.pipelines.contains_key(&id) {
            return Err(Error::UnknownPipeline(id));
        }
        let message = Message::of_pipeline(Destination::Client, self.id, id, body);
        Ok(self.outbox.push(Some(id), &message)?)
    }

    /// Sends an object of a pipeline's output.
    ///
    /// # Errors
    ///
    /// As [`pipeline_message`](Self::pipeline_message).
    pub fn pipeline_output(&mut self, id: Uuid, value: &PsValue) -> Result<(), Error> {
        self.pipeline_message(id, Body::PipelineOutput(value.clone()))
    }

    /// Tells a pipeline's state; it is over with a final one.
    ///
    /// # Errors
    ///
    /// As [`pipeline_message`](Self::pipeline_message).
    pub fn pipeline_state(
        &mut self,
        id: Uuid,
        state: PipelineState,
        error: Option<ErrorRecord>,
    ) -> Result<(), Error> {
        self.pipeline_message(id, Body::PipelineState { state, error })?;
        if state.is_final() {
            self.pipelines.remove(&id);
        } else if let Some(running) = self.pipelines.get_mut(&id) {
            running.state = state;
        }
        Ok(())
    }

    /// Calls a method of a pipeline's host, or of the pool's; the number of the call.
    ///
    /// # Errors
    ///
    /// As [`pipeline_message`](Self::pipeline_message).
    pub fn host_call(
        &mut self,
        pipeline: Option<Uuid>,
        method: crate::host::HostMethod,
        parameters: Vec<PsValue>,
    ) -> Result<i64, Error> {
        let call = if method.returns() {
            self.host_calls += 1;
            self.host_calls
        } else {
            // As Windows numbers those that nobody answers.
            -100
        };
        let host_call = HostCall { call, method, parameters };
        match pipeline {
            Some(id) => self.pipeline_message(id, Body::PipelineHostCall(host_call))?,
            None => self.send(Body::RunspacePoolHostCall(host_call))?,
        }
        Ok(call)
    }

    /// Whether a pipeline is not over.
    pub fn is_running(&self, id: Uuid) -> bool {
        self.pipelines.contains_key(&id)
    }

    /// Forgets a pipeline whose client has let it go.
    pub fn forget(&mut self, id: Uuid) {
        self.pipelines.remove(&id);
        self.inbox.forget(Some(id));
        self.outbox.forget(Some(id));
    }

    /// Appends messages that wait to `buffer` until it has `room` bytes; true if more is left.
    pub fn take_output(&mut self, target: Option<Uuid>, buffer: &mut BytesMut, room: usize) -> bool {
        self.outbox.take(target, buffer, room)
    }

    /// Whether messages wait.
    pub fn has_output(&self, target: Option<Uuid>) -> bool {
        self.outbox.has(target)
    }

    /// Takes bytes that came for the pool, or for a pipeline.
    ///
    /// # Errors
    ///
    /// [`Error::Fragment`], behind which nothing can be made out: the pool is broken.
    pub fn receive(&mut self, stream: Option<Uuid>, bytes: &[u8]) -> Result<Vec<Event>, Error> {
        let (messages, end) = self.inbox.receive(stream, bytes);
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            let taken = match Message::decode(&message) {
                Ok(message) => self.take(message),
                Err(error) => Err(error.into()),
            };
            match taken {
                Ok(Some(event)) => events.push(event),
                Ok(None) => {}
                Err(rejected) => events.push(Event::Rejected(rejected)),
            }
        }
        if let Err(error) = end
            && events.is_empty()
        {
            self.state = PoolState::Broken;
            return Err(error.into());
        }
        Ok(events)
    }

    fn take(&mut self, message: Message) -> Result<Option<Event>, Rejected> {
        let Message { destination, pool, pipeline, body } = message;
        let kind = body.kind();
        if destination != Destination::Server {
            return Err(Rejected::Destination { message: kind, destination });
        }
        if self.state != PoolState::BeforeOpen && pool != self.id {
            return Err(Rejected::OtherPool { message: kind, pool });
        }
        let unexpected = Rejected::Unexpected { message: kind, state: self.state };
        let is_open = self.state == PoolState::Opened;
        match (&body, self.state) {
            (Body::SessionCapability(_), PoolState::BeforeOpen)
            | (Body::InitRunspacePool(_), PoolState::NegotiationSent)
            | (_, PoolState::Opened) => {}
            _ => return Err(unexpected),
        }
        Ok(Some(match body {
            Body::SessionCapability(capability) => {
                if capability.protocol_version.parts().next() != Some(2) {
                    let version = capability.protocol_version.as_str().to_owned();
                    return Err(Rejected::Version { version });
                }
                self.client = Some(capability);
                if self.state == PoolState::BeforeOpen {
                    self.id = pool;
                    self.state = PoolState::NegotiationSent;
                }
                return Ok(None);
            }
            Body::InitRunspacePool(init) if !is_open => {
                // Versions can always be written.
                let _ = self.send(Body::SessionCapability(SessionCapability::current()));
                self.state = PoolState::NegotiationSucceeded;
                Event::Init(init)
            }
            Body::ConnectRunspacePool(connect) => Event::Connect(connect),
            Body::CreatePipeline(created) => {
                let id = self.begin(pipeline, kind, !created.no_input)?;
                Event::Start { id, pipeline: created }
            }
            Body::GetCommandMetadata(metadata) => {
                let id = self.begin(pipeline, kind, false)?;
                Event::Metadata { id, metadata }
            }
            Body::PipelineInput(value) => Event::Input { id: self.input_of(pipeline, kind)?, value },
            Body::EndOfPipelineInput => {
                let id = self.input_of(pipeline, kind)?;
                if let Some(running) = self.pipelines.get_mut(&id) {
                    running.takes_input = false;
                }
                Event::EndOfInput { id }
            }
            Body::SetMaxRunspaces { runspaces, call } => self.call(call, Request::SetMax(runspaces)),
            Body::SetMinRunspaces { runspaces, call } => self.call(call, Request::SetMin(runspaces)),
            Body::GetAvailableRunspaces { call } => self.call(call, Request::Available),
            Body::ResetRunspaceState { call } => self.call(call, Request::Reset),
            Body::RunspacePoolHostResponse(response) => Event::HostResponse { pipeline: None, response },
            Body::PipelineHostResponse(response) => Event::HostResponse { pipeline, response },
            Body::PublicKey(blob) => {
                let (key, encrypted) = SessionKey::generate(&blob)?;
                self.session_key = Some(key);
                let _ = self.send(Body::EncryptedSessionKey(encrypted));
                Event::KeyExchanged
            }
            _ => return Err(unexpected),
        }))
    }

    fn begin(
        &mut self,
        pipeline: Option<Uuid>,
        message: crate::message::MessageType,
        takes_input: bool,
    ) -> Result<Uuid, Rejected> {
        let room = self.pipelines.len() < MAX_PIPELINES;
        match pipeline {
            Some(id) if room && !self.pipelines.contains_key(&id) => {
                self.pipelines.insert(id, Running { state: PipelineState::Running, takes_input });
                Ok(id)
            }
            pipeline => Err(Rejected::UnknownPipeline { message, pipeline }),
        }
    }

    fn input_of(
        &self,
        pipeline: Option<Uuid>,
        message: crate::message::MessageType,
    ) -> Result<Uuid, Rejected> {
        let known = pipeline.filter(|id| self.pipelines.get(id).is_some_and(|running| running.takes_input));
        known.ok_or(Rejected::UnknownPipeline { message, pipeline })
    }

    fn call(&mut self, call: i64, request: Request) -> Event {
        self.calls.insert(call);
        Event::Call { call, request }
    }

    fn send(&mut self, body: Body) -> Result<(), Error> {
        let message = Message::of_pool(Destination::Client, self.id, body);
        Ok(self.outbox.push(None, &message)?)
    }

    fn require(&self, state: PoolState, action: &'static str) -> Result<(), Error> {
        if self.state == state { Ok(()) } else { Err(Error::PoolState { action, state: self.state }) }
    }
}
