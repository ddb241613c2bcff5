//! Primitives (MS-PSRP 2.2.5.1).

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::Decoder;
use super::table::Cost;
use crate::{
    DateTime, Decimal, DecodeError, Duration, ProgressRecord, PsString, PsValue, SecureString, Version,
    unescape,
};

/// Elements of primitives.
pub(crate) const TAGS: [&str; 24] = [
    "Nil", "S", "C", "B", "DT", "TS", "By", "SB", "U16", "I16", "U32", "I32", "U64", "I64", "Sg", "Db", "D",
    "BA", "G", "URI", "Version", "XD", "SBK", "SS",
];

impl Decoder<'_, '_> {
    pub(super) fn primitive(&mut self, tag: &'static str) -> Result<(PsValue, Cost), DecodeError> {
        let text = self.reader.read_text()?;
        let cost = Cost::of_text(text.len());
        self.charge(cost.size)?;
        let value = match tag {
            "S" => Ok(PsValue::String(unescape(text))),
            "URI" => Ok(PsValue::Uri(unescape(text))),
            "XD" => Ok(PsValue::XmlDocument(unescape(text))),
            "SBK" => Ok(PsValue::ScriptBlock(unescape(text))),
            // No text of this kind begins or ends with white space; documents laid out by hand put some there.
            _ => plain(tag, text.trim_ascii()),
        };
        Ok((value.map_err(|expected| self.invalid(tag, expected))?, cost))
    }

    /// `PR`: fields in the order of `powershell.exe`, which is not relied upon.
    pub(super) fn progress(&mut self) -> Result<(PsValue, Cost), DecodeError> {
        let mut cost = Cost::of_text(0);
        let (mut activity, mut current, mut record_type, mut status) = (None, None, None, None);
        let (mut id, mut parent, mut percent, mut seconds) = (None, None, None, None);
        while let Some(child) = self.reader.next_child()? {
            let name = self.local_name(&child, "PR")?.to_owned();
            let text = self.reader.read_text()?;
            let text_cost = Cost::of_text(text.len());
            self.charge(text_cost.size)?;
            cost.add(text_cost);
            let is_new = match name.as_str() {
                "AV" => activity.replace(unescape(text)).is_none(),
                "S" => current.replace(Some(unescape(text))).is_none(),
                "Nil" => current.replace(None).is_none(),
                "T" => record_type.replace(unescape(text)).is_none(),
                "SD" => status.replace(unescape(text)).is_none(),
                "AI" => id.replace(self.number("AI", &text)?).is_none(),
                "PI" => parent.replace(self.number("PI", &text)?).is_none(),
                "PC" => percent.replace(self.number("PC", &text)?).is_none(),
                "SR" => seconds.replace(self.number("SR", &text)?).is_none(),
                _ => return Err(DecodeError::Unexpected { parent: "PR", offset: self.reader.offset() }),
            };
            if !is_new {
                return Err(self.repeated("field of PR"));
            }
        }
        let record = ProgressRecord {
            activity: self.required(activity, "AV")?,
            activity_id: self.required(id, "AI")?,
            current_operation: self.required(current, "S or Nil")?,
            parent_activity_id: self.required(parent, "PI")?,
            percent_complete: self.required(percent, "PC")?,
            record_type: self.required::<PsString>(record_type, "T")?,
            seconds_remaining: self.required(seconds, "SR")?,
            status_description: self.required(status, "SD")?,
        };
        Ok((PsValue::Progress(Box::new(record)), cost))
    }

    fn required<T>(&self, field: Option<T>, name: &'static str) -> Result<T, DecodeError> {
        field.ok_or_else(|| self.missing(name))
    }

    fn number(&self, field: &'static str, text: &str) -> Result<i32, DecodeError> {
        text.trim_ascii().parse().map_err(|_| self.invalid(field, "a signed 32-bit integer"))
    }
}

