//! Sessions as fragments, and the messages in them.

use std::collections::HashMap;

use serde_json::Value;
use winrm_clixml::{Limits, PsValue};
use winrm_psrp::fragment::{Defragmenter, HEADER_LEN, Header};
use winrm_psrp::uuid::Uuid;
use winrm_psrp::{Destination, Message, MessageType, RawMessage};

use crate::describe;
use crate::files::{array, bytes, sha256, text};
use crate::same::same;

/// A message with its data, as it stands in the vectors.
pub(crate) fn raw(value: &Value) -> RawMessage {
    RawMessage { data: text(&value["data"]).as_bytes().to_vec(), ..head(value) }
}

/// All but its data.
fn head(value: &Value) -> RawMessage {
    let number = text(&value["type"]).strip_prefix("0x").unwrap();
    let message_type = MessageType(u32::from_str_radix(number, 16).unwrap());
    assert_eq!(message_type.name(), Some(text(&value["type_name"])));
    RawMessage {
        destination: match text(&value["destination"]) {
            "client" => Destination::Client,
            "server" => Destination::Server,
            other => panic!("destination {other}"),
        },
        message_type,
        runspace_pool_id: id(&value["runspace_pool_id"]),
        pipeline_id: id(&value["pipeline_id"]),
        byte_order_mark: value["bom"].as_bool().unwrap(),
        data: Vec::new(),
    }
}

pub(crate) fn id(value: &Value) -> Uuid {
    Uuid::parse_str(text(value)).unwrap()
}

pub(crate) fn check_session(entry: &Value, session: &Value) {
    let id = text(&entry["id"]);
    let payloads = array(&session["payloads"]);
    let messages = array(&session["messages"]);
    assert_eq!(entry["payloads"], payloads.len(), "{id}");
    assert_eq!(entry["messages"], messages.len(), "{id}");
    // Whole payloads, and cut where no sender would.
    for size in [usize::MAX, 1, 20, 21, 22, 1_000] {
        let found = defragment(id, payloads, size);
        assert_eq!(found.len(), messages.len(), "{id}");
        if size == usize::MAX {
            for (found, expected) in found.iter().zip(messages) {
                check_message(id, found, expected);
            }
        }
    }
}

/// The messages in the order in which they were whole.
fn defragment(id: &str, payloads: &[Value], size: usize) -> Vec<RawMessage> {
    let mut streams: HashMap<&str, Defragmenter> = HashMap::new();
    let mut found = Vec::new();
    for payload in payloads {
        let content = bytes(&payload["base64"]);
        check_headers(id, &content, array(&payload["fragments"]));
        // Each shell counts anew.
        if matches!(text(&payload["carrier"]), "creationXml" | "connectXml") {
            assert!(streams.values().all(Defragmenter::is_idle), "{id}");
            streams.clear();
        }
        let defragmenter = streams.entry(text(&payload["direction"])).or_default();
        for mut chunk in content.chunks(size.min(content.len().max(1))) {
            while let Some(object) =
                defragmenter.read(&mut chunk).unwrap_or_else(|error| panic!("{id}: {error}"))
            {
                found.push(RawMessage::decode(object).unwrap());
            }
        }
        assert!(defragmenter.is_idle() || size != 1 || !found.is_empty(), "{id}");
    }
    assert!(streams.values().all(Defragmenter::is_idle), "{id}");
    found
}

fn check_headers(id: &str, mut payload: &[u8], expected: &[Value]) {
    for expected in expected {
        let (head, rest) = payload.split_first_chunk::<HEADER_LEN>().unwrap();
        let header = Header::decode(head);
        assert_eq!(header.object_id, expected["object_id"].as_u64().unwrap(), "{id}");
        assert_eq!(header.fragment_id, expected["fragment_id"].as_u64().unwrap(), "{id}");
        assert_eq!(header.start, expected["start"], "{id}");
        assert_eq!(header.end, expected["end"], "{id}");
        assert_eq!(header.blob_length, expected["blob_length"], "{id}");
        let mut encoded = Vec::new();
        header.encode(&mut encoded);
        assert_eq!(encoded, head, "{id}");
        payload = &rest[usize::try_from(header.blob_length).unwrap()..];
    }
    assert!(payload.is_empty(), "{id}");
}

fn check_message(id: &str, found: &RawMessage, expected: &Value) {
    let id = format!("{id} {} {}", expected["n"], found.message_type);
    let data = found.data.clone();
    assert_eq!(RawMessage { data: Vec::new(), ..found.clone() }, head(expected), "{id}");
    assert_eq!(expected["data_length"], data.len(), "{id}");
    assert_eq!(text(&expected["data_sha256"]), sha256(&data), "{id}");
    if let Some(xml) = expected["data_xml"].as_str() {
        assert_eq!(data, xml.as_bytes(), "{id}");
    }
    let message = check_data(&id, found);
    describe::check(&id, &message, &expected["expected"]);
}

/// Reads and writes the data; what is written says the same, and reads to the same.
pub(crate) fn check_data(id: &str, raw: &RawMessage) -> Message {
    let limits = Limits::default();
    let message =
        Message::decode(raw.message_type, &raw.data, &limits).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(message.message_type(), raw.message_type, "{id}");
    let written = message.encode().unwrap();
    assert_eq!(same_data(raw.message_type, &written), same_data(raw.message_type, &raw.data), "{id}");
    assert_eq!(Message::decode(raw.message_type, &written, &limits).unwrap(), message, "{id}");
    message
}

/// What the data says, whatever its order.
pub(crate) fn same_data(message: MessageType, data: &[u8]) -> PsValue {
    match message {
        MessageType::END_OF_PIPELINE_INPUT => PsValue::Nil,
        _ => Comparable::from(message).of(same(&winrm_clixml::decode(data).unwrap())),
    }
}

/// Where senders differ in what they write for one meaning.
enum Comparable {
    AsIs,
    /// Without the types of lists and numbers, which the recorded client writes in ways of its own.
    Untyped,
}

impl From<MessageType> for Comparable {
    fn from(message: MessageType) -> Self {
        if message == MessageType::GET_COMMAND_METADATA { Self::Untyped } else { Self::AsIs }
    }
}

impl Comparable {
    fn of(self, value: PsValue) -> PsValue {
        let (Self::Untyped, PsValue::Object(object)) = (self, &value) else { return value };
        let mut object = winrm_clixml::PsObject::clone(object);
        for property in &mut object.extended.0 {
            property.value = match property.value.primitive() {
                PsValue::Object(list) => list.content.clone_list(),
                primitive => primitive.clone(),
            };
        }
        object.into()
    }
}

trait CloneList {
    fn clone_list(&self) -> PsValue;
}

impl CloneList for winrm_clixml::Content {
    fn clone_list(&self) -> PsValue {
        winrm_clixml::PsObject::new().with_content(self.clone()).into()
    }
}
