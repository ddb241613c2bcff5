//! Where the recordings lie, and how their fields are read.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use winrm_ntlm::message::{AuthenticateMessage, ClientChallenge, NegotiateMessage, NtlmV2Response};
use winrm_ntlm::{Fresh, NegotiateFlags, Session, client};

/// One folder of the recordings.
pub(crate) struct Fixtures {
    root: PathBuf,
    folder: PathBuf,
}

impl Fixtures {
    /// Nothing when no recordings are at hand; a named folder that is missing is a failure.
    pub(crate) fn folder(name: &str) -> Option<Self> {
        let Some(root) = std::env::var_os("WINRM_FIXTURES") else {
            println!("recorded: skipped");
            return None;
        };
        let root = PathBuf::from(root);
        let folder = root.join(name);
        assert!(folder.is_dir(), "{} is not a folder", folder.display());
        Some(Self { root, folder })
    }

    /// A file of this folder.
    pub(crate) fn read(&self, name: &str) -> Value {
        json(&self.folder.join(name))
    }

    /// A file named from the root of the recordings.
    pub(crate) fn read_from_root(&self, name: &str) -> Value {
        json(&self.root.join(name))
    }

    /// Names of the JSON files of this folder, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                std::path::Path::new(name).extension().is_some_and(|extension| extension == "json")
            })
            .collect();
        names.sort();
        names
    }
}

fn json(path: &PathBuf) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// Text, where null stands for none.
pub(crate) fn text_or_empty(value: &Value) -> &str {
    if value.is_null() { "" } else { text(value) }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hex {text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    unhex(text(value))
}

pub(crate) fn fixed<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap_or_else(|_| panic!("{value} does not have {N} bytes"))
}

pub(crate) fn unbase64(value: &Value) -> Vec<u8> {
    STANDARD.decode(text(value)).unwrap()
}

pub(crate) fn flags(value: &Value) -> NegotiateFlags {
    NegotiateFlags(u32::from_str_radix(text(value), 16).unwrap())
}

/// Signature and ciphertext of a multipart/encrypted body (MS-WSMV 2.2.9.1), read strictly; nothing if it is damaged.
pub(crate) fn unframe(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    const BINARY: &[u8] = b"application/octet-stream\r\n";
    const CLOSING: &[u8] = b"--Encrypted Boundary--\r\n";
    let at = body.windows(BINARY.len()).position(|window| window == BINARY)? + BINARY.len();
    let head = std::str::from_utf8(&body[..at]).ok()?;
    let (_, length) = head.split_once("Length=")?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    let (header_len, rest) = body[at..].split_first_chunk::<4>()?;
    let (header, sealed) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*header_len)).ok()?)?;
    let (sealed, end) = sealed.split_at_checked(length)?;
    // OMI puts an empty line behind the closing boundary.
    let end = end.strip_prefix(CLOSING)?;
    (end.is_empty() || end == b"\r\n").then(|| (header.to_vec(), sealed.to_vec()))
}

/// What makes our client speak as the recorded one did, read from its messages.
pub(crate) struct Replay {
    pub(crate) config: client::Config,
    pub(crate) client_challenge: [u8; 8],
    pub(crate) fresh_time: winrm_ntlm::FileTime,
}

impl Replay {
    pub(crate) fn of(negotiate: Option<&[u8]>, authenticate: &[u8]) -> Self {
        let message = AuthenticateMessage::decode(authenticate).unwrap();
        let response = NtlmV2Response::decode(&message.nt_challenge_response).unwrap();
        let temp = ClientChallenge::decode(response.temp).unwrap();
        let mut config = client::Config::default()
            .require(NegotiateFlags::NONE)
            .version(message.version)
            .workstation(message.workstation_text().unwrap())
            .payload_layout(message.payload_layout);
        if let Some(negotiate) = negotiate {
            let negotiate = NegotiateMessage::decode(negotiate).unwrap();
            config = config.negotiate_flags(negotiate.negotiate_flags).version(negotiate.version);
        }
        if let Some(name) = temp.av_pairs.text(winrm_ntlm::av_pair::AvId::TARGET_NAME).unwrap() {
            config = config.target_name(name);
        }
        Self { config, client_challenge: temp.challenge_from_client, fresh_time: temp.time_stamp }
    }

    pub(crate) fn fresh(&self, exported_session_key: [u8; 16]) -> Fresh {
        Fresh {
            client_challenge: self.client_challenge,
            server_challenge: [0; 8],
            exported_session_key,
            time: self.fresh_time,
        }
    }
}

/// One sealed message: the sender makes the recorded bytes of the plaintext, the receiver the plaintext of the bytes.
pub(crate) fn check_sealed(
    id: &str,
    body: &[u8],
    plaintext: &[u8],
    sender: &mut Session,
    receiver: &mut Session,
) {
    let (signature, sealed) = unframe(body).unwrap_or_else(|| panic!("{id}: bad framing"));
    let mut message = sealed.clone();
    receiver.unseal(&mut message, &signature).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(message, plaintext, "{id}: plaintext");
    let made = sender.seal(&mut message).unwrap();
    assert_eq!(hex(&made), hex(&signature), "{id}: signature");
    assert_eq!(message, sealed, "{id}: ciphertext");
}
