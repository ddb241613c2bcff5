//! What holds for all messages and all bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod strategies;

use std::convert::Infallible;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use strategies::message;
use winrm_wsman::encrypted::{self, Layout, Wrapped};
use winrm_wsman::{CommandLine, ExitCode, Message, Stream, Variable, XsDuration};

/// What one damage does to a document.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (
            any::<Index>(),
            prop_oneof![Just(b"<s:Body>".to_vec()), Just(b"&#x0;".to_vec()), vec(any::<u8>(), 1..9)]
        )
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Damage::Remove(at, len)),
        (any::<Index>(), 1..400_usize).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Replace(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Damage::Insert(at, inserted) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, inserted.iter().copied());
            }
            Damage::Remove(at, len) => {
                let at = at.index(bytes.len());
                bytes.drain(at..(at + len).min(bytes.len()));
            }
            Damage::Repeat(at, len) => {
                let at = at.index(bytes.len());
                let copy = bytes[at..(at + len).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}

fn layout() -> impl Strategy<Value = Layout> {
    ("[A-Za-z][A-Za-z ]{0,40}[a-z]", any::<bool>(), proptest::option::of(1..200_usize)).prop_map(
        |(boundary, indent, chunk_size)| Layout { boundary, indent, chunk_size, ..Layout::spnego() },
    )
}

/// Turns the bytes round and puts their number before and, on request, something behind them.
fn wrap(message: &mut [u8], trailer: &[u8]) -> Wrapped {
    message.reverse();
    Wrapped { header: message.len().to_le_bytes().to_vec(), trailer: trailer.to_vec(), padding: 0 }
}

fn unwrap(header: &[u8], sealed: &mut [u8]) -> Result<std::ops::Range<usize>, ()> {
    let len = usize::from_le_bytes(header.try_into().map_err(|_| ())?);
    sealed.get_mut(..len).ok_or(())?.reverse();
    Ok(0..len)
}

proptest! {
    #[test]
    fn what_is_written_reads_back_equal(message in message()) {
        let written = message.encode().unwrap();
        let read = Message::decode(&written);
        prop_assert_eq!(read.as_ref(), Ok(&message), "{}", String::from_utf8_lossy(&written));
        prop_assert!(message.encode_into(&mut encrypted::buffer(0)).is_ok());
    }

    #[test]
    fn whatever_reads_can_be_written_and_read_again(message in message(), damages in vec(damage(), 1..4)) {
        let bytes = damaged(message.encode().unwrap().to_vec(), &damages);
        let Ok(read) = Message::decode(&bytes) else { return Ok(()) };
        let written = read.encode();
        prop_assert!(written.is_ok(), "{written:?} for {}", String::from_utf8_lossy(&bytes));
        prop_assert_eq!(Message::decode(&written.unwrap()), Ok(read), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_bytes_are_no_message(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Message::decode(&bytes).is_err());
    }

    #[test]
    fn sealed_bodies_open_to_what_was_sealed(
        layout in layout(),
        message in vec(any::<u8>(), 0..600),
        trailer in vec(any::<u8>(), 0..20),
    ) {
        let mut buffer = encrypted::buffer(message.len());
        buffer.extend_from_slice(&message);
        let body = encrypted::seal(&layout, buffer, |bytes| Ok::<_, Infallible>(wrap(bytes, &trailer))).unwrap();
        let content_type = layout.content_type_for(message.len());
        let parts = encrypted::split(&content_type, &body).unwrap();
        prop_assert_eq!(parts.iter().map(|part| part.length).sum::<usize>(), message.len());
        let opened = encrypted::open(&content_type, BytesMut::from(body), unwrap);
        prop_assert_eq!(opened.unwrap(), message);
    }

    #[test]
    fn cut_bodies_do_not_open(layout in layout(), message in vec(any::<u8>(), 0..300), at in any::<Index>()) {
        let mut buffer = encrypted::buffer(message.len());
        buffer.extend_from_slice(&message);
        let body = encrypted::seal(&layout, buffer, |bytes| Ok::<_, Infallible>(wrap(bytes, &[]))).unwrap();
        // The last dashes and the line end may be missing.
        let cut = &body[..at.index(body.len() - 4)];
        let content_type = layout.content_type_for(message.len());
        prop_assert!(encrypted::open(&content_type, BytesMut::from(cut), unwrap).is_err());
    }

    #[test]
    fn damaged_bodies_never_panic_and_never_grow(
        layout in layout(),
        message in vec(any::<u8>(), 0..300),
        damages in vec(damage(), 0..5),
    ) {
        let mut buffer = encrypted::buffer(message.len());
        buffer.extend_from_slice(&message);
        let body = encrypted::seal(&layout, buffer, |bytes| Ok::<_, Infallible>(wrap(bytes, &[]))).unwrap();
        let body = damaged(body.to_vec(), &damages);
        for part in encrypted::split(&layout.content_type(), &body).into_iter().flatten() {
            prop_assert!(part.header.end <= part.sealed.start && part.sealed.end <= body.len());
            prop_assert!(part.length <= part.sealed.len());
        }
        if let Ok(opened) = encrypted::open(&layout.content_type(), BytesMut::from(&body[..]), unwrap) {
            prop_assert!(opened.len() <= body.len());
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_open(content_type in ".{0,60}", body in vec(any::<u8>(), 0..400)) {
        prop_assert!(encrypted::open(&content_type, BytesMut::from(&body[..]), unwrap).is_err());
        let content_type = Layout::spnego().content_type();
        prop_assert!(encrypted::open(&content_type, BytesMut::from(&body[..]), unwrap).is_err());
    }

    #[test]
    fn durations_keep_their_value(text in "P?[0-9DTHMS.]{0,20}") {
        if let Ok(duration) = XsDuration::parse(&text) {
            prop_assert_eq!(XsDuration::parse(&duration.to_string()), Ok(duration));
        }
    }

    #[test]
    fn logs_show_no_content(data in vec(any::<u8>(), 1..50)) {
        let secret = String::from("hunter2");
        let command = CommandLine { command: secret.clone(), arguments: vec![secret.clone()], command_id: None };
        let stream = Stream { data: data.into(), ..Stream::default() };
        let shown = format!("{command:?} {:?} {stream:?}", Variable::new("PASSWORD", secret));
        prop_assert!(!shown.contains("hunter2"), "{shown}");
        prop_assert!(!shown.contains("data"), "{shown}");
    }

    #[test]
    fn exit_codes_read_with_and_without_sign(code in any::<u32>()) {
        prop_assert_eq!(ExitCode::parse(&code.to_string()), Some(ExitCode(code)));
        prop_assert_eq!(ExitCode::parse(&ExitCode(code).as_i32().to_string()), Some(ExitCode(code)));
    }
}

proptest! {
    // Each case reads its message as often as it has bytes.
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn no_prefix_of_a_message_is_one(message in message()) {
        let written = message.encode().unwrap();
        for end in 0..written.len() {
            prop_assert!(Message::decode(&written[..end]).is_err(), "accepted {end} bytes");
        }
    }
}
