//! What the service wants of an envelope, and how it says so.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Client, builder, line, receive, signal};
use winrm_wsman::operation::enumerate::Enumerate;
use winrm_wsman::{
    Body, CommandLine, Disconnect, Fault, Header, Message, QName, Receive, Selector, Send, Shell, Signal,
    Stream, WsOption, message_id, uri,
};

const HEADER_REQUIRED: u32 = 2_150_858_769;
const UNSUPPORTED_FEATURE: u32 = 2_150_858_818;
const ENCODING_LIMIT: u32 = 2_150_858_805;
const INVALID_RESOURCE_URI: u32 = 2_150_858_811;
const RESOURCE_NOT_FOUND: u32 = 2_150_858_752;
const SCHEMA_VALIDATION: u32 = 2_150_858_817;
const INSUFFICIENT_SELECTORS: u32 = 2_150_858_842;
const INVALID_SELECTORS: u32 = 2_150_858_843;
const SESSION_ID_MISMATCH: u32 = 2_150_859_023;
const DISCONNECT_NOT_SUPPORTED: u32 = 2_150_859_205;

fn create() -> Body {
    Body::Create(Box::default())
}

fn is(name: Option<&QName>, namespace: &str, local: &str) -> bool {
    name.is_some_and(|name| name.is(namespace, local))
}

async fn fault(client: &mut Client, header: Header, body: Body) -> Fault {
    client.request(header, body).await.1.as_fault().expect("a fault").clone()
}

type Change = fn(&mut Header);

#[tokio::test]
async fn headers_that_every_request_needs() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let good = client.header(uri::ACTION_CREATE, "");
    let changes: [(Change, u32, &str); 9] = [
        (|header| header.to = None, HEADER_REQUIRED, "MessageInformationHeaderRequired"),
        (|header| header.reply_to = None, HEADER_REQUIRED, "MessageInformationHeaderRequired"),
        (|header| header.resource_uri = None, INVALID_RESOURCE_URI, "DestinationUnreachable"),
        (
            |header| header.resource_uri = Some("urn:x".to_owned()),
            RESOURCE_NOT_FOUND,
            "DestinationUnreachable",
        ),
        (|header| header.reply_to = Some("http://a".to_owned()), UNSUPPORTED_FEATURE, "UnsupportedFeature"),
        (|header| header.fault_to = Some("http://a".to_owned()), UNSUPPORTED_FEATURE, "UnsupportedFeature"),
        (|header| header.max_envelope_size = Some(8191), ENCODING_LIMIT, "EncodingLimit"),
        (
            |header| header.compression_type = Some("xpress".to_owned()),
            UNSUPPORTED_FEATURE,
            "UnsupportedFeature",
        ),
        (
            |header| header.options = vec![WsOption::new("UNKNOWN", "1").must_comply()],
            2_150_858_809,
            "InvalidOptions",
        ),
    ];
    for (number, (change, code, subcode)) in changes.into_iter().enumerate() {
        let mut header = good.clone();
        change(&mut header);
        // Its answer is small, but must be sent.
        let request = Message::new(header, create());
        let (status, plaintext) = client.exchange(&request.encode().unwrap()).await;
        let answer = Message::decode(&plaintext).unwrap();
        let fault = answer.as_fault().unwrap();
        assert_eq!((status, fault.wsman_code().unwrap().0), (500, code), "change {number}");
        assert_eq!(fault.subcode.as_ref().unwrap().local, subcode);
        assert!(answer.header.relates_to(&request.header));
        let addressing = is(fault.subcode.as_ref(), uri::NS_ADDRESSING, subcode);
        let expected = if addressing { uri::ACTION_ADDRESSING_FAULT } else { uri::ACTION_FAULT };
        assert_eq!(answer.header.action(), expected);
    }
    // Without a MessageID there is nothing to relate to.
    let mut header = good.clone();
    header.message_id = None;
    let (status, plaintext) = client.exchange(&Message::new(header, create()).encode().unwrap()).await;
    let answer = Message::decode(&plaintext).unwrap();
    assert_eq!((status, answer.as_fault().unwrap().wsman_code().unwrap().0), (500, HEADER_REQUIRED));
    assert_eq!(answer.header.relates_to, None);
    assert_eq!(service.open_shells(), 0);

    // What may be left out, and what may be added.
    let mut header = good;
    header.max_envelope_size = None;
    header.operation_timeout = None;
    header.options =
        vec![WsOption::new("UNKNOWN", "1"), WsOption::new("WINRS_NOPROFILE", "TRUE").must_comply()];
    header.locale = Some("en-US".to_owned());
    assert_eq!(client.request(header, create()).await.0, 200);
}

