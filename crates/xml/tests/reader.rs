//! What the reader reports, helper by helper.
#![allow(clippy::unwrap_used, clippy::panic)]

use winrm_xml::{Attribute, Element, Event, Limits, Name, ReadError, Reader};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

fn events(document: &[u8]) -> Result<Vec<Event>, ReadError> {
    let mut reader = Reader::new(document)?;
    let mut events = Vec::new();
    loop {
        match reader.next()? {
            Event::Eof => return Ok(events),
            event => events.push(event),
        }
    }
}

/// Events in a short notation: names of starts and ends, texts quoted.
fn sketch(document: &str) -> Result<String, ReadError> {
    let words: Vec<String> = events(document.as_bytes())?
        .into_iter()
        .map(|event| match event {
            Event::Start(start) => format!("<{}", start.name()),
            Event::Text(text) => format!("{text:?}"),
            Event::End(name) => format!("{name}>"),
            Event::Eof => String::new(),
        })
        .collect();
    Ok(words.join(" "))
}

fn refusal(document: &[u8]) -> ReadError {
    match events(document) {
        Ok(events) => panic!("{} is read as {events:?}", String::from_utf8_lossy(document)),
        Err(error) => error,
    }
}

#[test]
fn names_are_resolved_and_prefixes_forgotten() {
    let one = events(format!("<s:E xmlns:s='{SOAP}' s:a='1' b='2' xml:lang='en'/>").as_bytes()).unwrap();
    let other =
        events(format!("<E xmlns='{SOAP}' xmlns:q='{SOAP}' q:a='1' b='2' xml:lang='en'/>").as_bytes())
            .unwrap();
    let [Event::Start(one), Event::End(end)] = one.as_slice() else { panic!("{one:?}") };
    let [Event::Start(other), Event::End(_)] = other.as_slice() else { panic!("{other:?}") };
    assert!(one.is(SOAP, "E"));
    assert_eq!(one.name().as_pair(), (SOAP, "E"));
    assert_eq!(end, one.name());
    assert_eq!((one.name(), one.attributes()), (other.name(), other.attributes()));
    assert_eq!(one.attribute(SOAP, "a"), Some("1"));
    assert_eq!(one.attribute("", "b"), Some("2"));
    assert_eq!(one.attribute(SOAP, "b"), None);
    assert_eq!(one.attribute(XML, "lang"), Some("en"));
    assert_eq!(one.attributes().len(), 3);
    assert_eq!(one.namespaces().collect::<Vec<_>>(), [("s", SOAP)]);
}

#[test]
fn qualified_names_in_content_are_resolved_in_their_scope() {
    let document =
        "<f xmlns='urn:d' xmlns:s='urn:1'><v xmlns:s='urn:2'> s:Sender\n</v><v xmlns=''>s:x</v></f>";
    let mut reader = Reader::new(document.as_bytes()).unwrap();
    let root = reader.root().unwrap();
    assert_eq!(root.resolve("s:Sender"), Some(Name::new("urn:1", "Sender")));
    assert_eq!(root.resolve("Sender"), Some(Name::new("urn:d", "Sender")));
    let value = reader.next_child().unwrap().unwrap();
    let text = reader.read_text().unwrap();
    assert_eq!(text, " s:Sender\n");
    assert_eq!(value.resolve(&text), Some(Name::new("urn:2", "Sender")));
    let second = reader.next_child().unwrap().unwrap();
    assert_eq!(second.resolve("s:x"), Some(Name::new("urn:1", "x")));
    assert_eq!(second.resolve("x"), Some(Name::new("", "x")));
    for none in ["t:x", ":x", "s:", "s:x:y", "", " "] {
        assert_eq!(second.resolve(none), None, "{none:?}");
    }
}

