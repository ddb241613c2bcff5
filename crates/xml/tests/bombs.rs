//! Documents made to cost: each must end in the error that names the bound, long before xml-rs would pay.
#![allow(clippy::unwrap_used, clippy::format_collect)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use winrm_xml::{Event, Limit, Limits, ReadError, Reader};

/// Generous: a debug build on a busy machine. Unguarded, most of these take minutes there.
const DEADLINE: Duration = Duration::from_secs(1);

fn read(document: &str) -> Result<usize, ReadError> {
    let mut reader = Reader::new(document.as_bytes())?;
    let mut events = 0;
    while reader.next()? != Event::Eof {
        events += 1;
    }
    Ok(events)
}

#[track_caller]
fn assert_limit(document: &str, expected: Limit) {
    let start = Instant::now();
    let error = read(document).unwrap_err();
    let elapsed = start.elapsed();
    assert!(
        matches!(error, ReadError::LimitExceeded { limit, offset, .. } if limit == expected && offset <= document.len()),
        "{error}"
    );
    assert!(elapsed < DEADLINE, "{elapsed:?}");
}

fn nested(count: usize, tag: impl Fn(usize) -> String, end: &str) -> String {
    let mut document: String = (0..count).map(tag).collect();
    document.push_str(&end.repeat(count));
    document
}

#[test]
fn namespace_bombs() {
    let document = nested(2_000, |index| format!("<a xmlns:n{index}='urn:example:{index}'>"), "</a>");
    assert!(document.len() > 70_000);
    // Both bounds are 64; the depth is met first.
    assert_limit(&document, Limit::Depth);
    let document = nested(40, |index| format!("<a xmlns:n{index}='u' xmlns:m{index}='u'>"), "</a>");
    assert_limit(&document, Limit::Namespaces);

    let declarations = (0..4_000).fold(String::new(), |mut all, index| {
        write!(all, " xmlns:n{index}='urn:{index}'").unwrap();
        all
    });
    assert_limit(&format!("<a{declarations}/>"), Limit::Namespaces);
    assert_limit(&format!("<a>{}<b{declarations}/></a>", "<c/>".repeat(10)), Limit::Namespaces);
}

#[test]
fn namespace_declarations_are_known_however_they_are_written() {
    for form in ["xmlns:{}='u'", "xmlns:{}=\"u\"", "xmlns:{}\n=\t'>'", "xmlns:{} = '&#x75;'"] {
        let declarations: String =
            (0..65).map(|i| format!("\r\n{}", form.replace("{}", &format!("p{i}")))).collect();
        assert_limit(&format!("<a{declarations}/>"), Limit::Namespaces);
    }
    // What only looks like declarations costs what attributes cost.
    let attributes: String = (0..60).map(|i| format!(" xmlns{i}='u'")).collect();
    assert_eq!(read(&format!("<a x='xmlns:b=\"c\" xmlns:d'{attributes}/>")).unwrap(), 2);
}

#[test]
fn declarations_end_with_their_element() {
    let one = |index| format!("<b xmlns='urn:{index}' xmlns:p='urn:p'/>");
    let document: String = (0..1_000).map(one).collect();
    assert_eq!(read(&format!("<a>{document}</a>")).unwrap(), 2_002);
}

#[test]
fn long_namespaces_that_every_element_would_copy() {
    let uri = "u".repeat(60_000);
    assert_limit(&format!("<a xmlns:p='{uri}'>{}</a>", "<b/>".repeat(100_000)), Limit::NamespacesSize);
    let declarations: String = (0..64).map(|index| format!(" xmlns:p{index}='u'")).collect();
    assert_limit(&format!("<a{declarations}>{}</a>", "<b/>".repeat(50_000)), Limit::NamespaceCopies);
}

#[test]
fn depth_bombs() {
    assert_limit(&nested(100_000, |_| "<a>".to_owned(), "</a>"), Limit::Depth);
    assert_limit(&"<a>".repeat(250_000), Limit::Depth);
    // Hidden behind what a naive count would skip by.
    let document =
        nested(65, |_| "<a x='>' y='/>'><!-- </a> --><![CDATA[</a>]]><?p </a>?>".to_owned(), "</a>");
    assert_limit(&document, Limit::Depth);
}

