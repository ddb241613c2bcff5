//! Small documents do not become costly, and large ones are refused before they do.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests may fail")]

use std::fmt::Write as _;
use std::sync::Arc;

use winrm_clixml::stderr::{ErrorStream, Item};
use winrm_clixml::{
    Content, DecodeError, EncodeError, Limits, PsObject, PsValue, decode, decode_document,
    decode_with_limits, encode,
};
use winrm_xml::ReadError;

fn nested(levels: usize) -> String {
    format!("{}{}", "<Obj><LST>".repeat(levels), "</LST></Obj>".repeat(levels))
}

#[test]
fn depth_is_bounded() {
    assert!(decode(nested(64).as_bytes()).is_ok());
    // As many objects within each other as can be, on the stack of a test's thread.
    let bare = decode(format!("{}{}", "<Obj>".repeat(128), "</Obj>".repeat(128)).as_bytes()).unwrap();
    assert_eq!(bare.clone(), bare);
    assert!(!format!("{bare:?}").is_empty());
    let error = decode(nested(65).as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::Xml(ReadError::LimitExceeded { .. })), "{error:?}");
    let error = decode(nested(1_000_000).as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::Xml(ReadError::LimitExceeded { .. })), "{error:?}");
}

/// Objects of which each refers to the one before.
fn chain(objects: usize, references: usize) -> String {
    let mut document = "<Objs><Obj RefId=\"0\"/>".to_owned();
    for number in 1..objects {
        _ = write!(document, "<Obj RefId=\"{number}\"><LST>");
        for _ in 0..references {
            _ = write!(document, "<Ref RefId=\"{}\"/>", number - 1);
        }
        document.push_str("</LST></Obj>");
    }
    document + "</Objs>"
}

#[test]
fn references_do_not_make_depth() {
    assert!(decode_document(chain(100, 1).as_bytes(), &Limits::default()).is_ok());
    let error = decode_document(chain(10_000, 1).as_bytes(), &Limits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::TooDeep { maximum: 128, .. }), "{error:?}");
}

#[test]
fn references_do_not_make_size() {
    let error = decode_document(chain(60, 2).as_bytes(), &Limits::default()).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { .. }), "{error:?}");
    // One large object many times.
    let mut document = format!("<Obj RefId=\"0\"><LST><Obj RefId=\"1\"><S>{}</S></Obj>", "x".repeat(1 << 20));
    document.push_str(&"<Ref RefId=\"1\"/>".repeat(1000));
    document.push_str("</LST></Obj>");
    let error = decode(document.as_bytes()).unwrap_err();
    assert!(matches!(error, DecodeError::TooLarge { .. }), "{error:?}");
}

#[test]
fn size_and_count_are_bounded() {
    let limits = Limits::default().with_document_size(1000).with_elements(10);
    let long = format!("<S>{}</S>", "x".repeat(1000));
    let many = format!("<Obj><LST>{}</LST></Obj>", "<Nil/>".repeat(10));
    for document in [long, many] {
        assert!(decode(document.as_bytes()).is_ok());
        let error = decode_with_limits(document.as_bytes(), &limits).unwrap_err();
        assert!(matches!(error, DecodeError::Xml(ReadError::LimitExceeded { .. })), "{error:?}");
    }
}

#[test]
fn what_is_written_can_be_read() {
    let mut value = PsValue::Nil;
    let mut levels = 0;
    let error = loop {
        value = PsObject::new().with_content(Content::Dictionary(vec![(1.into(), value)])).into();
        match encode(&value) {
            Ok(document) => assert_eq!(decode(&document).unwrap(), value),
            Err(error) => break error,
        }
        levels += 1;
    };
    assert!(matches!(error, EncodeError::TooDeep { maximum: 128 }), "{error:?}");
    assert!(levels > 40, "{levels}");
}

