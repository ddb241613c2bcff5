//! What comes from the server, and what happens in WS-Man.

use uuid::Uuid;

use super::pool::{Key, Question};
use super::{Event, PipelineEvent, RunspacePool};
use crate::message::{Availability, HostCallMessage, PipelineStateMessage, RunspacePoolStateMessage};
use crate::{Error, Message, MessageType, PipelineState, RawMessage, RunspacePoolState};

impl RunspacePool {
    /// Takes from the front of `input` until there is an event or nothing is left. `stream` tells streams apart: none
    /// for that of the shell, the CommandId for those of commands.
    ///
    /// # Errors
    ///
    /// All that can be wrong with a message. It is lost, and [`Error::scope`] tells what else is; reading may go on with
    /// what is left of `input`.
    pub fn handle_data(&mut self, stream: Option<Uuid>, input: &mut &[u8]) -> Result<Option<Event>, Error> {
        while let Some(raw) = self.link.read(stream, input)? {
            if let Some(event) = self.handle_message(&raw)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn handle_message(&mut self, raw: &RawMessage) -> Result<Option<Event>, Error> {
        let message = raw.message_type;
        self.check_pool(raw)?;
        self.check_state(message)?;
        let decoded = self.link.decode(raw)?;
        let pipeline = |event| PipelineMessage::Event(event);
        let for_pipeline = match decoded {
            Message::SessionCapability(capability) => {
                let peer = capability.protocol();
                self.peer = Some(capability.clone());
                if peer.major != self.config.capability.protocol().major {
                    self.end(RunspacePoolState::Broken);
                    return Err(Error::Incompatible { peer });
                }
                self.state = RunspacePoolState::NegotiationSucceeded;
                return Ok(Some(Event::Negotiated(capability)));
            }
            Message::ApplicationPrivateData(data) => {
                // Nothing else tells that a pool that was connected to is open (MS-PSRP 3.1.4.10.3).
                if self.connecting {
                    self.connecting = false;
                    self.state = RunspacePoolState::Opened;
                }
                return Ok(Some(Event::PrivateData(data)));
            }
            Message::RunspacePoolInitData(data) => {
                self.config.init.min_runspaces = data.min_runspaces;
                self.config.init.max_runspaces = data.max_runspaces;
                return Ok(Some(Event::InitData(data)));
            }
            Message::RunspacePoolState(state) => return self.pool_state(state),
            Message::RunspaceAvailability(answer) => {
                return self.availability(answer.call_id, answer.response).map(Some);
            }
            Message::PublicKeyRequest => return Ok(Some(Event::KeyRequested)),
            Message::EncryptedSessionKey(blob) => {
                if !matches!(self.key, Key::Sent(_)) {
                    return Err(Error::UnexpectedMessage { message, state: self.state });
                }
                let Key::Sent(pair) = std::mem::replace(&mut self.key, Key::Failed) else { return Ok(None) };
                self.key = Key::Exchanged(pair.decrypt(&blob)?);
                return Ok(Some(Event::KeyExchanged));
            }
            Message::RunspacePoolHostCall(call) => {
                self.note_call(None, &call)?;
                return Ok(Some(Event::HostCall(call)));
            }
            Message::UserEvent(event) => return Ok(Some(Event::UserEvent(event))),
            Message::PipelineOutput(value) => pipeline(PipelineEvent::Output(value)),
            Message::ErrorRecord(record) => pipeline(PipelineEvent::Error(record)),
            Message::DebugRecord(record) => pipeline(PipelineEvent::Debug(record)),
            Message::VerboseRecord(record) => pipeline(PipelineEvent::Verbose(record)),
            Message::WarningRecord(record) => pipeline(PipelineEvent::Warning(record)),
            Message::ProgressRecord(record) => pipeline(PipelineEvent::Progress(record)),
            Message::InformationRecord(record) => pipeline(PipelineEvent::Information(record)),
            Message::PipelineHostCall(call) => pipeline(PipelineEvent::HostCall(call)),
            Message::PipelineState(state) => PipelineMessage::State(state),
            Message::InitRunspacePool(_)
            | Message::PublicKey(_)
            | Message::SetMaxRunspaces(_)
            | Message::SetMinRunspaces(_)
            | Message::CreatePipeline(_)
            | Message::GetAvailableRunspaces(_)
            | Message::GetCommandMetadata(_)
            | Message::RunspacePoolHostResponse(_)
            | Message::PipelineInput(_)
            | Message::EndOfPipelineInput
            | Message::PipelineHostResponse(_)
            | Message::ConnectRunspacePool(_)
            | Message::ResetRunspaceState(_) => return Err(Error::WrongDirection { message }),
        };
        self.pipeline_message(message, raw.pipeline_id, for_pipeline)
    }

    /// The identifier must be ours. Servers send their first message and the session key without one
    /// (MS-PSRP 3.2.5.4.1, 3.2.5.4.4).
    fn check_pool(&self, raw: &RawMessage) -> Result<(), Error> {
        let message = raw.message_type;
        let without = matches!(message, MessageType::SESSION_CAPABILITY | MessageType::ENCRYPTED_SESSION_KEY);
        let found = raw.runspace_pool_id;
        if found == self.id || (without && found.is_nil()) {
            return Ok(());
        }
        Err(Error::WrongPool { message, expected: self.id, found })
    }

    /// The states that allow a message (MS-PSRP 3.1.5.4). What was on its way when the pool was closed is let through.
    fn check_state(&self, message: MessageType) -> Result<(), Error> {
        use RunspacePoolState::{Closing, NegotiationSent, NegotiationSucceeded, Opened};
        let allowed: &[RunspacePoolState] = match message {
            MessageType::SESSION_CAPABILITY => &[NegotiationSent],
            MessageType::RUNSPACEPOOL_INIT_DATA => &[NegotiationSucceeded],
            MessageType::APPLICATION_PRIVATE_DATA => &[NegotiationSucceeded, Opened],
            MessageType::RUNSPACEPOOL_STATE => &[NegotiationSent, NegotiationSucceeded, Opened, Closing],
            _ => &[Opened, Closing],
        };
        if allowed.contains(&self.state) {
            return Ok(());
        }
        Err(Error::UnexpectedMessage { message, state: self.state })
    }

    fn pool_state(&mut self, told: RunspacePoolStateMessage) -> Result<Option<Event>, Error> {
        use RunspacePoolState::{Broken, Closed, Closing, NegotiationSucceeded, Opened};
        match (told.state, self.state) {
            (Opened, NegotiationSucceeded) => {
                self.connecting = false;
                self.state = Opened;
                Ok(Some(Event::Opened))
            }
            // Windows says Opened once more to who has connected, and Closing before Closed or Broken.
            (Opened, Opened) | (Closing, _) => Ok(None),
            (Closed | Broken, _) => {
                self.end(told.state);
                Ok(Some(Event::Ended { state: told.state, error: told.error }))
            }
            _ => {
                Err(Error::UnexpectedMessage { message: MessageType::RUNSPACEPOOL_STATE, state: self.state })
            }
        }
    }

    fn availability(&mut self, call_id: i64, response: Availability) -> Result<Event, Error> {
        let unknown = Error::UnknownCall { message: MessageType::RUNSPACE_AVAILABILITY, call_id };
        let Some(question) = self.questions.get(&call_id).copied() else { return Err(unknown) };
        match (question, response) {
            (Question::SetMax(bound), Availability::Done(true)) => self.config.init.max_runspaces = bound,
            (Question::SetMin(bound), Availability::Done(true)) => self.config.init.min_runspaces = bound,
            (Question::SetMax(_) | Question::SetMin(_) | Question::Reset, Availability::Done(_))
            | (Question::Available, Availability::Available(_)) => {}
            _ => return Err(unknown),
        }
        self.questions.remove(&call_id);
        Ok(Event::Availability { call_id, response })
    }

    fn note_call(&mut self, pipeline: Option<Uuid>, call: &HostCallMessage) -> Result<(), Error> {
        if !call.wants_answer() {
            return Ok(());
        }
        let maximum = self.link.limits().calls;
        if self.calls.len() >= maximum {
            return Err(Error::TooManyCalls { maximum });
        }
        self.calls.insert((pipeline, call.call_id), call.method);
        Ok(())
    }

    fn pipeline_message(
        &mut self,
        message: MessageType,
        id: Uuid,
        what: PipelineMessage,
    ) -> Result<Option<Event>, Error> {
        let Some(pipeline) = self.pipelines.get_mut(&id) else {
            return Err(Error::UnknownPipeline { message, pipeline: id });
        };
        let event = match what {
            PipelineMessage::Event(event) => {
                if !matches!(pipeline.state, PipelineState::Running | PipelineState::Stopping) {
                    let state = pipeline.state;
                    return Err(Error::UnexpectedPipelineMessage { message, pipeline: id, state });
                }
                if let PipelineEvent::HostCall(call) = &event {
                    self.note_call(Some(id), call)?;
                }
                event
            }
            PipelineMessage::State(told) => {
                let allowed = match told.state {
                    PipelineState::Running => pipeline.state == PipelineState::Running,
                    PipelineState::Stopping => {
                        matches!(pipeline.state, PipelineState::Running | PipelineState::Stopping)
                    }
                    state => state.is_final(),
                };
                if !allowed {
                    let state = pipeline.state;
                    return Err(Error::UnexpectedPipelineMessage { message, pipeline: id, state });
                }
                if told.state.is_final() {
                    self.forget_pipeline(id);
                } else {
                    pipeline.state = told.state;
                }
                PipelineEvent::State(told)
            }
        };
        Ok(Some(Event::Pipeline { id, event }))
    }

    /// The command of a pipeline has ended in WS-Man, whatever its state: nothing more will come.
    pub fn handle_command_ended(&mut self, id: Uuid) {
        self.forget_pipeline(id);
    }

    /// ConnectResponse came, and all that was in it was handled: the pool is open now, if it was not told so
    /// (MS-PSRP 3.1.4.10.3).
    ///
    /// # Errors
    ///
    /// There was no SESSION_CAPABILITY in it.
    pub fn handle_connected(&mut self) -> Result<(), Error> {
        if self.state != RunspacePoolState::Opened {
            self.expect("connect", RunspacePoolState::NegotiationSucceeded)?;
            self.connecting = false;
            self.state = RunspacePoolState::Opened;
        }
        Ok(())
    }

    /// The shell is disconnected, and its commands with it (MS-PSRP 3.1.4.9).
    ///
    /// # Errors
    ///
    /// The pool was not open.
    pub fn handle_disconnected(&mut self) -> Result<(), Error> {
        self.expect("disconnect", RunspacePoolState::Opened)?;
        self.state = RunspacePoolState::Disconnected;
        for pipeline in self.pipelines.values_mut() {
            pipeline.before = pipeline.state;
            pipeline.state = PipelineState::Disconnected;
        }
        Ok(())
    }

    /// The shell is connected again (MS-PSRP 3.1.4.10.2). Its commands have to be connected, too, by WS-Man alone.
    ///
    /// # Errors
    ///
    /// The pool was not disconnected.
    pub fn handle_reconnected(&mut self) -> Result<(), Error> {
        self.expect("reconnect", RunspacePoolState::Disconnected)?;
        self.state = RunspacePoolState::Opened;
        for pipeline in self.pipelines.values_mut() {
            pipeline.state = pipeline.before;
        }
        Ok(())
    }

    /// The shell is about to be deleted (MS-PSRP 3.1.1.2.2). What was not sent is forgotten.
    ///
    /// # Errors
    ///
    /// The pool has ended, or was never opened.
    pub fn close(&mut self) -> Result<(), Error> {
        use RunspacePoolState::{BeforeOpen, Broken, Closed, Closing};
        if matches!(self.state, BeforeOpen | Broken | Closed | Closing) {
            return Err(Error::InvalidState { operation: "close", state: self.state });
        }
        self.stop_sending();
        self.state = Closing;
        Ok(())
    }

    /// The shell is deleted.
    pub fn handle_closed(&mut self) {
        self.end(RunspacePoolState::Closed);
    }

    /// The shell is gone without having been deleted, or the server broke the protocol.
    pub fn handle_broken(&mut self) {
        self.end(RunspacePoolState::Broken);
    }
}

/// A message for a pipeline: what it wrote, or what became of it.
enum PipelineMessage {
    Event(PipelineEvent),
    State(PipelineStateMessage),
}
