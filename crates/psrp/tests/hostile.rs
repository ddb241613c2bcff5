//! Peers that break the rules: a typed error for each, and a session that goes on where it may.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests may fail"
)]

mod support;

use support::pair::Pair;
use winrm_clixml::PsValue;
use winrm_psrp::client::{Event, PipelineEvent};
use winrm_psrp::fragment::{Defragmenter, FragmentError, Fragmenter, Header};
use winrm_psrp::message::KeyBlob;
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{
    DecodeError, Destination, EncodeError, Error, Limits, Message, MessageType, RawMessage,
    RunspacePoolState, Scope, client, server,
};

fn fragment(object_id: u64, fragment_id: u64, start: bool, end: bool, blob: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let blob_length = u32::try_from(blob.len()).unwrap();
    Header { object_id, fragment_id, start, end, blob_length }.encode(&mut bytes);
    bytes.extend_from_slice(blob);
    bytes
}

/// What comes out of these fragments in one piece.
fn read(limits: Limits, fragments: &[Vec<u8>]) -> Vec<Result<Vec<u8>, FragmentError>> {
    let bytes = fragments.concat();
    let mut whole = Vec::new();
    let mut rest = bytes.as_slice();
    let mut defragmenter = Defragmenter::new(limits.clone());
    loop {
        match defragmenter.read(&mut rest) {
            Ok(None) => break,
            Ok(Some(object)) => whole.push(Ok(object)),
            Err(error) => whole.push(Err(error)),
        }
    }
    // And byte by byte.
    let mut bytewise = Vec::new();
    let mut defragmenter = Defragmenter::new(limits);
    for byte in &bytes {
        let mut rest = std::slice::from_ref(byte);
        loop {
            match defragmenter.read(&mut rest) {
                Ok(None) => break,
                Ok(Some(object)) => bytewise.push(Ok(object)),
                Err(error) => bytewise.push(Err(error)),
            }
        }
    }
    assert_eq!(bytewise, whole);
    whole
}

#[test]
fn fragments_that_do_not_fit_are_named() {
    let next = || fragment(2, 0, true, true, b"next");
    let after = |fragments: &[Vec<u8>]| {
        let mut found = read(Limits::default(), &[fragments.concat(), next()]);
        assert_eq!(found.pop(), Some(Ok(b"next".to_vec())), "reading goes on");
        found
    };
    let begin = || fragment(1, 0, true, false, b"a");
    assert_eq!(
        after(&[begin(), fragment(1, 2, false, true, b"c")]),
        [Err(FragmentError::OutOfOrder { object_id: 1, expected: 1, found: 2 })]
    );
    assert_eq!(
        after(&[begin(), fragment(1, 1, false, false, b"b"), fragment(1, 1, false, true, b"b")]),
        [Err(FragmentError::Duplicate { object_id: 1, fragment_id: 1 })]
    );
    assert_eq!(
        after(&[begin(), begin(), fragment(1, 1, false, true, b"b")]),
        [Err(FragmentError::Duplicate { object_id: 1, fragment_id: 0 })]
    );
    assert_eq!(
        after(&[fragment(7, 3, false, false, b"x"), fragment(7, 4, false, true, b"y")]),
        [Err(FragmentError::UnknownObject { object_id: 7, fragment_id: 3 })]
    );
    assert_eq!(
        read(Limits::default(), &[next(), next()]),
        [Ok(b"next".to_vec()), Err(FragmentError::Duplicate { object_id: 2, fragment_id: 0 })]
    );
}

#[test]
fn objects_are_bounded() {
    let limits = Limits::default().with_object_size(4).with_open_objects(2);
    let at_once = fragment(1, 0, true, true, b"12345");
    let in_parts = [fragment(2, 0, true, false, b"123"), fragment(2, 1, false, true, b"45")].concat();
    let fits = fragment(3, 0, true, true, b"1234");
    let too_large = |object_id| Err(FragmentError::ObjectTooLarge { object_id, maximum: 4 });
    assert_eq!(
        read(limits.clone(), &[at_once, in_parts, fits]),
        [too_large(1), too_large(2), Ok(b"1234".to_vec())]
    );
    // Four gigabytes that never come are not waited for in memory.
    let mut huge = Vec::new();
    Header { object_id: 1, fragment_id: 0, start: true, end: true, blob_length: u32::MAX }.encode(&mut huge);
    assert_eq!(read(limits.clone(), &[huge]), [too_large(1)]);
    let open: Vec<_> = (1..=3).map(|id| fragment(id, 0, true, false, b"")).collect();
    let end = fragment(1, 1, false, true, b"1");
    assert_eq!(
        read(limits, &[open.concat(), end]),
        [Err(FragmentError::TooManyObjects { object_id: 3, maximum: 2 }), Ok(b"1".to_vec())]
    );
}

