//! The client: opens a pool and runs pipelines as it is told.

use serde_json::{Value, json};
use winrm_clixml::PsString;
use winrm_psrp::client::{Config, Event, PipelineEvent, RunspacePool};
use winrm_psrp::host::HostReturn;
use winrm_psrp::key::KeyPair;
use winrm_psrp::message::{Command, CreatePipeline, PowerShell};
use winrm_psrp::record::InformationalRecord;
use winrm_psrp::uuid::Uuid;

use crate::values::{bytes, from_json, id, pipeline, text, to_json};
use crate::{Failure, PAYLOAD, Payload, Peer};

pub(crate) struct Client(RunspacePool);

impl Client {
    pub(crate) fn new() -> Self {
        Self(RunspacePool::new(Uuid::new_v4(), Config::default()))
    }

    fn run(&mut self, request: &Value) -> Result<(), Failure> {
        let mut command = Command::named(text(request, "name")?);
        for (name, value) in request.get("parameters").and_then(Value::as_object).into_iter().flatten() {
            command = command.parameter(name.as_str(), from_json(value, self.0.session_key())?);
        }
        let mut asked = CreatePipeline::new(PowerShell::default().with(command));
        asked.no_input = request.get("input").is_none();
        Ok(self.0.create_pipeline(pipeline(request)?, asked)?)
    }

    fn told(&self, event: Event) -> Result<Value, Failure> {
        let key = self.0.session_key();
        Ok(match event {
            Event::Negotiated(capability) => {
                json!({ "event": "negotiated", "version": capability.protocol_version.to_string() })
            }
            Event::PrivateData(data) => {
                json!({ "event": "private data", "value": to_json(data.get("k").ok_or("no k")?, key)? })
            }
            Event::Opened => json!({ "event": "opened" }),
            Event::Ended { state, .. } => json!({ "event": "ended", "state": state.to_string() }),
            Event::KeyRequested => json!({ "event": "key requested" }),
            Event::KeyExchanged => json!({ "event": "key exchanged" }),
            Event::HostCall(call) => {
                json!({ "event": "host call", "call": call.call_id, "method": format!("{:?}", call.method) })
            }
            Event::Pipeline { id, event } => {
                let mut told = self.of_pipeline(event)?;
                if let Value::Object(members) = &mut told {
                    members.insert("id".to_owned(), json!(id.to_string()));
                }
                told
            }
            other => json!({ "event": format!("{other:?}") }),
        })
    }

    fn of_pipeline(&self, event: PipelineEvent) -> Result<Value, Failure> {
        let shown = |text: Option<&PsString>| text.map(ToString::to_string);
        let record = |name: &str, record: InformationalRecord| json!({ "event": name, "value": shown(record.message()) });
        Ok(match event {
            PipelineEvent::Output(value) => {
                json!({ "event": "output", "value": to_json(&value, self.0.session_key())? })
            }
            PipelineEvent::Error(record) => json!({
                "event": "error",
                "value": shown(record.message()),
                "error_id": shown(record.fully_qualified_error_id()),
                "category": record.category().0,
            }),
            PipelineEvent::Debug(told) => record("debug", told),
            PipelineEvent::Verbose(told) => record("verbose", told),
            PipelineEvent::Warning(told) => record("warning", told),
            PipelineEvent::Progress(record) => json!({
                "event": "progress",
                "value": shown(record.activity()),
                "status": shown(record.status_description()),
                "percent": record.percent_complete(),
                "activity_id": record.activity_id(),
            }),
            PipelineEvent::Information(record) => json!({
                "event": "information",
                "value": to_json(record.message_data().ok_or("no data")?, None)?,
                "tags": record.tags().map(ToString::to_string).collect::<Vec<_>>(),
            }),
            PipelineEvent::HostCall(call) => json!({
                "event": "host call",
                "call": call.call_id,
                "method": format!("{:?}", call.method),
            }),
            PipelineEvent::State(told) => json!({
                "event": "state",
                "value": told.state.to_string(),
                "error": told.error.as_ref().and_then(|error| shown(error.message())),
            }),
            other => json!({ "event": format!("{other:?}") }),
        })
    }
}

impl Peer for Client {
    fn act(&mut self, request: &Value) -> Result<Vec<Value>, Failure> {
        match text(request, "do")? {
            "open" => self.0.open()?,
            "run" => self.run(request)?,
            "input" => {
                let value = request.get("value").ok_or("no value")?;
                let value = from_json(value, self.0.session_key())?;
                self.0.send_input(pipeline(request)?, &value)?;
            }
            "end" => self.0.end_input(pipeline(request)?)?,
            "stop" => self.0.stop_pipeline(pipeline(request)?)?,
            "key" => self.0.exchange_key(KeyPair::generate()?)?,
            "respond" => {
                let call = request.get("call").and_then(Value::as_i64).ok_or("no call")?;
                let answer = HostReturn::Text(text(request, "value")?.into());
                self.0.respond(id(request)?, call, Ok(&answer))?;
            }
            "data" => {
                let (bytes, stream) = (bytes(request)?, id(request)?);
                let mut rest = &bytes[..];
                let mut events = Vec::new();
                while let Some(event) = self.0.handle_data(stream, &mut rest)? {
                    events.push(self.told(event)?);
                }
                return Ok(events);
            }
            other => return Err(format!("{other} is nothing to do").into()),
        }
        Ok(Vec::new())
    }

    fn payload(&mut self) -> Result<Option<Payload>, Failure> {
        let sent = self.0.poll_transmit(PAYLOAD)?;
        Ok(sent.map(|sent| (sent.carrier.pipeline(), sent.payload)))
    }
}
