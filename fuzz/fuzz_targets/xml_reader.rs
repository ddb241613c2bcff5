#![no_main]
//! The XML reader: bounds hold, and all ways of reading agree.

use libfuzzer_sys::fuzz_target;
use winrm_xml::{Event, Limits, ReadError, Reader};

fuzz_target!(|document: &[u8]| {
    let events = read_events(document);
    let mut tree = false;
    if let Ok(mut reader) = Reader::new(document)
        && let Ok(root) = reader.root()
    {
        tree = reader.read_element(root).is_ok() && reader.finish().is_ok();
    }
    assert_eq!(events, tree, "events and tree differ");
    let limits = Limits::default();
    let plain = Reader::plainly(document, &limits).and_then(all_events);
    for tags in ["new", "known"] {
        let quick = Reader::with_limits(document, &limits).and_then(all_events);
        assert_eq!(quick, plain, "the quick and the plain way differ with {tags} tags");
    }
});

fn all_events(mut reader: Reader<'_>) -> Result<Vec<Event>, ReadError> {
    let mut events = Vec::new();
    loop {
        match reader.next()? {
            Event::Eof => return Ok(events),
            event => events.push(event),
        }
    }
}

/// Whether the document reads to its end.
fn read_events(document: &[u8]) -> bool {
    let limits = Limits::default();
    let Ok(mut reader) = Reader::with_limits(document, &limits) else { return false };
    let mut open = 0;
    loop {
        match reader.next() {
            Ok(Event::Start(start)) => {
                open += 1;
                assert!(open <= limits.depth && start.attributes().len() <= limits.attributes);
            }
            Ok(Event::End(_)) => open -= 1,
            Ok(Event::Text(text)) => assert!(!text.is_empty()),
            Ok(Event::Eof) => break,
            Err(_) => return false,
        }
        assert_eq!(reader.depth(), open);
    }
    assert_eq!(open, 0);
    true
}