#[test]
fn payloads_have_a_least_size() {
    let mut fragmenter = Fragmenter::default();
    fragmenter.push((), vec![1, 2]);
    assert!(matches!(fragmenter.poll(21), Err(EncodeError::PayloadTooSmall { size: 21, minimum: 22 })));
    assert_eq!(fragmenter.poll(22).unwrap().unwrap().1.len(), 22);
}

/// A message of the server, in one fragment.
fn from_server(object_id: u64, message: MessageType, pool: u128, pipeline: u128, data: &str) -> Vec<u8> {
    let raw = RawMessage {
        destination: Destination::Client,
        message_type: message,
        runspace_pool_id: Uuid::from_u128(pool),
        pipeline_id: Uuid::from_u128(pipeline),
        byte_order_mark: true,
        data: data.as_bytes().to_vec(),
    };
    fragment(object_id, 0, true, true, &raw.encode())
}

/// The error that a message of the server gives, behind which the pipeline 5 still works.
fn refused(pair: &mut Pair, bytes: &[u8]) -> Error {
    let state = pair.client.state();
    let mut rest = bytes;
    let error = pair.client.handle_data(None, &mut rest).unwrap_err();
    assert!(rest.is_empty());
    assert_eq!(pair.client.state(), state);
    let id = Uuid::from_u128(5);
    pair.server.write_output(id, &PsValue::I32(1)).unwrap();
    let events = pair.answer().unwrap();
    assert_eq!(events, [Event::Pipeline { id, event: PipelineEvent::Output(PsValue::I32(1)) }]);
    // Nothing of the message is in what it says.
    assert!(!format!("{error:?} {error}").contains("hidden"));
    error
}

#[test]
fn messages_that_make_no_sense_leave_the_pool_usable() {
    let mut pair = Pair::opened();
    pair.pipeline(5);
    let output = MessageType::PIPELINE_OUTPUT;
    let text = "<S>hidden</S>";

    let error = refused(&mut pair, &from_server(900, output, 2, 5, text));
    assert!(matches!(error, Error::WrongPool { .. }), "{error:?}");
    let error = refused(&mut pair, &from_server(901, output, 1, 6, text));
    assert!(matches!(error, Error::UnknownPipeline { .. }), "{error:?}");
    let error = refused(&mut pair, &from_server(902, MessageType(0x99), 1, 5, text));
    assert!(matches!(error, Error::Decode(DecodeError::UnknownType(_))), "{error:?}");
    let error = refused(&mut pair, &from_server(903, MessageType::PIPELINE_INPUT, 1, 5, text));
    assert!(matches!(error, Error::WrongDirection { .. }), "{error:?}");
    let error = refused(&mut pair, &fragment(904, 0, true, true, b"short"));
    assert!(matches!(error, Error::Decode(DecodeError::Destination { .. })), "{error:?}");
    let mut raw = from_server(905, output, 1, 5, text);
    raw[21] = 2;
    let error = refused(&mut pair, &raw);
    assert!(matches!(error, Error::WrongDestination { .. }), "{error:?}");
    let availability =
        r#"<Obj RefId="0"><MS><B N="SetMinMaxRunspacesResponse">true</B><I64 N="ci">77</I64></MS></Obj>"#;
    let error = refused(&mut pair, &from_server(906, MessageType::RUNSPACE_AVAILABILITY, 1, 0, availability));
    assert!(matches!(error, Error::UnknownCall { call_id: 77, .. }), "{error:?}");
    assert_eq!(error.scope(), Scope::Message);
}

