//! Pipelines of a pool.

use std::collections::HashMap;

use uuid::Uuid;
use winrm_clixml::PsValue;

use super::{Event, PipelineEvent, Pool};
use crate::error::{Error, Rejected};
use crate::host::HostResponse;
use crate::message::{Body, Destination, GetCommandMetadata, Message, MessageType};
use crate::pipeline::Pipeline;
use crate::{PipelineState, PoolState};

/// Pipelines that are not over.
#[derive(Debug, Default)]
pub(super) struct Pipelines(HashMap<Uuid, Running>);

#[derive(Debug)]
struct Running {
    state: PipelineState,
    takes_input: bool,
}

impl Pipelines {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Pool {
    /// Makes a pipeline and starts it; its id, under which what it sends waits. The first part belongs into a Command.
    ///
    /// # Errors
    ///
    /// The pool is not open, or a value cannot be written.
    pub fn start(&mut self, pipeline: &Pipeline) -> Result<Uuid, Error> {
        self.start_as(Uuid::new_v4(), pipeline)
    }

    /// As [`start`](Self::start), under this id.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_as(&mut self, id: Uuid, pipeline: &Pipeline) -> Result<Uuid, Error> {
        self.begin(id, Body::CreatePipeline(Box::new(pipeline.clone())), !pipeline.no_input)
    }

    /// Asks what commands there are; the answer comes as that of a pipeline.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_metadata(&mut self, metadata: &GetCommandMetadata) -> Result<Uuid, Error> {
        self.begin(Uuid::new_v4(), Body::GetCommandMetadata(metadata.clone()), false)
    }

    /// Takes over a pipeline of a pool that was connected to.
    ///
    /// # Errors
    ///
    /// The pool is not open.
    pub fn attach(&mut self, id: Uuid) -> Result<(), Error> {
        self.require(PoolState::Opened, "attach to a pipeline")?;
        self.pipelines.0.insert(id, Running { state: PipelineState::Running, takes_input: true });
        Ok(())
    }

    /// Sends an object to a pipeline's input.
    ///
    /// # Errors
    ///
    /// The pipeline is over, takes no input, or the value cannot be written.
    pub fn input(&mut self, id: Uuid, value: &PsValue) -> Result<(), Error> {
        self.require_input(id, "send it input")?;
        self.send_pipeline(id, Body::PipelineInput(value.clone()))
    }

    /// Ends a pipeline's input.
    ///
    /// # Errors
    ///
    /// As [`input`](Self::input).
    pub fn end_input(&mut self, id: Uuid) -> Result<(), Error> {
        self.require_input(id, "end its input")?;
        self.send_pipeline(id, Body::EndOfPipelineInput)?;
        if let Some(running) = self.pipelines.0.get_mut(&id) {
            running.takes_input = false;
        }
        Ok(())
    }

    /// Notes that a pipeline was asked to stop, by the transport.
    ///
    /// # Errors
    ///
    /// It is over.
    pub fn stopping(&mut self, id: Uuid) -> Result<(), Error> {
        let running = self.pipelines.0.get_mut(&id).ok_or(Error::UnknownPipeline(id))?;
        running.state = PipelineState::Stopping;
        Ok(())
    }

    /// The state of a pipeline that is not over.
    pub fn pipeline_state(&self, id: Uuid) -> Option<PipelineState> {
        self.pipelines.0.get(&id).map(|running| running.state)
    }

    /// Pipelines that are not over.
    pub fn running(&self) -> impl Iterator<Item = Uuid> {
        self.pipelines.0.keys().copied()
    }

    /// Notes that a pipeline is over, or given up; what waits for it is thrown away.
    pub fn forget(&mut self, id: Uuid) {
        self.pipelines.0.remove(&id);
        self.inbox.forget(Some(id));
        self.outbox.forget(Some(id));
        self.responses.forget(Some(id));
    }

    /// Answers a call of the pool's host (`None`) or of a pipeline's.
    ///
    /// # Errors
    ///
    /// The pool is not open, the pipeline is over, or the value cannot be written.
    pub fn respond(&mut self, pipeline: Option<Uuid>, response: HostResponse) -> Result<(), Error> {
        if self.state.is_final() {
            return Err(Error::PoolState { action: "answer a call of the host", state: self.state });
        }
        let pool = self.options.id;
        let message = match pipeline {
            Some(id) if !self.pipelines.0.contains_key(&id) => return Err(Error::UnknownPipeline(id)),
            Some(id) => {
                Message::of_pipeline(Destination::Server, pool, id, Body::PipelineHostResponse(response))
            }
            None => Message::of_pool(Destination::Server, pool, Body::RunspacePoolHostResponse(response)),
        };
        Ok(self.responses.push(pipeline, &message)?)
    }

    pub(super) fn pipeline(
        &mut self,
        id: Option<Uuid>,
        message: MessageType,
        event: PipelineEvent,
        events: &mut Vec<Event>,
    ) {
        let known = id.and_then(|id| self.pipelines.0.get_mut(&id).map(|running| (id, running)));
        let Some((id, running)) = known else {
            let rejected = Rejected::UnknownPipeline { message, pipeline: id };
            return events.push(Event::Rejected(rejected));
        };
        if let PipelineEvent::State { state, .. } = &event {
            running.state = *state;
            if state.is_final() {
                self.pipelines.0.remove(&id);
                self.outbox.forget(Some(id));
                self.responses.forget(Some(id));
            }
        }
        events.push(Event::Pipeline { id, event });
    }

    fn begin(&mut self, id: Uuid, body: Body, takes_input: bool) -> Result<Uuid, Error> {
        self.require(PoolState::Opened, "start a pipeline")?;
        self.send_pipeline(id, body)?;
        self.pipelines.0.insert(id, Running { state: PipelineState::Running, takes_input });
        Ok(id)
    }

    fn send_pipeline(&mut self, id: Uuid, body: Body) -> Result<(), Error> {
        let message = Message::of_pipeline(Destination::Server, self.options.id, id, body);
        Ok(self.outbox.push(Some(id), &message)?)
    }

    fn require_input(&self, id: Uuid, action: &'static str) -> Result<(), Error> {
        self.require(PoolState::Opened, action)?;
        let running = self.pipelines.0.get(&id).ok_or(Error::UnknownPipeline(id))?;
        if running.takes_input { Ok(()) } else { Err(Error::PipelineState { action, state: running.state }) }
    }
}
