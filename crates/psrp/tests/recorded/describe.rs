//! Messages as the readings that lie beside recordings.

use serde_json::{Map, Value, json};
use winrm_clixml::{Content, PsString, PsValue};
use winrm_psrp::message::{Availability, Command, CreatePipeline};
use winrm_psrp::record::{ErrorRecord, InformationalRecord};
use winrm_psrp::{Message, PipelineResultTypes};

use crate::files::sha256;

pub(crate) fn check(id: &str, message: &Message, expected: &Value) {
    match message {
        Message::PipelineOutput(found) | Message::PipelineInput(found) => check_value(id, found, expected),
        other => {
            let described = describe(other);
            for (field, expected) in expected.as_object().unwrap() {
                assert_eq!(&described[field], expected, "{id}: {field}");
            }
        }
    }
}

/// Large values have no reading: their hash was compared before.
fn check_value(id: &str, found: &PsValue, expected: &Value) {
    if expected["summary_omitted"].is_string() {
        return;
    }
    assert_eq!(found.tag(), expected["element"], "{id}");
    let types = found.as_object().map(|object| object.type_names.iter().map(ToString::to_string).collect());
    let types: Vec<String> = types.unwrap_or_default();
    assert_eq!(json!(types), *expected.get("types").unwrap_or(&json!([])), "{id}");
    // Objects are read in more ways than one; what they hold is the affair of the crate for values.
    if found.as_object().is_none() {
        assert_eq!(value(found), expected["value"], "{id}");
    }
}

fn describe(message: &Message) -> Value {
    match message {
        Message::SessionCapability(it) => json!({
            "protocol_version": it.protocol_version.as_str(), "ps_version": it.ps_version.as_str(),
            "serialization_version": it.serialization_version.as_str(), "has_time_zone": it.time_zone.is_some(),
        }),
        Message::InitRunspacePool(it) => json!({
            "min_runspaces": it.min_runspaces, "max_runspaces": it.max_runspaces,
            "thread_options": it.thread_options.name(), "apartment_state": it.apartment_state.name(),
            "application_arguments": value(&it.application_arguments), "host_info_present": true,
        }),
        Message::ApplicationPrivateData(it) => {
            let table = it.get("PSVersionTable").unwrap();
            let entries = it.data.as_object().unwrap().dictionary().unwrap();
            let mut keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str().unwrap()).collect();
            keys.sort_unstable();
            json!({"keys": keys, "ps_version_table": value(table)})
        }
        Message::RunspacePoolState(it) => {
            json!({"state": it.state.value(), "state_name": it.state.to_string()})
        }
        Message::PipelineState(it) => json!({
            "state": it.state.value(), "state_name": it.state.to_string(), "error": it.error.as_ref().map(error),
        }),
        Message::CreatePipeline(it) => pipeline(it),
        Message::GetCommandMetadata(it) => json!({
            "names": it.names.as_deref().map(texts), "command_type": it.command_type.0,
            "namespace": it.namespaces.as_deref().map(texts),
        }),
        Message::EndOfPipelineInput => json!({"empty": true}),
        Message::SetMaxRunspaces(it) => json!({"call_id": it.call_id, "max_runspaces": it.max_runspaces}),
        Message::SetMinRunspaces(it) => json!({"call_id": it.call_id, "min_runspaces": it.min_runspaces}),
        Message::GetAvailableRunspaces(it) => json!({"call_id": it.call_id}),
        Message::ResetRunspaceState(it) => json!({"call_id": it.call_id}),
        Message::RunspaceAvailability(it) => match it.response {
            Availability::Done(done) => {
                json!({"call_id": it.call_id, "response": done, "response_type": "B"})
            }
            Availability::Available(number) => {
                json!({"call_id": it.call_id, "response": number, "response_type": "I32"})
            }
        },
        Message::ConnectRunspacePool(it) => {
            json!({"min_runspaces": it.min_runspaces, "max_runspaces": it.max_runspaces})
        }
        Message::RunspacePoolInitData(it) => {
            json!({"min_runspaces": it.min_runspaces, "max_runspaces": it.max_runspaces})
        }
        Message::PublicKey(it) => json!({"public_key_bytes": it.0.len()}),
        Message::EncryptedSessionKey(it) => json!({"encrypted_session_key_bytes": it.0.len()}),
        Message::ErrorRecord(it) => error(it),
        Message::DebugRecord(it) | Message::VerboseRecord(it) | Message::WarningRecord(it) => {
            informational(it)
        }
        Message::ProgressRecord(it) => json!({
            "activity": it.activity().map(ToString::to_string), "activity_id": it.activity_id(),
            "status_description": it.status_description().map(ToString::to_string),
            "current_operation": it.current_operation().map(ToString::to_string),
            "parent_activity_id": it.parent_activity_id().unwrap_or(-1),
            "percent_complete": it.percent_complete().unwrap_or(-1),
            "record_type": {"$value": it.record_type().0, "$to_string": it.record_type().name()},
            "seconds_remaining": it.seconds_remaining().unwrap_or(-1),
        }),
        Message::InformationRecord(it) => json!({
            "message_data": it.message_data().map(value), "source": it.source().map(ToString::to_string),
            "time_generated": it.time_generated().map(|time| time.as_str().to_owned()),
            "tags": it.tags().map(ToString::to_string).collect::<Vec<_>>(),
            "user": it.user().map(ToString::to_string), "computer": it.computer().map(ToString::to_string),
            "process_id": it.process_id(),
        }),
        Message::PipelineHostCall(it) => {
            // The typed call writes the same parameters again.
            assert_eq!(it.call().unwrap().parameters().len(), it.parameters.len());
            json!({
                "call_id": it.call_id, "method_id": it.method.0, "method": it.method.name(),
                "parameters": it.call().unwrap().parameters().iter().map(value).collect::<Vec<_>>(),
            })
        }
        Message::PipelineHostResponse(it) => json!({
            "call_id": it.call_id, "method_id": it.method.0, "method": it.method.name(),
            "result": it.returned().unwrap().map(|returned| value(&returned.to_value())),
            "has_exception": it.error.is_some(),
        }),
        other => panic!("{other:?} is not in the recordings"),
    }
}

