//! What a shell is told and answers stays out of `Debug`; lengths do not.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests may fail")]

use bytes::Bytes;
use winrm_wsman::{
    Body, Connect, ConnectResponse, CreateResponse, Fault, Header, Message, Resource, Shell, Variable, uri,
};
use winrm_xml::Element;

const SECRET: &[u8] = b"hunter2hunter2hunter2";

fn assert_hides(body: Body, shows: &[&str]) {
    let message = Message {
        header: Header::request("http://host/wsman", uri::RESOURCE_URI_CMD, uri::ACTION_CREATE),
        body,
    };
    for shown in [format!("{message:?}"), format!("{:?}", message.body), format!("{:#?}", message.body)] {
        assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
        for part in shows {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}

fn shell() -> Shell {
    Shell {
        shell_id: Some("6F1C0B2E".to_owned()),
        environment: vec![Variable::new("PASSWORD", "hunter2")],
        creation_xml: Some(Bytes::from_static(SECRET)),
        ..Shell::default()
    }
}

#[test]
fn shells_show_the_length_of_their_creation_xml() {
    let shows = ["6F1C0B2E", "PASSWORD", "creation_xml_len", "21"];
    assert_hides(Body::Create(Box::new(shell())), &shows);
    let created = CreateResponse::for_shell("http://host/wsman", shell());
    assert_hides(Body::CreateResponse(Box::new(created)), &shows);
    assert_hides(Body::GetResponse(Resource::Shell(Box::new(shell()))), &shows);
}

#[test]
fn connecting_shows_the_length_of_its_fragments() {
    let fragments = Some(Bytes::from_static(SECRET));
    assert_hides(
        Body::Connect(Connect { command_id: None, connect_xml: fragments.clone() }),
        &["connect_xml_len", "21"],
    );
    let response = ConnectResponse {
        input_streams: vec!["stdin".to_owned()],
        connect_response_xml: fragments,
        ..ConnectResponse::default()
    };
    assert_hides(Body::ConnectResponse(response), &["stdin", "connect_response_xml_len", "21"]);
}

#[test]
fn other_elements_show_names_and_lengths() {
    let element = Element::new("urn:v", "Item").with_attribute("", "Key", "hunter2").with_text("hunter2");
    assert_hides(Body::GetResponse(Resource::Other(element.clone())), &["{urn:v}Item", "Key(7 bytes)"]);
    let fault = Fault { details: vec![element], ..Fault::new("Sender", None, "no") };
    assert_hides(Body::Fault(fault.into()), &["{urn:v}Item", "Text(7 bytes)"]);
}