/// All but strings; the error says what was expected.
fn plain(tag: &str, text: &str) -> Result<PsValue, &'static str> {
    Ok(match tag {
        "Nil" if text.is_empty() => PsValue::Nil,
        "Nil" => return Err("empty"),
        "C" => PsValue::Char(integer(text, "the number of a UTF-16 code unit")?),
        "B" => PsValue::Bool(match text {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err("true or false"),
        }),
        "DT" => PsValue::DateTime(DateTime::new(text).map_err(|error| error.expected)?),
        "TS" => PsValue::Duration(Duration::new(text).map_err(|error| error.expected)?),
        "By" => PsValue::U8(integer(text, "an unsigned 8-bit integer")?),
        "SB" => PsValue::I8(integer(text, "a signed 8-bit integer")?),
        "U16" => PsValue::U16(integer(text, "an unsigned 16-bit integer")?),
        "I16" => PsValue::I16(integer(text, "a signed 16-bit integer")?),
        "U32" => PsValue::U32(integer(text, "an unsigned 32-bit integer")?),
        "I32" => PsValue::I32(integer(text, "a signed 32-bit integer")?),
        "U64" => PsValue::U64(integer(text, "an unsigned 64-bit integer")?),
        "I64" => PsValue::I64(integer(text, "a signed 64-bit integer")?),
        "Sg" => PsValue::Single(float(text)?),
        "Db" => PsValue::Double(float(text)?),
        "D" => PsValue::Decimal(Decimal::new(text).map_err(|error| error.expected)?),
        "BA" => PsValue::Bytes(base64(text)?),
        // Hyphenated, as .NET writes it, and the other forms that its parser takes.
        "G" => PsValue::Guid(Uuid::try_parse(text).map_err(|_| "a GUID")?),
        "Version" => PsValue::Version(Version::new(text).map_err(|error| error.expected)?),
        "SS" => PsValue::SecureString(SecureString::new(text)),
        _ => return Err("a known kind of value"),
    })
}

fn integer<T: FromStr>(text: &str, expected: &'static str) -> Result<T, &'static str> {
    text.parse().map_err(|_| expected)
}

/// XML Schema's `float` and `double`: Rust's forms but for infinity, and no other words.
fn float<T: FromStr>(text: &str) -> Result<T, &'static str> {
    const EXPECTED: &str = "a floating-point number";
    let rust = match text {
        "INF" => "inf",
        "-INF" => "-inf",
        "NaN" => "NaN",
        _ if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => text,
        _ => return Err(EXPECTED),
    };
    rust.parse().map_err(|_| EXPECTED)
}

/// With white space anywhere, which .NET's decoder passes over.
fn base64(text: &str) -> Result<Vec<u8>, &'static str> {
    const EXPECTED: &str = "base64";
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return STANDARD.decode(text).map_err(|_| EXPECTED);
    }
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_has_a_value() {
        for tag in TAGS.iter().filter(|tag| !matches!(**tag, "S" | "URI" | "XD" | "SBK")) {
            assert_ne!(plain(tag, "-").err(), Some("a known kind of value"), "{tag}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(plain("Db", "1E-07"), Ok(PsValue::Double(1e-7)));
        assert_eq!(plain("Db", "-INF"), Ok(PsValue::Double(f64::NEG_INFINITY)));
        assert_eq!(plain("Sg", "12.34"), Ok(PsValue::Single(12.34)));
        assert_eq!(plain("C", "55348"), Ok(PsValue::Char(0xd834)));
        assert_eq!(plain("BA", "AQ\r\n ID"), Ok(PsValue::Bytes(vec![1, 2, 3])));
        for (tag, text) in [
            ("Db", "inf"),
            ("Db", ""),
            ("By", "256"),
            ("I32", ""),
            ("C", "65536"),
            ("B", "True"),
            ("BA", "A"),
            ("G", "x"),
        ] {
            assert!(plain(tag, text).is_err(), "{tag} {text}");
        }
    }
}
