//! Fragments and messages come back as they were, however they are cut; halves of them are refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::strategies::{host_call, host_return, message, uuid};
use winrm_clixml::{Limits, PsString};
use winrm_psrp::fragment::{Defragmenter, Fragmenter, HEADER_LEN, Header};
use winrm_psrp::host::{HostCall, HostReturn};
use winrm_psrp::key::SessionKey;
use winrm_psrp::{Destination, Message, RawMessage};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn messages_come_back(message in message()) {
        let data = message.encode().unwrap();
        let limits = Limits::default().with_expanded_size(usize::MAX);
        let again = Message::decode(message.message_type(), &data, &limits).unwrap();
        prop_assert_eq!(again.message_type(), message.message_type());
        prop_assert_eq!(&again.encode().unwrap(), &data);
        // NaN is not equal to itself.
        let has_nan = data.windows(3).any(|text| text == b"NaN");
        prop_assert!(has_nan || again == message);
        let shown = format!("{again:?}");
        prop_assert!(shown.len() < 200_000);
    }

    #[test]
    fn half_messages_are_refused(message in message()) {
        let data = message.encode().unwrap();
        // An object of nothing at all is null.
        let is_object = matches!(message, Message::PipelineInput(_) | Message::PipelineOutput(_));
        for end in (usize::from(is_object)..data.len()).step_by(data.len() / 50 + 1) {
            let half = Message::decode(message.message_type(), &data[..end], &Limits::default());
            prop_assert!(half.is_err(), "accepted {} of {} bytes", end, data.len());
        }
    }

    #[test]
    fn every_type_refuses_the_data_of_others_without_harm(message in message(), other in message()) {
        let data = message.encode().unwrap();
        let _ = Message::decode(other.message_type(), &data, &Limits::default());
    }

    #[test]
    fn heads_come_back(
        to_client in any::<bool>(), kind in any::<u32>(), pool in uuid(), pipeline in uuid(),
        byte_order_mark in any::<bool>(), data in "[a-z]{0,20}",
    ) {
        let raw = RawMessage {
            destination: if to_client { Destination::Client } else { Destination::Server },
            message_type: winrm_psrp::MessageType(kind),
            runspace_pool_id: pool,
            pipeline_id: pipeline,
            byte_order_mark,
            data: data.into_bytes(),
        };
        let bytes = raw.encode();
        prop_assert_eq!(RawMessage::decode(bytes.clone()).unwrap(), raw);
        for end in 0..40 {
            prop_assert!(RawMessage::decode(bytes[..end].to_vec()).is_err());
        }
    }

    #[test]
    fn headers_come_back(object_id: u64, fragment_id: u64, start: bool, end: bool, blob_length: u32) {
        let header = Header { object_id, fragment_id, start, end, blob_length };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        let bytes: [u8; HEADER_LEN] = bytes.try_into().unwrap();
        prop_assert_eq!(Header::decode(&bytes), header);
    }

    #[test]
    fn fragments_come_together(
        messages in vec(vec(any::<u8>(), 0..200), 0..8), size in 22_usize..300, cut in 1_usize..70,
    ) {
        let mut fragmenter = Fragmenter::default();
        for message in &messages {
            fragmenter.push((), message.clone());
        }
        prop_assert_eq!(fragmenter.len(), messages.iter().map(Vec::len).sum::<usize>());
        let mut defragmenter = Defragmenter::default();
        let mut found = Vec::new();
        while let Some(((), payload)) = fragmenter.poll(size).unwrap() {
            prop_assert!(payload.len() <= size);
            for mut chunk in payload.chunks(cut) {
                while let Some(object) = defragmenter.read(&mut chunk).unwrap() {
                    found.push(object);
                }
            }
        }
        prop_assert!(defragmenter.finish().is_ok());
        prop_assert_eq!(found, messages);
    }

    #[test]
    fn interleaved_objects_come_together(
        objects in vec(vec(vec(any::<u8>(), 0..20), 1..5), 1..6), order in vec(any::<prop::sample::Index>(), 40),
    ) {
        let mut waiting: Vec<_> = objects.iter().map(|blobs| blobs.iter().enumerate().peekable()).collect();
        let mut stream = Vec::new();
        let mut order = order.iter().cycle();
        loop {
            let open: Vec<_> = (0..waiting.len()).filter(|number| waiting[*number].peek().is_some()).collect();
            if open.is_empty() {
                break;
            }
            let number = open[order.next().unwrap().index(open.len())];
            let (part, blob) = waiting[number].next().unwrap();
            let header = Header {
                object_id: u64::try_from(number).unwrap() + 1,
                fragment_id: u64::try_from(part).unwrap(),
                start: part == 0,
                end: part + 1 == objects[number].len(),
                blob_length: u32::try_from(blob.len()).unwrap(),
            };
            header.encode(&mut stream);
            stream.extend_from_slice(blob);
        }
        let mut found = Vec::new();
        let mut defragmenter = Defragmenter::default();
        let mut rest = stream.as_slice();
        while let Some(object) = defragmenter.read(&mut rest).unwrap() {
            found.push(object);
        }
        let mut expected: Vec<_> = objects.iter().map(|blobs| blobs.concat()).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..400), cut in 1_usize..50) {
        let mut defragmenter = Defragmenter::default();
        for mut chunk in bytes.chunks(cut) {
            while !matches!(defragmenter.read(&mut chunk), Ok(None)) {}
            prop_assert!(chunk.is_empty());
        }
    }

    #[test]
    fn host_calls_come_back(call in host_call()) {
        let again = HostCall::decode(call.method(), &call.parameters()).unwrap();
        prop_assert_eq!(again.method(), call.method());
        prop_assert_eq!(format!("{again:?}"), format!("{call:?}"));
        prop_assert_eq!(again.parameters().len(), call.parameters().len());
        // One parameter too few or too many is refused.
        let mut parameters = call.parameters();
        if parameters.pop().is_some() {
            prop_assert!(HostCall::decode(call.method(), &parameters).is_err());
        }
        let mut parameters = call.parameters();
        parameters.push(winrm_clixml::PsValue::Nil);
        prop_assert!(HostCall::decode(call.method(), &parameters).is_err());
    }

    #[test]
    fn host_returns_come_back((method, returned) in host_return()) {
        let again = HostReturn::decode(method, &returned.to_value()).unwrap();
        prop_assert_eq!(format!("{again:?}"), format!("{returned:?}"));
        prop_assert!(method.returns());
    }

    #[test]
    fn secrets_come_back(units in vec(any::<u16>(), 0..40), key in any::<[u8; 32]>()) {
        let key = SessionKey::from_bytes(&key);
        let secret = PsString::from_utf16(&units);
        let encrypted = key.encrypt(&secret);
        let decrypted = key.decrypt(&encrypted).unwrap();
        prop_assert_eq!(decrypted.expose_utf16(), &units[..]);
    }
}
