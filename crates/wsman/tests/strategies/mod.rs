//! Messages made up by proptest.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use winrm_wsman::{
    Batch, Body, CommandLine, CommandResponse, CommandState, Condition, Connect, ConnectResponse,
    CreateResponse, Disconnect, Enumerate, ExitCode, Fault, FaultCode, Filter, Header, IdentifyResponse,
    Message, ProviderFault, Pull, QName, Reason, Receive, ReceiveResponse, Resource, ResourceCreated,
    Selector, Send, Shell, Signal, State, Stream, Variable, WsManFault, WsOption, XsDuration, uri,
};
use winrm_xml::Element;

/// Any text that XML can hold, with everything that needs escaping.
fn free_text() -> BoxedStrategy<String> {
    "[a-z<>&'\"\t\r\n é中\u{1F600}\u{85}\u{A0}]{0,12}".boxed()
}

/// The same without white space at its ends.
fn text() -> BoxedStrategy<String> {
    free_text().prop_map(|text| text.trim_matches([' ', '\t', '\r', '\n']).to_owned()).boxed()
}

fn filled_text() -> BoxedStrategy<String> {
    text().prop_map(|text| format!("x{text}")).boxed()
}

fn some_text() -> BoxedStrategy<Option<String>> {
    option::of(text()).boxed()
}

fn names() -> BoxedStrategy<Vec<String>> {
    vec("[a-z]{1,8}", 0..3).boxed()
}

fn data() -> BoxedStrategy<Bytes> {
    vec(any::<u8>(), 0..100).prop_map(Bytes::from).boxed()
}

fn duration() -> BoxedStrategy<XsDuration> {
    (0..u64::from(u32::MAX), 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| XsDuration::try_from(std::time::Duration::new(seconds, nanos)).unwrap())
        .boxed()
}

fn qname() -> BoxedStrategy<QName> {
    let namespace = prop_oneof![Just(uri::NS_WSMAN), Just(uri::NS_SOAP), Just("urn:other")];
    prop_oneof![
        3 => (namespace, "[a-z]{0,3}", "[A-Z][a-z]{1,8}")
            .prop_filter("reserved", |(_, prefix, _)| prefix != "xml")
            .prop_map(|(namespace, prefix, local)| QName::new(namespace, &prefix, &local)),
        // A prefix that was never declared, of ours or another.
        1 => (prop_oneof![Just("s:"), Just("rsp:"), Just("zz:"), Just("")], "[A-Z][a-z]{1,8}").prop_map(
            |(prefix, local)| QName { namespace: None, text: format!("{prefix}{local}"), local }
        ),
    ]
    .boxed()
}

fn selectors() -> BoxedStrategy<Vec<Selector>> {
    vec((text(), text()).prop_map(|(name, value)| Selector { name, value }), 0..3).boxed()
}

fn header() -> BoxedStrategy<Header> {
    let option = (text(), text(), any::<bool>(), some_text())
        .prop_map(|(name, value, must_comply, value_type)| WsOption { name, value, must_comply, value_type });
    let unknown = qname().prop_map(|name| QName { text: name.local.clone(), ..name });
    (
        (some_text(), some_text(), some_text(), some_text(), some_text(), some_text()),
        (option::of(any::<u32>()), option::of(duration()), some_text(), some_text()),
        (some_text(), some_text(), option::of(any::<u64>()), some_text(), some_text(), any::<bool>()),
        (vec(option, 0..3), selectors(), vec(qname(), 0..3), vec(unknown, 0..3)),
    )
        .prop_map(|(a, b, c, d)| Header {
            to: a.0,
            action: None,
            message_id: a.1,
            relates_to: a.2,
            reply_to: a.3,
            fault_to: a.4,
            resource_uri: a.5,
            max_envelope_size: b.0,
            operation_timeout: b.1,
            locale: b.2,
            data_locale: b.3,
            session_id: c.0,
            retransmission: c.5 && c.1.is_some(),
            operation_id: c.1,
            sequence_id: c.2,
            activity_id: c.3,
            compression_type: c.4,
            options: d.0,
            selectors: d.1,
            not_understood: d.2,
            unknown: d.3,
        })
        .boxed()
}

