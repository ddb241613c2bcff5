//! Pins: what a certificate is known by where no authority vouches for it.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// SHA-256 of a certificate, or of the public key in it.
///
/// Written `sha256:` and 64 hexadecimal digits, perhaps with colons between the bytes, for the certificate (its DER); as
/// curl writes it, `sha256//` and base64, for the public key (the DER of its SubjectPublicKeyInfo), which stays the same
/// when a certificate is renewed with its key.
///
/// ```
/// use winrm_transport::Pin;
///
/// let pin: Pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse()?;
/// assert!(matches!(pin, Pin::PublicKey(_)));
/// # Ok::<(), winrm_transport::PinError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Pin {
    /// SHA-256 of the whole certificate.
    Certificate([u8; 32]),
    /// SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1).
    PublicKey([u8; 32]),
}

#[cfg(feature = "tls")]
impl Pin {
    /// The pin of a certificate (DER).
    pub fn of_certificate(certificate: &[u8]) -> Self {
        super::certificate::pin(certificate)
    }

    /// The pin of its public key; `None` where the certificate cannot be read that far.
    pub fn of_public_key(certificate: &[u8]) -> Option<Self> {
        super::certificate::public_key_pin(certificate)
    }
}

/// A text that is no [`Pin`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("pin {text:?} is neither sha256: with 64 hexadecimal digits nor sha256// with base64 of 32 bytes")]
pub struct PinError {
    /// What was to be parsed.
    pub text: String,
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(hash) => {
                f.write_str("sha256:")?;
                hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::PublicKey(hash) => write!(f, "sha256//{}", BASE64.encode(hash)),
        }
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let pin = if let Some(encoded) = text.strip_prefix("sha256//") {
            BASE64.decode(encoded).ok().and_then(|hash| hash.try_into().ok()).map(Self::PublicKey)
        } else {
            text.strip_prefix("sha256:").and_then(from_hex).map(Self::Certificate)
        };
        pin.ok_or_else(|| PinError { text: text.to_owned() })
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<char> = if text.contains(':') {
        // As other programs show fingerprints: a colon after every byte.
        let bytes: Vec<&str> = text.split(':').collect();
        bytes.iter().all(|byte| byte.len() == 2).then(|| bytes.concat().chars().collect())?
    } else {
        text.chars().collect()
    };
    let digits: Vec<u8> = digits
        .into_iter()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read() {
        for pin in [
            Pin::Certificate(std::array::from_fn(|i| u8::try_from(i * 7).unwrap())),
            Pin::PublicKey([0xfe; 32]),
        ] {
            assert_eq!(pin.to_string().parse::<Pin>().unwrap(), pin);
        }
        let hex = "AB".repeat(32);
        let colons = vec!["ab"; 32].join(":");
        for text in [hex, colons] {
            assert_eq!(format!("sha256:{text}").parse::<Pin>().unwrap(), Pin::Certificate([0xab; 32]));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let short = "ab".repeat(31);
        let odd = format!("sha256:{}", "a".repeat(63));
        let spread = format!("sha256:a:{}", vec!["ab"; 31].join(":"));
        for text in
            ["", "sha256:", "sha256//", "sha256//AAAA", "sha1:ab", short.as_str(), &odd, &spread, "sha256:é"]
        {
            assert_eq!(text.parse::<Pin>().unwrap_err().text, text);
        }
        assert!("ab".repeat(32).parse::<Pin>().is_err());
    }
}
