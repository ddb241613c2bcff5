//! What all parts need to read and write themselves.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::PAD;
use bytes::buf::Writer as BufWriter;
use bytes::{Bytes, BytesMut};
use winrm_xml::{Reader, Start, Writer};

use crate::duration::XsDuration;
use crate::error::{DecodeError, EncodeError};
use crate::name::QName;
use crate::uri;

/// A document being written behind what the buffer holds already.
pub(crate) type Xml<'a> = Writer<BufWriter<&'a mut BytesMut>>;

/// base64 takes the processor's vector instructions where the crate has them.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
type Base64 = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
type Base64 = base64::engine::GeneralPurpose;

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
static BASE64: LazyLock<Base64> = LazyLock::new(|| Base64::standard(PAD));
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
static BASE64: LazyLock<Base64> = LazyLock::new(|| Base64::new(&base64::alphabet::STANDARD, PAD));

/// Bytes encoded at once: 16 KiB of text.
const BASE64_CHUNK: usize = 12 * 1024;

/// Repetitions read and written at most. Each stands far above what Windows sends or takes.
pub(crate) mod bounds {
    /// `w:Option` in a set.
    pub(crate) const OPTIONS: usize = 256;
    /// `w:Selector` in a set.
    pub(crate) const SELECTORS: usize = 256;
    /// Header blocks that we do not know but must understand, and names that the peer did not understand.
    pub(crate) const NAMES: usize = 64;
    /// `rsp:Stream` in a message: an envelope of 500 KB holds some 8 000 empty ones.
    pub(crate) const STREAMS: usize = 32_768;
    /// `rsp:Arguments`: a command line has at most 32 767 characters.
    pub(crate) const ARGUMENTS: usize = 16_384;
    /// `rsp:Variable`.
    pub(crate) const VARIABLES: usize = 4_096;
    /// Names in a list of streams.
    pub(crate) const STREAM_NAMES: usize = 64;
    /// Items of an enumeration: Windows' `MaxBatchItems` is 32 000.
    pub(crate) const ITEMS: usize = 32_768;
    /// Languages of a reason, elements of a fault's detail, versions and profiles of Identify.
    pub(crate) const FEW: usize = 32;
}

/// The prefixes that documents of ours declare; names from elsewhere must not seem to use them.
const PREFIXES: [&str; 9] = ["s", "a", "x", "n", "w", "p", "rsp", "f", "wsmid"];

/// Drops white space as XML means it (XML 1.0, production 3) from both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

pub(crate) fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) if trim(&text).len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}

/// The text of the innermost element, white space around it dropped, since peers indent it.
pub(crate) fn text(r: &mut Reader<'_>) -> Result<String, DecodeError> {
    Ok(trimmed(r.read_text_borrowed()?).into_owned())
}

pub(crate) fn number<T: FromStr>(r: &mut Reader<'_>, field: &'static str) -> Result<T, DecodeError> {
    let text = r.read_text_borrowed()?;
    trim(&text).parse().map_err(|_| invalid(r, field, "a number in range"))
}

pub(crate) fn duration(r: &mut Reader<'_>, field: &'static str) -> Result<XsDuration, DecodeError> {
    let text = r.read_text_borrowed()?;
    XsDuration::parse(&text).map_err(|_| invalid(r, field, "a duration of days, hours, minutes and seconds"))
}

/// Bytes in base64; white space anywhere does not matter.
pub(crate) fn bytes(r: &mut Reader<'_>, field: &'static str) -> Result<Bytes, DecodeError> {
    let text = r.read_text_borrowed()?;
    if let Ok(bytes) = BASE64.decode(trim(&text)) {
        return Ok(bytes.into());
    }
    let text: String = text.split_ascii_whitespace().collect();
    BASE64.decode(&text).map(Bytes::from).map_err(|_| invalid(r, field, "base64"))
}

/// Names separated by white space (MS-WSMV 2.2.5.8).
pub(crate) fn names(r: &mut Reader<'_>, field: &'static str) -> Result<Vec<String>, DecodeError> {
    let text = r.read_text_borrowed()?;
    let mut names = Vec::new();
    for name in text.split_ascii_whitespace() {
        push(&mut names, name.to_owned(), bounds::STREAM_NAMES, r, field)?;
    }
    Ok(names)
}

/// An attribute of type `xs:boolean`, in any case since peers write `True`.
pub(crate) fn boolean(
    start: &Start,
    r: &Reader<'_>,
    local: &str,
    field: &'static str,
) -> Result<bool, DecodeError> {
    match start.attribute("", local).map(trim) {
        None => Ok(false),
        Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(false),
        Some(_) => Err(invalid(r, field, "true or false")),
    }
}

pub(crate) fn attribute(start: &Start, local: &str) -> Option<String> {
    start.attribute("", local).map(|value| trim(value).to_owned())
}

