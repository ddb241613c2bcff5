//! What pipelines write, and how they end.

use uuid::Uuid;
use winrm_clixml::PsValue;

use super::{Carrier, RunspacePool};
use crate::host::HostCall;
use crate::message::SessionCapability;
use crate::message::{HostCallMessage, PipelineStateMessage};
use crate::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use crate::{Error, Message, MessageType, PipelineState, ProtocolVersion, RunspacePoolState};

impl RunspacePool {
    /// Calls the client's host for a pipeline, or for the pool (MS-PSRP 2.2.2.15, 2.2.2.27); returns the number of
    /// the answer, if there will be one.
    ///
    /// # Errors
    ///
    /// The pool is not open, the pipeline not running, too many calls wait, or a parameter cannot be written.
    pub fn call_host(&mut self, pipeline: Option<Uuid>, call: &HostCall) -> Result<Option<i64>, Error> {
        const OPERATION: &str = "call the host";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        if let Some(id) = pipeline {
            self.expect_active(OPERATION, id)?;
        }
        let maximum = self.link.limits().calls;
        if self.calls.len() >= maximum {
            return Err(Error::TooManyCalls { maximum });
        }
        let call_id = self.next_call;
        let message = HostCallMessage::new(call_id, call);
        let waits = message.wants_answer();
        let message = match pipeline {
            Some(_) => Message::PipelineHostCall(message),
            None => Message::RunspacePoolHostCall(message),
        };
        let message = self.encode(pipeline, &message)?;
        self.outbox.push(pipeline.map_or(Carrier::Output, Carrier::CommandOutput), message);
        if !waits {
            return Ok(None);
        }
        self.next_call = call_id.wrapping_add(1);
        self.calls.insert((pipeline, call_id), call.method());
        Ok(Some(call_id))
    }

    /// Writes an object to the output of a pipeline (MS-PSRP 2.2.2.19).
    ///
    /// # Errors
    ///
    /// The pipeline is not running, or the object cannot be written.
    pub fn write_output(&mut self, id: Uuid, object: &PsValue) -> Result<(), Error> {
        const OPERATION: &str = "write output";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        self.expect_active(OPERATION, id)?;
        // Not by way of a message, so that the object need not be copied.
        let message = MessageType::PIPELINE_OUTPUT;
        let data =
            winrm_clixml::encode(object).map_err(|source| crate::EncodeError::Clixml { message, source })?;
        let message = self.wrap(Some(id), message, data);
        self.outbox.push(Carrier::CommandOutput(id), message);
        Ok(())
    }

    /// Writes an error that the pipeline outlives (MS-PSRP 2.2.2.20).
    ///
    /// # Errors
    ///
    /// The pipeline is not running, or the record cannot be written.
    pub fn write_error(&mut self, id: Uuid, record: ErrorRecord) -> Result<(), Error> {
        self.write("write an error", id, &Message::ErrorRecord(record))
    }

    /// Writes a warning (MS-PSRP 2.2.2.24).
    ///
    /// # Errors
    ///
    /// As [`write_error`](Self::write_error).
    pub fn write_warning(&mut self, id: Uuid, record: InformationalRecord) -> Result<(), Error> {
        self.write("write a warning", id, &Message::WarningRecord(record))
    }

    /// Writes a verbose record (MS-PSRP 2.2.2.23).
    ///
    /// # Errors
    ///
    /// As [`write_error`](Self::write_error).
    pub fn write_verbose(&mut self, id: Uuid, record: InformationalRecord) -> Result<(), Error> {
        self.write("write a verbose record", id, &Message::VerboseRecord(record))
    }

    /// Writes a debug record (MS-PSRP 2.2.2.22).
    ///
    /// # Errors
    ///
    /// As [`write_error`](Self::write_error).
    pub fn write_debug(&mut self, id: Uuid, record: InformationalRecord) -> Result<(), Error> {
        self.write("write a debug record", id, &Message::DebugRecord(record))
    }

