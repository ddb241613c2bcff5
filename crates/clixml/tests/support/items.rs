//! Items of error streams, however they were cut.

use winrm_clixml::stderr::{ErrorStream, Item};

/// What comes out of a stream in these pieces, texts joined.
pub fn of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Item> {
    let mut stream = ErrorStream::new();
    let mut items = Vec::new();
    for piece in pieces {
        items.extend(stream.push(piece));
    }
    items.extend(stream.finish());
    joined(items)
}

/// Neighbouring texts as one.
pub fn joined(items: Vec<Item>) -> Vec<Item> {
    let mut joined: Vec<Item> = Vec::new();
    for item in items {
        match (joined.last_mut(), item) {
            (_, Item::Text(text)) if text.is_empty() => panic!("empty text"),
            (Some(Item::Text(before)), Item::Text(text)) => before.extend(text),
            (_, item) => joined.push(item),
        }
    }
    joined
}
