//! A copy of what is said, for who debugs a conversation: envelopes as they are before sealing and after unsealing.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use winrm_ntlm::Credentials;
use zeroize::Zeroizing;

use crate::Endpoint;

/// Takes copies of envelopes. **They hold command lines, input and output**; the client's own password is taken out where
/// it occurs.
pub trait WireTrace: Send + Sync {
    /// One envelope. Called while an exchange waits, so it should be quick; it has nobody to tell of its own failures.
    fn envelope(&self, traced: &TracedEnvelope<'_>);
}

/// An envelope on its way.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TracedEnvelope<'a> {
    /// The listener.
    pub endpoint: &'a Endpoint,
    /// Whether it goes to the service, or comes from there.
    pub is_request: bool,
    /// Which exchange of the client, counted from 1: requests and answers with the same number belong together.
    pub exchange: u64,
    /// When it was sent, or had come.
    pub time: SystemTime,
    /// The XML.
    pub envelope: &'a [u8],
}

/// What stands in place of a password.
const REDACTED: &[u8] = b"[password]";

/// A [`WireTrace`] with the secrets to take out.
#[derive(Clone)]
pub(crate) struct Tracer {
    target: Arc<dyn WireTrace>,
    secrets: Arc<Vec<Zeroizing<Vec<u8>>>>,
}

impl Tracer {
    pub(crate) fn new(target: Arc<dyn WireTrace>, credentials: &Credentials) -> Self {
        let secrets = credentials.password_text().map(forms).unwrap_or_default();
        Self { target, secrets: Arc::new(secrets) }
    }

    pub(crate) fn envelope(&self, endpoint: &Endpoint, is_request: bool, exchange: u64, envelope: &[u8]) {
        let redacted = redact(envelope, &self.secrets);
        self.target.envelope(&TracedEnvelope {
            endpoint,
            is_request,
            exchange,
            time: SystemTime::now(),
            envelope: redacted.as_deref().unwrap_or(envelope),
        });
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tracer")
    }
}

/// The ways in which a password may stand in XML: as it is, escaped, and in base64 at each of the three places where it may
/// begin in its group, in UTF-8 and in UTF-16 (which scripts are handed to PowerShell in).
fn forms(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = Vec::new();
    if password.is_empty() {
        return forms;
    }
    let mut add = |form: Zeroizing<Vec<u8>>| {
        // What is as short as that would be found anywhere.
        if form.len() >= 3 && !forms.contains(&form) {
            forms.push(form);
        }
    };
    add(Zeroizing::new(password.as_bytes().to_vec()));
    let mut escaped = Zeroizing::new(String::with_capacity(password.len() * 6));
    for character in password.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    add(Zeroizing::new(escaped.as_bytes().to_vec()));
    let quotes = Zeroizing::new(escaped.replace('"', "&quot;").replace('\'', "&apos;"));
    add(Zeroizing::new(quotes.as_bytes().to_vec()));
    let utf16 = Zeroizing::new(password.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    for bytes in [password.as_bytes(), utf16.as_slice()] {
        for shift in 0..3 {
            add(base64_inside(bytes, shift));
        }
    }
    // Longest first, so that no part of one is left by another.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// The characters of base64 that depend on nothing but `bytes`, when these begin `shift` bytes into a group of three.
fn base64_inside(bytes: &[u8], shift: usize) -> Zeroizing<Vec<u8>> {
    use base64::Engine;
    let mut padded = Zeroizing::new(vec![0; shift]);
    padded.extend_from_slice(bytes);
    let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD_NO_PAD.encode(&*padded));
    // Each character holds six bits: those that reach into what is before, or behind, are left out.
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    Zeroizing::new(encoded.as_bytes().get(first..last).unwrap_or_default().to_vec())
}

/// The envelope without the secrets; `None` when there are none in it.
fn redact(envelope: &[u8], secrets: &[Zeroizing<Vec<u8>>]) -> Option<Vec<u8>> {
    let found = |at: usize| {
        let rest = envelope.get(at..).unwrap_or_default();
        secrets.iter().find(|secret| rest.starts_with(secret)).map(|secret| secret.len())
    };
    (0..envelope.len()).find(|at| found(*at).is_some())?;
    let mut clean = Vec::with_capacity(envelope.len());
    let mut at = 0;
    while let Some(byte) = envelope.get(at) {
        if let Some(len) = found(at) {
            clean.extend_from_slice(REDACTED);
            at += len;
        } else {
            clean.push(*byte);
            at += 1;
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn passwords_are_taken_out_in_every_form() {
        let password = "pass<&>word";
        let secrets = forms(password);
        let utf16: Vec<u8> = format!("x = '{password}'").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for shift in 0..3 {
            let before = "-".repeat(shift);
            for text in [
                format!("{before}{password}-"),
                format!("{before}pass&lt;&amp;&gt;word-"),
                STANDARD.encode(format!("{before}{password}{before}")),
                STANDARD.encode([before.as_bytes(), &utf16].concat()),
            ] {
                let clean =
                    redact(text.as_bytes(), &secrets).unwrap_or_else(|| panic!("not found in {text}"));
                let clean = String::from_utf8(clean).unwrap();
                assert!(clean.contains("[password]") && !clean.contains("word-"), "{clean}");
            }
        }
        assert_eq!(redact(b"<a>nothing in here</a>", &secrets), None);
        assert!(forms("").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_password_is_left_in_base64(
            password in "[ -~]{4,20}", before in "[ -~]{0,9}", after in "[ -~]{0,9}"
        ) {
            let encoded = STANDARD.encode(format!("{before}{password}{after}"));
            let clean = redact(encoded.as_bytes(), &forms(&password));
            proptest::prop_assert!(clean.is_some_and(|clean| clean.starts_with(b"[") || clean.contains(&b'[')));
        }
    }
}
