//! What is read does not depend on the way.

use proptest::prelude::*;

use crate::{Event, Limits, ReadError, Reader};

/// Every event, or the error.
fn events(mut reader: Reader<'_>) -> Result<Vec<Event>, ReadError> {
    let mut events = Vec::new();
    loop {
        let event = reader.next()?;
        let is_last = event == Event::Eof;
        events.push(event);
        if is_last {
            return Ok(events);
        }
    }
}

/// The events in the quick way, those of the plain way being the same.
fn same(document: &str) -> Result<Vec<Event>, ReadError> {
    let limits = Limits::default();
    let plain = Reader::plainly(document.as_bytes(), &limits).and_then(events);
    // New tags, then known ones.
    for _ in 0..2 {
        let quick = Reader::with_limits(document.as_bytes(), &limits).and_then(events);
        assert_eq!(quick, plain, "{document}");
    }
    plain
}

#[test]
fn text_arrives_as_it_is() {
    let long = "QUJD+/= [é]\"'\n\t\u{10ffff}".repeat(20);
    for document in [
        format!("<a>{long}</a>"),
        format!("<a>{long}<b>{long}</b>{long}</a>"),
        format!("<a>{long}<!-- {long} -->{long}<![CDATA[{long}]]>{long}</a>"),
        format!("<a>{long}<?pi {long}?>{long}</a>"),
        format!("<a>{long}&amp;{long}</a>"),
        format!("<a>{long}\r\n{long}</a>"),
        format!("<a>{long}]]{long}</a>"),
        "<a><!-- --></a>".to_owned(),
        "<a><![CDATA[]]></a>".to_owned(),
        format!(" <!-- --> <a>{long}</a> <?pi?> "),
    ] {
        let text: String = same(&document)
            .unwrap()
            .into_iter()
            .filter_map(|event| if let Event::Text(text) = event { Some(text) } else { None })
            .collect();
        assert!(text.contains(&long) || !document.contains(&long), "{document}");
    }
}

#[test]
fn tags_mean_what_their_scope_says() {
    for document in [
        "<a x='1' y='2'/>",
        "<a y='2' x='1'></a >",
        "<p:a xmlns:p='urn:1'><p:b p:x='1'/><p:b xmlns:p='urn:2' p:x='1'/><p:b p:x='1'/></p:a>",
        "<a xmlns='urn:1'><b/><b xmlns=''><b/></b><b/></a>",
        "<a xmlns='u&amp;&quot;&lt;'><b/></a>",
        "<a xml:lang='en'><b xml:lang='de' x='&lt;&#10;'/><b xml:lang='fr' x='\t'/></a>",
        "<a x='é' y='\u{fffd}' z='>]]>'/>",
        "<é:ö xmlns:é='urn:é'/>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'><b/></a>",
        "<a><b></b><c><b/></c></a>",
    ] {
        same(document).unwrap();
    }
}

#[test]
fn what_is_wrong_is_wrong_in_the_same_place() {
    let long = "x".repeat(200);
    for document in [
        format!("<a>{long}</b>"),
        format!("<a>{long}<p:b/></a>"),
        format!("<a>{long}</a>y"),
        "<a p:x='1' xmlns:p='urn:1' q:x='1' xmlns:q='urn:1'/>".to_owned(),
        "<a x='1' x='2'/>".to_owned(),
        "<a><b x='\u{fffe}'/></a>".to_owned(),
        "<a>\u{ffff}</a>".to_owned(),
        "<a>]]></a>".to_owned(),
        "<a xmlns:p=''/>".to_owned(),
        "<p:a xmlns:p='urn:1'><b></p:b></p:a>".to_owned(),
        "<a>&#0;</a>".to_owned(),
        "<a><1/></a>".to_owned(),
        "<a b:c:d='1'/>".to_owned(),
    ] {
        // Once before, so that what comes first is known.
        let _ = same("<a><b/></a>");
        assert!(same(&document).is_err(), "{document}");
    }
}

#[test]
fn tags_are_forgotten_before_they_fill_memory() {
    let repeat = |count: usize, one: fn(usize) -> String| (0..count).map(one).collect::<String>();
    let many = repeat(20_000, |number| format!("<e{number} a='{number}'/>"));
    same(&format!("<a>{many}</a>")).unwrap();
    let scopes = repeat(2_000, |number| format!("<e xmlns='urn:{number}'><f/></e>"));
    same(&format!("<a>{scopes}</a>")).unwrap();
}

#[test]
fn text_is_borrowed_where_it_can_be() {
    use std::borrow::Cow;
    let document = b"<a><b>plain</b><b></b><b/><b>R&amp;D</b><b>x<c/></b></a>";
    let mut reader = Reader::new(document).unwrap();
    reader.root().unwrap();
    let mut next = || {
        reader.next_child().unwrap().unwrap();
        reader.read_text_borrowed()
    };
    assert!(matches!(next(), Ok(Cow::Borrowed("plain"))));
    assert!(matches!(next(), Ok(Cow::Borrowed(""))));
    assert_eq!(next().as_deref(), Ok(""));
    assert_eq!(next().as_deref(), Ok("R&D"));
    assert!(matches!(next(), Err(ReadError::UnexpectedElement { .. })));
}

fn part() -> impl Strategy<Value = String> {
    let long = (8_usize..80, "[ -~\n\t]").prop_map(|(count, one)| one.repeat(count));
    let fixed = prop::sample::select(vec![
        "<b>",
        "</b>",
        "<c/>",
        "<b x='1'>",
        "<b x='2'>",
        "<b x=\"&lt;\">",
        "<b x=' é\n'>",
        "<p:b>",
        "</p:b>",
        "<b xmlns='urn:1'>",
        "<b xmlns=''>",
        "<p:b xmlns:p='urn:1' p:x='1' x='2'>",
        "<b xmlns:p='urn:2'>",
        "</b >",
        "<!--x-->",
        "<![CDATA[ > ]]>",
        "<![CDATA[]]>",
        "<?p q?>",
        "&lt;",
        "&#x20;",
        "&#0;",
        "\u{fffe}",
        "\r",
        "é",
    ]);
    prop_oneof![2 => long, 1 => "[a-z]{0,9}", 9 => fixed.prop_map(str::to_owned)]
}

/// Half of what starts ends, so that many are well-formed.
fn balanced(parts: &[String]) -> String {
    let mut open = Vec::new();
    let mut document = String::new();
    for part in parts {
        if part.starts_with("</") {
            document.push_str(open.pop().unwrap_or(""));
            continue;
        }
        document.push_str(part);
        if part.starts_with("<b") {
            open.push("</b>");
        } else if part.starts_with("<p:b") {
            open.push("</p:b>");
        }
    }
    while let Some(end) = open.pop() {
        document.push_str(end);
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn events_are_the_same(parts in prop::collection::vec(part(), 0..14)) {
        let _ = same(&format!("<a>{}</a>", balanced(&parts)));
        let _ = same(&format!("<a xmlns:p='urn:0'>{}</a>", balanced(&parts)));
        let _ = same(&format!("<a>{}</a>", parts.concat()));
    }
}
