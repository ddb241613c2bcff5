//! From a document to values.

mod object;
mod primitive;
mod table;

use winrm_xml::{Reader, Start};

use crate::{DecodeError, Limits, PsValue};

pub(crate) use primitive::TAGS;
use table::Cost;
pub(crate) use table::Tables;

/// The namespace of documents with an `Objs` root; bare values are in none.
pub(crate) const NAMESPACE: &str = "http://schemas.microsoft.com/powershell/2004/04";

/// A value of a document, and the stream that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `S` of the element, as in `Error`.
    pub stream: Option<String>,
    /// The value.
    pub value: PsValue,
}

/// Reads a document that is one value, as the data of a message is, or an `Objs` with one value in it.
///
/// ```
/// let value = winrm_clixml::decode(b"<S>a_x000A_b</S>")?;
/// assert_eq!(value.as_str(), Some("a\nb"));
/// # Ok::<(), winrm_clixml::DecodeError>(())
/// ```
///
/// # Errors
///
/// All of [`DecodeError`].
pub fn decode(document: &[u8]) -> Result<PsValue, DecodeError> {
    decode_with_limits(document, &Limits::default())
}

/// As [`decode`], under other bounds.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_with_limits(document: &[u8], limits: &Limits) -> Result<PsValue, DecodeError> {
    let entries = read(document, limits, &mut Tables::default())?;
    let found = entries.len();
    let mut entries = entries.into_iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry.value),
        _ => Err(DecodeError::NotOne { found }),
    }
}

/// Reads an `Objs` with any number of values, or a bare value.
///
/// # Errors
///
/// All of [`DecodeError`] but [`NotOne`](DecodeError::NotOne).
pub fn decode_document(document: &[u8], limits: &Limits) -> Result<Vec<Entry>, DecodeError> {
    read(document, limits, &mut Tables::default())
}

/// As [`decode_document`], with what was read before by the same serializer.
pub(crate) fn read(document: &[u8], limits: &Limits, tables: &mut Tables) -> Result<Vec<Entry>, DecodeError> {
    let escaped = escape_noncharacters(document);
    let document = escaped.as_ref().map_or(document, String::as_bytes);
    let reader = Reader::with_limits(document, &limits.xml())?;
    tables.begin();
    let mut decoder = Decoder { reader, tables, limits, open: Vec::new() };
    let entries = decoder.document();
    if entries.is_err() {
        decoder.tables.abandon();
    }
    let entries = entries?;
    decoder.reader.finish()?;
    Ok(entries)
}

/// PowerShell writes U+FFFE and U+FFFF as they are, which XML cannot hold: a document with them, as it should have been written.
/// Offsets of errors are those in it.
fn escape_noncharacters(document: &[u8]) -> Option<String> {
    memchr::memmem::find(document, b"\xef\xbf")?;
    // In UTF-16, which has zeros in it, these bytes are something else.
    let text = std::str::from_utf8(document).ok().filter(|text| !text.contains('\0'))?;
    let has_any = text.contains(['\u{fffe}', '\u{ffff}']);
    has_any.then(|| text.replace('\u{fffe}', "_xFFFE_").replace('\u{ffff}', "_xFFFF_"))
}

/// One pass over one document. References are resolved as they come: they only point backwards (MS-PSRP 2.2.5.2).
struct Decoder<'a, 't> {
    reader: Reader<'a>,
    tables: &'t mut Tables,
    limits: &'t Limits,
    /// Objects open now, and whether something inside refers to them.
    open: Vec<bool>,
}

impl Decoder<'_, '_> {
    fn document(&mut self) -> Result<Vec<Entry>, DecodeError> {
        let root = self.reader.root()?;
        if self.local_name(&root, "document")? != "Objs" {
            return Ok(vec![self.entry(&root)?]);
        }
        let mut entries = Vec::new();
        while let Some(start) = self.reader.next_child()? {
            entries.push(self.entry(&start)?);
        }
        Ok(entries)
    }

    fn entry(&mut self, start: &Start) -> Result<Entry, DecodeError> {
        // A property without its object: what is around it was lost.
        if start.attribute("", "N").is_some() {
            return Err(DecodeError::Unexpected { parent: "Objs", offset: self.reader.offset() });
        }
        let stream = start.attribute("", "S").map(str::to_owned);
        Ok(Entry { stream, value: self.value(start, "Objs")?.0 })
    }

    /// The value whose start tag was just read, and what it costs who walks it.
    fn value(&mut self, start: &Start, parent: &'static str) -> Result<(PsValue, Cost), DecodeError> {
        match self.local_name(start, parent)? {
            "Obj" => self.object(start),
            "Ref" => self.reference(start),
            "PR" => self.progress(),
            name => match TAGS.iter().find(|tag| **tag == name) {
                Some(tag) => self.primitive(tag),
                None => Err(DecodeError::Unexpected { parent, offset: self.reader.offset() }),
            },
        }
    }

    /// The name of an element that is in our namespace or in none.
    fn local_name<'s>(&self, start: &'s Start, parent: &'static str) -> Result<&'s str, DecodeError> {
        match start.name().as_pair() {
            ("" | NAMESPACE, local) => Ok(local),
            _ => Err(DecodeError::Unexpected { parent, offset: self.reader.offset() }),
        }
    }

    fn missing(&self, field: &'static str) -> DecodeError {
        DecodeError::Missing { field, offset: self.reader.offset() }
    }

    fn repeated(&self, field: &'static str) -> DecodeError {
        DecodeError::Repeated { field, offset: self.reader.offset() }
    }

    fn invalid(&self, field: &'static str, expected: &'static str) -> DecodeError {
        DecodeError::Invalid { field, expected, offset: self.reader.offset() }
    }

    /// Reads to the end of an element that has no content.
    fn nothing(&mut self, field: &'static str) -> Result<(), DecodeError> {
        let text = self.reader.read_text()?;
        if text.trim_ascii().is_empty() { Ok(()) } else { Err(self.invalid(field, "empty")) }
    }

    /// Counts what is read, or read again through a reference.
    fn charge(&mut self, size: usize) -> Result<(), DecodeError> {
        let maximum = self.limits.expanded_size;
        if self.tables.charge(size) <= maximum {
            return Ok(());
        }
        Err(DecodeError::TooLarge { maximum, offset: self.reader.offset() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_read_as_powershell_writes_it() {
        for text in ["\u{fffe}", "a\u{ffff}b\u{fffd}\u{fffe}", "\u{ff01}\u{feff}x"] {
            let value = decode(format!("<S>{text}</S>").as_bytes()).unwrap();
            assert_eq!(value.as_str(), Some(text));
        }
        for without in ["<S>é</S>", "<S>\u{fffd}</S>"] {
            assert_eq!(escape_noncharacters(without.as_bytes()), None);
        }
        // The bytes of U+FFFE in UTF-8, as parts of other characters.
        let text = "<S>\u{bfef}\u{41be}</S>";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let units: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            assert_eq!(decode(&units).unwrap().as_str(), Some("\u{bfef}\u{41be}"));
        }
        for cut in [&b"<S>\xef"[..], b"<S>\xef\xbf", b"<S>\xef\xbf</S>"] {
            assert!(decode(cut).is_err());
        }
    }
}