#[test]
fn data_that_makes_no_sense_leaves_the_pool_usable() {
    let mut pair = Pair::opened();
    pair.pipeline(5);
    let deep = format!("{}{}", "<Obj><LST>".repeat(500), "</LST></Obj>".repeat(500));
    let twice = |id: usize| {
        format!(r#"<Obj RefId="{}"><LST><Ref RefId="{id}"/><Ref RefId="{id}"/></LST></Obj>"#, id + 1)
    };
    let bomb = r#"<Obj RefId="0"><LST><Obj RefId="1"><LST><S>hidden</S></LST></Obj>"#.to_owned()
        + &(1..40).map(twice).collect::<Vec<_>>().concat()
        + "</LST></Obj>";
    for (number, data) in
        [" ", "hidden", "<S>hidden", "<Nope/>", r#"<Ref RefId="9"/>"#, &deep, &bomb].iter().enumerate()
    {
        let id = 900 + u64::try_from(number).unwrap();
        let error = refused(&mut pair, &from_server(id, MessageType::PIPELINE_OUTPUT, 1, 5, data));
        assert!(matches!(error, Error::Decode(DecodeError::Clixml { .. })), "{error:?}");
        assert_eq!(error.scope(), Scope::Message);
    }
    let missing =
        refused(&mut pair, &from_server(950, MessageType::PIPELINE_STATE, 1, 5, r#"<Obj RefId="0"/>"#));
    let Error::Decode(missing) = missing else { panic!("{missing:?}") };
    assert_eq!(missing, DecodeError::Missing { kind: "PIPELINE_STATE", field: "PipelineState" });
    let other = r#"<Obj RefId="0"><MS><I32 N="PipelineState">99</I32></MS></Obj>"#;
    let invalid = refused(&mut pair, &from_server(951, MessageType::PIPELINE_STATE, 1, 5, other));
    assert!(matches!(invalid, Error::Decode(DecodeError::Invalid { field: "PipelineState", .. })));
}

#[test]
fn states_that_do_not_follow_are_refused() {
    let mut pair = Pair::opened();
    pair.pipeline(5);
    let state =
        |number: i32| format!(r#"<Obj RefId="0"><MS><I32 N="PipelineState">{number}</I32></MS></Obj>"#);
    for (id, number) in [(900, 0), (901, 6)] {
        let error = refused(&mut pair, &from_server(id, MessageType::PIPELINE_STATE, 1, 5, &state(number)));
        assert!(matches!(error, Error::UnexpectedPipelineMessage { .. }), "{error:?}");
        assert_eq!(error.scope(), Scope::Pipeline(Uuid::from_u128(5)));
    }
    let state =
        |number: i32| format!(r#"<Obj RefId="0"><MS><I32 N="RunspaceState">{number}</I32></MS></Obj>"#);
    for (id, number) in (910..).zip([0, 1, 6, 7, 8, 9]) {
        let error =
            refused(&mut pair, &from_server(id, MessageType::RUNSPACEPOOL_STATE, 1, 0, &state(number)));
        assert!(matches!(error, Error::UnexpectedMessage { .. }), "{error:?}");
        assert_eq!(error.scope(), Scope::Pool);
    }
    // A server that greets twice, and one that sends a key that nobody asked for.
    let capability = Message::SessionCapability(winrm_psrp::message::SessionCapability::default());
    let capability = String::from_utf8(capability.encode().unwrap()).unwrap();
    let error = refused(&mut pair, &from_server(920, MessageType::SESSION_CAPABILITY, 0, 0, &capability));
    assert!(matches!(error, Error::UnexpectedMessage { state: RunspacePoolState::Opened, .. }), "{error:?}");
    let key = Message::EncryptedSessionKey(KeyBlob(vec![0; 268])).encode().unwrap();
    let key = String::from_utf8(key).unwrap();
    let error = refused(&mut pair, &from_server(921, MessageType::ENCRYPTED_SESSION_KEY, 0, 0, &key));
    assert!(matches!(error, Error::UnexpectedMessage { .. }), "{error:?}");
    assert!(pair.client.session_key().is_none());
}

#[test]
fn a_server_announces_that_it_closes() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    let state = |object_id, number: i32| {
        let data = format!(r#"<Obj RefId="0"><MS><I32 N="RunspaceState">{number}</I32></MS></Obj>"#);
        from_server(object_id, MessageType::RUNSPACEPOOL_STATE, 1, 0, &data)
    };
    assert_eq!(pair.client.handle_data(None, &mut &state(900, 4)[..]).unwrap(), None);
    assert_eq!(pair.client.state(), RunspacePoolState::Opened);
    assert!(pair.client.pipeline_state(id).is_some(), "what runs has its own end");
    let closed = Event::Ended { state: RunspacePoolState::Closed, error: None };
    assert_eq!(pair.client.handle_data(None, &mut &state(901, 3)[..]).unwrap(), Some(closed));
    assert_eq!(pair.client.state(), RunspacePoolState::Closed);
}

#[test]
fn a_session_key_that_cannot_be_read_is_final() {
    let mut pair = Pair::opened();
    pair.pipeline(5);
    pair.client.exchange_key(winrm_psrp::key::KeyPair::generate().unwrap()).unwrap();
    assert_eq!(pair.serve().unwrap().len(), 1);
    let key = String::from_utf8(Message::EncryptedSessionKey(KeyBlob(vec![0; 9])).encode().unwrap()).unwrap();
    let error = refused(&mut pair, &from_server(900, MessageType::ENCRYPTED_SESSION_KEY, 0, 0, &key));
    assert!(matches!(error, Error::Key(_)), "{error:?}");
    let again = refused(&mut pair, &from_server(901, MessageType::ENCRYPTED_SESSION_KEY, 0, 0, &key));
    assert!(matches!(again, Error::UnexpectedMessage { .. }), "{again:?}");
    assert!(pair.client.session_key().is_none());
}

#[test]
fn a_client_that_breaks_the_rules_leaves_the_pool_usable() {
    let mut pair = Pair::opened();
    let id = pair.pipeline(5);
    let from_client = |object_id, message, pool, pipeline, data: &str| {
        let mut bytes = from_server(object_id, message, pool, pipeline, data);
        bytes[21] = 2;
        bytes
    };
    let mut refused = |bytes: &[u8]| {
        let mut rest = bytes;
        let error = pair.server.handle_data(None, &mut rest).unwrap_err();
        pair.client.send_input(id, &PsValue::I32(1)).unwrap();
        assert_eq!(pair.serve().unwrap().len(), 1);
        error
    };
    let input = MessageType::PIPELINE_INPUT;
    assert!(matches!(refused(&from_client(900, input, 2, 5, "<S/>")), Error::WrongPool { .. }));
    assert!(matches!(refused(&from_client(901, input, 1, 6, "<S/>")), Error::UnknownPipeline { .. }));
    let output = MessageType::PIPELINE_OUTPUT;
    assert!(matches!(refused(&from_client(902, output, 1, 5, "<S/>")), Error::WrongDirection { .. }));
    let init = MessageType::INIT_RUNSPACEPOOL;
    assert!(matches!(refused(&from_client(903, init, 1, 0, "<S/>")), Error::UnexpectedMessage { .. }));
    let response = r#"<Obj RefId="0"><MS><I64 N="ci">3</I64><I32 N="mi">11</I32></MS></Obj>"#;
    let error = refused(&from_client(904, MessageType::PIPELINE_HOST_RESPONSE, 1, 5, response));
    assert!(matches!(error, Error::UnknownCall { call_id: 3, .. }), "{error:?}");
    let key = Message::PublicKey(KeyBlob(vec![6, 2])).encode().unwrap();
    let error = refused(&from_client(905, MessageType::PUBLIC_KEY, 1, 0, &String::from_utf8(key).unwrap()));
    assert!(matches!(error, Error::Key(_)), "{error:?}");
}

#[test]
fn bytes_that_are_no_session_do_no_harm() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 100], &[255; 100]] {
        let mut server = server::RunspacePool::new(server::Config::default());
        let mut client = client::RunspacePool::new(Uuid::nil(), client::Config::default());
        let mut rest = bytes;
        while !matches!(server.handle_data(None, &mut rest), Ok(None)) {}
        let mut rest = bytes;
        while !matches!(client.handle_data(None, &mut rest), Ok(None)) {}
    }
}
