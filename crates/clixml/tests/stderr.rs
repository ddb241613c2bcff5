//! Error streams as they are met.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests may fail")]

mod support;

use support::items;
use winrm_clixml::stderr::{ErrorStream, Item, Record, RecordStream};
use winrm_clixml::{ProgressRecord, PsObject, PsValue};

const ROOT: &str = "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">";

fn text(text: &str) -> Item {
    Item::Text(text.as_bytes().to_vec())
}

fn record(stream: RecordStream, value: &str) -> Item {
    Item::Record(Record { stream, value: PsValue::from(value) })
}

fn error(value: &str) -> Item {
    record(RecordStream::Error, value)
}

/// Decodes the whole, and checks that every cut gives the same.
fn decode(bytes: &str) -> Vec<Item> {
    let bytes = bytes.as_bytes();
    let whole = items::of([bytes]);
    for size in 1..bytes.len() {
        assert_eq!(items::of(bytes.chunks(size)), whole, "in pieces of {size}");
    }
    whole
}

#[test]
fn records_come_out_at_once() {
    let mut stream = ErrorStream::new();
    assert!(stream.push(b"#< CLIXML\r\n").is_empty());
    assert!(stream.push(ROOT.as_bytes()).is_empty());
    assert!(stream.push(b"<S S=\"Error\">one</S").is_empty());
    assert_eq!(stream.push(b">"), [error("one")]);
    assert_eq!(stream.push(b"<S S=\"warning\">two</S>"), [record(RecordStream::Warning, "two")]);
    assert!(stream.push(b"</Objs>").is_empty());
    assert!(stream.finish().is_empty());
}

#[test]
fn plain_bytes_come_out_at_once() {
    let mut stream = ErrorStream::new();
    assert_eq!(stream.push(b"no such file"), [text("no such file")]);
    assert_eq!(stream.push(b" #< CLIXML\n"), [text(" #< CLIXML\n")]);
    assert!(stream.push(b"#< C").is_empty());
    assert_eq!(stream.push(b"omment\n\xff"), [Item::Text(b"#< Comment\n\xff".to_vec())]);
    assert!(stream.push(b"").is_empty());
    assert_eq!(stream.push(b"\n"), [text("\n")]);
    assert!(stream.push(b"#").is_empty());
    assert_eq!(stream.finish(), [text("#")]);
}

#[test]
fn text_stands_before_between_and_after() {
    let bytes = format!(
        "before\r\n#< CLIXML\r\n{ROOT}<S S=\"Error\">1</S></Objs>\r\nbetween\r\n\
         #< CLIXML\n{ROOT}<S S=\"Error\">2</S>\r\n</Objs>#< CLIXML\r\n{ROOT}<S S=\"Error\">3</S></Objs>after"
    );
    let expected =
        [text("before\r\n"), error("1"), text("\r\nbetween\r\n"), error("2"), error("3"), text("after")];
    assert_eq!(decode(&bytes), expected);
}

#[test]
fn other_programs_write_between_elements() {
    let bytes = format!(
        "#< CLIXML\r\n{ROOT}<S S=\"Error\">1</S>tool: a < b\r\n  <tag>\r\n<S S=\"Error\">2</S>done<S S=\"Error\">3</S></Objs>"
    );
    let expected = [error("1"), text("tool: a < b\r\n  <tag>\r\n"), error("2"), text("done"), error("3")];
    assert_eq!(decode(&bytes), expected);
}

#[test]
fn documents_need_no_end() {
    for broken in ["", "<S S=\"Error\">cut he", "<S S=\"Err", "<S S", "<S S=\"Error\">1</S"] {
        let bytes = format!("#< CLIXML\r\n{ROOT}{broken}#< CLIXML\r\n{ROOT}<S S=\"Error\">2</S></Objs>");
        let mut expected = vec![error("2")];
        if !broken.is_empty() {
            expected.insert(0, text(broken));
        }
        assert_eq!(decode(&bytes), expected, "{broken}");
        let bytes = format!("#< CLIXML\r\n{ROOT}{broken}");
        assert_eq!(decode(&bytes), expected.iter().rev().skip(1).cloned().collect::<Vec<_>>(), "{broken}");
    }
}

