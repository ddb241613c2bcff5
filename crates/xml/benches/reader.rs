//! The plain event loop over answers to Receive, and the writer over the same.
//!
//! The reader is what a fast path will be held to; the writer's floor is copying the text.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use winrm_xml::{Event, Reader, Writer};

const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const WSMAN: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
const SHELL: &str = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell";
const COMMAND_ID: &str = "0B1C2D3E-0000-4000-8000-00805F9B34FB";

/// `size` characters of base64.
fn base64(size: usize) -> String {
    "TWljcm9zb2Z0IFdpbmRvd3Mg/+8=".chars().cycle().take(size).collect()
}

/// The shape of an answer to Receive (MS-WSMV 3.1.4.14): `streams` streams of the same text each.
fn answer(streams: usize, text: &str) -> Vec<u8> {
    let mut w = Writer::new(Vec::with_capacity(streams * (text.len() + 200) + 2_048));
    w.start("s", "Envelope")
        .declare("s", SOAP)
        .declare("a", ADDRESSING)
        .declare("w", WSMAN)
        .declare("p", "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd")
        .declare("rsp", SHELL)
        .attribute("xml", "lang", "en-US")
        .open()
        .unwrap();
    w.start("s", "Header").open().unwrap();
    w.start("a", "Action").text(&format!("{SHELL}/ReceiveResponse")).unwrap();
    w.start("a", "MessageID").text("uuid:6C1A2C1B-0000-4000-8000-000000000001").unwrap();
    w.start("a", "To").text(&format!("{ADDRESSING}/role/anonymous")).unwrap();
    w.start("a", "RelatesTo").text("uuid:6C1A2C1B-0000-4000-8000-000000000002").unwrap();
    w.end().unwrap();
    w.start("s", "Body").open().unwrap();
    w.start("rsp", "ReceiveResponse").open().unwrap();
    for _ in 0..streams {
        w.start("rsp", "Stream")
            .attribute("", "Name", "stdout")
            .attribute("", "CommandId", COMMAND_ID)
            .text(text)
            .unwrap();
    }
    w.start("rsp", "CommandState")
        .attribute("", "CommandId", COMMAND_ID)
        .attribute("", "State", format!("{SHELL}/CommandState/Done"))
        .open()
        .unwrap();
    w.start("rsp", "ExitCode").text("0").unwrap();
    for _ in 0..4 {
        w.end().unwrap();
    }
    w.finish().unwrap()
}

const SHAPES: [(&str, usize, usize); 4] =
    [("1.5KB", 1, 500), ("157KB", 20, 7_700), ("515KB", 20, 25_600), ("381KB-of-2500-streams", 2_500, 64)];

fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    for (name, streams, size) in SHAPES {
        let document = answer(streams, &base64(size));
        group.throughput(Throughput::Bytes(document.len().try_into().unwrap()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut reader = Reader::new(black_box(&document)).unwrap();
                let mut text = 0;
                loop {
                    match reader.next().unwrap() {
                        Event::Text(piece) => text += piece.len(),
                        Event::Eof => break text,
                        Event::Start(_) | Event::End(_) => {}
                    }
                }
            });
        });
        // The bounds alone, without xml-rs.
        group.bench_function(format!("{name}-judged-only"), |bencher| {
            bencher.iter(|| Reader::new(black_box(&document)).unwrap().depth());
        });
    }
    group.finish();
}

fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("write");
    for (name, streams, size) in SHAPES {
        let text = base64(size);
        group.throughput(Throughput::Bytes(answer(streams, &text).len().try_into().unwrap()));
        group.bench_function(name, |bencher| bencher.iter(|| answer(black_box(streams), black_box(&text))));
    }
    group.finish();
}

criterion_group!(benches, read, write);
criterion_main!(benches);