#[tokio::test]
async fn a_header_that_must_be_understood() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let request = Message::new(client.header(uri::ACTION_CREATE, ""), create());
    let document = String::from_utf8(request.encode().unwrap().to_vec()).unwrap();
    for (must, status) in [("true", 500), ("1", 500), ("false", 200)] {
        let strange = format!("<q:Strange xmlns:q=\"urn:q\" s:mustUnderstand=\"{must}\"/></s:Header>");
        let document = document.replace("</s:Header>", &strange);
        let (found, plaintext) = client.exchange(document.as_bytes()).await;
        assert_eq!(found, status, "mustUnderstand {must}");
        if status == 500 {
            let answer = Message::decode(&plaintext).unwrap();
            assert!(answer.as_fault().unwrap().code.is(uri::NS_SOAP, "MustUnderstand"));
            assert_eq!(answer.header.not_understood, [QName::new("urn:q", "q", "Strange")]);
        }
    }
}

#[tokio::test]
async fn what_is_no_envelope() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let depth = "<a>".repeat(1000);
    let declarations: Vec<_> = (0..2000).map(|n| format!("xmlns:n{n}='u'")).collect();
    let bomb = format!("<a {}/>", declarations.join(" "));
    let dtd = "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>";
    for document in ["", "not XML", "<html/>", "<s:Envelope/>", dtd, &depth, &bomb] {
        let (status, plaintext) = client.exchange(document.as_bytes()).await;
        let answer = Message::decode(&plaintext).unwrap();
        let code = answer.as_fault().and_then(Fault::wsman_code).unwrap().0;
        assert_eq!((status, code), (500, SCHEMA_VALIDATION), "{document:.20}");
    }
    let header = client.header(uri::ACTION_RECEIVE, "x");
    let document = Message::new(header, receive("x")).encode().unwrap();
    let document = String::from_utf8(document.to_vec()).unwrap().replace("DesiredStream", "Undesired");
    let (_, plaintext) = client.exchange(document.as_bytes()).await;
    let code = Message::decode(&plaintext).unwrap().as_fault().and_then(Fault::wsman_code).unwrap().0;
    assert_eq!(code, SCHEMA_VALIDATION);
}

#[tokio::test]
async fn selectors_name_one_shell_exactly() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let header = client.header(uri::ACTION_DELETE, "");
    let missing = fault(&mut client, header, Body::Delete).await;
    assert_eq!(missing.wsman_code().unwrap().0, INSUFFICIENT_SELECTORS);
    for wrong in [shell.to_lowercase(), "0".repeat(36), format!("{shell} x")] {
        let header = client.header(uri::ACTION_DELETE, &wrong);
        let fault = fault(&mut client, header, Body::Delete).await;
        assert_eq!(fault.wsman_code().unwrap().0, INVALID_SELECTORS);
        assert!(is(fault.subcode.as_ref(), uri::NS_WSMAN, "InvalidSelectors"));
        assert_eq!(fault.fault_detail.as_deref(), Some(uri::FAULT_DETAIL_UNEXPECTED_SELECTORS));
    }
    let mut header = client.header(uri::ACTION_DELETE, &shell);
    header.selectors.push(Selector::new("Other", "1"));
    assert_eq!(client.fault(header, Body::Delete).await, INVALID_SELECTORS);
    client.delete(&shell).await;
    let header = client.header(uri::ACTION_DELETE, &shell);
    assert_eq!(client.fault(header, Body::Delete).await, INVALID_SELECTORS);
}