    /// Writes how far a pipeline has come (MS-PSRP 2.2.2.25).
    ///
    /// # Errors
    ///
    /// As [`write_error`](Self::write_error).
    pub fn write_progress(&mut self, id: Uuid, record: ProgressRecord) -> Result<(), Error> {
        self.write("write progress", id, &Message::ProgressRecord(record))
    }

    /// Writes an information record (MS-PSRP 2.2.2.26).
    ///
    /// # Errors
    ///
    /// As [`write_error`](Self::write_error), and a client older than version 2.3.
    pub fn write_information(&mut self, id: Uuid, record: InformationRecord) -> Result<(), Error> {
        const OPERATION: &str = "write an information record";
        let needed = ProtocolVersion::V2_3;
        let peer = self.peer.as_ref().map(SessionCapability::protocol);
        if let Some(peer) = peer.filter(|peer| *peer < needed) {
            return Err(Error::NotSupported { operation: OPERATION, needed, peer });
        }
        self.write(OPERATION, id, &Message::InformationRecord(record))
    }

    /// Notes that a pipeline is to stop, as the client's Signal `powershell/signal/crtl_c` asks (MS-PSRP 3.2.5.3.10).
    ///
    /// # Errors
    ///
    /// There is no such pipeline.
    pub fn handle_stop(&mut self, id: Uuid) -> Result<(), Error> {
        let pipeline =
            self.pipelines.get_mut(&id).ok_or(Error::NoPipeline { operation: "stop", pipeline: id })?;
        pipeline.state = PipelineState::Stopping;
        pipeline.input_open = false;
        Ok(())
    }

    /// Ends a pipeline (MS-PSRP 3.2.5.4.21): Completed, Failed with the terminating error, or Stopped.
    ///
    /// # Errors
    ///
    /// The pipeline is not running, the state is not final, or the error cannot be written.
    pub fn end_pipeline(
        &mut self,
        id: Uuid,
        state: PipelineState,
        error: Option<ErrorRecord>,
    ) -> Result<(), Error> {
        const OPERATION: &str = "end a pipeline";
        self.expect(OPERATION, RunspacePoolState::Opened)?;
        self.expect_active(OPERATION, id)?;
        if !state.is_final() {
            return Err(Error::InvalidPipelineState { operation: OPERATION, pipeline: id, state });
        }
        let told = Message::PipelineState(PipelineStateMessage { state, error });
        let told = self.encode(Some(id), &told)?;
        self.outbox.push(Carrier::CommandOutput(id), told);
        self.pipelines.remove(&id);
        self.calls.retain(|(pipeline, _), _| *pipeline != Some(id));
        self.link.forget(Some(id));
        Ok(())
    }

    /// Nothing of this pipeline will be sent any more: its command is gone.
    pub fn handle_command_ended(&mut self, id: Uuid) {
        self.pipelines.remove(&id);
        self.calls.retain(|(pipeline, _), _| *pipeline != Some(id));
        self.outbox.retain(|carrier| carrier.pipeline() != Some(id));
        self.link.forget(Some(id));
    }

    fn write(&mut self, operation: &'static str, id: Uuid, message: &Message) -> Result<(), Error> {
        self.expect(operation, RunspacePoolState::Opened)?;
        self.expect_active(operation, id)?;
        let message = self.encode(Some(id), message)?;
        self.outbox.push(Carrier::CommandOutput(id), message);
        Ok(())
    }

    /// A pipeline that is asked to stop writes on until it does.
    fn expect_active(&self, operation: &'static str, id: Uuid) -> Result<(), Error> {
        match self.pipelines.get(&id).map(|pipeline| pipeline.state) {
            Some(PipelineState::Running | PipelineState::Stopping) => Ok(()),
            Some(state) => Err(Error::InvalidPipelineState { operation, pipeline: id, state }),
            None => Err(Error::NoPipeline { operation, pipeline: id }),
        }
    }
}
