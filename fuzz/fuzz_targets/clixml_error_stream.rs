#![no_main]
//! The error stream of powershell.exe: items do not depend on the cuts, and plain bytes are kept.

use libfuzzer_sys::fuzz_target;
use winrm_clixml::Limits;
use winrm_clixml::stderr::{ErrorStream, Item};

/// Small, so that inputs can exceed it.
const MAX_ELEMENT: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else { return };
    let whole = items(std::iter::once(bytes));
    assert_eq!(items(bytes.chunks(usize::from(*size).max(1))), whole);
    if !bytes.windows(9).any(|window| window == b"#< CLIXML") {
        let expected = if bytes.is_empty() { Vec::new() } else { vec![Item::Text(bytes.to_vec())] };
        assert_eq!(whole, expected);
    }
});

/// What comes out, neighbouring texts joined.
fn items<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Item> {
    let mut stream = ErrorStream::with_limits(Limits::default().with_document_size(MAX_ELEMENT));
    let mut items: Vec<Item> = Vec::new();
    let mut add = |new: Vec<Item>| {
        for item in new {
            match (items.last_mut(), item) {
                (_, Item::Text(text)) if text.is_empty() => panic!("empty text"),
                (Some(Item::Text(before)), Item::Text(text)) => before.extend(text),
                (_, item) => items.push(item),
            }
        }
    };
    for piece in pieces {
        add(stream.push(piece));
    }
    add(stream.finish());
    items
}
