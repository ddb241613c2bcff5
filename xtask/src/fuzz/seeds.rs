//! What a fuzz target starts from: published examples, and recorded traffic where that is at hand.
//!
//! Recorded traffic goes into the corpus, which git ignores, and never into the repository.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::process::Failure;

/// Larger inputs slow libFuzzer down more than they teach it.
const MAX_SEED_LEN: usize = 64 * 1024;

/// Copies the seeds in the repository, if the target has any.
pub(super) fn copy_published(seeds: &Path, corpus: &Path) -> Result<(), Failure> {
    if !seeds.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(seeds).map_err(Failure::io("list", seeds))? {
        let path = entry.map_err(Failure::io("list", seeds))?.path();
        put(corpus, &fs::read(&path).map_err(Failure::io("read", &path))?)?;
    }
    Ok(())
}

/// Fills the corpus from the folder of recorded traffic with what the target takes.
pub(super) fn extract_recorded(target: &str, fixtures: &Path, corpus: &Path) -> Result<(), Failure> {
    for seed in recorded(target, fixtures)? {
        put(corpus, &seed)?;
    }
    Ok(())
}

fn put(corpus: &Path, seed: &[u8]) -> Result<(), Failure> {
    if seed.is_empty() || seed.len() > MAX_SEED_LEN {
        return Ok(());
    }
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let path = corpus.join(format!("seed-{:016x}", hasher.finish()));
    fs::write(&path, seed).map_err(Failure::io("write", &path))
}

fn recorded(target: &str, fixtures: &Path) -> Result<BTreeSet<Vec<u8>>, Failure> {
    let mut found = BTreeSet::new();
    let Some((folders, wanted)) = sources(target) else { return Ok(found) };
    for folder in folders {
        for path in files(&fixtures.join(folder))? {
            let bytes = fs::read(&path).map_err(Failure::io("read", &path))?;
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => {
                    if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
                        strings(&value, &mut |text| {
                            found.extend(decodings(text).into_iter().filter(|b| wanted(b)));
                        });
                    }
                }
                _ if wanted(&bytes) => _ = found.insert(bytes),
                _ => {}
            }
        }
    }
    Ok(match target {
        // A kind of step comes first: bytes.
        "psrp_client_steps" | "psrp_server_steps" => {
            found.iter().map(|seed| one_step(&[[0].as_slice(), seed].concat())).collect()
        }
        // A machine takes several messages, each behind its length.
        _ if target.ends_with("_steps") => found.iter().map(|seed| one_step(seed)).collect(),
        // Without the header of the fragment.
        "psrp_message" => {
            found.iter().filter_map(|seed| seed.get(FRAGMENT_HEADER_LEN..)).map(<[_]>::to_vec).collect()
        }
        // The size of pieces comes first.
        "clixml_error_stream" | "psrp_fragments" => {
            found.iter().map(|seed| [[7].as_slice(), seed].concat()).collect()
        }
        _ => found,
    })
}

type Wanted = fn(&[u8]) -> bool;

/// Where to look, and what to take. Anything may stand in the files as hex, base64 or text.
fn sources(target: &str) -> Option<(&'static [&'static str], Wanted)> {
    Some(match target {
        _ if target.starts_with("spnego") => (&["spnego", "nlmp", "capture"], is_spnego),
        "ntlm_negotiate" => (&["nlmp", "capture"], |b| is_ntlm(b, 1)),
        "ntlm_challenge" => (&["nlmp", "capture"], |b| is_ntlm(b, 2)),
        "ntlm_authenticate" => (&["nlmp", "capture"], |b| is_ntlm(b, 3)),
        "ntlm_client_steps" => (&["nlmp", "capture"], |b| is_ntlm(b, 2)),
        "ntlm_server_steps" => (&["nlmp", "capture"], |b| is_ntlm(b, 1) || is_ntlm(b, 3)),
        "ntlm_av_pairs" => (&["nlmp"], |b| b.ends_with(&[0, 0, 0, 0])),
        "clixml_value" => (&["clixml"], is_xml),
        "clixml_error_stream" => (&["clixml"], |b| b.starts_with(b"#< CLIXML")),
        // Fragments of conversations; most messages are whole in one.
        _ if target.starts_with("psrp") => (&["psrp"], is_fragment),
        "xml_reader" => (&["soap", "clixml"], is_xml),
        "wsman_message" => (&["soap", "exchanges", "capture"], is_xml),
        "wsman_encrypted_open" => (&["encryption", "capture"], is_multipart),
        _ => return None,
    })
}

fn is_spnego(bytes: &[u8]) -> bool {
    matches!(bytes, [0x60 | 0xa1, _, _, ..])
}

fn is_ntlm(bytes: &[u8], message_type: u8) -> bool {
    bytes.starts_with(b"NTLMSSP\0") && bytes.get(8) == Some(&message_type)
}

/// ObjectId, FragmentId, flags and BlobLength of PowerShell remoting.
const FRAGMENT_HEADER_LEN: usize = 21;

/// The high bytes of small numbers, and flags.
fn is_fragment(bytes: &[u8]) -> bool {
    bytes.len() > FRAGMENT_HEADER_LEN
        && bytes.starts_with(&[0; 6])
        && bytes.get(8..14) == Some(&[0; 6])
        && bytes.get(16).is_some_and(|flags| *flags < 4)
}

fn is_xml(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}

fn is_multipart(bytes: &[u8]) -> bool {
    bytes.starts_with(b"--")
}

/// As the `*_steps` targets read their input: a byte of options, then messages behind 16-bit lengths.
fn one_step(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let message = message.iter().copied().take(usize::from(len));
    [0].into_iter().chain(len.to_be_bytes()).chain(message).collect()
}

/// The text as it is, and what it may stand for.
fn decodings(text: &str) -> Vec<Vec<u8>> {
    let mut found = vec![text.as_bytes().to_vec()];
    found.extend(unhex(text));
    found.extend(STANDARD.decode(text).ok());
    found
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let bytes = pairs.iter().filter_map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect();
    rest.is_empty().then_some(bytes)
}

fn strings(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every file below, in a fixed order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).map_err(Failure::io("list", &folder))? {
            let path = entry.map_err(Failure::io("list", &folder))?.path();
            let list = if path.is_dir() { &mut waiting } else { &mut found };
            list.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_messages_in_hex_and_base64() {
        assert!(decodings("a10730").contains(&vec![0xa1, 7, 0x30]));
        assert!(decodings("TlRMTVNTUAABAAAA").iter().any(|bytes| is_ntlm(bytes, 1)));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
        let value = serde_json::json!({"a": ["x", {"b": "y"}], "c": 1});
        let mut found = Vec::new();
        strings(&value, &mut |text| found.push(text.to_owned()));
        assert_eq!(found, ["x", "y"]);
    }

    #[test]
    fn steps_carry_their_length() {
        assert_eq!(one_step(&[7, 8, 9]), [0, 0, 3, 7, 8, 9]);
    }
}
