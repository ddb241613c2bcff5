//! Whatever is written reads back; whatever is read cannot hurt.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use winrm_xml::{Attribute, Element, Event, Name, Node, ReadError, Reader, Writer};

/// Names without colon, some of them outside ASCII.
fn local() -> impl Strategy<Value = String> {
    "[A-Za-z_\u{c0}-\u{d6}\u{4e00}-\u{4eff}][A-Za-z0-9._\u{b7}\u{e9}-]{0,8}"
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(String::new()),
        3 => prop::sample::select(vec!["urn:a", "urn:b", "http://schemas.xmlsoap.org/ws/2004/08/addressing", "a'\"<&>b"])
            .prop_map(str::to_owned),
    ]
}

/// Every character of XML 1.0, those that need care more often.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => prop::char::range(' ', '~'),
        3 => prop::sample::select(vec!['\t', '\n', '\r', '<', '>', '&', '"', '\'', ']', '[', '-', ';', '=', '/', '\u{feff}', '\u{fffd}']),
        1 => any::<char>().prop_filter("outside XML 1.0", |c| {
            matches!(*c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        }),
    ];
    prop::collection::vec(character, 0..100).prop_map(|characters| characters.into_iter().collect())
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    prop::collection::vec((namespace(), local(), text()), 0..4).prop_map(|attributes| {
        let mut unique: Vec<Attribute> = Vec::new();
        for (namespace, local, value) in attributes {
            let attribute = Attribute::new(namespace, local, value);
            let known = unique.iter().any(|other| other.name == attribute.name);
            if !known && attribute.name.local() != "xmlns" {
                unique.push(attribute);
            }
        }
        unique
    })
}

fn element() -> impl Strategy<Value = Element> {
    let namespaces = prop_oneof![
        Just(Vec::new()),
        Just(vec![(String::new(), "urn:a".to_owned())]),
        Just(vec![("p".to_owned(), "urn:a".to_owned()), ("q".to_owned(), "urn:b".to_owned())]),
        Just(vec![("p".to_owned(), "urn:b".to_owned())]),
    ];
    let leaf = (namespace(), local(), attributes(), text(), namespaces.clone()).prop_map(
        |(namespace, local, attributes, text, namespaces)| {
            let mut element = Element::new(namespace, local).with_text(text);
            element.attributes = attributes;
            element.namespaces = namespaces;
            element
        },
    );
    leaf.prop_recursive(4, 24, 4, move |inner| {
        (inner.clone(), prop::collection::vec((inner, text()), 0..4)).prop_map(|(mut element, children)| {
            for (child, text) in children {
                element = element.with_child(child).with_text(text);
            }
            element
        })
    })
}

fn write(element: &Element) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    writer.element(element).unwrap();
    writer.finish().unwrap()
}

fn read(document: &[u8]) -> Result<Element, ReadError> {
    let mut reader = Reader::new(document)?;
    let root = reader.root()?;
    let element = reader.read_element(root)?;
    reader.finish()?;
    Ok(element)
}

/// Every event up to the end or the error, and that a broken reader stays broken.
fn drain(document: &[u8]) -> (Vec<Event>, Option<ReadError>) {
    let mut events = Vec::new();
    let mut reader = match Reader::new(document) {
        Ok(reader) => reader,
        Err(error) => return (events, Some(error)),
    };
    loop {
        match reader.next() {
            Ok(Event::Eof) => {
                assert_eq!(reader.next(), Ok(Event::Eof));
                assert_eq!(reader.depth(), 0);
                return (events, None);
            }
            Ok(event) => events.push(event),
            Err(error) => {
                assert_eq!(reader.next(), Err(error.clone()));
                assert_eq!(reader.skip_element(), Err(error.clone()));
                return (events, Some(error));
            }
        }
    }
}

const SAMPLE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>\r\n<!-- c --><s:Envelope \
    xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a='urn:a'\n xml:lang='en-US'><s:Body a:x=\"1&lt;&#x41;\">\
    t&amp;x]]&gt;<![CDATA[<raw> ]] ]]><?pi data?>\r\n<empty xmlns=\"\"/><a:b\tq='\"'>\u{e9}\u{10ffff}</a:b ></s:Body></s:Envelope>\n<!-- e -->";