fn shell() -> BoxedStrategy<Shell> {
    let variable = (free_text(), free_text()).prop_map(|(name, value)| Variable { name, value });
    (
        (some_text(), some_text(), some_text(), some_text(), some_text(), some_text(), some_text()),
        (vec(variable, 0..3), some_text(), option::of(duration()), option::of(duration()), names(), names()),
        (
            option::of(duration()),
            some_text(),
            some_text(),
            some_text(),
            some_text(),
            some_text(),
            some_text(),
        ),
        (
            some_text(),
            option::of(duration()),
            option::of(duration()),
            some_text(),
            some_text(),
            option::of(data()),
        ),
    )
        .prop_map(|(a, b, c, d)| Shell {
            requested_shell_id: a.0,
            shell_id: a.1,
            name: a.2,
            resource_uri: a.3,
            owner: a.4,
            client_ip: a.5,
            process_id: a.6,
            environment: b.0,
            working_directory: b.1,
            lifetime: b.2,
            idle_timeout: b.3,
            input_streams: b.4,
            output_streams: b.5,
            max_idle_timeout: c.0,
            locale: c.1,
            data_locale: c.2,
            compression_mode: c.3,
            profile_loaded: c.4,
            encoding: c.5,
            buffer_mode: c.6,
            state: d.0,
            shell_run_time: d.1,
            shell_inactivity: d.2,
            memory_used: d.3,
            child_processes: d.4,
            creation_xml: d.5,
        })
        .boxed()
}

fn element() -> BoxedStrategy<Element> {
    let namespace = || prop_oneof![Just(""), Just("urn:a"), Just(uri::NS_SHELL)];
    let leaf = (namespace(), "[A-Z]{2,4}", free_text())
        .prop_map(|(namespace, local, text)| Element::new(namespace, local).with_text(text));
    leaf.prop_recursive(3, 8, 3, move |inner| {
        (namespace(), "[A-Z]{2,4}", free_text(), vec(inner, 0..3)).prop_map(
            |(namespace, local, value, children)| {
                let element = Element::new(namespace, local).with_attribute("urn:b", "attribute", value);
                children.into_iter().fold(element, Element::with_child)
            },
        )
    })
    .boxed()
}

fn resource() -> BoxedStrategy<Resource> {
    prop_oneof![
        shell().prop_map(|shell| Resource::Shell(Box::new(shell))),
        element().prop_map(Resource::Other)
    ]
    .boxed()
}

fn streams() -> BoxedStrategy<Vec<Stream>> {
    let stream = (text(), some_text(), any::<bool>(), data())
        .prop_map(|(name, command_id, end, data)| Stream { name, command_id, end, data });
    vec(stream, 0..4).boxed()
}

fn command_state() -> BoxedStrategy<CommandState> {
    let state = prop_oneof![
        Just(State::Running),
        Just(State::Pending),
        Just(State::Done),
        text().prop_map(State::Other)
    ];
    (some_text(), state, option::of(any::<u32>().prop_map(ExitCode)))
        .prop_map(|(command_id, state, exit_code)| CommandState { command_id, state, exit_code })
        .boxed()
}

fn batch() -> BoxedStrategy<Batch> {
    (some_text(), some_text(), vec(resource(), 0..3), any::<bool>())
        .prop_map(|(expires, context, items, end_of_sequence)| Batch {
            expires,
            context,
            items,
            end_of_sequence,
        })
        .boxed()
}

fn wsman_fault() -> BoxedStrategy<WsManFault> {
    let leaf = (any::<u32>(), some_text(), option::of(filled_text())).prop_map(|(code, machine, message)| {
        WsManFault { code: FaultCode(code), machine, message, provider_fault: None }
    });
    leaf.prop_recursive(3, 3, 1, |inner| {
        let extended = element().prop_map(|e| Element::new(uri::NS_FAULT, "ExtendedError").with_child(e));
        let provider =
            (some_text(), some_text(), option::of(filled_text()), option::of(inner), option::of(extended));
        (any::<u32>(), some_text(), option::of(filled_text()), provider).prop_map(
            |(code, machine, message, p)| {
                let provider = ProviderFault {
                    provider: p.0,
                    path: p.1,
                    message: p.2,
                    wsman_fault: p.3.map(Box::new),
                    extended_error: p.4,
                };
                WsManFault {
                    code: FaultCode(code),
                    machine,
                    message,
                    provider_fault: Some(Box::new(provider)),
                }
            },
        )
    })
    .boxed()
}

fn fault() -> BoxedStrategy<Fault> {
    let reason = vec((some_text(), text()).prop_map(|(lang, text)| Reason { lang, text }), 0..3);
    (qname(), option::of(qname()), reason, some_text(), option::of(wsman_fault()), vec(element(), 0..2))
        .prop_map(|(code, subcode, reason, fault_detail, wsman_fault, details)| Fault {
            code,
            subcode,
            reason,
            fault_detail,
            wsman_fault,
            details,
        })
        .boxed()
}

fn enumerate() -> BoxedStrategy<Enumerate> {
    let condition = prop_oneof![
        text().prop_map(Condition::Text),
        selectors().prop_map(Condition::Selectors),
        element().prop_map(Condition::Element),
    ];
    let filter = (some_text(), condition).prop_map(|(dialect, condition)| Filter { dialect, condition });
    (some_text(), any::<bool>(), option::of(any::<u32>()), some_text(), option::of(filter))
        .prop_map(|(expires, optimize, max_elements, mode, filter)| Enumerate {
            expires,
            optimize,
            max_elements,
            mode,
            filter,
        })
        .boxed()
}

