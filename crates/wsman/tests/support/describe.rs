//! A message in the words of the recordings' `expected`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use winrm_wsman::{
    Batch, Body, Condition, Fault, Header, Message, ProviderFault, Resource, Selector, ServiceConfig, Shell,
    Stream, WsManFault, uri,
};
use winrm_xml::Element;

fn put(map: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value.into());
    }
}

fn text(value: Option<&String>) -> Option<Value> {
    value.map(|text| text.as_str().into())
}

pub(crate) fn headers(header: &Header, is_response: bool) -> Value {
    let mut map = Map::new();
    put(&mut map, "action", text(header.action.as_ref()));
    put(&mut map, "message_id", text(header.message_id.as_ref()));
    put(&mut map, "relates_to", text(header.relates_to.as_ref()));
    put(&mut map, "to", text(header.to.as_ref()));
    put(&mut map, "activity_id", text(header.activity_id.as_ref()));
    put(&mut map, "operation_id", text(header.operation_id.as_ref()));
    put(&mut map, "sequence_id", header.sequence_id.map(|id| id.to_string()));
    put(&mut map, "session_id", text(header.session_id.as_ref()));
    if is_response {
        return map.into();
    }
    put(&mut map, "resource_uri", text(header.resource_uri.as_ref()));
    put(&mut map, "reply_to", text(header.reply_to.as_ref()));
    put(&mut map, "max_envelope_size", header.max_envelope_size);
    put(&mut map, "operation_timeout", header.operation_timeout.map(|timeout| timeout.to_string()));
    put(&mut map, "locale", text(header.locale.as_ref()));
    put(&mut map, "data_locale", text(header.data_locale.as_ref()));
    let options: Vec<Value> = header
        .options
        .iter()
        .map(|option| {
            let mut value = json!({"name": option.name, "value": option.value});
            if option.must_comply {
                value["must_comply"] = true.into();
            }
            value
        })
        .collect();
    put(&mut map, "options", (!options.is_empty()).then_some(options));
    put(&mut map, "selectors", (!header.selectors.is_empty()).then(|| selectors(&header.selectors)));
    map.into()
}

fn selectors(list: &[Selector]) -> Value {
    list.iter().map(|s| json!({"name": s.name, "value": s.value})).collect::<Vec<_>>().into()
}

fn shell(shell: &Shell) -> Map<String, Value> {
    let mut map = Map::new();
    let names = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
    put(&mut map, "shell_id_attribute", text(shell.requested_shell_id.as_ref()));
    put(&mut map, "shell_id", text(shell.shell_id.as_ref()));
    put(&mut map, "name", text(shell.name.as_ref()));
    put(&mut map, "resource_uri", text(shell.resource_uri.as_ref()));
    put(&mut map, "owner", text(shell.owner.as_ref()));
    put(&mut map, "client_ip", text(shell.client_ip.as_ref()));
    put(&mut map, "process_id", text(shell.process_id.as_ref()));
    let variables: Vec<Value> =
        shell.environment.iter().map(|v| json!({"name": v.name, "value": v.value})).collect();
    put(&mut map, "environment", (!variables.is_empty()).then_some(variables));
    put(&mut map, "working_directory", text(shell.working_directory.as_ref()));
    put(&mut map, "lifetime", shell.lifetime.map(|d| d.to_string()));
    put(&mut map, "idle_timeout", shell.idle_timeout.map(|d| d.to_string()));
    put(&mut map, "input_streams", names(&shell.input_streams));
    put(&mut map, "output_streams", names(&shell.output_streams));
    put(&mut map, "max_idle_timeout", shell.max_idle_timeout.map(|d| d.to_string()));
    put(&mut map, "locale", text(shell.locale.as_ref()));
    put(&mut map, "data_locale", text(shell.data_locale.as_ref()));
    put(&mut map, "compression_mode", text(shell.compression_mode.as_ref()));
    put(&mut map, "profile_loaded", text(shell.profile_loaded.as_ref()));
    put(&mut map, "encoding", text(shell.encoding.as_ref()));
    put(&mut map, "buffer_mode", text(shell.buffer_mode.as_ref()));
    put(&mut map, "state", text(shell.state.as_ref()));
    put(&mut map, "shell_run_time", shell.shell_run_time.map(|d| d.to_string()));
    put(&mut map, "shell_inactivity", shell.shell_inactivity.map(|d| d.to_string()));
    put(&mut map, "memory_used", text(shell.memory_used.as_ref()));
    put(&mut map, "child_processes", text(shell.child_processes.as_ref()));
    put(&mut map, "creation_xml", shell.creation_xml.as_ref().map(|data| json!({"bytes": data.len()})));
    map
}