#[test]
fn the_last_depth_allowed_is_read() {
    assert_eq!(read(&nested(64, |_| "<a>".to_owned(), "</a>")).unwrap(), 128);
    let inner = nested(64, |_| "<a>".to_owned(), "</a>").replace("<a></a>", "<a><a/></a>");
    assert_limit(&inner, Limit::Depth);
}

#[test]
fn attribute_bombs() {
    let attributes = |count: usize| (0..count).map(|index| format!(" a{index}=''")).collect::<String>();
    assert_limit(&format!("<a{}/>", attributes(100_000)), Limit::Attributes);
    assert_limit(&format!("<a{}/>", attributes(65)), Limit::Attributes);
    assert_eq!(read(&format!("<a xmlns='u'{}/>", attributes(64))).unwrap(), 2);
    assert_limit(&format!("<a b='{}'/>", "c".repeat(1 << 20)), Limit::AttributeSize);
}

#[test]
fn long_names() {
    let name = "n".repeat(1 << 20);
    assert_limit(&format!("<{name}/>"), Limit::NameSize);
    assert_limit(&format!("<a {name}=''/>"), Limit::NameSize);
    assert_limit(&format!("<a></{name}>"), Limit::NameSize);
    assert_limit(&format!("<a><?{name}?></a>"), Limit::NameSize);
}

#[test]
fn many_elements_and_large_documents() {
    assert_limit(&format!("<a>{}</a>", "<b/>".repeat(300_000)), Limit::Elements);
    assert_limit(&format!("<a>{}</a>", " ".repeat(17 << 20)), Limit::DocumentSize);

    let limits = Limits::default().with_document_size(100).with_text_size(10);
    let text_size = |document: &str| Reader::with_limits(document.as_bytes(), &limits).map(|_| ());
    assert_eq!(text_size("<a>0123456789<b/>0123456789</a>"), Ok(()));
    for document in [
        "<a>01234567890</a>",
        "<a>01234<!-- -->567890</a>",
        "<a>01234<![CDATA[567890]]></a>",
        "<a>&amp;&amp;&amp;</a>",
    ] {
        let error = text_size(document).unwrap_err();
        assert!(
            matches!(error, ReadError::LimitExceeded { limit: Limit::TextSize, maximum: 10, .. }),
            "{document}: {error}"
        );
    }
    // A UTF-16 document may grow when it becomes UTF-8.
    let limits = Limits::default().with_document_size(100);
    let utf16: Vec<u8> =
        format!("<a>{}</a>", "\u{4e00}".repeat(32)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = Reader::with_limits(&utf16, &limits).unwrap_err();
    assert!(
        matches!(error, ReadError::LimitExceeded { limit: Limit::DocumentSize, maximum: 100, .. }),
        "{error}"
    );
}

#[test]
fn entity_bombs() {
    let mut document = "<!DOCTYPE a [<!ENTITY e0 'ha'>".to_owned();
    for index in 1..30 {
        let previous = format!("&e{};", index - 1).repeat(10);
        write!(document, "<!ENTITY e{index} '{previous}'>").unwrap();
    }
    document.push_str("]><a>&e29;</a>");
    assert_eq!(read(&document), Err(ReadError::Doctype { offset: 0 }));
    assert_eq!(read("<a>&e29;</a>"), Err(ReadError::UnknownEntity { offset: 3 }));
    assert_eq!(read("<a b='&nbsp;'/>"), Err(ReadError::UnknownEntity { offset: 6 }));
}

#[test]
fn unclosed_constructs_cost_one_pass() {
    for (start, filler, expected) in [
        ("<!--", " -", "comment has no end"),
        ("<![CDATA[", " ]", "CDATA section has no end"),
        ("<?p ", " ?", "processing instruction has no end"),
        ("<b c='", " >", "attribute value has no end"),
        ("&#", "0", "character reference has no end"),
        ("", "<?p ", "processing instruction has no end"),
        ("", "<![CDATA[", "CDATA section has no end"),
        ("", "<b ", "malformed name"),
        ("<b", " ", "document ends inside a tag"),
    ] {
        let document = format!("<a>{start}{}", filler.repeat(200_000));
        let begin = Instant::now();
        let error = read(&document).unwrap_err();
        assert!(begin.elapsed() < DEADLINE, "{start}{filler}: {:?}", begin.elapsed());
        assert!(
            matches!(error, ReadError::Syntax { reason, .. } if reason == expected),
            "{start}{filler}: {error}"
        );
    }
}
