//! The client's side of a runspace pool and its pipelines (MS-PSRP 3.1).

mod pipelines;

use std::collections::HashMap;

use bytes::BytesMut;
use uuid::Uuid;
use winrm_clixml::PsValue;

use crate::channel::{Inbox, Outbox};
use crate::error::{Error, Rejected};
use crate::fragment::Limits;
use crate::host::{HostCall, HostInfo};
use crate::key::{KeyPair, SessionKey};
use crate::message::{
    ApartmentState, Availability, Body, ConnectRunspacePool, Destination, InitRunspacePool, Message,
    RunspacePoolInitData, SessionCapability, ThreadOptions, UserEvent,
};
use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use crate::{PipelineState, PoolState};

use pipelines::Pipelines;

/// What a pool is to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolOptions {
    /// Its id, which is the shell's id too; a random one.
    pub id: Uuid,
    /// Least runspaces; 1.
    pub min_runspaces: i32,
    /// Most runspaces, which is how many pipelines run at once; 1.
    pub max_runspaces: i32,
    /// Of its pipelines.
    pub thread_options: ThreadOptions,
    /// Of its pipelines.
    pub apartment_state: ApartmentState,
    /// What the host can do; there is none.
    pub host_info: HostInfo,
    /// `$PSSenderInfo.ApplicationArguments`; null.
    pub application_arguments: PsValue,
    /// Bounds on messages.
    pub limits: Limits,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            id: Uuid::new_v4(),
            min_runspaces: 1,
            max_runspaces: 1,
            thread_options: ThreadOptions::default(),
            apartment_state: ApartmentState::default(),
            host_info: HostInfo::default(),
            application_arguments: PsValue::Nil,
            limits: Limits::default(),
        }
    }
}

/// What a server told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Its versions.
    Capability(SessionCapability),
    /// The pool's state has changed.
    State {
        /// To this.
        state: PoolState,
        /// What broke it.
        error: Option<ErrorRecord>,
    },
    /// The bounds of a pool that was connected to.
    InitData(RunspacePoolInitData),
    /// What the server wants to be known.
    PrivateData(PsValue),
    /// The answer to a call about runspaces.
    Availability {
        /// The call's number.
        call: i64,
        /// The answer.
        availability: Availability,
    },
    /// A call of the pool's host.
    HostCall(HostCall),
    /// An event that was subscribed to.
    User(Box<UserEvent>),
    /// The server wants a key: [`Pool::exchange_key`] is to be called.
    KeyRequested,
    /// There is a session key now.
    KeyExchanged,
    /// Something of a pipeline's.
    Pipeline {
        /// Its id.
        id: Uuid,
        /// What.
        event: PipelineEvent,
    },
    /// A message was passed over.
    Rejected(Rejected),
}

/// What a server told of a pipeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PipelineEvent {
    /// An object of its output.
    Output(PsValue),
    /// An error that did not end it.
    Error(ErrorRecord),
    /// A warning.
    Warning(InformationalRecord),
    /// A verbose record.
    Verbose(InformationalRecord),
    /// A debug record.
    Debug(InformationalRecord),
    /// Progress.
    Progress(ProgressRecord),
    /// An information record.
    Information(InformationRecord),
    /// A call of its host.
    HostCall(HostCall),
    /// Its state has changed.
    State {
        /// To this.
        state: PipelineState,
        /// What made it fail or stop.
        error: Option<ErrorRecord>,
    },
}

/// A runspace pool as its client sees it.
///
/// Messages to the server wait until they are taken: those of the pool by `None`, those of a pipeline by its id, answers to calls
/// of hosts apart, as WS-Man carries them on a stream of their own.
#[derive(Debug)]
pub struct Pool {
    options: PoolOptions,
    state: PoolState,
    inbox: Inbox,
    outbox: Outbox,
    responses: Outbox,
    calls: i64,
    server: Option<SessionCapability>,
    pipelines: Pipelines,
    key_pair: Option<KeyPair>,
    session_key: Option<SessionKey>,
    /// Calls that the server has not answered yet.
    waiting: HashMap<i64, &'static str>,
}

