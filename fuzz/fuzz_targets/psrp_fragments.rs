#![no_main]
//! Fragments in chunks of any size: however they are cut, the same objects and errors come out.

use libfuzzer_sys::fuzz_target;
use winrm_psrp::Limits;
use winrm_psrp::fragment::{Defragmenter, FragmentError, Fragmenter};

fuzz_target!(|input: &[u8]| {
    let Some((size, stream)) = input.split_first() else { return };
    let limits = Limits::default().with_object_size(1 << 16).with_open_objects(4);
    let whole = read(&limits, [stream]);
    let cut = read(&limits, stream.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, cut);
    // What was whole travels again.
    let mut fragmenter = Fragmenter::default();
    let objects: Vec<_> = whole.into_iter().filter_map(Result::ok).collect();
    for object in &objects {
        fragmenter.push((), object.clone());
    }
    let mut payloads = Vec::new();
    while let Some(((), payload)) = fragmenter.poll(usize::from(*size) + 22).expect("large enough") {
        payloads.push(payload);
    }
    let again: Result<Vec<_>, _> = read(&limits, payloads.iter().map(Vec::as_slice)).into_iter().collect();
    assert_eq!(again, Ok(objects));
});

fn read<'a>(
    limits: &Limits,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Vec<u8>, FragmentError>> {
    let mut defragmenter = Defragmenter::new(limits.clone());
    let mut found = Vec::new();
    for mut chunk in chunks {
        while let Some(next) = defragmenter.read(&mut chunk).transpose() {
            found.push(next);
        }
        assert!(chunk.is_empty());
    }
    found
}