fn texts(texts: &[PsString]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn error(it: &ErrorRecord) -> Value {
    json!({
        "text": it.object().to_string.as_ref().map(ToString::to_string),
        "fully_qualified_error_id": it.fully_qualified_error_id().map(ToString::to_string),
        "category": it.category().0,
        "category_message": it.category_message().map(ToString::to_string),
        "exception_type": it.exception_type(),
        "exception_message": it.exception_message().map(ToString::to_string),
        "target_object": it.target_object().map(value),
        "serialize_extended_info": it.serialize_extended_info(),
    })
}

fn informational(it: &InformationalRecord) -> Value {
    json!({
        "message": it.message().map(ToString::to_string),
        "text": it.object().to_string.as_ref().map(ToString::to_string),
        "serialize_invocation_info": it.serialize_invocation_info(),
        "pipeline_iteration_info": it.pipeline_iteration_info().map(|info| info.iter().map(value).collect::<Vec<_>>()),
    })
}

/// Of the first statement only, as the readings are.
fn pipeline(it: &CreatePipeline) -> Value {
    json!({
        "no_input": it.no_input, "add_to_history": it.add_to_history, "is_nested": it.is_nested,
        "remote_stream_options": it.remote_stream_options.0,
        "redirect_error_output": it.powershell.redirect_shell_error_output_pipe,
        "commands": it.powershell.statements[0].iter().map(command).collect::<Vec<_>>(),
        "statements": it.powershell.statements.len(),
    })
}

/// Scripts of more than this many characters stand beside recordings as their hash.
const LONG: usize = 2_000;

fn command(it: &Command) -> Value {
    let name = |types: PipelineResultTypes| types.name();
    let text = it.text.to_string();
    let parameters = it.arguments.iter().map(|argument| {
        json!({
            "name": argument.name.as_ref().map(ToString::to_string), "value": value(&argument.value),
            "value_element": argument.value.tag(),
        })
    });
    let mut described = json!({
        "command": text, "is_script": it.is_script, "use_local_scope": it.use_local_scope,
        "parameters": parameters.collect::<Vec<_>>(),
        "merge_my_result": name(it.merge_my_result), "merge_to_result": name(it.merge_to_result),
        "merge_previous": match it.merge_previous_results.0 {
            3 => Some("Output, Error"),
            _ => name(it.merge_previous_results),
        },
    });
    if text.chars().count() > LONG {
        described["command"] = Value::Null;
        described["script_length"] = text.chars().count().into();
        described["script_sha256"] = sha256(text.as_bytes()).into();
    }
    if let Some(merge) = &it.merge {
        described["merge_error"] = name(merge.error).into();
        described["merge_warning"] = name(merge.warning).into();
        described["merge_verbose"] = name(merge.verbose).into();
        described["merge_debug"] = name(merge.debug).into();
        if let Some(information) = merge.information {
            described["merge_information"] = name(information).into();
        }
    }
    described
}

pub(crate) fn value(described: &PsValue) -> Value {
    match described {
        PsValue::Nil => Value::Null,
        PsValue::Bool(value) => json!(value),
        PsValue::Char(value) => json!(value),
        PsValue::Version(version) => json!(version.as_str()),
        PsValue::SecureString(secret) => json!({"$secure_string": secret.as_str()}),
        PsValue::Object(object) => {
            if let Content::Value(inner) = &object.content {
                let text = object.to_string.as_ref().map(ToString::to_string);
                return json!({"$value": value(inner), "$to_string": text});
            }
            if let Some(items) = object.items() {
                return items.iter().map(value).collect();
            }
            if let Some(entries) = object.dictionary() {
                let entries =
                    entries.iter().map(|(key, inner)| (key.as_str().unwrap().to_owned(), value(inner)));
                return entries.collect::<Map<_, _>>().into();
            }
            let properties = object.extended.iter().chain(object.adapted.iter());
            properties.map(|(name, inner)| (name.to_string(), value(inner))).collect::<Map<_, _>>().into()
        }
        other => match (other.as_i64(), other.as_ps_string()) {
            (Some(number), _) => json!(number),
            (_, Some(text)) => json!(text.to_string()),
            _ => panic!("{other:?} is not in the recordings"),
        },
    }
}
