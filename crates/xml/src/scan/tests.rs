//! The guard against xml-rs itself: what the one counts is what the other meets.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use xml::reader::{EventReader, ParserConfig, XmlEvent};

use super::{Summary, scan};
use crate::{Limits, ReadError};

/// Pieces that, in any order, put a lexer's states to the test.
const PIECES: [&str; 66] = [
    "<",
    ">",
    "/",
    "</",
    "/>",
    "<a",
    "<b:a",
    "</a>",
    "</b:a>",
    "<a>",
    "<a/>",
    "<a ",
    "=",
    "\"",
    "'",
    " ",
    "\n",
    "\t",
    "\r",
    "<!--",
    "-->",
    "--",
    "-",
    "<!-",
    "<![CDATA[",
    "]]>",
    "]]",
    "]",
    "<![",
    "<!",
    "<?",
    "?>",
    "?",
    "<?p ",
    "<?p?>",
    "<?xml ",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE",
    "<!DOCTYPE a>",
    "[",
    "<!ENTITY",
    "&",
    ";",
    "&lt;",
    "&amp;",
    "&#60;",
    "&#x3c;",
    "&#0;",
    "&e;",
    "x=\"\"",
    " x=\"1\"",
    " y='2'",
    " x=\">\"",
    " x='/>'",
    " xmlns=\"\"",
    " xmlns='u'",
    " xmlns:b='u'",
    " xmlns:c=\"v\"",
    "xmlns",
    ":",
    "a",
    "b",
    "\u{e9}",
    "\u{fffe}",
    "\u{1}",
    "text",
];

/// What xml-rs meets up to the end or its first error, and whether there was one.
fn observe(document: &str) -> (Summary, bool) {
    let config = ParserConfig::new()
        .whitespace_to_characters(true)
        .cdata_to_characters(true)
        .allow_multiple_root_elements(false)
        .override_encoding(Some(xml::Encoding::Utf8));
    let mut parser = EventReader::new_with_config(document.as_bytes(), config);
    let mut seen = Summary::default();
    let mut depth = 0;
    loop {
        match parser.next() {
            Ok(XmlEvent::StartElement { attributes, .. }) => {
                depth += 1;
                seen.elements += 1;
                seen.deepest = seen.deepest.max(depth);
                seen.attributes += attributes.len();
            }
            Ok(XmlEvent::EndElement { .. }) => depth -= 1,
            Ok(XmlEvent::ProcessingInstruction { .. }) => seen.has_instructions = true,
            Ok(XmlEvent::EndDocument) => return (seen, true),
            Ok(_) => {}
            Err(_) => return (seen, false),
        }
    }
}

/// The ways in which the guard is stricter than xml-rs, each for being not well-formed XML or out of our bounds.
fn is_known_strictness(error: &ReadError) -> bool {
    match error {
        ReadError::Doctype { .. } => true,
        ReadError::Syntax { reason, .. } => matches!(
            *reason,
            "'<' in an attribute value"
                | "prefix declared twice in a tag"
                | "XML declaration is not at the start"
        ),
        _ => false,
    }
}

fn assert_same_view(document: &str) {
    let (seen, accepted) = observe(document);
    match scan(document, 0, &Limits::default()).map(|(summary, _)| summary) {
        Ok(counted) if accepted => assert_eq!(counted, seen, "{document:?}"),
        Ok(counted) => {
            assert!(seen.elements <= counted.elements, "{document:?}: {seen:?} {counted:?}");
            assert!(seen.deepest <= counted.deepest, "{document:?}: {seen:?} {counted:?}");
            assert!(seen.attributes <= counted.attributes, "{document:?}: {seen:?} {counted:?}");
        }
        Err(error) => assert!(!accepted || is_known_strictness(&error), "{document:?}: {error}"),
    }
}

/// Well-formed content with everything in it that could mislead a guard.
fn content() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("text".to_owned()),
        Just("&lt;a&gt; ]] > ' \" / = ; ]".to_owned()),
        Just("<!-- <a> ' <b x=\"--><![CDATA[ <a> ]]] ]] > </a> <!-- ]]>".to_owned()),
        Just("<?p <a x='> ??><?q?>".to_owned()),
        Just("<e a=' > \" /> ]]> -- ?> xmlns=' />".to_owned()),
        Just("<e\n a\t=\r'&apos;&#x3c;'\n xmlns:xmlns2 = \"urn:a\" xmlnsx='1' / >".replace("/ >", "/>")),
        Just("<x:e xmlns:x='>' x:xmlns='1'></x:e\n>".to_owned()),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        (prop::collection::vec(inner, 0..5), prop::sample::select(vec!["", " xmlns='urn:b'", " y='>'"]))
            .prop_map(|(children, attribute)| format!("<n{attribute}>{}</n >", children.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn counts_what_xml_rs_meets_in_any_order_of_markup(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24),
    ) {
        assert_same_view(&pieces.concat());
    }

    #[test]
    fn counts_what_xml_rs_meets_inside_an_element(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..10),
        tag in prop::sample::select(vec!["<a ", "<a>", "<a x='", "<a x=\"1\"", "<a><![CDATA[", "<a><!--", "<a><?p "]),
        end in prop::sample::select(vec!["</a>", "'></a>", "\"></a>", "/>", "]]></a>", "--></a>", "?></a>"]),
    ) {
        assert_same_view(&format!("{tag}{}{end}", pieces.concat()));
    }

    #[test]
    fn counts_what_xml_rs_meets_after_a_change(
        content in content(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize, prop::sample::select(&PIECES[..])), 1..3),
    ) {
        let mut document = format!("<?p ?><root xmlns:b='u'>{content}</root>");
        for (index, removed, piece) in changes {
            let at = index.index(document.len());
            let end = (at + removed).min(document.len());
            // The documents made above are ASCII, the pieces not.
            if document.is_char_boundary(at) && document.is_char_boundary(end) {
                document.replace_range(at..end, piece);
            }
        }
        assert_same_view(&document);
    }

    #[test]
    fn accepts_well_formed_content_and_counts_it(content in content()) {
        let document = format!("<!-- > --><?p <a ?>\n<root>{content}</root>\n<!-- <b> -->");
        let (seen, accepted) = observe(&document);
        prop_assert!(accepted, "{document:?}");
        prop_assert_eq!(scan(&document, 0, &Limits::default()).unwrap().0, seen);
    }
}

#[test]
fn lexer_confusions_are_refused_before_they_matter() {
    // xml-rs takes each of these values as text and then reads on in another state than it seems.
    for document in ["<a x='<!-- > -->'/>", "<a x='<![CDATA[ > ]]>'/>", "<a x='</b>'/>", "<a x='<?p ?>'/>"] {
        let error = scan(document, 0, &Limits::default()).unwrap_err();
        assert_eq!(error, ReadError::Syntax { reason: "'<' in an attribute value", offset: 6 }, "{document}");
    }
}
