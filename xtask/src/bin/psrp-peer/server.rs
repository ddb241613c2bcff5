//! The server: takes every pool, and runs a few commands of its own.

use serde_json::{Value, json};
use winrm_clixml::{DateTime, PsString, PsValue};
use winrm_psrp::host::HostCall;
use winrm_psrp::key::SessionKey;
use winrm_psrp::message::{Availability, CreatePipeline, primitive_dictionary};
use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
use winrm_psrp::server::{Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{ErrorCategory, PipelineState};

use crate::values::{bytes, id, pipeline, text, to_json};
use crate::{Failure, PAYLOAD, Payload, Peer};

pub(crate) struct Server {
    pool: RunspacePool,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { pool: RunspacePool::new(Config::default()) }
    }

    fn take(&mut self, event: Event) -> Result<Option<Value>, Failure> {
        match event {
            Event::Negotiated(capability) => {
                return Ok(Some(
                    json!({ "event": "negotiated", "version": capability.protocol_version.to_string() }),
                ));
            }
            Event::Opening(asked) => {
                self.pool.accept(primitive_dictionary([("k", PsValue::from("v"))]))?;
                return Ok(Some(
                    json!({ "event": "opening", "min": asked.min_runspaces, "max": asked.max_runspaces }),
                ));
            }
            Event::SetMaxRunspaces { call_id, .. } | Event::SetMinRunspaces { call_id, .. } => {
                self.pool.answer(call_id, Availability::Done(true))?;
            }
            Event::GetAvailableRunspaces { call_id } => {
                self.pool.answer(call_id, Availability::Available(1))?;
            }
            Event::PublicKey(client) => {
                self.pool.send_session_key(&client, SessionKey::generate()?, &mut getrandom::SysRng)?;
            }
            Event::Pipeline { id, event } => return self.of_pipeline(id, event),
            other => return Ok(Some(json!({ "event": format!("{other:?}") }))),
        }
        Ok(None)
    }

    fn of_pipeline(&mut self, id: Uuid, event: PipelineEvent) -> Result<Option<Value>, Failure> {
        match event {
            PipelineEvent::Create(asked) => return self.start(id, &asked).map(Some),
            PipelineEvent::Input(value) => {
                self.pool.write_output(id, &value)?;
                return Ok(Some(
                    json!({ "event": "input", "value": to_json(&value, self.pool.session_key())? }),
                ));
            }
            PipelineEvent::EndOfInput => self.end(id)?,
            PipelineEvent::HostResponse(response) => {
                let said = response.result.unwrap_or(PsValue::Nil);
                self.pool.write_output(id, &said)?;
                self.end(id)?;
                return Ok(Some(json!({ "event": "response", "value": to_json(&said, None)? })));
            }
            other => return Ok(Some(json!({ "event": format!("{other:?}") }))),
        }
        Ok(None)
    }

    fn end(&mut self, id: Uuid) -> Result<(), Failure> {
        Ok(self.pool.end_pipeline(id, PipelineState::Completed, None)?)
    }

    fn start(&mut self, id: Uuid, asked: &CreatePipeline) -> Result<Value, Failure> {
        let command = asked.powershell.statements.first().and_then(|statement| statement.first());
        let command = command.ok_or("no command")?;
        let name = command.text.to_string();
        let mut parameters = serde_json::Map::new();
        for argument in &command.arguments {
            let name = argument.name.as_ref().map(ToString::to_string).unwrap_or_default();
            parameters.insert(name, to_json(&argument.value, self.pool.session_key())?);
        }
        let pool = &mut self.pool;
        match name.as_str() {
            // They go on.
            "echo" | "forever" => {}
            "host" => drop(pool.call_host(Some(id), &HostCall::ReadLine {})?),
            "secret" => {
                let key = pool.session_key().ok_or("no key")?;
                let secret = key.encrypt(&PsString::from("from the server"));
                pool.write_output(id, &secret.into())?;
                self.end(id)?;
            }
            "fail" => {
                let error =
                    ErrorRecord::new("System.Exception", "thrown", "Thrown", ErrorCategory::INVALID_DATA);
                pool.end_pipeline(id, PipelineState::Failed, Some(error))?;
            }
            _ => {
                let error = ErrorRecord::new("System.Exception", "e", "Id", ErrorCategory::INVALID_DATA);
                pool.write_output(id, &"x".repeat(5000).as_str().into())?;
                pool.write_error(id, error)?;
                pool.write_warning(id, InformationalRecord::warning("w"))?;
                pool.write_verbose(id, InformationalRecord::verbose("v"))?;
                pool.write_debug(id, InformationalRecord::debug("d"))?;
                pool.write_progress(id, ProgressRecord::new(7, "a", "s").with_percent_complete(40))?;
                let time = DateTime::new("2024-02-29T12:00:00Z")?;
                pool.write_information(id, InformationRecord::new("i", "me", time).with_tags(["t"]))?;
                self.end(id)?;
            }
        }
        Ok(json!({ "event": "start", "name": name, "parameters": parameters }))
    }
}

impl Peer for Server {
    fn act(&mut self, request: &Value) -> Result<Vec<Value>, Failure> {
        match text(request, "do")? {
            "stop" => {
                let id = pipeline(request)?;
                self.pool.handle_stop(id)?;
                self.pool.end_pipeline(id, PipelineState::Stopped, None)?;
                Ok(Vec::new())
            }
            "data" => {
                let (bytes, stream) = (bytes(request)?, id(request)?);
                let mut rest = &bytes[..];
                let mut events = Vec::new();
                while let Some(event) = self.pool.handle_data(stream, &mut rest)? {
                    events.extend(self.take(event)?);
                }
                Ok(events)
            }
            other => Err(format!("{other} is nothing to do").into()),
        }
    }

    fn payload(&mut self) -> Result<Option<Payload>, Failure> {
        let sent = self.pool.poll_transmit(PAYLOAD)?;
        Ok(sent.map(|sent| (sent.carrier.pipeline(), sent.payload)))
    }
}