/// The fragments of MS-PSRP 2.2.4 in a block: 21 bytes of header whose last four are the length, big-endian.
fn fragments(mut data: &[u8]) -> usize {
    let mut count = 0;
    while data.len() >= 21 {
        let len = u32::from_be_bytes([data[17], data[18], data[19], data[20]]);
        data = &data[(21 + usize::try_from(len).unwrap()).min(data.len())..];
        count += 1;
    }
    count
}

fn stream(stream: &Stream, psrp: bool) -> Value {
    let mut value = json!({
        "name": stream.name,
        "command_id": stream.command_id,
        "end": stream.end,
    });
    if psrp {
        value["bytes"] = stream.data.len().into();
        value["fragments"] = fragments(&stream.data).into();
    } else {
        value["data_base64"] = STANDARD.encode(&stream.data).into();
        value["text"] = std::str::from_utf8(&stream.data).ok().into();
    }
    value
}

fn value_of(element: &Element) -> Value {
    if element.attribute(uri::NS_XSI, "nil") == Some("true") {
        Value::Null
    } else {
        element.text().trim().into()
    }
}

/// Properties of an instance, each once.
fn properties(element: &Element) -> Value {
    element.elements().map(|e| (e.name.local().to_owned(), value_of(e))).collect::<Map<_, _>>().into()
}

fn item(resource: &Resource) -> Value {
    match resource {
        Resource::Shell(found) => {
            let mut map = shell(found);
            map.insert("element".to_owned(), "Shell".into());
            map.into()
        }
        Resource::Other(element) if element.is(uri::NS_WSMAN, "Item") => {
            let object = element.elements().next().unwrap();
            json!({"element": "Item", "object": object.name.local(), "values": properties(object)})
        }
        Resource::Other(element) => {
            let mut values = Map::new();
            for child in element.elements() {
                let list = values.entry(child.name.local()).or_insert_with(|| json!([]));
                list.as_array_mut().unwrap().push(value_of(child));
            }
            json!({"element": element.name.local(), "values": values})
        }
        _ => panic!("a resource without description"),
    }
}

fn enumeration(batch: &Batch) -> Value {
    json!({
        "context": batch.context,
        "items": batch.items.iter().map(item).collect::<Vec<_>>(),
        "end_of_sequence": batch.end_of_sequence,
    })
}

/// All text below a provider's fault is its message in the recordings' words.
fn innermost(fault: &ProviderFault) -> Option<&str> {
    fault.message.as_deref().or_else(|| {
        let inner = fault.wsman_fault.as_deref()?;
        inner.message.as_deref().or_else(|| innermost(inner.provider_fault.as_deref()?))
    })
}

fn wsman_fault(fault: &WsManFault, with_hex: bool) -> Value {
    let mut map = Map::new();
    put(&mut map, "code", Some(fault.code.0));
    put(&mut map, "code_hex", with_hex.then(|| format!("{:08x}", fault.code.0)));
    put(&mut map, "machine", text(fault.machine.as_ref()));
    put(&mut map, "message", text(fault.message.as_ref()));
    if let Some(provider) = &fault.provider_fault {
        let mut value = Map::new();
        put(&mut value, "provider", provider.provider.as_deref().map(str::trim));
        put(&mut value, "path", text(provider.path.as_ref()));
        put(&mut value, "message", innermost(provider));
        put(&mut value, "wsman_fault", provider.wsman_fault.as_ref().map(|fault| wsman_fault(fault, false)));
        let status = provider.extended_error.as_ref().map(|e| properties(e.elements().next().unwrap()));
        put(&mut value, "extended_error", status);
        map.insert("provider_fault".to_owned(), value.into());
    }
    map.into()
}

