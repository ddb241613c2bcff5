//! Tokens of real hosts and of other implementations, from the folder named by `WINRM_FIXTURES`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use winrm_spnego::token::{
    InitialContextToken, MechTypeList, NegState, NegTokenInit, NegTokenResp, NegotiationToken,
};
use winrm_spnego::{Acceptor, DecodeError, ObjectIdentifier, oid};

/// The folder, or `None` (said once) when recorded data is not at hand.
fn fixtures() -> Option<PathBuf> {
    let folder = std::env::var_os("WINRM_FIXTURES").map(PathBuf::from);
    if folder.is_none() {
        println!("recorded: skipped");
    }
    folder
}

fn read(folder: &std::path::Path, file: &str) -> Value {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let entries = value.get(key).unwrap_or_else(|| panic!("no {key}")).as_array().unwrap();
    assert!(!entries.is_empty(), "{key} is empty");
    entries
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {key} in {value}"))
}

fn unhex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "{digits}");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// An optional field that must be present in the expectation, be it as null.
fn optional<'a>(expected: &'a Value, key: &str) -> Option<&'a str> {
    expected.get(key).unwrap_or_else(|| panic!("no {key} in {expected}")).as_str()
}

fn dotted(mech_types: &MechTypeList) -> Vec<String> {
    mech_types.iter().map(|mech_type| mech_type.unwrap().to_string()).collect()
}

fn expected_list(value: &Value) -> Vec<&str> {
    list(value, "mech_types").iter().map(|entry| entry.as_str().unwrap()).collect()
}

fn check_init(id: &str, init: &NegTokenInit, expected: &Value) {
    let name = if init.neg_hints.is_some() { "NegTokenInit2" } else { "NegTokenInit" };
    assert_eq!(name, text(expected, "token"), "{id}");
    assert_eq!(dotted(&init.mech_types), expected_list(expected), "{id}");
    assert_eq!(init.mech_token.as_deref().map(hex).as_deref(), optional(expected, "mech_token"), "{id}");
    assert_eq!(
        init.mech_list_mic.as_deref().map(hex).as_deref(),
        optional(expected, "mech_list_mic"),
        "{id}"
    );
    let hints = init.neg_hints.clone().unwrap_or_default();
    let hint_name = hints.hint_name.map(|name| String::from_utf8(name).unwrap());
    assert_eq!(hint_name.as_deref(), optional(expected, "hint_name"), "{id}");
    assert_eq!(hints.hint_address.as_deref().map(hex).as_deref(), optional(expected, "hint_address"), "{id}");
    match expected.get("req_flags") {
        None | Some(Value::Null) => assert_eq!(init.req_flags, None, "{id}"),
        Some(flags) => {
            let found = init.req_flags.as_ref().unwrap();
            assert_eq!(
                Some(u64::from(found.unused_bits)),
                flags.get("unused_bits").unwrap().as_u64(),
                "{id}"
            );
            assert_eq!(hex(&found.bytes), text(flags, "bytes"), "{id}");
        }
    }
}

fn check_resp(id: &str, resp: &NegTokenResp, expected: &Value) {
    assert_eq!(text(expected, "token"), "NegTokenResp", "{id}");
    let state = expected.get("neg_state").unwrap();
    match resp.neg_state {
        Some(found @ NegState(number)) => {
            assert_eq!(Some(u64::from(number)), state.get("value").unwrap().as_u64(), "{id}");
            assert_eq!(found.to_string(), text(state, "name"), "{id}");
        }
        None => assert!(state.is_null(), "{id}"),
    }
    let mech = resp.supported_mech.map(|mech| mech.to_string());
    assert_eq!(mech.as_deref(), optional(expected, "supported_mech"), "{id}");
    assert_eq!(
        resp.response_token.as_deref().map(hex).as_deref(),
        optional(expected, "response_token"),
        "{id}"
    );
    assert_eq!(
        resp.mech_list_mic.as_deref().map(hex).as_deref(),
        optional(expected, "mech_list_mic"),
        "{id}"
    );
}

