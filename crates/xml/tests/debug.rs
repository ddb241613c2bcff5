//! Texts and values of documents, which may be secrets, stay out of `Debug`; names and lengths do not.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fmt::Debug;

use winrm_xml::{Element, Event, Node, Reader, Start};

const DOCUMENT: &[u8] = br#"<v:Variable xmlns:v="urn:v" Name="hunter2attribute" v:Kind="hunter2"><v:Inner
    note="hunter2">hunter2text</v:Inner>hunter2 tail<![CDATA[hunter2]]></v:Variable>"#;

fn assert_hides(value: &dyn Debug, shows: &[&str]) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
        for part in shows {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}

fn root() -> (Reader<'static>, Start) {
    let mut reader = Reader::new(DOCUMENT).unwrap();
    let start = reader.root().unwrap();
    (reader, start)
}

#[test]
fn trees_show_names_and_lengths() {
    let (mut reader, start) = root();
    let element = reader.read_element(start).unwrap();
    assert_eq!(element.attribute("", "Name"), Some("hunter2attribute"));
    let names =
        ["{urn:v}Variable", "Name(16 bytes)", "{urn:v}Kind(7 bytes)", "{urn:v}Inner", "Text(11 bytes)"];
    assert_hides(&element, &names);
    for child in &element.children {
        assert_hides(child, &[]);
    }
    assert_hides(&Node::Element(element.clone()), &names);
    assert_hides(&element.attributes, &["Name(16 bytes)"]);
    let built = Element::new("urn:v", "A").with_attribute("", "b", "hunter2").with_text("hunter2");
    assert_hides(&built, &["{urn:v}A", "b(7 bytes)", "Text(7 bytes)"]);
}

#[test]
fn events_show_names_and_lengths() {
    let (mut reader, start) = root();
    assert_hides(&start, &["{urn:v}Variable", "Name(16 bytes)"]);
    assert_hides(&Event::Start(start), &["{urn:v}Variable", "Name(16 bytes)"]);
    let mut text = String::new();
    loop {
        let event = reader.next().unwrap();
        assert_hides(&reader, &[]);
        match &event {
            Event::Text(piece) => {
                text.push_str(piece);
                assert_hides(&event, &[&format!("Text({} bytes)", piece.len())]);
            }
            Event::End(name) => assert_hides(&event, &["End", name.local()]),
            Event::Start(_) => assert_hides(&event, &["{urn:v}Inner", "note(7 bytes)"]),
            Event::Eof => break,
        }
    }
    assert_eq!(text, "hunter2texthunter2 tailhunter2");
    assert_eq!(format!("{:?}", Event::Eof), "Eof");
}