fn fault(fault: &Fault, header: &Header) -> Value {
    let reason = fault.reason.first();
    let mut value = json!({
        "code": fault.code.text,
        "subcode": fault.subcode.as_ref().map(|name| &name.text),
        "reason": reason.map_or_else(|| Value::Null, |reason| reason.text.as_str().into()),
        "reason_lang": reason.and_then(|reason| reason.lang.as_ref()),
        "fault_detail": fault.fault_detail,
    });
    if let Some(found) = &fault.wsman_fault {
        value["wsman_fault"] = wsman_fault(found, true);
    }
    if let Some(error) = fault.cim_error() {
        value["cim_error"] = json!({"class": error.name.local(), "values": properties(error)});
    }
    if !header.not_understood.is_empty() {
        value["not_understood"] = header.not_understood.iter().map(|name| name.text.as_str()).collect();
    }
    value
}

/// What the recordings call the kind of a request or an answer.
pub(crate) fn kind(body: &Body) -> &'static str {
    match body {
        Body::Identify => "identify",
        Body::IdentifyResponse(_) => "identify_response",
        Body::Create(_) => "create",
        Body::CreateResponse(_) => "create_response",
        Body::Delete => "delete",
        Body::DeleteResponse => "delete_response",
        Body::Command(_) => "command",
        Body::CommandResponse(_) => "command_response",
        Body::Receive(_) => "receive",
        Body::ReceiveResponse(_) => "receive_response",
        Body::Send(_) => "send",
        Body::SendResponse => "send_response",
        Body::Signal(_) => "signal",
        Body::SignalResponse => "signal_response",
        Body::Get => "get",
        Body::GetResponse(_) => "get_response",
        Body::Enumerate(_) => "enumerate",
        Body::EnumerateResponse(_) => "enumerate_response",
        Body::Pull(_) => "pull",
        Body::PullResponse(_) => "pull_response",
        Body::Invoke(_) => "invoke",
        Body::InvokeResponse(_) => "invoke_response",
        Body::Connect(_) => "connect",
        Body::ConnectResponse(_) => "connect_response",
        Body::Disconnect(_) => "disconnect",
        Body::DisconnectResponse => "disconnect_response",
        Body::Reconnect => "reconnect",
        Body::ReconnectResponse => "reconnect_response",
        Body::Fault(_) => "fault",
        _ => "unknown",
    }
}

/// The body of a request.
pub(crate) fn request(message: &Message, psrp: bool) -> Value {
    match &message.body {
        Body::Identify => json!({"body_element": "Identify"}),
        Body::Create(found) => json!({"shell": shell(found)}),
        Body::Command(command) => {
            let argument = |text: &String| {
                if psrp {
                    json!({"psrp_bytes": STANDARD.decode(text).unwrap().len()})
                } else {
                    text.as_str().into()
                }
            };
            let mut value = json!({
                "command": command.command.trim(),
                "arguments": command.arguments.iter().map(argument).collect::<Vec<_>>(),
            });
            if let Some(id) = &command.command_id {
                value["command_id_attribute"] = id.as_str().into();
            }
            value
        }
        Body::Receive(receive) => {
            json!({"receive": {"command_id": receive.command_id, "streams": receive.desired_streams}})
        }
        Body::Send(send) => {
            let stream = |stream: &Stream| {
                let mut value = json!({
                    "name": stream.name,
                    "command_id": stream.command_id,
                    "end": stream.end,
                    "bytes": stream.data.len(),
                });
                if !psrp {
                    value["data_base64"] = STANDARD.encode(&stream.data).into();
                }
                value
            };
            json!({"send": send.streams.iter().map(stream).collect::<Vec<_>>()})
        }
        Body::Signal(signal) => json!({"signal": {"command_id": signal.command_id, "code": signal.code}}),
        Body::Enumerate(enumerate) => {
            let filter = enumerate.filter.as_ref();
            let (mut query, mut list) = (None, json!([]));
            match filter.map(|filter| &filter.condition) {
                Some(Condition::Text(text)) => query = Some(text),
                Some(Condition::Selectors(found)) => list = selectors(found),
                Some(_) => panic!("a filter without description"),
                None => {}
            }
            json!({"enumerate": {
                "optimize": enumerate.optimize,
                "max_elements": enumerate.max_elements,
                "filter_dialect": filter.and_then(|filter| filter.dialect.as_ref()),
                "filter_text": query,
                "filter_selectors": list,
            }})
        }
        Body::Connect(connect) => {
            let mut value = json!({"connect": {}});
            if let Some(data) = &connect.connect_xml {
                value["connect"]["connect_xml"] = json!({"bytes": data.len()});
            }
            value
        }
        Body::Disconnect(disconnect) => {
            let mut map = Map::new();
            put(&mut map, "idle_timeout", disconnect.idle_timeout.map(|d| d.to_string()));
            put(&mut map, "buffer_mode", text(disconnect.buffer_mode.as_ref()));
            json!({"disconnect": map})
        }
        Body::Invoke(element) => json!({"body_element": element.name.local()}),
        Body::Delete | Body::Get | Body::Reconnect => json!({"empty": true}),
        other => panic!("a request without description: {}", kind(other)),
    }
}

