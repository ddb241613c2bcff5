//! What comes from the client, and what happens in WS-Man.

use uuid::Uuid;

use super::pool::{Negotiation, Pipeline, Question};
use super::{Event, PipelineEvent, RunspacePool};
use crate::key::PublicKey;
use crate::message::HostResponseMessage;
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
        match self.link.read(stream, input)? {
            Some(raw) => self.handle_message(&raw).map(Some),
            None => Ok(None),
        }
    }

    fn handle_message(&mut self, raw: &RawMessage) -> Result<Event, Error> {
        let message = raw.message_type;
        self.check_pool(raw)?;
        self.check_state(message)?;
        let id = raw.pipeline_id;
        let event = match self.link.decode(raw)? {
            Message::SessionCapability(capability) => {
                let peer = capability.protocol();
                if peer.major != self.config.capability.protocol().major {
                    return Err(Error::Incompatible { peer });
                }
                self.id = Some(raw.runspace_pool_id);
                self.peer = Some(capability.clone());
                self.send_capability()?;
                self.negotiation = Negotiation::None;
                self.state = RunspacePoolState::NegotiationSucceeded;
                Event::Negotiated(capability)
            }
            Message::InitRunspacePool(init) => {
                self.negotiate(message, Negotiation::Opening)?;
                self.min_runspaces = init.min_runspaces;
                self.max_runspaces = init.max_runspaces;
                Event::Opening(init)
            }
            Message::ConnectRunspacePool(connect) => {
                self.negotiate(message, Negotiation::Connecting)?;
                self.min_runspaces = connect.min_runspaces.unwrap_or(self.min_runspaces);
                self.max_runspaces = connect.max_runspaces.unwrap_or(self.max_runspaces);
                Event::Connecting(connect)
            }
            Message::SetMaxRunspaces(asked) => {
                self.note(message, asked.call_id, Question::SetMax(asked.max_runspaces))?;
                Event::SetMaxRunspaces { max_runspaces: asked.max_runspaces, call_id: asked.call_id }
            }
            Message::SetMinRunspaces(asked) => {
                self.note(message, asked.call_id, Question::SetMin(asked.min_runspaces))?;
                Event::SetMinRunspaces { min_runspaces: asked.min_runspaces, call_id: asked.call_id }
            }
            Message::GetAvailableRunspaces(asked) => {
                self.note(message, asked.call_id, Question::Available)?;
                Event::GetAvailableRunspaces { call_id: asked.call_id }
            }
            Message::ResetRunspaceState(asked) => {
                self.note(message, asked.call_id, Question::Reset)?;
                Event::ResetRunspaceState { call_id: asked.call_id }
            }
            Message::PublicKey(blob) => {
                // Once for each pool (MS-PSRP 3.1.5.4.3).
                if self.key_received {
                    return Err(Error::UnexpectedMessage { message, state: self.state });
                }
                let key = PublicKey::from_blob(&blob)?;
                self.key_received = true;
                Event::PublicKey(key)
            }
            Message::RunspacePoolHostResponse(response) => {
                self.answered(message, None, &response)?;
                Event::HostResponse(response)
            }
            Message::CreatePipeline(pipeline) => {
                self.create(id, !pipeline.no_input)?;
                Event::Pipeline { id, event: PipelineEvent::Create(pipeline) }
            }
            Message::GetCommandMetadata(metadata) => {
                self.create(id, false)?;
                Event::Pipeline { id, event: PipelineEvent::GetCommandMetadata(metadata) }
            }
            Message::PipelineInput(value) => {
                self.input(message, id)?;
                Event::Pipeline { id, event: PipelineEvent::Input(value) }
            }
            Message::EndOfPipelineInput => {
                self.input(message, id)?.input_open = false;
                Event::Pipeline { id, event: PipelineEvent::EndOfInput }
            }
            Message::PipelineHostResponse(response) => {
                self.answered(message, Some(id), &response)?;
                Event::Pipeline { id, event: PipelineEvent::HostResponse(response) }
            }
            Message::EncryptedSessionKey(_)
            | Message::PublicKeyRequest
            | Message::RunspaceAvailability(_)
            | Message::RunspacePoolState(_)
            | Message::UserEvent(_)
            | Message::ApplicationPrivateData(_)
            | Message::RunspacePoolHostCall(_)
            | Message::PipelineOutput(_)
            | Message::ErrorRecord(_)
            | Message::PipelineState(_)
            | Message::DebugRecord(_)
            | Message::VerboseRecord(_)
            | Message::WarningRecord(_)
            | Message::ProgressRecord(_)
            | Message::InformationRecord(_)
            | Message::PipelineHostCall(_)
            | Message::RunspacePoolInitData(_) => return Err(Error::WrongDirection { message }),
        };
        Ok(event)
    }

    fn check_pool(&self, raw: &RawMessage) -> Result<(), Error> {
        let found = raw.runspace_pool_id;
        match self.id {
            Some(expected) if expected != found => {
                Err(Error::WrongPool { message: raw.message_type, expected, found })
            }
            _ => Ok(()),
        }
    }

    /// The states that allow a message (MS-PSRP 3.2.5.4).
    fn check_state(&self, message: MessageType) -> Result<(), Error> {
        use RunspacePoolState::{BeforeOpen, Disconnected, NegotiationSucceeded, Opened};
        let allowed: &[RunspacePoolState] = match message {
            MessageType::SESSION_CAPABILITY => &[BeforeOpen, Disconnected],
            MessageType::INIT_RUNSPACEPOOL | MessageType::CONNECT_RUNSPACEPOOL => &[NegotiationSucceeded],
            _ => &[Opened],
        };
        if allowed.contains(&self.state) {
            return Ok(());
        }
        Err(Error::UnexpectedMessage { message, state: self.state })
    }

    /// A pool is opened once; one that was opened before can be connected to.
    fn negotiate(&mut self, message: MessageType, what: Negotiation) -> Result<(), Error> {
        let was_open = self.was_open;
        let allowed = match what {
            Negotiation::Opening => !was_open,
            Negotiation::Connecting => was_open,
            Negotiation::None | Negotiation::Done => false,
        };
        if !allowed || self.negotiation != Negotiation::None {
            return Err(Error::UnexpectedMessage { message, state: self.state });
        }
        self.negotiation = what;
        Ok(())
    }

    fn note(&mut self, message: MessageType, call_id: i64, question: Question) -> Result<(), Error> {
        let maximum = self.link.limits().calls;
        if self.questions.contains_key(&call_id) {
            return Err(Error::UnknownCall { message, call_id });
        }
        if self.questions.len() >= maximum {
            return Err(Error::TooManyCalls { maximum });
        }
        self.questions.insert(call_id, question);
        Ok(())
    }

    fn create(&mut self, id: Uuid, input_open: bool) -> Result<(), Error> {
        if self.pipelines.contains_key(&id) {
            return Err(Error::DuplicatePipeline { pipeline: id });
        }
        let maximum = self.link.limits().pipelines;
        if self.pipelines.len() >= maximum {
            return Err(Error::TooManyPipelines { maximum });
        }
        self.pipelines.insert(id, Pipeline { state: PipelineState::Running, input_open });
        Ok(())
    }

    fn input(&mut self, message: MessageType, id: Uuid) -> Result<&mut Pipeline, Error> {
        let pipeline = self.pipelines.get_mut(&id).ok_or(Error::UnknownPipeline { message, pipeline: id })?;
        if pipeline.state == PipelineState::Running && pipeline.input_open {
            return Ok(pipeline);
        }
        Err(Error::UnexpectedPipelineMessage { message, pipeline: id, state: pipeline.state })
    }

    fn answered(
        &mut self,
        message: MessageType,
        pipeline: Option<Uuid>,
        response: &HostResponseMessage,
    ) -> Result<(), Error> {
        let call_id = response.call_id;
        let unknown = Error::UnknownCall { message, call_id };
        if let Some(id) = pipeline
            && !self.pipelines.contains_key(&id)
        {
            return Err(Error::UnknownPipeline { message, pipeline: id });
        }
        let Some(method) = self.calls.get(&(pipeline, call_id)) else { return Err(unknown) };
        if *method != response.method {
            return Err(unknown);
        }
        self.calls.remove(&(pipeline, call_id));
        Ok(())
    }

    /// The client has left the shell, by Disconnect or without a word (MS-PSRP 3.2.5.3.17).
    ///
    /// # Errors
    ///
    /// The pool was not open.
    pub fn handle_disconnected(&mut self) -> Result<(), Error> {
        self.expect("disconnect", RunspacePoolState::Opened)?;
        self.state = RunspacePoolState::Disconnected;
        // What the client has sent in part, it will not finish.
        self.link.reset();
        Ok(())
    }

    /// The client has come back to the shell (MS-PSRP 3.2.5.3.19). One that connects anew sends messages instead.
    ///
    /// # Errors
    ///
    /// The pool was not disconnected.
    pub fn handle_reconnected(&mut self) -> Result<(), Error> {
        self.expect("reconnect", RunspacePoolState::Disconnected)?;
        self.state = RunspacePoolState::Opened;
        Ok(())
    }

    /// The shell is deleted (MS-PSRP 3.2.1.2.2). What was not sent is forgotten.
    pub fn handle_closed(&mut self) {
        self.end(RunspacePoolState::Closed);
        self.outbox.retain(|_| false);
    }
}
