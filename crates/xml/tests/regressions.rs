//! Inputs that once went wrong, here or in xml-rs alone; fuzz finds are added as files.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use winrm_xml::{ReadError, Reader};

fn read(document: &[u8]) -> Result<(), ReadError> {
    let mut reader = Reader::new(document)?;
    let root = reader.root()?;
    reader.read_element(root)?;
    reader.finish()
}

/// `refused-*` must be refused, `read-*` read, and no other name panic.
#[test]
fn every_file_is_judged_as_its_name_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let mut judged = 0;
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = read(&std::fs::read(&path).unwrap());
        if name.starts_with("refused-") {
            assert!(result.is_err(), "{name}");
        } else if name.starts_with("read-") {
            assert_eq!(result, Ok(()), "{name}");
        }
        judged += 1;
    }
    assert!(judged >= 14, "{judged}");
}