#[test]
fn shared_objects_are_written_once() {
    let shared = Arc::new(PsObject::new().with_to_string("shared"));
    let items = vec![PsValue::from(Arc::clone(&shared)), PsValue::from(shared)];
    let document = encode(&PsObject::new().with_content(Content::List(items)).into()).unwrap();
    let expected =
        r#"<Obj RefId="0"><LST><Obj RefId="1"><ToString>shared</ToString></Obj><Ref RefId="1"/></LST></Obj>"#;
    assert_eq!(String::from_utf8(document.clone()).unwrap(), expected);
    let read = decode(&document).unwrap();
    let [PsValue::Object(first), PsValue::Object(second)] = read.as_object().unwrap().items().unwrap() else {
        unreachable!("two objects")
    };
    assert!(Arc::ptr_eq(first, second));
}

#[test]
fn errors_name_what_and_where() {
    let cases = [
        ("<Obj><TNRef RefId='1'/></Obj>", "TNRef before byte 23 refers to nothing that came before"),
        ("<Obj><Ref RefId='1'/></Obj>", "Ref before byte 21 refers to nothing that came before"),
        ("<Obj><Ref/></Obj>", "RefId is missing before byte 11"),
        ("<Obj><MS><S/></MS></Obj>", "N is missing before byte 13"),
        ("<Obj><LST/><S/></Obj>", "content of Obj is repeated before byte 15"),
        ("<Obj><LST/><QUE/></Obj>", "content of Obj is repeated before byte 17"),
        ("<Obj><ToString/><ToString/></Obj>", "ToString is repeated before byte 27"),
        ("<Obj><DCT><En><S N='Key'/></En></DCT></Obj>", "Value is missing before byte 31"),
        ("<Obj><X/></Obj>", "unexpected element in Obj before byte 9"),
        ("<S xmlns='urn:other'/>", "unexpected element in document before byte 22"),
        ("<I32>x</I32>", "I32 before byte 12 is not a signed 32-bit integer"),
        ("<Objs/>", "document has 0 values instead of one"),
        ("<Objs><S/><S/></Objs>", "document has 2 values instead of one"),
        ("<Obj RefId='1'><LST><Obj RefId='1'/></LST></Obj>", "RefId is repeated before byte 36"),
        ("<S><S/></S>", "document is not acceptable XML"),
        ("", "document is not acceptable XML"),
    ];
    for (document, expected) in cases {
        assert_eq!(decode(document.as_bytes()).unwrap_err().to_string(), expected, "{document}");
    }
}

const ROOT: &[u8] = b"#< CLIXML\r\n<Objs>";

#[test]
fn an_element_too_large_passes_as_it_is() {
    let limits = Limits::default().with_document_size(1000);
    let large = format!("<Obj S=\"Error\"><LST>{}</LST></Obj>", "<S N=\"a\">inner</S>".repeat(100));
    let bytes = [ROOT, large.as_bytes(), b"\r\n<S S=\"Error\">small</S></Objs>after"].concat();
    for size in [1, 10, 999, 1000, 1001, bytes.len()] {
        let mut stream = ErrorStream::with_limits(limits.clone());
        let mut text = Vec::new();
        let mut records = 0;
        let pushed: Vec<_> = bytes.chunks(size).flat_map(|piece| stream.push(piece)).collect();
        for item in pushed.into_iter().chain(stream.finish()) {
            match item {
                Item::Text(piece) => text.extend(piece),
                Item::Record(record) => {
                    assert_eq!(record.value, PsValue::from("small"));
                    records += 1;
                }
            }
        }
        assert_eq!(String::from_utf8(text).unwrap(), format!("{large}after"));
        assert_eq!(records, 1);
    }
}

#[test]
fn an_endless_element_is_not_kept() {
    let mut stream = ErrorStream::with_limits(Limits::default().with_document_size(1 << 16));
    stream.push(ROOT);
    assert!(stream.push(b"<S S=\"Error\">").is_empty());
    let mut passed = 0;
    for _ in 0..1000 {
        for item in stream.push(&[b'x'; 1000]) {
            let Item::Text(text) = item else { unreachable!("no element ended") };
            passed += text.len();
        }
    }
    assert!(passed + (1 << 16) >= 1_000_000, "{passed}");
}