/// Header and body of an answer, as one object.
pub(crate) fn response(message: &Message, psrp: bool) -> Value {
    let Message { header, body } = message;
    let mut value = match body {
        Body::IdentifyResponse(response) => json!({"identify": {
            "ProtocolVersion": response.protocol_versions.first(),
            "ProductVendor": response.product_vendor,
            "ProductVersion": response.product_version,
        }}),
        Body::CreateResponse(response) => {
            let mut map = Map::new();
            if let Some(created) = &response.resource_created {
                map.insert(
                    "resource_created".to_owned(),
                    json!({
                        "address": created.address,
                        "resource_uri": created.resource_uri,
                        "selectors": selectors(&created.selectors),
                    }),
                );
            }
            put(&mut map, "shell_id", response.shell_id());
            put(&mut map, "shell", response.shell.as_ref().map(shell));
            map.into()
        }
        Body::CommandResponse(response) => json!({"command_id": response.command_id}),
        Body::ReceiveResponse(response) => {
            let streams: Vec<Value> = response.streams.iter().map(|found| stream(found, psrp)).collect();
            let mut value = json!({"streams": streams});
            if let Some(state) = &response.command_state {
                value["command_state"] = json!({
                    "command_id": state.command_id,
                    "state": state.state.uri(),
                    "state_name": state.state.name(),
                    "exit_code": state.exit_code.map(|code| code.0),
                });
            }
            value
        }
        Body::SendResponse => json!({"body_element": "SendResponse"}),
        Body::SignalResponse => json!({"body_element": "SignalResponse"}),
        Body::ConnectResponse(response) => {
            let data = response.connect_response_xml.as_ref().unwrap();
            json!({"body_element": "ConnectResponse", "connect_response": {
                "input_streams": response.input_streams,
                "output_streams": response.output_streams,
                "connect_response_xml": {"bytes": data.len()},
            }})
        }
        Body::GetResponse(Resource::Shell(found)) => {
            let mut map = Map::new();
            put(&mut map, "shell_id", text(found.shell_id.as_ref()));
            put(&mut map, "shell", Some(shell(found)));
            map.into()
        }
        Body::GetResponse(resource @ Resource::Other(element)) if element.is(uri::NS_CONFIG, "Config") => {
            let config = ServiceConfig::of(resource).unwrap();
            json!({"config": {
                "max_envelope_size_kb": config.max_envelope_size_kb.unwrap(),
                "max_timeout_ms": config.max_timeout_ms.unwrap(),
                "elements": element.elements().map(|e| e.name.local()).collect::<Vec<_>>(),
            }})
        }
        Body::GetResponse(Resource::Other(element)) => json!({"body_element": element.name.local()}),
        Body::InvokeResponse(element) => {
            json!({"body_element": element.name.local(), "values": properties(element)})
        }
        Body::EnumerateResponse(batch) | Body::PullResponse(batch) => {
            json!({"enumeration": enumeration(batch)})
        }
        Body::Fault(found) => json!({"fault": fault(found, header)}),
        Body::DeleteResponse | Body::DisconnectResponse | Body::ReconnectResponse => {
            json!({"body_empty": true})
        }
        other => panic!("an answer without description: {}", kind(other)),
    };
    value["headers"] = headers(header, true);
    value
}