/// Every token decodes to the fields beside it, encodes to the same bytes, and is refused when cut short
/// or lengthened.
#[test]
fn recorded_tokens() {
    let Some(folder) = fixtures() else { return };
    let file = read(&folder, "spnego/tokens.json");
    let mut count = 0;
    for entry in list(&file, "tokens") {
        let (id, bytes) = (text(entry, "id"), unhex(text(entry, "hex")));
        let expected = entry.get("expected").unwrap();
        if text(expected, "token") == "InitialContextToken" {
            let token = InitialContextToken::decode(&bytes).unwrap();
            assert_eq!(token.this_mech.to_string(), text(expected, "this_mech"), "{id}");
            assert!(token.inner_token.starts_with(&unhex(text(expected, "inner_token_id"))), "{id}");
            assert_eq!(token.encode().unwrap(), bytes, "{id}");
            let not_spnego = DecodeError::NotSpnego { this_mech: token.this_mech };
            assert_eq!(NegotiationToken::decode(&bytes), Err(not_spnego), "{id}");
        } else {
            let token = NegotiationToken::decode(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
            match &token {
                NegotiationToken::Init(init) => check_init(id, init, expected),
                NegotiationToken::Resp(resp) => check_resp(id, resp, expected),
            }
            assert_eq!(hex(&token.encode().unwrap()), hex(&bytes), "{id}");
        }
        for end in 0..bytes.len() {
            assert!(NegotiationToken::decode(&bytes[..end]).is_err(), "{id}: accepted {end} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(NegotiationToken::decode(&longer).is_err(), "{id}: accepted a trailing byte");
        count += 1;
    }
    for entry in list(&file, "raw") {
        let (id, bytes) = (text(entry, "id"), unhex(text(entry, "hex")));
        assert!(NegotiationToken::decode(&bytes).is_err(), "{id}");
        assert!(bytes.starts_with(b"NTLMSSP\0"), "{id}");
        count += 1;
    }
    for entry in list(&file, "invalid") {
        let (id, bytes) = (text(entry, "id"), unhex(text(entry, "hex")));
        assert!(NegotiationToken::decode(&bytes).is_err(), "{id}: {}", text(entry, "why"));
        count += 1;
    }
    for entry in list(&file, "mech_type_lists") {
        let der = unhex(text(entry, "der"));
        let decoded = MechTypeList::decode(&der).unwrap();
        assert_eq!(dotted(&decoded), expected_list(entry));
        let oids: Vec<ObjectIdentifier> = decoded.iter().flatten().collect();
        let built = MechTypeList::new(&oids).unwrap();
        assert_eq!(hex(built.as_der()), hex(&der));
        assert_eq!(built, decoded);
        count += 1;
    }
    count += asn1_identifiers(&read(&folder, "spnego/asn1.json"));
    println!("recorded: spnego {count}");
}

/// Of the DER primitives SPNEGO uses only OBJECT IDENTIFIER by itself; `supportedMech` carries each pair.
fn asn1_identifiers(file: &Value) -> usize {
    let mut count = 0;
    for entry in list(file, "object_identifier") {
        let der = unhex(text(entry, "der"));
        let value = [&[0xa1, u8::try_from(der.len()).unwrap()], &der[..]].concat();
        let sequence = [&[0x30, u8::try_from(value.len()).unwrap()], &value[..]].concat();
        let token = [&[0xa1, u8::try_from(sequence.len()).unwrap()], &sequence[..]].concat();
        let NegotiationToken::Resp(resp) = NegotiationToken::decode(&token).unwrap() else {
            panic!("NegTokenInit where NegTokenResp belongs")
        };
        assert_eq!(resp.supported_mech.unwrap().to_string(), text(entry, "oid"));
        assert_eq!(resp.encode().unwrap(), token);
        count += 1;
    }
    count
}

/// The SPNEGO tokens around whole NTLM handshakes, in the order in which they were sent.
#[test]
fn recorded_ntlm_handshakes_in_spnego() {
    let Some(folder) = fixtures() else { return };
    let file = read(&folder, "nlmp/handshakes.json");
    let mut count = 0;
    for entry in list(&file, "handshakes").iter().filter(|entry| entry.get("spnego_tokens").is_some()) {
        let id = text(entry, "id");
        let tokens: Vec<_> =
            list(entry, "spnego_tokens").iter().map(|token| unhex(text(token, "hex"))).collect();
        let expected = entry.get("expected").unwrap();
        let mics = [text(expected, "client_mech_list_mic"), text(expected, "server_mech_list_mic")];
        check_ntlm_handshake(id, &tokens, Some(mics));
        count += 1;
    }
    assert!(count > 0, "no handshake has SPNEGO tokens");
    println!("recorded: nlmp {count}");
}

/// A conversation with a live server.
#[test]
fn recorded_captures_in_spnego() {
    let Some(folder) = fixtures() else { return };
    let mut count = 0;
    for entry in fs::read_dir(folder.join("capture")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with("spnego_session_") {
            continue;
        }
        let file = read(&folder.join("capture"), &name);
        let tokens: Vec<_> = list(&file, "tokens_b64")
            .iter()
            .map(|token| STANDARD.decode(token.as_str().unwrap()).unwrap())
            .collect();
        check_ntlm_handshake(&name, &tokens, None);
        count += 1;
    }
    assert!(count > 0, "no SPNEGO session among the captures");
    println!("recorded: capture {count}");
}

/// NEGOTIATE, CHALLENGE, AUTHENTICATE with mechListMIC, accept-completed with mechListMIC.
fn check_ntlm_handshake(id: &str, tokens: &[Vec<u8>], mics: Option<[&str; 2]>) {
    let decoded: Vec<_> = tokens.iter().map(|token| NegotiationToken::decode(token).unwrap()).collect();
    for (token, bytes) in decoded.iter().zip(tokens) {
        assert_eq!(hex(&token.encode().unwrap()), hex(bytes), "{id}");
    }
    let [
        NegotiationToken::Init(init),
        NegotiationToken::Resp(second),
        NegotiationToken::Resp(third),
        NegotiationToken::Resp(last),
    ] = &decoded[..]
    else {
        panic!("{id}: not the four tokens of NTLM in SPNEGO")
    };
    assert_eq!(init.mech_types.iter().collect::<Vec<_>>(), [Some(oid::NTLMSSP)], "{id}");
    assert_eq!(second.supported_mech, Some(oid::NTLMSSP), "{id}");
    let inner = [&init.mech_token, &second.response_token, &third.response_token];
    for (message_type, token) in (1u8..).zip(inner) {
        let start = [&b"NTLMSSP\0"[..], &[message_type, 0, 0, 0]].concat();
        assert!(token.as_deref().unwrap().starts_with(&start), "{id}");
    }
    assert_eq!(last.neg_state, Some(NegState::ACCEPT_COMPLETED), "{id}");
    assert_eq!(last.response_token, None, "{id}");
    let found = [&third.mech_list_mic, &last.mech_list_mic].map(|mic| hex(mic.as_deref().unwrap()));
    if let Some(mics) = mics {
        assert_eq!(found, mics, "{id}");
    }
    // Version 1, eight bytes of checksum, and sequence number 0.
    assert!(found.iter().all(|mic| mic.starts_with("01000000") && mic.ends_with("00000000")), "{id}");
    replay(id, tokens, &decoded);
}

/// Both machines, each fed the recorded tokens of the other side, say what was recorded.
fn replay(id: &str, tokens: &[Vec<u8>], decoded: &[NegotiationToken]) {
    use winrm_spnego::{Initiator, Progress};
    let mut initiator = Initiator::new(vec![Replayed::new(decoded, true)]);
    assert_eq!(initiator.step(None).unwrap(), Progress::Continue(tokens[0].clone()), "{id}");
    assert_eq!(initiator.step(Some(&tokens[1])).unwrap(), Progress::Continue(tokens[2].clone()), "{id}");
    assert!(initiator.can_wrap(), "{id}");
    assert_eq!(initiator.step(Some(&tokens[3])).unwrap(), Progress::Established(None), "{id}");

    let mut acceptor = Acceptor::new(vec![Replayed::new(decoded, false)]);
    let Progress::Continue(second) = acceptor.step(&tokens[0]).unwrap() else { panic!("{id}: established") };
    // Whether a server asks for the MIC or not makes no difference here; ours sees no need to.
    let (NegotiationToken::Resp(mut ours), NegotiationToken::Resp(theirs)) =
        (NegotiationToken::decode(&second).unwrap(), &decoded[1])
    else {
        panic!("{id}: not NegTokenResp")
    };
    ours.neg_state = theirs.neg_state;
    assert_eq!(&ours, theirs, "{id}");
    assert_eq!(acceptor.step(&tokens[2]).unwrap(), Progress::Established(Some(tokens[3].clone())), "{id}");
}

/// Says what one side said, and takes what the other said.
struct Replayed {
    ours: Vec<Vec<u8>>,
    our_mic: Vec<u8>,
    peer_mic: Vec<u8>,
    mech_types: Vec<u8>,
    initiates: bool,
}

impl Replayed {
    fn new(decoded: &[NegotiationToken], initiates: bool) -> Self {
        let mut mech_types = Vec::new();
        let (mut tokens, mut mics) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for (number, token) in decoded.iter().enumerate() {
            let (inner, mic) = match token {
                NegotiationToken::Init(init) => {
                    mech_types = init.mech_types.as_der().to_vec();
                    (&init.mech_token, &init.mech_list_mic)
                }
                NegotiationToken::Resp(resp) => (&resp.response_token, &resp.mech_list_mic),
            };
            tokens[number % 2].extend(inner.clone());
            mics[number % 2].extend(mic.clone().unwrap_or_default());
        }
        let [initiator, acceptor] = mics;
        let [from_initiator, from_acceptor] = tokens;
        if initiates {
            Self { ours: from_initiator, our_mic: initiator, peer_mic: acceptor, mech_types, initiates }
        } else {
            Self { ours: from_acceptor, our_mic: acceptor, peer_mic: initiator, mech_types, initiates }
        }
    }
}

impl winrm_spnego::Mechanism for Replayed {
    fn mech_type(&self) -> ObjectIdentifier {
        oid::NTLMSSP
    }
    fn step(&mut self, _token: Option<&[u8]>) -> Result<winrm_spnego::Step, winrm_spnego::MechanismError> {
        if self.ours.is_empty() {
            return Ok(winrm_spnego::Step::Done(None));
        }
        let token = self.ours.remove(0);
        // NTLM's last token comes from the initiator.
        Ok(if self.initiates && self.ours.is_empty() {
            winrm_spnego::Step::Done(Some(token))
        } else {
            winrm_spnego::Step::Continue(token)
        })
    }
    fn requires_mech_list_mic(&self) -> bool {
        true
    }
    fn sign_mech_list(&mut self, mech_types: &[u8]) -> Result<Vec<u8>, winrm_spnego::MechanismError> {
        assert_eq!(mech_types, self.mech_types);
        Ok(self.our_mic.clone())
    }
    fn verify_mech_list(
        &mut self,
        mech_types: &[u8],
        mic: &[u8],
    ) -> Result<(), winrm_spnego::MechanismError> {
        assert_eq!(mech_types, self.mech_types);
        if mic == self.peer_mic { Ok(()) } else { Err("not the recorded MIC".into()) }
    }
    fn wrap(&mut self, _message: &mut [u8]) -> Result<Vec<u8>, winrm_spnego::MechanismError> {
        Err("a recording has no keys".into())
    }
    fn unwrap(&mut self, _header: &[u8], _message: &mut [u8]) -> Result<(), winrm_spnego::MechanismError> {
        Err("a recording has no keys".into())
    }
}