#[test]
fn text_is_whole_whatever_stands_in_it() {
    for (document, expected) in [
        ("<a> \n</a>", r#"<a " \n" a>"#),
        ("<a>x<!-- c -->y<?p ?>z<![CDATA[<&>]]>&amp;&#x41;&#10;</a>", r#"<a "xyz<&>&A\n" a>"#),
        ("<a><?p ?> <?p ?><b/><?p ?>\t<!-- --></a><?p ?> ", r#"<a " " <b b> "\t" a>"#),
        ("<a>1\r\n2\r3&#xD;</a>", r#"<a "1\n2\n3\r" a>"#),
        ("<a><![CDATA[]]></a>", "<a a>"),
        ("<a>]] ]&gt; '\" -- ?> ;=/ /></a>", r#"<a "]] ]> '\" -- ?> ;=/ />" a>"#),
        ("\n <!-- --> <a/>\n<!-- -->", "<a a>"),
    ] {
        assert_eq!(sketch(document).unwrap(), expected, "{document}");
    }
}

#[test]
fn attribute_values_are_normalized() {
    let events = events(b"<a b='1\t2\r\n3\n4&#x9;&#xA;&#xD;&quot;&apos;&gt;>\"'/>").unwrap();
    let [Event::Start(start), Event::End(_)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(start.attributes(), [Attribute::new("", "b", "1 2 3 4\t\n\r\"'>>\"")]);
}

#[test]
fn helpers_walk_a_document() {
    let document = b"<r>\n <a>one</a> <b><c/>deep<c>x</c></b><d e='f'><g>h</g> </d>\n</r> ";
    let mut reader = Reader::new(document).unwrap();
    assert!(matches!(reader.peek().unwrap(), Event::Start(start) if start.is("", "r")));
    assert_eq!(reader.depth(), 0);
    assert!(reader.root().unwrap().is("", "r"));
    assert!(reader.next_child().unwrap().unwrap().is("", "a"));
    assert_eq!(reader.depth(), 2);
    assert_eq!(reader.peek().unwrap(), &Event::Text("one".to_owned()));
    assert_eq!(reader.read_text().unwrap(), "one");
    assert!(reader.next_child().unwrap().unwrap().is("", "b"));
    reader.skip_element().unwrap();
    let start = reader.next_child().unwrap().unwrap();
    let tree = reader.read_element(start).unwrap();
    let expected = Element::new("", "d")
        .with_attribute("", "e", "f")
        .with_child(Element::new("", "g").with_text("h"))
        .with_text(" ");
    assert_eq!(tree, expected);
    assert_eq!(tree.child("", "g").map(Element::text).as_deref(), Some("h"));
    assert_eq!(reader.next_child().unwrap(), None);
    assert_eq!(reader.depth(), 0);
    assert_eq!(reader.offset(), document.len() - 1);
    assert_eq!(reader.next_child().unwrap(), None);
    reader.finish().unwrap();
}

#[test]
fn helpers_refuse_what_they_do_not_expect() {
    let open = |document: &'static str| {
        let mut reader = Reader::new(document.as_bytes()).unwrap();
        reader.root().unwrap();
        reader
    };
    let mut reader = open("<r>text<a/></r>");
    let error = reader.read_text().unwrap_err();
    assert_eq!(error, ReadError::UnexpectedElement { offset: 11 });
    // It stays so: nothing is read from a document that was refused.
    assert_eq!(reader.next(), Err(error.clone()));
    assert_eq!(reader.next_child(), Err(error.clone()));
    assert_eq!(reader.finish(), Err(error));

    assert!(matches!(open("<r> text<a/></r>").next_child(), Err(ReadError::UnexpectedText { .. })));
    assert!(matches!(open("<r>text</r>").finish(), Err(ReadError::UnexpectedText { .. })));
    assert!(matches!(open("<r><a/></r>").finish(), Err(ReadError::UnexpectedElement { .. })));
    let mut reader = Reader::new(b"<r/>").unwrap();
    assert_eq!(reader.read_text(), Err(ReadError::NoOpenElement { offset: 0 }));
    assert_eq!(reader.skip_element(), Err(ReadError::NoOpenElement { offset: 0 }));
}

#[test]
fn encodings() {
    let text = "<a>\u{e9}\u{1f600}</a>";
    let expected = sketch(text).unwrap();
    let units =
        |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let declared = format!("<?xml version='1.0' encoding='UTF-16'?>{text}");
    for document in [
        format!("\u{feff}{text}").into_bytes(),
        format!("\u{feff}<?xml version = \"1.0\" encoding = 'Utf-8' ?>{text}").into_bytes(),
        format!("<?xml version=\"1.0\"\n standalone='no'?>{text}").into_bytes(),
        units(&format!("\u{feff}{text}"), u16::to_le_bytes),
        units(&format!("\u{feff}{text}"), u16::to_be_bytes),
        units(&declared, u16::to_le_bytes),
        units(&declared, u16::to_be_bytes),
    ] {
        assert_eq!(events(&document).map(|events| events.len()), Ok(3), "{document:02x?}");
        let [_, Event::Text(read), _] = &*events(&document).unwrap() else { panic!("{document:02x?}") };
        assert_eq!(format!("<a {read:?} a>"), expected);
    }
}

#[test]
fn wrong_encodings_are_refused() {
    let utf8 = |offset| ReadError::InvalidEncoding { encoding: "UTF-8", offset };
    let utf16 = |offset| ReadError::InvalidEncoding { encoding: "UTF-16", offset };
    let unsupported = |offset| ReadError::UnsupportedEncoding { offset };
    let version = |offset| ReadError::UnsupportedVersion { offset };
    let malformed = |offset| ReadError::Syntax { reason: "malformed XML declaration", offset };
    for (document, expected) in [
        (&b"<a>\xe9</a>"[..], utf8(3)),
        (b"<a>\xed\xa0\x80</a>", utf8(3)),
        (b"<a>\xf0\x9f\x98", utf8(3)),
        (b"\xff\xfe<\0a\0\0\xd8>\0", utf16(6)),
        (b"\xfe\xff\0<\0a\0", utf16(6)),
        (b"<?xml version='1.0' encoding='iso-8859-1'?><a/>", unsupported(30)),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", unsupported(30)),
        (b"<?xml version='1.0' encoding=''?><a/>", unsupported(30)),
        (b"<?xml version='1.1'?><a/>", version(15)),
        (b"<?xml version='1.0' encoding='utf-8?><a/>", malformed(29 + 1)),
        (b"<?xml version='1.0'encoding='utf-8'?><a/>", malformed(19)),
        (b"<?xml encoding='utf-8'?><a/>", malformed(6)),
        (b"<?xml version='1.0' standalone='maybe'?><a/>", malformed(38)),
        (b"<?xml ?><a/>", malformed(6)),
        (b"<?xml version='1.0' ?", malformed(20)),
    ] {
        assert_eq!(refusal(document), expected, "{}", String::from_utf8_lossy(document));
    }
    // A second byte order mark is a character outside the root.
    assert!(matches!(refusal("\u{feff}\u{feff}<a/>".as_bytes()), ReadError::Syntax { .. }));
}

#[test]
fn refusals_name_reason_and_place() {
    let syntax = |reason, offset| ReadError::Syntax { reason, offset };
    for (document, expected) in [
        ("", syntax("document has no root element", 0)),
        ("  ", syntax("document has no root element", 2)),
        ("text", syntax("text outside the root element", 1)),
        ("<a/>x", syntax("text outside the root element", 5)),
        ("<a/><b/>", ReadError::SecondRoot { offset: 4 }),
        ("<a></a><!-- --><a></a>", ReadError::SecondRoot { offset: 15 }),
        ("<a></b>", syntax("end tag does not match its start tag", 7)),
        ("</a>", syntax("end tag without start tag", 0)),
        ("<a/></a>", syntax("end tag without start tag", 4)),
        ("<a", syntax("document ends inside a tag", 2)),
        ("<a>", syntax("document ends inside an element", 3)),
        ("<a b='1' b='2'/>", syntax("attribute is given twice", 16)),
        ("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", syntax("attribute is given twice", 42)),
        ("<a xmlns='u' xmlns='v'/>", syntax("prefix declared twice in a tag", 13)),
        ("<a xmlns:p='u' xmlns:p='u'/>", syntax("prefix declared twice in a tag", 15)),
        ("<p:a/>", syntax("prefix is not declared", 6)),
        ("<a p:b=''/>", syntax("prefix is not declared", 11)),
        ("<a><b xmlns:p='u'/><p:c/></a>", syntax("prefix is not declared", 25)),
        ("<a xmlns:p=''/>", syntax("prefix is declared with an empty name", 13)),
        ("<a b=c/>", syntax("attribute value is not quoted", 5)),
        ("<a b/>", syntax("attribute has no value", 4)),
        ("<a b='1'c='2'/>", syntax("no white space before an attribute", 8)),
        ("<a b='<'/>", syntax("'<' in an attribute value", 6)),
        ("<a><!-- -- --></a>", syntax("double hyphen inside a comment", 8)),
        ("<a>]]></a>", syntax("misplaced markup", 6)),
        ("<a>\u{1}</a>", syntax("character outside XML 1.0", 4)),
        ("<a>&#1;</a>", syntax("character outside XML 1.0", 7)),
        ("<a>\u{fffe}</a>", syntax("character outside XML 1.0", 6)),
        ("<a b='&#xD800;'/>", syntax("character outside XML 1.0", 14)),
        ("<a>&#xx;</a>", syntax("malformed character reference", 8)),
        ("<a>& </a>", ReadError::UnknownEntity { offset: 3 }),
        ("<a>&nbsp;</a>", ReadError::UnknownEntity { offset: 3 }),
        ("<!DOCTYPE a><a/>", ReadError::Doctype { offset: 0 }),
        ("<a/><!DOCTYPE a>", ReadError::Doctype { offset: 4 }),
        ("<!ELEMENT a ANY><a/>", syntax("unknown markup declaration", 0)),
        (" <?xml version='1.0'?><a/>", syntax("XML declaration is not at the start", 1)),
        ("<?XML ?><a/>", syntax("XML declaration is not at the start", 0)),
        ("<? p?><a/>", syntax("processing instruction has no name", 0)),
        ("<1/>", syntax("malformed name", 2)),
        ("< a/>", syntax("malformed name", 1)),
        ("<a xmlns:xmlns='u'/>", syntax("prefix xmlns is declared", 18)),
        ("<a xmlns:xml='u'/>", syntax("prefix xml is declared otherwise", 16)),
        ("<a xmlns='http://www.w3.org/2000/xmlns/'/>", syntax("namespace cannot be the default", 40)),
        ("<xml:a/>", syntax("prefix is reserved", 8)),
        ("<a:b:c/>", syntax("malformed name", 5)),
        ("<a 1=''/>", syntax("malformed start tag", 4)),
        ("<a><?1?></a>", syntax("malformed processing instruction", 6)),
        ("<a>&#x4 1;</a>", syntax("malformed reference", 8)),
        ("&amp;<a/>", syntax("misplaced markup", 1)),
    ] {
        assert_eq!(refusal(document.as_bytes()), expected, "{document:?}");
    }
}

#[test]
fn errors_and_debug_hold_nothing_of_the_document() {
    for document in [
        "<secret>&secret;</secret>",
        "<secret></secret2>",
        "<secret:a/>",
        "<a secret:b=''/>",
        "<a secret='' secret=''/>",
        "<a xmlns:secret=''/>",
        "<a>&#secret;</a>",
        "<?secret\u{1}?><a/>",
        "<a><?secret&?></a>",
        "<a secret></a>",
    ] {
        let error = refusal(document.as_bytes());
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let reader = Reader::new(b"<secret>secret</secret>").unwrap();
    assert!(!format!("{reader:?}").contains("secret"));
}

#[test]
fn limits_are_the_callers() {
    let document = b"<a><b><c/></b></a>";
    let read = |limits: &Limits| Reader::with_limits(document, limits).map(|_| ());
    assert_eq!(read(&Limits::default()), Ok(()));
    assert!(read(&Limits::default().with_depth(2)).is_err());
    assert!(read(&Limits::default().with_elements(2)).is_err());
    assert!(read(&Limits::default().with_document_size(document.len() - 1)).is_err());
    assert_eq!(
        read(&Limits::default().with_document_size(document.len()).with_depth(3).with_elements(3)),
        Ok(())
    );
}
