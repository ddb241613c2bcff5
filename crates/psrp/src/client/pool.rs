//! The client's runspace pool.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::pipeline::Pipeline;
use super::{Carrier, Config, Transmit};
use crate::fragment::Fragmenter;
use crate::host::HostMethodId;
use crate::key::{KeyPair, SessionKey};
use crate::link::Link;
use crate::message::{
    ConnectRunspacePool, GetAvailableRunspaces, ResetRunspaceState, SessionCapability, SetMaxRunspaces,
    SetMinRunspaces,
};
use crate::{Destination, Error, Message, PipelineState, ProtocolVersion, RawMessage, RunspacePoolState};

/// The client's side of a runspace pool (MS-PSRP 3.1.1.2), which makes no I/O of its own.
///
/// ```text
/// BeforeOpen ─ open ────▶ NegotiationSent ─ SESSION_CAPABILITY ─▶ NegotiationSucceeded
///     └────── connect ───────▲                                             │ RUNSPACEPOOL_STATE, or the
///                                                                          ▼ private data of a pool connected to
///            Disconnected ◀─ disconnected ── reconnected ─▶ Opened ── close ─▶ Closing ─ closed ─▶ Closed
///                        any of them ─ RUNSPACEPOOL_STATE, broken ─▶ Broken
/// ```
///
/// Bytes from the server go into [`handle_data`](Self::handle_data), which gives events; bytes for the server come out
/// of [`poll_transmit`](Self::poll_transmit). What happens in WS-Man alone is told by the other `handle_*`. Nothing is
/// kept of what pipelines write.
#[derive(Debug)]
pub struct RunspacePool {
    pub(super) id: Uuid,
    pub(super) config: Config,
    pub(super) state: RunspacePoolState,
    pub(super) connecting: bool,
    pub(super) link: Link,
    pub(super) outbox: Fragmenter<Carrier>,
    pub(super) peer: Option<SessionCapability>,
    pub(super) pipelines: BTreeMap<Uuid, Pipeline>,
    next_call: i64,
    /// Questions about the pool that wait for their answers.
    pub(super) questions: BTreeMap<i64, Question>,
    /// Host calls that wait for ours.
    pub(super) calls: BTreeMap<(Option<Uuid>, i64), HostMethodId>,
    pub(super) key: Key,
}

/// What was asked, so that a bound is known to have changed once that is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    SetMax(i32),
    SetMin(i32),
    Available,
    Reset,
}

/// How far the exchange of the session key has come.
#[derive(Debug)]
pub(super) enum Key {
    None,
    Sent(Box<KeyPair>),
    Exchanged(SessionKey),
    /// The server's answer could not be read; the pair is used up.
    Failed,
}

impl RunspacePool {
    /// A pool with this identifier, which also names its shell: a fresh one, or that of a pool to connect to.
    pub fn new(id: Uuid, config: Config) -> Self {
        let link = Link::new(Destination::Client, config.limits.clone());
        Self {
            id,
            config,
            state: RunspacePoolState::BeforeOpen,
            connecting: false,
            link,
            outbox: Fragmenter::default(),
            peer: None,
            pipelines: BTreeMap::new(),
            // From where the recorded clients count.
            next_call: 0,
            questions: BTreeMap::new(),
            calls: BTreeMap::new(),
            key: Key::None,
        }
    }

    /// Its identifier.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Where it is.
    pub fn state(&self) -> RunspacePoolState {
        self.state
    }

    /// What the server speaks, once it has told.
    pub fn peer_capability(&self) -> Option<&SessionCapability> {
        self.peer.as_ref()
    }

    /// At least this many runspaces.
    pub fn min_runspaces(&self) -> i32 {
        self.config.init.min_runspaces
    }

    /// At most this many.
    pub fn max_runspaces(&self) -> i32 {
        self.config.init.max_runspaces
    }

    /// The pipelines that have not ended.
    pub fn pipelines(&self) -> impl Iterator<Item = (Uuid, PipelineState)> {
        self.pipelines.iter().map(|(id, pipeline)| (*id, pipeline.state))
    }