#[tokio::test]
async fn a_shell_created_with_a_session_wants_it_again() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.session_id = Some(message_id());
    let shell = client.create().await;
    let command = client.command(&shell, "true", &[]).await;
    let mut with_lower_case = client.header(uri::ACTION_RECEIVE, &shell);
    with_lower_case.session_id = with_lower_case.session_id.map(|id| id.to_lowercase());
    assert_eq!(client.request(with_lower_case, receive(&command)).await.0, 200);
    for other in [None, Some(message_id())] {
        client.session_id = other;
        for (action, body) in [
            (uri::ACTION_COMMAND, line("true", &[])),
            (uri::ACTION_RECEIVE, receive(&command)),
            (uri::ACTION_SIGNAL, signal(&command, uri::SIGNAL_TERMINATE)),
            (uri::ACTION_DELETE, Body::Delete),
        ] {
            let header = client.header(action, &shell);
            assert_eq!(client.fault(header, body).await, SESSION_ID_MISMATCH, "{action}");
        }
    }
    assert_eq!(service.open_shells(), 1);
}

#[tokio::test]
async fn commands_are_named_exactly() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    let command = client.command(&shell, "sleep 5", &[]).await;
    for wrong in [command.to_lowercase(), "0".repeat(36)] {
        let header = client.header(uri::ACTION_RECEIVE, &shell);
        assert_eq!(client.fault(header, receive(&wrong)).await, INVALID_SELECTORS);
        let header = client.header(uri::ACTION_SIGNAL, &shell);
        assert_eq!(client.fault(header, signal(&wrong, uri::SIGNAL_CTRL_C)).await, INVALID_SELECTORS);
    }
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    let without = Body::Receive(Receive { command_id: None, desired_streams: vec!["stdout".to_owned()] });
    assert_eq!(client.fault(header, without).await, 87);
    let header = client.header(uri::ACTION_RECEIVE, &shell);
    let other = Receive { command_id: Some(command.clone()), desired_streams: vec!["stdin".to_owned()] };
    assert_eq!(client.fault(header, Body::Receive(other)).await, 2_150_859_149);
    let header = client.header(uri::ACTION_SIGNAL, &shell);
    assert_eq!(client.fault(header, signal(&command, "urn:signal")).await, 87);
    let header = client.header(uri::ACTION_SEND, &shell);
    let stream = Stream { name: "stdout".to_owned(), command_id: Some(command.clone()), ..Stream::default() };
    assert_eq!(client.fault(header, Body::Send(Send { streams: vec![stream] })).await, 2_150_859_147);
    let header = client.header(uri::ACTION_COMMAND, &shell);
    assert_eq!(client.fault(header, line(" ", &[])).await, 87);

    // The client may choose the id, once.
    for (id, code) in [(command.as_str(), 2_150_858_803), ("not an id", 87)] {
        let header = client.header(uri::ACTION_COMMAND, &shell);
        let body = CommandLine {
            command: "true".to_owned(),
            command_id: Some(id.to_owned()),
            ..CommandLine::default()
        };
        assert_eq!(client.fault(header, Body::Command(body)).await, code);
    }
    let chosen = winrm_wsman::guid();
    let header = client.header(uri::ACTION_COMMAND, &shell);
    let body = CommandLine {
        command: "exit 4".to_owned(),
        command_id: Some(chosen.clone()),
        ..CommandLine::default()
    };
    assert_eq!(client.request(header, Body::Command(body)).await.0, 200);
    assert_eq!(client.finish(&shell, &chosen).await.exit_code, 4);
}