#[test]
fn what_is_no_document_passes() {
    for bytes in [
        "#< CLIXML\r\nhello\r\n",
        "#< CLIXML",
        "#< CLIXML\r\n<Objs",
        "#< CLIXML\r\n<Objs a=b><S S=\"Error\">1</S></Objs>",
        "#< CLIXML\r\n<Objs xmlns=\"urn:other\"><S S=\"Error\">1</S></Objs>",
        "#< CLIXML\r\n<Objsolete/>",
        "x #< CLIXML\r\n<Objs></Objs>",
        "#<CLIXML\r\n<Objs></Objs>",
    ] {
        assert_eq!(decode(bytes), [text(bytes)], "{bytes}");
    }
    assert_eq!(decode("#< CLIXML\r\n<Objs />x"), [text("x")]);
    // A byte order mark is no part of a line.
    let marked = format!("\u{feff}#< CLIXML\r\n{ROOT}<S S=\"Error\">1</S></Objs>");
    assert_eq!(decode(&marked), [text("\u{feff}"), error("1")]);
}

#[test]
fn malformed_elements_pass_as_they_are() {
    for broken in [
        "<I32 S=\"Error\">x</I32>",
        "<Obj S=\"Error\"><TNRef RefId=\"9\"/></Obj>",
        "<S S=\"Error\">&nbsp;</S>",
        "<S S=\"Error\"></T>",
        "<S N=\"inner\">of an object that was cut</S>",
        "<Obj S=\"Error\"><!-- x --></Obj>",
    ] {
        let bytes = format!("#< CLIXML\r\n{ROOT}{broken}<S S=\"Error\">2</S></Objs>");
        assert_eq!(decode(&bytes), [text(broken), error("2")], "{broken}");
    }
    let latin = [b"#< CLIXML\r\n<Objs><S S=\"Error\">f\xfcr</S></Objs>".as_slice()].concat();
    assert_eq!(items::of([latin.as_slice()]), [Item::Text(b"<S S=\"Error\">f\xfcr</S>".to_vec())]);
}

#[test]
fn elements_refer_to_earlier_ones() {
    let bytes = format!(
        "#< CLIXML\r\n{ROOT}<Obj S=\"x\" RefId=\"0\"><TN RefId=\"0\"><T>A</T></TN></Obj>\
         <Obj S=\"x\" RefId=\"1\"><TNRef RefId=\"0\"/><MS><Ref N=\"a\" RefId=\"0\"/></MS></Obj></Objs>"
    );
    let first = PsObject::new().with_type_names(["A"]);
    let second = first.clone().with_extended("a", first.clone());
    let stream = || RecordStream::Other("x".to_owned());
    let expected =
        [first, second].map(|value| Item::Record(Record { stream: stream(), value: value.into() }));
    assert_eq!(decode(&bytes), expected);
    // Another document is another serializer's.
    let other = format!("{bytes}#< CLIXML\r\n{ROOT}<Obj><TNRef RefId=\"0\"/></Obj></Objs>");
    assert_eq!(decode(&other).last(), Some(&text("<Obj><TNRef RefId=\"0\"/></Obj>")));
}

#[test]
fn text_is_as_on_a_console() {
    let show = |stream: RecordStream, value: PsValue| Record { stream, value }.to_text();
    assert_eq!(show(RecordStream::Error, "no such thing\r\n".into()), "no such thing\r\n");
    assert_eq!(show(RecordStream::Error, PsObject::new().with_to_string("record").into()), "record\r\n");
    assert_eq!(show(RecordStream::Warning, "w".into()), "WARNING: w\r\n");
    assert_eq!(show(RecordStream::Verbose, "v".into()), "VERBOSE: v\r\n");
    assert_eq!(show(RecordStream::Debug, "d".into()), "DEBUG: d\r\n");
    assert_eq!(show(RecordStream::Information, "i".into()), "");
    assert_eq!(show(RecordStream::Progress, "p".into()), "");
    assert_eq!(show(RecordStream::Output, PsValue::I32(5)), "5\r\n");
    assert_eq!(show(RecordStream::Output, PsValue::Bool(true)), "True\r\n");
    assert_eq!(show(RecordStream::Other("new".to_owned()), "n".into()), "n\r\n");
}

#[test]
fn debug_shows_no_contents() {
    let progress = ProgressRecord {
        activity: "hidden".into(),
        activity_id: 0,
        current_operation: Some("hidden".into()),
        parent_activity_id: -1,
        percent_complete: -1,
        record_type: "hidden".into(),
        seconds_remaining: -1,
        status_description: "hidden".into(),
    };
    let object = PsObject::new()
        .with_to_string("hidden")
        .with_extended("Name", "hidden")
        .with_adapted("Progress", progress);
    let shown = format!("{:?}", Record { stream: RecordStream::Error, value: object.into() });
    assert!(shown.contains("\"Name\"") && !shown.contains("hidden"), "{shown}");
    let mut stream = ErrorStream::new();
    stream.push(format!("#< CLIXML\r\n{ROOT}<S S=\"Error\">hidden").as_bytes());
    let shown = format!("{stream:?} {:?}", text("hidden"));
    assert!(!shown.contains("hidden") && !shown.contains("104, 105"), "{shown}");
}