    /// Where a pipeline is; none once it has ended.
    pub fn pipeline_state(&self, id: Uuid) -> Option<PipelineState> {
        self.pipelines.get(&id).map(|pipeline| pipeline.state)
    }

    /// The session key, once it is exchanged.
    pub fn session_key(&self) -> Option<&SessionKey> {
        match &self.key {
            Key::Exchanged(key) => Some(key),
            Key::None | Key::Sent(_) | Key::Failed => None,
        }
    }

    /// Begins to open the pool: its messages go with Create (MS-PSRP 3.1.4.1).
    ///
    /// # Errors
    ///
    /// The pool is not new, or its arguments cannot be written.
    pub fn open(&mut self) -> Result<(), Error> {
        self.expect("open", RunspacePoolState::BeforeOpen)?;
        let capability = self.encode(None, &Message::SessionCapability(self.config.capability.clone()))?;
        let init = self.encode(None, &Message::InitRunspacePool(Box::new(self.config.init.clone())))?;
        self.state = RunspacePoolState::Opening;
        self.outbox.push(Carrier::Create, capability);
        self.outbox.push(Carrier::Create, init);
        self.state = RunspacePoolState::NegotiationSent;
        Ok(())
    }

    /// Begins to connect to a pool that another client left: its messages go with Connect (MS-PSRP 3.1.4.10.3).
    ///
    /// # Errors
    ///
    /// The pool is not new.
    pub fn connect(&mut self) -> Result<(), Error> {
        self.expect("connect", RunspacePoolState::BeforeOpen)?;
        let capability = self.encode(None, &Message::SessionCapability(self.config.capability.clone()))?;
        let connect = self.encode(None, &Message::ConnectRunspacePool(ConnectRunspacePool::default()))?;
        self.state = RunspacePoolState::Connecting;
        self.connecting = true;
        self.outbox.push(Carrier::Connect, capability);
        self.outbox.push(Carrier::Connect, connect);
        self.state = RunspacePoolState::NegotiationSent;
        Ok(())
    }