/// Sets a field that may come once.
pub(crate) fn set<T>(
    slot: &mut Option<T>,
    value: T,
    r: &Reader<'_>,
    field: &'static str,
) -> Result<(), DecodeError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::Repeated { field, offset: r.offset() }),
    }
}

/// Adds to a list with a bound.
pub(crate) fn push<T>(
    list: &mut Vec<T>,
    value: T,
    maximum: usize,
    r: &Reader<'_>,
    field: &'static str,
) -> Result<(), DecodeError> {
    if list.len() >= maximum {
        return Err(DecodeError::TooMany { field, maximum, offset: r.offset() });
    }
    list.push(value);
    Ok(())
}

pub(crate) fn invalid(r: &Reader<'_>, field: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::Invalid { field, expected, offset: r.offset() }
}

pub(crate) fn missing(r: &Reader<'_>, field: &'static str) -> DecodeError {
    DecodeError::Missing { field, offset: r.offset() }
}

/// A qualified name in a text or value, resolved where it stands.
pub(crate) fn qname(start: &Start, text: &str) -> QName {
    let text = trim(text);
    let (prefix, local) = text.rsplit_once(':').unwrap_or(("", text));
    let namespace = start
        .resolve(text)
        .filter(|_| prefix != "xmlns")
        .map(|name| name.namespace().to_owned())
        .filter(|uri| !uri.is_empty());
    QName { namespace, local: local.to_owned(), text: text.to_owned() }
}

/// How to write a name in an element with the prefix `s`: prefix and URI to declare, and the text.
pub(crate) fn qname_text(name: &QName) -> (Option<(&str, &str)>, String) {
    match &name.namespace {
        Some(uri) => {
            let prefix = name.prefix();
            // Declared on an `s:` element, the prefix must not take that away from the element itself.
            let prefix = if prefix == "s" && uri != uri::NS_SOAP { "q" } else { prefix };
            let text =
                if prefix.is_empty() { name.local.clone() } else { format!("{prefix}:{}", name.local) };
            (Some((prefix, uri)), text)
        }
        None => match name.text.rsplit_once(':') {
            // The sender's prefix was not declared; ours of the same spelling is.
            Some((prefix, local)) if PREFIXES.contains(&prefix) => (None, format!("{prefix}_:{local}")),
            _ => (None, name.text.clone()),
        },
    }
}

/// An element with text.
pub(crate) fn leaf(w: &mut Xml<'_>, prefix: &str, local: &str, text: &str) -> Result<(), EncodeError> {
    Ok(w.start(prefix, local).text(text)?)
}

/// An element with text, if there is one.
pub(crate) fn optional(
    w: &mut Xml<'_>,
    prefix: &str,
    local: &str,
    text: Option<&str>,
) -> Result<(), EncodeError> {
    text.map_or(Ok(()), |text| leaf(w, prefix, local, text))
}

/// An element with a value that displays itself, if there is one.
pub(crate) fn optional_value(
    w: &mut Xml<'_>,
    prefix: &str,
    local: &str,
    value: Option<impl ToString>,
) -> Result<(), EncodeError> {
    value.map_or(Ok(()), |value| leaf(w, prefix, local, &value.to_string()))
}

/// An element with a list of names, if there are any.
pub(crate) fn optional_names(
    w: &mut Xml<'_>,
    local: &'static str,
    names: &[String],
) -> Result<(), EncodeError> {
    if names.is_empty() {
        return Ok(());
    }
    limit(names.len(), bounds::STREAM_NAMES, local)?;
    if names.iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
        return Err(EncodeError::Invalid { field: local, expected: "a list of names without blanks" });
    }
    leaf(w, "rsp", local, &names.join(" "))
}

/// The innermost element's content in base64, a piece at a time.
pub(crate) fn base64(w: &mut Xml<'_>, data: &[u8]) -> Result<(), EncodeError> {
    let mut piece = String::with_capacity(data.len().min(BASE64_CHUNK).div_ceil(3) * 4);
    for chunk in data.chunks(BASE64_CHUNK) {
        piece.clear();
        BASE64.encode_string(chunk, &mut piece);
        w.text(&piece)?;
    }
    Ok(())
}

/// An element of PowerShell's namespace with bytes, if there are any.
pub(crate) fn powershell(w: &mut Xml<'_>, local: &str, data: Option<&Bytes>) -> Result<(), EncodeError> {
    let Some(data) = data else { return Ok(()) };
    w.start("", local).declare("", uri::NS_POWERSHELL).open()?;
    base64(w, data)?;
    Ok(w.end()?)
}

pub(crate) fn limit(len: usize, maximum: usize, field: &'static str) -> Result<(), EncodeError> {
    if len > maximum { Err(EncodeError::TooMany { field, maximum }) } else { Ok(()) }
}
