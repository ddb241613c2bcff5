//! Pipelines, from beginning to end.

use uuid::Uuid;
use winrm_clixml::PsValue;

use super::pipeline::Pipeline;
use super::{Carrier, RunspacePool};
use crate::host::HostReturn;
use crate::message::{CreatePipeline, GetCommandMetadata, HostResponseMessage};
use crate::record::ErrorRecord;
use crate::{Error, Message, PipelineState, ProtocolVersion, RunspacePoolState};

impl RunspacePool {
    /// Runs a pipeline under a fresh identifier, which also names its command (MS-PSRP 3.1.5.4.10). Parts that an older
    /// server does not know are left out where they say nothing.
    ///
    /// # Errors
    ///
    /// The pool is not open, the identifier is in use, there are too many pipelines, or something cannot be written.
    pub fn create_pipeline(&mut self, id: Uuid, mut pipeline: CreatePipeline) -> Result<(), Error> {
        self.can_create("create a pipeline", id)?;
        self.fit_to_peer(&mut pipeline)?;
        let input_open = !pipeline.no_input;
        self.create(id, &Message::CreatePipeline(Box::new(pipeline)), input_open)
    }

    /// Runs a pipeline that tells which commands there are (MS-PSRP 2.2.2.14).
    ///
    /// # Errors
    ///
    /// As [`create_pipeline`](Self::create_pipeline).
    pub fn get_command_metadata(&mut self, id: Uuid, metadata: GetCommandMetadata) -> Result<(), Error> {
        self.can_create("get command metadata", id)?;
        self.create(id, &Message::GetCommandMetadata(metadata), false)
    }

    /// Takes up a pipeline of a pool that was connected to; its command has to be connected, too.
    ///
    /// # Errors
    ///
    /// The pool is not open, the identifier is in use, or there are too many pipelines.
    pub fn attach_pipeline(&mut self, id: Uuid) -> Result<(), Error> {
        self.can_create("attach a pipeline", id)?;
        self.pipelines.insert(id, Pipeline::new(true));
        Ok(())
    }

    /// Sends an object to a pipeline (MS-PSRP 2.2.2.17).
    ///
    /// # Errors
    ///
    /// The pipeline is not running, takes no input, or the object cannot be written.
    pub fn send_input(&mut self, id: Uuid, object: &PsValue) -> Result<(), Error> {
        const OPERATION: &str = "send input";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        self.expect_input(OPERATION, id)?;
        // Not by way of a message, so that the object need not be copied.
        let data = winrm_clixml::encode(object).map_err(|source| crate::EncodeError::Clixml {
            message: crate::MessageType::PIPELINE_INPUT,
            source,
        })?;
        let message = self.wrap(Some(id), crate::MessageType::PIPELINE_INPUT, data);
        self.outbox.push(Carrier::CommandInput(id), message);
        Ok(())
    }

    /// Ends the input of a pipeline (MS-PSRP 2.2.2.18).
    ///
    /// # Errors
    ///
    /// The pipeline is not running, or takes no input.
    pub fn end_input(&mut self, id: Uuid) -> Result<(), Error> {
        const OPERATION: &str = "end the input";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        self.expect_input(OPERATION, id)?;
        let message = self.encode(Some(id), &Message::EndOfPipelineInput)?;
        self.outbox.push(Carrier::CommandInput(id), message);
        if let Some(pipeline) = self.pipelines.get_mut(&id) {
            pipeline.input_open = false;
        }
        Ok(())
    }

    /// Notes that a pipeline is asked to stop, which is done by a Signal `powershell/signal/crtl_c` (MS-PSRP 3.1.4.4).
    /// Its input that has not been sent is forgotten. It has ended once its state says so.
    ///
    /// # Errors
    ///
    /// The pipeline is not running.
    pub fn stop_pipeline(&mut self, id: Uuid) -> Result<(), Error> {
        const OPERATION: &str = "stop";
        let pipeline = self.pipeline(OPERATION, id)?;
        match pipeline.state {
            PipelineState::Running | PipelineState::Stopping => {}
            state => return Err(Error::InvalidPipelineState { operation: OPERATION, pipeline: id, state }),
        }
        pipeline.state = PipelineState::Stopping;
        pipeline.input_open = false;
        self.outbox.retain_begun(|carrier| *carrier != Carrier::CommandInput(id));
        Ok(())
    }

    /// Answers a call of the host: that of a pipeline, or that of the pool (MS-PSRP 3.1.5.4.16, 3.1.5.4.28).
    ///
    /// # Errors
    ///
    /// There is no such call, or the answer cannot be written.
    pub fn respond(
        &mut self,
        pipeline: Option<Uuid>,
        call_id: i64,
        answer: Result<&HostReturn, ErrorRecord>,
    ) -> Result<(), Error> {
        self.expect("answer a host call", RunspacePoolState::Opened)?;
        let method = *self.calls.get(&(pipeline, call_id)).ok_or(Error::NoCall { call_id })?;
        let (result, error) = match answer {
            Ok(value) => (Some(value.to_value()), None),
            Err(error) => (None, Some(error)),
        };
        let response = HostResponseMessage { call_id, method, result, error };
        let (carrier, message) = match pipeline {
            Some(id) => (Carrier::CommandPromptResponse(id), Message::PipelineHostResponse(response)),
            None => (Carrier::PromptResponse, Message::RunspacePoolHostResponse(response)),
        };
        let message = self.encode(pipeline, &message)?;
        self.calls.remove(&(pipeline, call_id));
        // A script waits for it, whatever else there is to send.
        self.outbox.push_front(carrier, message);
        Ok(())
    }

    fn can_create(&self, operation: &'static str, id: Uuid) -> Result<(), Error> {
        self.expect(operation, RunspacePoolState::Opened)?;
        let maximum = self.link.limits().pipelines;
        if self.pipelines.contains_key(&id) {
            return Err(Error::DuplicatePipeline { pipeline: id });
        }
        if self.pipelines.len() >= maximum { Err(Error::TooManyPipelines { maximum }) } else { Ok(()) }
    }

    fn create(&mut self, id: Uuid, message: &Message, input_open: bool) -> Result<(), Error> {
        let message = self.encode(Some(id), message)?;
        self.outbox.push(Carrier::Command(id), message);
        self.pipelines.insert(id, Pipeline::new(input_open));
        Ok(())
    }

    /// Leaves out what the server does not know, if it says nothing.
    fn fit_to_peer(&self, pipeline: &mut CreatePipeline) -> Result<(), Error> {
        const OPERATION: &str = "merge streams";
        let peer = self.version();
        let none = crate::PipelineResultTypes::NONE;
        for command in pipeline.powershell.statements.iter_mut().flatten() {
            let Some(merge) = &mut command.merge else { continue };
            if peer < ProtocolVersion::V2_3 {
                if merge.information.is_some_and(|to| to != none) {
                    self.expect_version(OPERATION, ProtocolVersion::V2_3)?;
                }
                merge.information = None;
            }
            if peer < ProtocolVersion::V2_2 {
                // Errors are merged in the older way, too.
                if [merge.warning, merge.verbose, merge.debug].iter().any(|to| *to != none) {
                    self.expect_version(OPERATION, ProtocolVersion::V2_2)?;
                }
                command.merge = None;
            }
        }
        Ok(())
    }

    fn expect_input(&mut self, operation: &'static str, id: Uuid) -> Result<(), Error> {
        let pipeline = self.pipeline(operation, id)?;
        if pipeline.state == PipelineState::Running && pipeline.input_open {
            return Ok(());
        }
        Err(Error::InvalidPipelineState { operation, pipeline: id, state: pipeline.state })
    }
}