    /// Changes the upper bound of the pool (MS-PSRP 3.1.5.4.6), and returns the number of the answer.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn set_max_runspaces(&mut self, max_runspaces: i32) -> Result<i64, Error> {
        self.ask("set the upper bound", Question::SetMax(max_runspaces), |call_id| {
            Message::SetMaxRunspaces(SetMaxRunspaces { max_runspaces, call_id })
        })
    }

    /// Changes the lower bound of the pool (MS-PSRP 3.1.5.4.7), and returns the number of the answer.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn set_min_runspaces(&mut self, min_runspaces: i32) -> Result<i64, Error> {
        self.ask("set the lower bound", Question::SetMin(min_runspaces), |call_id| {
            Message::SetMinRunspaces(SetMinRunspaces { min_runspaces, call_id })
        })
    }

    /// Asks how many runspaces are free (MS-PSRP 3.1.5.4.11), and returns the number of the answer.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn get_available_runspaces(&mut self) -> Result<i64, Error> {
        self.ask("ask for runspaces", Question::Available, |call_id| {
            Message::GetAvailableRunspaces(GetAvailableRunspaces { call_id })
        })
    }

    /// Forgets all variables of the pool's runspace (MS-PSRP 2.2.2.31), and returns the number of the answer.
    ///
    /// # Errors
    ///
    /// The pool is not open, or the server is older than version 2.3.
    pub fn reset_runspace_state(&mut self) -> Result<i64, Error> {
        const OPERATION: &str = "reset runspaces";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        self.expect_version(OPERATION, ProtocolVersion::V2_3)?;
        self.ask(OPERATION, Question::Reset, |call_id| {
            Message::ResetRunspaceState(ResetRunspaceState { call_id })
        })
    }

    /// Begins to exchange the session key (MS-PSRP 3.1.4.8), once for each pool.
    ///
    /// # Errors
    ///
    /// The pool is not open, or this was done before.
    pub fn exchange_key(&mut self, pair: KeyPair) -> Result<(), Error> {
        self.expect("exchange the session key", RunspacePoolState::Opened)?;
        if !matches!(self.key, Key::None) {
            return Err(Error::KeyAskedBefore);
        }
        let message = self.encode(None, &Message::PublicKey(pair.public_blob()))?;
        self.outbox.push(Carrier::Input, message);
        self.key = Key::Sent(Box::new(pair));
        Ok(())
    }

    /// Whether the session key was asked for, or is there.
    pub fn is_key_asked(&self) -> bool {
        !matches!(self.key, Key::None)
    }

    /// The next payload of at most this many bytes. Whole messages share a payload; one that is larger is cut.
    ///
    /// # Errors
    ///
    /// A size that has no room for a fragment.
    pub fn poll_transmit(&mut self, size: usize) -> Result<Option<Transmit>, Error> {
        self.poll_transmit_of(size, |_| true)
    }

    /// As [`poll_transmit`](Self::poll_transmit), of what waits for these carriers: for senders that do not wait for each other.
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
        if carrier.then() != carrier {
            self.outbox.retag(|tag| if tag == carrier { carrier.then() } else { tag });
        }
        Ok(Some(Transmit { carrier, payload }))
    }

    /// Bytes that wait to be sent.
    pub fn pending(&self) -> usize {
        self.outbox.len()
    }

    /// Bytes that wait for these carriers.
    pub fn pending_of(&self, wanted: impl Fn(Carrier) -> bool) -> usize {
        self.outbox.len_of(|carrier| wanted(*carrier))
    }

    fn ask(
        &mut self,
        operation: &'static str,
        question: Question,
        message: impl Fn(i64) -> Message,
    ) -> Result<i64, Error> {
        self.expect(operation, RunspacePoolState::Opened)?;
        let call_id = self.next_call;
        let message = self.encode(None, &message(call_id))?;
        self.next_call = call_id.wrapping_add(1);
        self.outbox.push(Carrier::Input, message);
        self.questions.insert(call_id, question);
        Ok(call_id)
    }

    pub(super) fn pipeline(&mut self, operation: &'static str, id: Uuid) -> Result<&mut Pipeline, Error> {
        self.pipelines.get_mut(&id).ok_or(Error::NoPipeline { operation, pipeline: id })
    }

    pub(super) fn expect(&self, operation: &'static str, wanted: RunspacePoolState) -> Result<(), Error> {
        if self.state == wanted { Ok(()) } else { Err(Error::InvalidState { operation, state: self.state }) }
    }

    /// What both sides speak; 2.1 until the server has told.
    pub(super) fn version(&self) -> ProtocolVersion {
        let peer = self.peer.as_ref().map(SessionCapability::protocol);
        peer.unwrap_or(ProtocolVersion { major: 2, minor: 1 })
    }

    pub(super) fn expect_version(
        &self,
        operation: &'static str,
        needed: ProtocolVersion,
    ) -> Result<(), Error> {
        let peer = self.version();
        if peer >= needed { Ok(()) } else { Err(Error::NotSupported { operation, needed, peer }) }
    }

    pub(super) fn encode(&self, pipeline: Option<Uuid>, message: &Message) -> Result<Vec<u8>, Error> {
        Ok(self.wrap(pipeline, message.message_type(), message.encode()?))
    }

    pub(super) fn wrap(
        &self,
        pipeline: Option<Uuid>,
        message_type: crate::MessageType,
        data: Vec<u8>,
    ) -> Vec<u8> {
        RawMessage {
            destination: Destination::Server,
            message_type,
            runspace_pool_id: self.id,
            pipeline_id: pipeline.unwrap_or_default(),
            byte_order_mark: false,
            data,
        }
        .encode()
    }

    /// Nothing of a pipeline will be sent any more.
    pub(super) fn forget_pipeline(&mut self, id: Uuid) {
        self.pipelines.remove(&id);
        self.calls.retain(|(pipeline, _), _| *pipeline != Some(id));
        self.outbox.retain(|carrier| carrier.pipeline() != Some(id));
        self.link.forget(Some(id));
    }

    pub(super) fn stop_sending(&mut self) {
        self.outbox.retain(|_| false);
    }

    /// The pool is gone, and all that belongs to it.
    pub(super) fn end(&mut self, state: RunspacePoolState) {
        self.state = state;
        self.pipelines.clear();
        self.questions.clear();
        self.calls.clear();
        self.stop_sending();
        self.link.reset();
    }
}