impl Pool {
    /// A pool that nobody was told of yet.
    pub fn new(options: PoolOptions) -> Self {
        Self {
            inbox: Inbox::new(options.limits),
            options,
            state: PoolState::BeforeOpen,
            outbox: Outbox::default(),
            responses: Outbox::default(),
            calls: 0,
            server: None,
            pipelines: Pipelines::default(),
            key_pair: None,
            session_key: None,
            waiting: HashMap::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.options.id
    }

    /// Its state.
    pub fn state(&self) -> PoolState {
        self.state
    }

    /// What it was made with.
    pub fn options(&self) -> &PoolOptions {
        &self.options
    }

    /// The versions of the server, once it has told them.
    pub fn server(&self) -> Option<&SessionCapability> {
        self.server.as_ref()
    }

    /// The session key, once it was exchanged: for secure strings in values.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Opens it: what it sends belongs into the creation of a shell (MS-PSRP 3.1.4.1).
    ///
    /// # Errors
    ///
    /// It is not new, or the application arguments cannot be written.
    pub fn open(&mut self) -> Result<(), Error> {
        self.require(PoolState::BeforeOpen, "open it")?;
        let PoolOptions { min_runspaces, max_runspaces, thread_options, apartment_state, .. } = self.options;
        let init = InitRunspacePool {
            min_runspaces,
            max_runspaces,
            thread_options,
            apartment_state,
            host_info: self.options.host_info.clone(),
            application_arguments: self.options.application_arguments.clone(),
        };
        self.send(Body::SessionCapability(SessionCapability::current()))?;
        self.send(Body::InitRunspacePool(Box::new(init)))?;
        self.state = PoolState::NegotiationSent;
        Ok(())
    }

    /// Connects to a pool that another client has left: what it sends belongs into a Connect (MS-PSRP 3.1.4.11).
    ///
    /// # Errors
    ///
    /// It is not new.
    pub fn connect(&mut self) -> Result<(), Error> {
        self.require(PoolState::BeforeOpen, "connect to it")?;
        self.send(Body::SessionCapability(SessionCapability::current()))?;
        self.send(Body::ConnectRunspacePool(ConnectRunspacePool::default()))?;
        self.state = PoolState::Connecting;
        Ok(())
    }

    /// Notes that the transport has disconnected it.
    ///
    /// # Errors
    ///
    /// It is not open.
    pub fn disconnected(&mut self) -> Result<(), Error> {
        self.require(PoolState::Opened, "disconnect it")?;
        self.state = PoolState::Disconnected;
        Ok(())
    }

    /// Notes that the transport has reconnected it. Nothing is sent for that.
    ///
    /// # Errors
    ///
    /// It is not disconnected.
    pub fn reconnected(&mut self) -> Result<(), Error> {
        self.require(PoolState::Disconnected, "reconnect it")?;
        self.state = PoolState::Opened;
        Ok(())
    }

    /// Notes that its shell is about to be deleted.
    pub fn closing(&mut self) {
        if !self.state.is_final() {
            self.state = PoolState::Closing;
        }
    }

    /// Notes that its shell is gone, by an error or not. Its pipelines are over.
    pub fn closed(&mut self, by_error: bool) {
        if !self.state.is_final() {
            self.state = if by_error { PoolState::Broken } else { PoolState::Closed };
        }
        self.pipelines.clear();
    }

    /// Asks for other bounds of runspaces; the number of the call, which an [`Event::Availability`] answers.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn set_max_runspaces(&mut self, runspaces: i32) -> Result<i64, Error> {
        self.call("set its most runspaces", |call| Body::SetMaxRunspaces { runspaces, call })
    }

