//! Envelope write, `ReceiveResponse` parse, and framing without a cipher.
#![allow(clippy::unwrap_used, missing_docs, reason = "benches may fail")]

use std::convert::Infallible;
use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use winrm_wsman::encrypted::{self, Layout};
use winrm_wsman::{
    Body, CommandState, Header, Message, Receive, ReceiveResponse, State, Stream, WsOption, XsDuration, uri,
};

const COMMAND_ID: &str = "11111111-1111-1111-1111-111111111114";

fn receive() -> Message {
    let receive = Receive {
        command_id: Some(COMMAND_ID.to_owned()),
        desired_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
    };
    let mut message =
        Message::request("http://host.example:5985/wsman", uri::RESOURCE_URI_CMD, Body::Receive(receive));
    message.header.max_envelope_size = Some(512_000);
    message.header.operation_timeout = Some(XsDuration::from_secs(20));
    message.header.locale = Some("en-US".to_owned());
    message.header.data_locale = Some("en-US".to_owned());
    message.header.options.push(WsOption::new(uri::OPTION_KEEP_ALIVE, "TRUE"));
    message
}

/// An answer with one block of `len` bytes, as Windows sends output.
fn receive_response(len: usize) -> Message {
    let data: Vec<u8> = (0..=255_u8).cycle().take(len).collect();
    let stream = |name: &str, end, data| Stream {
        name: name.to_owned(),
        command_id: Some(COMMAND_ID.to_owned()),
        end,
        data,
    };
    let response = ReceiveResponse {
        streams: vec![stream("stdout", false, Bytes::from(data)), stream("stderr", true, Bytes::new())],
        command_state: Some(CommandState {
            command_id: Some(COMMAND_ID.to_owned()),
            state: State::Running,
            exit_code: None,
        }),
    };
    Message::response(&Header::default(), Body::ReceiveResponse(response))
}

/// Envelopes of about 1.5, 157 and 515 KB.
const PAYLOADS: [usize; 3] = [200, 116_600, 385_000];

fn envelope_write(c: &mut Criterion) {
    let mut group = c.benchmark_group("envelope write");
    let mut case = |name: String, message: Message| {
        let len = message.encode().unwrap().len();
        group.throughput(Throughput::Bytes(len.try_into().unwrap()));
        group.bench_function(BenchmarkId::new(name, len), |b| {
            b.iter(|| {
                let mut buffer = encrypted::buffer(message.encoded_len());
                black_box(&message).encode_into(&mut buffer).unwrap();
                buffer
            });
        });
    };
    case("Receive".to_owned(), receive());
    for payload in PAYLOADS {
        case("ReceiveResponse".to_owned(), receive_response(payload));
    }
    group.finish();
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("ReceiveResponse parse");
    for payload in PAYLOADS {
        let document = receive_response(payload).encode().unwrap();
        group.throughput(Throughput::Bytes(document.len().try_into().unwrap()));
        group.bench_function(BenchmarkId::from_parameter(document.len()), |b| {
            b.iter(|| Message::decode(black_box(&document)).unwrap());
        });
    }
    group.finish();
}

fn framing(c: &mut Criterion) {
    let mut group = c.benchmark_group("framing");
    let layout = Layout::spnego();
    let content_type = layout.content_type();
    for len in [2_048, 16_384, 153_600, 512_000] {
        let mut plain = encrypted::buffer(len);
        plain.resize(encrypted::HEADROOM + len, b'x');
        let sealed = encrypted::seal(&layout, plain.clone(), |_| Ok::<_, Infallible>([0_u8; 16])).unwrap();
        group.throughput(Throughput::Bytes(len.try_into().unwrap()));
        // The copies of the inputs are made outside of what is measured.
        group.bench_function(BenchmarkId::new("seal", len), |b| {
            b.iter_batched(
                || {
                    let mut buffer = encrypted::buffer(len);
                    buffer.extend_from_slice(plain.get(encrypted::HEADROOM..).unwrap());
                    buffer
                },
                |buffer| encrypted::seal(&layout, buffer, |_| Ok::<_, Infallible>([0_u8; 16])).unwrap(),
                BatchSize::LargeInput,
            );
        });
        group.bench_function(BenchmarkId::new("open", len), |b| {
            b.iter_batched(
                || BytesMut::from(&sealed[..]),
                |body| encrypted::open(&content_type, body, |_, _| Ok::<_, Infallible>(())).unwrap(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, envelope_write, parse, framing);
criterion_main!(benches);
