//! What the writer writes, and what it refuses.
#![allow(clippy::unwrap_used)]

use std::io;

use winrm_xml::{Element, Reader, StartTag, WriteError, Writer};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";

fn written(build: impl FnOnce(&mut Writer<Vec<u8>>) -> Result<(), WriteError>) -> String {
    let mut writer = Writer::new(Vec::new());
    build(&mut writer).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

/// That a tag inside `<r xmlns:p="urn:p">` is refused with an error that `is_expected`, and leaves no trace.
#[track_caller]
fn assert_refused(
    build: impl for<'a> FnOnce(&'a mut Writer<Vec<u8>>) -> StartTag<'a, Vec<u8>>,
    is_expected: fn(&WriteError) -> bool,
) {
    let mut writer = Writer::new(Vec::new());
    writer.start("", "r").declare("p", "urn:p").open().unwrap();
    let error = build(&mut writer).open().unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    assert_eq!(writer.depth(), 1);
    // Declarations of the refused tag are not in scope either.
    assert!(matches!(writer.start("q", "x").open(), Err(WriteError::UndeclaredPrefix)));
    writer.end().unwrap();
    assert_eq!(writer.finish().unwrap(), br#"<r xmlns:p="urn:p"/>"#);
}

#[test]
fn elements_declarations_and_attributes() {
    let document = written(|w| {
        w.start("s", "Envelope").declare("s", SOAP).declare("", "urn:d").open()?;
        w.start("s", "Header").empty()?;
        w.start("", "a")
            .attribute("", "b", "1")
            .attribute("s", "b", "2")
            .attribute("xml", "lang", "en")
            .text("t")?;
        w.start("s", "Body").declare("s", SOAP).open()?;
        w.end()?;
        w.end()
    });
    let expected = format!(
        r#"<s:Envelope xmlns:s="{SOAP}" xmlns="urn:d"><s:Header/><a b="1" s:b="2" xml:lang="en">t</a><s:Body/></s:Envelope>"#
    );
    assert_eq!(document, expected);
}

#[test]
fn declarations_shadow_and_end() {
    let document = written(|w| {
        w.start("p", "a").declare("p", "urn:1").open()?;
        w.start("p", "b").declare("p", "urn:2").open()?;
        // xml-rs alone would leave this one out, as `a` declared it.
        w.start("p", "c").declare("p", "urn:1").empty()?;
        w.end()?;
        w.start("p", "d").empty()?;
        w.end()
    });
    assert_eq!(
        document,
        r#"<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c xmlns:p="urn:1"/></p:b><p:d/></p:a>"#
    );
    let mut reader = Reader::new(document.as_bytes()).unwrap();
    let root = reader.root().unwrap();
    let tree = reader.read_element(root).unwrap();
    assert!(tree.child("urn:2", "b").unwrap().child("urn:1", "c").is_some());
    assert!(tree.child("urn:1", "d").is_some());
}

#[test]
fn characters_are_escaped_where_they_must_be() {
    let value = "<>&\"'\t\n\r]]>\u{7f}\u{85}\u{e9}\u{feff}\u{fffd}\u{10ffff}";
    let document = written(|w| w.start("", "a").attribute("", "b", value).text(value));
    assert_eq!(
        document,
        "<a b=\"&lt;&gt;&amp;&quot;'&#x9;&#xA;&#xD;]]&gt;\u{7f}\u{85}\u{e9}\u{feff}\u{fffd}\u{10ffff}\">\
         &lt;&gt;&amp;\"'\t\n&#xD;]]&gt;\u{7f}\u{85}\u{e9}\u{feff}\u{fffd}\u{10ffff}</a>"
    );
    let uri = written(|w| w.start("p", "a").declare("p", "urn:\"<&>\"").empty());
    assert_eq!(uri, r#"<p:a xmlns:p="urn:&quot;&lt;&amp;&gt;&quot;"/>"#);
}

#[test]
fn specials_are_found_at_every_place_of_a_block() {
    for length in [1, 63, 64, 65, 127, 128, 129, 200] {
        for position in 0..length {
            let text = format!("{}&{}", "x".repeat(position), "y".repeat(length - position - 1));
            let document = written(|w| w.start("", "a").text(&text));
            assert_eq!(document, format!("<a>{}</a>", text.replace('&', "&amp;")));
            let text = text.replace('&', "\u{ffff}");
            let mut writer = Writer::new(Vec::new());
            let error = writer.start("", "a").text(&text).unwrap_err();
            assert!(
                matches!(error, WriteError::InvalidCharacter { character: 0xffff, offset } if offset == position),
                "{error:?}"
            );
        }
    }
}

#[test]
fn text_may_come_in_pieces() {
    let document = written(|w| {
        w.start("", "a").open()?;
        w.text("")?;
        w.text("x]")?;
        w.text("]>\r")?;
        w.text("\n")?;
        w.end()
    });
    assert_eq!(document, "<a>x]]&gt;&#xD;\n</a>");
    assert_eq!(written(|w| w.start("", "a").text("")), "<a/>");
}

#[test]
fn characters_outside_xml_are_refused() {
    for character in ['\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        let text = format!("ab{character}");
        let is_it = |error: &WriteError| matches!(*error, WriteError::InvalidCharacter { character: found, offset: 2 } if found == u32::from(character));
        let mut writer = Writer::new(Vec::new());
        writer.start("", "r").open().unwrap();
        assert!(is_it(&writer.text(&text).unwrap_err()));
        assert!(is_it(&writer.start("", "a").text(&text).unwrap_err()));
        assert!(is_it(&writer.start("", "a").attribute("", "b", &text).open().unwrap_err()));
        assert!(is_it(&writer.start("", "a").declare("p", &text).open().unwrap_err()));
        writer.end().unwrap();
        // Nothing of the refused calls was written.
        assert_eq!(writer.finish().unwrap(), b"<r/>");
    }
}

#[test]
fn malformed_tags_are_refused() {
    let name = |error: &WriteError| matches!(error, WriteError::InvalidName);
    let prefix = |error: &WriteError| matches!(error, WriteError::UndeclaredPrefix);
    let declaration = |error: &WriteError| matches!(error, WriteError::InvalidDeclaration);
    let duplicate = |error: &WriteError| matches!(error, WriteError::DuplicateAttribute);
    assert_refused(|w| w.start("", ""), name);
    assert_refused(|w| w.start("", "a b"), name);
    assert_refused(|w| w.start("", "1"), name);
    assert_refused(|w| w.start("", "p:a"), name);
    assert_refused(|w| w.start("a>", "a"), name);
    assert_refused(|w| w.start("", "a").attribute("", "b='' c", ""), name);
    assert_refused(|w| w.start("xml", "a"), name);
    assert_refused(|w| w.start("q", "a"), prefix);
    assert_refused(|w| w.start("xmlns", "a"), prefix);
    assert_refused(|w| w.start("p", "a").attribute("q", "b", ""), prefix);
    assert_refused(|w| w.start("p", "a").attribute("", "xmlns", "urn:x"), declaration);
    assert_refused(|w| w.start("p", "a").attribute("xmlns", "q", "urn:x"), declaration);
    assert_refused(|w| w.start("p", "a").declare("q", ""), declaration);
    assert_refused(|w| w.start("p", "a").declare("q", "urn:1").declare("q", "urn:1"), declaration);
    assert_refused(|w| w.start("p", "a").declare("xmlns", "urn:1"), declaration);
    assert_refused(|w| w.start("p", "a").declare("xml", "urn:1"), declaration);
    assert_refused(|w| w.start("p", "a").declare("q", "http://www.w3.org/2000/xmlns/"), declaration);
    assert_refused(|w| w.start("p", "a").declare("", "http://www.w3.org/XML/1998/namespace"), declaration);
    assert_refused(|w| w.start("p", "a").declare("q q", "urn:1"), declaration);
    assert_refused(|w| w.start("p", "a").attribute("", "b", "1").attribute("", "b", "2"), duplicate);
    assert_refused(
        |w| w.start("p", "a").declare("q", "urn:p").attribute("p", "b", "1").attribute("q", "b", "2"),
        duplicate,
    );
}

#[test]
fn documents_have_one_root_and_end() {
    let mut writer = Writer::new(Vec::new());
    assert!(matches!(writer.text("x"), Err(WriteError::NoOpenElement)));
    assert!(matches!(writer.end(), Err(WriteError::NoOpenElement)));
    writer.start("", "a").empty().unwrap();
    assert!(matches!(writer.text("x"), Err(WriteError::NoOpenElement)));
    assert!(matches!(writer.start("", "b").open(), Err(WriteError::SecondRoot)));
    assert_eq!(writer.finish().unwrap(), b"<a/>");

    assert!(matches!(Writer::new(Vec::new()).finish(), Err(WriteError::Incomplete { open: 0 })));
    let mut writer = Writer::new(Vec::new());
    writer.start("", "a").open().unwrap();
    assert!(matches!(writer.finish(), Err(WriteError::Incomplete { open: 1 })));
}

#[test]
fn a_declaration_comes_first_when_asked_for() {
    let mut writer = Writer::with_declaration(Vec::new());
    writer.start("", "a").empty().unwrap();
    assert_eq!(writer.finish().unwrap(), br#"<?xml version="1.0" encoding="UTF-8"?><a/>"#);
}

#[test]
fn trees_keep_their_declarations_and_get_missing_ones() {
    let tree = Element::new("urn:1", "a")
        .with_attribute("urn:2", "b", "v")
        .with_attribute("http://www.w3.org/XML/1998/namespace", "lang", "en")
        .with_child(Element::new("", "c"))
        .with_child(Element::new("urn:1", "d"));
    assert_eq!(
        written(|w| w.element(&tree)),
        r#"<ns0:a xmlns:ns0="urn:1" xmlns:ns1="urn:2" ns1:b="v" xml:lang="en"><c/><ns0:d/></ns0:a>"#
    );
    let document = r#"<a xmlns="urn:1" xmlns:x="urn:x" x:type="x:t"><b xmlns=""><c xmlns="urn:1"/></b></a>"#;
    let mut reader = Reader::new(document.as_bytes()).unwrap();
    let root = reader.root().unwrap();
    let tree = reader.read_element(root).unwrap();
    assert_eq!(written(|w| w.element(&tree)), document);
    // Inside a document that declares some of it.
    let inside = written(|w| {
        w.start("", "r").declare("", "urn:1").open()?;
        w.element(&tree)?;
        w.end()
    });
    assert_eq!(inside, format!("<r xmlns=\"urn:1\">{}</r>", document.replacen(" xmlns=\"urn:1\"", "", 1)));
}

/// Counts how text arrives.
#[derive(Default)]
struct Sink {
    longest: usize,
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.longest = self.longest.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn long_plain_text_reaches_the_sink_in_one_piece() {
    let base64 = "QUJD".repeat(125_000);
    let mut writer = Writer::new(Sink::default());
    writer.start("", "a").text(&base64).unwrap();
    assert_eq!(writer.finish().unwrap().longest, base64.len());
}

#[test]
fn a_failing_sink_is_reported() {
    let mut room = [0; 4];
    let mut writer = Writer::new(&mut room[..]);
    let error = writer.start("", "abc").empty().unwrap_err();
    assert!(matches!(&error, WriteError::Io(error) if error.kind() == io::ErrorKind::WriteZero), "{error:?}");
}
