//! What holds for all values and all bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{items, strategies};
use winrm_clixml::stderr::Item;
use winrm_clixml::{
    Entry, Limits, PsObject, PsString, PsValue, decode, decode_document, encode, encode_document, escape,
    unescape,
};

/// Parts of error streams, whole and broken, to be put together in any order.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "#< CLIXML",
        "#< CLIXML\r\n",
        "#< CLI",
        "#",
        "<",
        "\r\n",
        "\n",
        " ",
        "\u{feff}",
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">",
        "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">",
        "<Objs>",
        "<Objs/>",
        "<Objs xmlns='urn:other'>",
        "</Objs>",
        "</Objs ",
        ">",
        "<S S=\"Error\">line é 1_x000D__x000A_</S>",
        "<S S=\"Error\">a < b</S>",
        "<S S=\"Error\">",
        "</S>",
        "<S S=\"",
        "<S>x</S>",
        "<I32 S='warning'>5</I32>",
        "<Nil/>",
        "<Nil S=\"x>y\" />",
        "<Obj S=\"progress\" RefId=\"0\"><TN RefId=\"0\"><T>A</T></TN><LST><S>1</S></LST></Obj>",
        "<Obj S=\"progress\" RefId=\"1\"><TNRef RefId=\"0\"/><MS><Ref N=\"a\" RefId=\"0\"/></MS></Obj>",
        "<Obj><Unknown/></Obj>",
        "<b>bold</b>",
        "<!-- x -->",
        "plain text",
    ]);
    let piece = prop_oneof![
        4 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
        1 => Just(vec![b' '; 300]),
        1 => Just([b"#< CLIXML\n".as_slice(), &[b'\n'; 1100]].concat()),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn values_are_read_as_they_were_written(value in strategies::value()) {
        let document = encode(&value).unwrap();
        prop_assert_eq!(decode(&document).unwrap(), value.clone());
        // The same again, so that nothing is lost that equality does not see.
        prop_assert_eq!(encode(&decode(&document).unwrap()).unwrap(), document);
    }

    #[test]
    fn every_prefix_of_a_document_is_refused(value in strategies::value()) {
        let document = encode(&value).unwrap();
        for end in 0..document.len() {
            prop_assert!(decode(&document[..end]).is_err(), "accepted {end} bytes");
        }
    }

    #[test]
    fn documents_keep_streams_and_order(values in vec((strategies::value(), any::<bool>()), 0..4)) {
        let entries: Vec<_> = values
            .into_iter()
            .map(|(value, error)| Entry { stream: error.then(|| "Error".to_owned()), value })
            .filter(|entry| !matches!(entry.value, PsValue::MemberSet(_)))
            .collect();
        let document = encode_document(&entries).unwrap();
        prop_assert_eq!(&decode_document(&document, &Limits::default()).unwrap(), &entries);
        // As an error stream, it is the same records.
        let stream = [b"#< CLIXML\r\n", document.as_slice()].concat();
        let items = items::of([stream.as_slice()]);
        prop_assert_eq!(items.len(), entries.len());
        for (item, entry) in items.iter().zip(&entries) {
            prop_assert!(matches!(item, Item::Record(record) if record.value == entry.value));
        }
    }

    #[test]
    fn strings_are_read_as_they_were_written(string in strategies::ps_string()) {
        prop_assert_eq!(unescape(escape(&string).into_owned()), string.clone());
        prop_assert_eq!(PsString::from_utf16(&string.to_utf16()), string);
    }

    #[test]
    fn nothing_panics(bytes in vec(any::<u8>(), 0..200), text in "(<(Obj|S|TN|MS|DCT|Ref|/Obj|I32) ?(RefId=\"[01]\")?/?>|[a-z_x0]{1,4}){0,12}") {
        _ = decode(&bytes);
        _ = decode(text.as_bytes());
    }

    #[test]
    fn items_do_not_depend_on_the_cuts(bytes in stream(), cuts in vec(any::<prop::sample::Index>(), 0..6), size in 1_usize..8) {
        let whole = items::of([bytes.as_slice()]);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        prop_assert_eq!(&items::of(pieces), &whole);
        prop_assert_eq!(&items::of(bytes.chunks(size)), &whole);
    }

    #[test]
    fn plain_bytes_pass_unchanged(bytes in vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'#'), Just(b'<')], 0..200)) {
        let expected = if bytes.is_empty() { Vec::new() } else { vec![Item::Text(bytes.clone())] };
        prop_assert_eq!(items::of(bytes.chunks(3)), expected);
    }
}

#[test]
fn cycles_survive() {
    let document =
        b"<Obj RefId=\"0\"><MS><Obj N=\"child\" RefId=\"1\"><MS><Ref N=\"parent\" RefId=\"0\"/></MS></Obj>\
        <Ref N=\"again\" RefId=\"1\"/></MS></Obj>";
    let value = decode(document).unwrap();
    let object: &PsObject = value.as_object().unwrap();
    let child = object.property("child").unwrap().as_object().unwrap();
    assert_eq!(object.ref_id.map(PsValue::Ref).as_ref(), child.property("parent"));
    assert_eq!(object.property("again"), object.property("child"));
    assert_eq!(child.ref_id, None);
    assert_eq!(decode(&encode(&value).unwrap()).unwrap(), value);
    // Cut out of what it refers to, it cannot be written.
    assert!(encode(object.property("child").unwrap()).is_err());
}