fn identify() -> BoxedStrategy<IdentifyResponse> {
    (vec(text(), 0..3), some_text(), some_text(), vec(text(), 0..3))
        .prop_map(|(protocol_versions, product_vendor, product_version, security_profiles)| {
            IdentifyResponse { protocol_versions, product_vendor, product_version, security_profiles }
        })
        .boxed()
}

fn create_response() -> BoxedStrategy<CreateResponse> {
    let created = (some_text(), some_text(), selectors())
        .prop_map(|(address, resource_uri, selectors)| ResourceCreated { address, resource_uri, selectors });
    prop_oneof![
        (created, option::of(shell()))
            .prop_map(|(created, shell)| CreateResponse { resource_created: Some(created), shell }),
        shell().prop_map(|shell| CreateResponse { resource_created: None, shell: Some(shell) }),
    ]
    .boxed()
}

fn method(suffix: &'static str) -> BoxedStrategy<Element> {
    element().prop_map(move |e| Element::new("urn:class", format!("Method{suffix}")).with_child(e)).boxed()
}

fn shell_body() -> BoxedStrategy<Body> {
    prop_oneof![
        shell().prop_map(|shell| Body::Create(Box::new(shell))),
        create_response().prop_map(|response| Body::CreateResponse(Box::new(response))),
        (free_text(), vec(free_text(), 0..3), some_text()).prop_map(|(command, arguments, command_id)| {
            Body::Command(CommandLine { command, arguments, command_id })
        }),
        text().prop_map(|command_id| Body::CommandResponse(CommandResponse { command_id })),
        (some_text(), names())
            .prop_map(|(command_id, desired_streams)| Body::Receive(Receive { command_id, desired_streams })),
        (streams(), option::of(command_state())).prop_map(|(streams, command_state)| Body::ReceiveResponse(
            ReceiveResponse { streams, command_state }
        )),
        streams().prop_map(|streams| Body::Send(Send { streams })),
        (some_text(), text()).prop_map(|(command_id, code)| Body::Signal(Signal { command_id, code })),
        (option::of(text()), option::of(data()))
            .prop_map(|(command_id, connect_xml)| Body::Connect(Connect { command_id, connect_xml })),
        (names(), names(), option::of(data())).prop_map(
            |(input_streams, output_streams, connect_response_xml)| {
                Body::ConnectResponse(ConnectResponse { input_streams, output_streams, connect_response_xml })
            }
        ),
        (option::of(duration()), some_text()).prop_map(|(idle_timeout, buffer_mode)| Body::Disconnect(
            Disconnect { idle_timeout, buffer_mode }
        )),
    ]
    .boxed()
}

fn empty_body() -> BoxedStrategy<Body> {
    prop_oneof![
        Just(Body::Identify),
        Just(Body::Delete),
        Just(Body::DeleteResponse),
        Just(Body::SendResponse),
        Just(Body::SignalResponse),
        Just(Body::Get),
        Just(Body::DisconnectResponse),
        Just(Body::Reconnect),
        Just(Body::ReconnectResponse),
        Just(Body::Empty),
    ]
    .boxed()
}

fn other_body() -> BoxedStrategy<Body> {
    prop_oneof![
        identify().prop_map(Body::IdentifyResponse),
        resource().prop_map(Body::GetResponse),
        enumerate().prop_map(Body::Enumerate),
        batch().prop_map(Body::EnumerateResponse),
        (text(), option::of(duration()), option::of(any::<u32>()), option::of(any::<u32>())).prop_map(
            |(context, max_time, max_elements, max_characters)| {
                Body::Pull(Pull { context, max_time, max_elements, max_characters })
            }
        ),
        batch().prop_map(Body::PullResponse),
        method("_INPUT").prop_map(Body::Invoke),
        method("_OUTPUT").prop_map(Body::InvokeResponse),
        element().prop_map(Body::Other),
        fault().prop_map(|fault| Body::Fault(Box::new(fault))),
    ]
    .boxed()
}

/// Every kind of message, the action being that of the body.
pub(crate) fn message() -> BoxedStrategy<Message> {
    (header(), prop_oneof![shell_body(), empty_body(), other_body()])
        .prop_map(|(mut header, body)| {
            header.action = match &body {
                Body::Identify | Body::IdentifyResponse(_) => None,
                Body::Fault(fault) => Some(fault.action().to_owned()),
                body => Some(body.action().unwrap_or("urn:class/Method").to_owned()),
            };
            Message { header, body }
        })
        .boxed()
}