#[tokio::test]
async fn shells_are_created_with_what_there_is() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let names = |name: &str| vec![name.to_owned()];
    for (shell, code) in [
        (Shell { input_streams: names("pr"), ..Shell::default() }, 2_150_859_147),
        (Shell { output_streams: names("stdin"), ..Shell::default() }, 2_150_859_149),
        (Shell { requested_shell_id: Some("x".to_owned()), ..Shell::default() }, 87),
        (Shell { creation_xml: Some(vec![1].into()), ..Shell::default() }, RESOURCE_NOT_FOUND),
        (Shell { environment: vec![winrm_wsman::Variable::new("A=B", "")], ..Shell::default() }, 87),
    ] {
        let header = client.header(uri::ACTION_CREATE, "");
        assert_eq!(client.fault(header, Body::Create(Box::new(shell))).await, code);
    }
    for (name, value) in [("WINRS_CODEPAGE", "utf8"), ("WINRS_NOPROFILE", "perhaps")] {
        let mut header = client.header(uri::ACTION_CREATE, "");
        header.options.push(WsOption::new(name, value));
        assert_eq!(client.fault(header, create()).await, 2_150_858_835);
    }
    let id = winrm_wsman::guid();
    for code in [None, Some(2_150_858_803)] {
        let header = client.header(uri::ACTION_CREATE, "");
        let shell = Shell { requested_shell_id: Some(id.to_lowercase()), ..Shell::default() };
        let (_, answer) = client.request(header, Body::Create(Box::new(shell))).await;
        assert_eq!(answer.as_fault().and_then(Fault::wsman_code).map(|code| code.0), code);
    }
    assert_eq!(service.open_shells(), 1);
    client.delete(&id).await;
}

#[tokio::test]
async fn what_is_not_offered_is_said_to_be() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    let shell = client.create().await;
    for (action, body) in [
        (uri::ACTION_DISCONNECT, Body::Disconnect(Disconnect::default())),
        (uri::ACTION_RECONNECT, Body::Reconnect),
    ] {
        let header = client.header(action, &shell);
        assert_eq!(client.fault(header, body).await, DISCONNECT_NOT_SUPPORTED, "{action}");
    }
    for (action, body) in
        [(uri::ACTION_GET, Body::Get), (uri::ACTION_ENUMERATE, Body::Enumerate(Enumerate::default()))]
    {
        let header = client.header(action, &shell);
        let fault = fault(&mut client, header, body).await;
        assert!(is(fault.subcode.as_ref(), uri::NS_ADDRESSING, "ActionNotSupported"), "{action}");
    }
    let mut header = client.header("urn:no-such-action", &shell);
    let unknown = fault(&mut client, header.clone(), Body::Empty).await;
    assert!(is(unknown.subcode.as_ref(), uri::NS_ADDRESSING, "ActionNotSupported"));
    header.resource_uri = Some(uri::RESOURCE_URI_POWERSHELL.to_owned());
    assert_eq!(client.fault(header.clone(), Body::Empty).await, INVALID_SELECTORS);
    header.selectors.clear();
    assert_eq!(client.fault(header, Body::Empty).await, RESOURCE_NOT_FOUND);
    let header = client.header(uri::ACTION_SIGNAL, &shell);
    let signal = Body::Signal(Signal { command_id: None, code: uri::SIGNAL_TERMINATE.to_owned() });
    assert_eq!(client.fault(header, signal).await, 87);
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_is_a_fault() {
    let service = builder().start().await.unwrap();
    let mut client = Client::log_on(&service).await;
    client.max_envelope_size = 8192;
    let header = client.header(uri::ACTION_CREATE, "");
    let environment = vec![winrm_wsman::Variable::new("LONG", "x".repeat(8000))];
    let body = Body::Create(Box::new(Shell { environment, ..Shell::default() }));
    assert_eq!(client.fault(header, body).await, 2_150_858_824);
}