    /// As [`set_max_runspaces`](Self::set_max_runspaces), for the least.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn set_min_runspaces(&mut self, runspaces: i32) -> Result<i64, Error> {
        self.call("set its least runspaces", |call| Body::SetMinRunspaces { runspaces, call })
    }

    /// Asks how many runspaces are free.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn available_runspaces(&mut self) -> Result<i64, Error> {
        self.call("ask for its free runspaces", |call| Body::GetAvailableRunspaces { call })
    }

    /// Asks to reset variables and more of its runspace, from protocol 2.3 on.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn reset(&mut self) -> Result<i64, Error> {
        self.call("reset it", |call| Body::ResetRunspaceState { call })
    }

    /// Sends the public part of a key pair, which the server sends a session key for. The pair takes a while to make, so that the
    /// caller makes it where that hurts nobody.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn exchange_key(&mut self, pair: KeyPair) -> Result<(), Error> {
        self.require(PoolState::Opened, "exchange keys")?;
        self.send(Body::PublicKey(pair.public_blob()))?;
        self.key_pair = Some(pair);
        Ok(())
    }

    /// Appends messages that wait to `buffer` until it has `room` bytes; true if more is left.
    pub fn take_output(&mut self, target: Option<Uuid>, buffer: &mut BytesMut, room: usize) -> bool {
        self.outbox.take(target, buffer, room)
    }

    /// As [`take_output`](Self::take_output), of answers to calls of hosts (WS-Man's stream `pr`).
    pub fn take_responses(&mut self, target: Option<Uuid>, buffer: &mut BytesMut, room: usize) -> bool {
        self.responses.take(target, buffer, room)
    }

    /// Bytes of messages that wait for the pool or for a pipeline.
    pub fn waiting(&self, target: Option<Uuid>) -> usize {
        self.outbox.waiting(target)
    }

    /// Whether messages of the pool or of a pipeline wait.
    pub fn has_output(&self, target: Option<Uuid>) -> bool {
        self.outbox.has(target)
    }

    /// Whether answers of the pool's host or a pipeline's wait.
    pub fn has_responses(&self, target: Option<Uuid>) -> bool {
        self.responses.has(target)
    }

    /// Takes bytes of the pool's stream, or of a pipeline's.
    ///
    /// # Errors
    ///
    /// [`Error::Fragment`], behind which nothing can be made out: the pool is broken. What came before is lost with it only if
    /// it was not whole.
    pub fn receive(&mut self, stream: Option<Uuid>, bytes: &[u8]) -> Result<Vec<Event>, Error> {
        let (messages, end) = self.inbox.receive(stream, bytes);
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            match Message::decode(&message) {
                Ok(message) => self.take(message, &mut events),
                Err(error) => events.push(Event::Rejected(error.into())),
            }
        }
        if let Err(error) = end {
            if events.is_empty() {
                self.closed(true);
                return Err(error.into());
            }
            // The stream says so again at the next call.
            return Ok(events);
        }
        Ok(events)
    }

    fn take(&mut self, message: Message, events: &mut Vec<Event>) {
        let Message { destination, pool, pipeline, body } = message;
        let kind = body.kind();
        let reject = |rejected| Event::Rejected(rejected);
        if destination != Destination::Client {
            return events.push(reject(Rejected::Destination { message: kind, destination }));
        }
        // Windows sends keys for the pool of zeros.
        if pool != self.options.id && !pool.is_nil() {
            return events.push(reject(Rejected::OtherPool { message: kind, pool }));
        }
        let unexpected = Rejected::Unexpected { message: kind, state: self.state };
        let event = match body {
            Body::SessionCapability(capability) => return self.negotiate(capability, events),
            Body::RunspacePoolState { state, error } => return self.change(state, error, events),
            Body::RunspacePoolInitData(data) if self.state == PoolState::Connecting => {
                self.options.min_runspaces = data.min_runspaces;
                self.options.max_runspaces = data.max_runspaces;
                events.push(Event::InitData(data));
                return self.change(PoolState::Opened, None, events);
            }
            Body::ApplicationPrivateData(data) => Event::PrivateData(data),
            Body::RunspaceAvailability { call, availability } => {
                if self.waiting.remove(&call).is_none() {
                    return events.push(reject(unexpected));
                }
                Event::Availability { call, availability }
            }
            Body::RunspacePoolHostCall(call) => Event::HostCall(call),
            Body::UserEvent(event) => Event::User(event),
            Body::PublicKeyRequest => Event::KeyRequested,
            Body::EncryptedSessionKey(blob) => {
                let Some(pair) = self.key_pair.take() else { return events.push(reject(unexpected)) };
                match pair.session_key(&blob) {
                    Ok(key) => {
                        self.session_key = Some(key);
                        Event::KeyExchanged
                    }
                    Err(error) => reject(error.into()),
                }
            }
            Body::PipelineOutput(value) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Output(value), events);
            }
            Body::ErrorRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Error(record), events);
            }
            Body::WarningRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Warning(record), events);
            }
            Body::VerboseRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Verbose(record), events);
            }
            Body::DebugRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Debug(record), events);
            }
            Body::ProgressRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Progress(record), events);
            }
            Body::InformationRecord(record) => {
                return self.pipeline(pipeline, kind, PipelineEvent::Information(record), events);
            }
            Body::PipelineHostCall(call) => {
                return self.pipeline(pipeline, kind, PipelineEvent::HostCall(call), events);
            }
            Body::PipelineState { state, error } => {
                return self.pipeline(pipeline, kind, PipelineEvent::State { state, error }, events);
            }
            _ => reject(unexpected),
        };
        events.push(event);
    }

    fn negotiate(&mut self, capability: SessionCapability, events: &mut Vec<Event>) {
        if !matches!(self.state, PoolState::NegotiationSent | PoolState::Connecting) {
            let message = crate::message::MessageType::SessionCapability;
            return events.push(Event::Rejected(Rejected::Unexpected { message, state: self.state }));
        }
        if capability.protocol_version.parts().next() != Some(2) {
            let version = capability.protocol_version.as_str().to_owned();
            events.push(Event::Rejected(Rejected::Version { version }));
            self.closed(true);
            return events.push(Event::State { state: PoolState::Broken, error: None });
        }
        if self.state == PoolState::NegotiationSent {
            self.state = PoolState::NegotiationSucceeded;
        }
        self.server = Some(capability.clone());
        events.push(Event::Capability(capability));
    }

    fn change(&mut self, state: PoolState, error: Option<ErrorRecord>, events: &mut Vec<Event>) {
        let is_possible = match state {
            PoolState::Opened => {
                matches!(self.state, PoolState::NegotiationSucceeded | PoolState::Connecting)
            }
            // What Windows says on its way there.
            PoolState::Opening | PoolState::NegotiationSucceeded => {
                self.state == PoolState::NegotiationSucceeded
            }
            PoolState::Closing | PoolState::Closed | PoolState::Broken => !self.state.is_final(),
            _ => false,
        };
        if !is_possible {
            let message = crate::message::MessageType::RunspacePoolState;
            return events.push(Event::Rejected(Rejected::Unexpected { message, state: self.state }));
        }
        match state {
            PoolState::Closed | PoolState::Broken => self.closed(state == PoolState::Broken),
            PoolState::Opening | PoolState::NegotiationSucceeded => {}
            _ => self.state = state,
        }
        events.push(Event::State { state, error });
    }

    fn call(&mut self, action: &'static str, body: impl FnOnce(i64) -> Body) -> Result<i64, Error> {
        self.require(PoolState::Opened, action)?;
        self.calls += 1;
        self.send(body(self.calls))?;
        self.waiting.insert(self.calls, action);
        Ok(self.calls)
    }

    fn send(&mut self, body: Body) -> Result<(), Error> {
        let message = Message::of_pool(Destination::Server, self.options.id, body);
        Ok(self.outbox.push(None, &message)?)
    }

    fn require(&self, state: PoolState, action: &'static str) -> Result<(), Error> {
        if self.state == state { Ok(()) } else { Err(Error::PoolState { action, state: self.state }) }
    }
}