proptest! {
    #[test]
    fn a_tree_reads_back_equal(element in element()) {
        let document = write(&element);
        let back = read(&document).unwrap();
        prop_assert_eq!(&back, &element, "{}", String::from_utf8_lossy(&document));
        // And with the declarations as they were read.
        let again = read(&write(&back)).unwrap();
        prop_assert_eq!(&again, &element);
    }

    #[test]
    fn utf_16_reads_as_utf_8_does(element in element(), big_endian: bool, mark: bool) {
        let document = String::from_utf8(write(&element)).unwrap();
        let bytes = if big_endian { u16::to_be_bytes } else { u16::to_le_bytes };
        let mark = if mark { "\u{feff}" } else { "" };
        let utf16: Vec<u8> = format!("{mark}{document}").encode_utf16().flat_map(bytes).collect();
        prop_assert_eq!(read(&utf16).unwrap(), element);
        // Half a character more or less is an error.
        prop_assert!(read(&utf16[..utf16.len() - 1]).is_err());
    }

    #[test]
    fn every_proper_prefix_is_refused(element in element()) {
        let document = write(&element);
        for end in 0..document.len() {
            prop_assert!(read(&document[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        drain(&bytes);
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in "\\PC{0,128}") {
        drain(text.as_bytes());
        drain(format!("<a>{text}</a>").as_bytes());
        drain(format!("<a b='{text}'/>").as_bytes());
    }

    #[test]
    fn markup_soup_does_not_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<a", "<a>", "</a>", "/>", ">", "<!--", "-->", "<![CDATA[", "]]>", "<?p ", "?>", "<?xml version='1.0'?>", "<!DOCTYPE a [", "]>",
            "<!ENTITY e '<b>'>", "&e;", "&amp;", "&#13;", "&#xD800;", "&#xFFFFFFFFF;", "&#;", "'", "\"", "=", " x=", " xmlns='u'", " xmlns:p='u'", "<p:a",
            "</p:a>", " ", "\r\n", "\u{0}", "\u{85}", "\u{feff}", "]", "t",
        ]), 0..40),
    ) {
        let document = pieces.concat();
        drain(document.as_bytes());
        drain(format!("<a>{document}</a>").as_bytes());
    }

    #[test]
    fn mutations_do_not_panic(
        changes in prop::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..4),
        cut in 0..SAMPLE.len(),
        repeat in (0..SAMPLE.len(), 0..64_usize),
    ) {
        let mut document = SAMPLE.as_bytes().to_vec();
        for (at, byte) in changes {
            document[at] = byte;
        }
        drain(&document);
        drain(&document[..cut]);
        let end = (repeat.0 + repeat.1).min(document.len());
        let piece = document[repeat.0..end].to_vec();
        document.splice(cut..cut, piece);
        drain(&document);
    }

    #[test]
    fn helpers_agree_with_the_events(element in element()) {
        let document = write(&element);
        let (events, error) = drain(&document);
        prop_assert_eq!(error, None);
        let mut expected = Vec::new();
        flatten(&element, &mut expected);
        let shapes: Vec<_> = events.into_iter().map(|event| match event {
            Event::Start(start) => (Some(start.name().clone()), start.attributes().to_vec(), None),
            Event::Text(text) => (None, Vec::new(), Some(text)),
            Event::End(name) => (Some(name), Vec::new(), Some("end".to_owned())),
            Event::Eof => (None, Vec::new(), None),
        }).collect();
        prop_assert_eq!(shapes, expected);

        let mut reader = Reader::new(&document).unwrap();
        reader.root().unwrap();
        reader.skip_element().unwrap();
        prop_assert_eq!(reader.depth(), 0);
        reader.finish().unwrap();
    }
}

type Shape = (Option<Name>, Vec<Attribute>, Option<String>);

fn flatten(element: &Element, shapes: &mut Vec<Shape>) {
    shapes.push((Some(element.name.clone()), element.attributes.clone(), None));
    for node in &element.children {
        match node {
            Node::Element(child) => flatten(child, shapes),
            Node::Text(text) => shapes.push((None, Vec::new(), Some(text.clone()))),
        }
    }
    shapes.push((Some(element.name.clone()), Vec::new(), Some("end".to_owned())));
}
