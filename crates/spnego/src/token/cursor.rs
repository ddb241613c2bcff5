//! DER values by field: what `der` reads and writes, with the field's name and offset in every error.

use const_oid::ObjectIdentifier;
use der::asn1::AnyRef;
use der::{Decode, Encode, ErrorKind, Header, Reader, SliceReader, Tag, TagNumber};

use crate::error::{DecodeError, EncodeError};

/// `[number]`, constructed: an EXPLICIT field.
pub(super) const fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// One value out of a token.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tag: Tag,
    pub(super) bytes: &'a [u8],
    /// Of the first byte of `bytes`, from the start of the token.
    offset: usize,
}

impl<'a> Value<'a> {
    /// The bytes, if the value has this tag.
    pub(super) fn expect(self, field: &'static str, tag: Tag) -> Result<&'a [u8], DecodeError> {
        match self.tag.assert_eq(tag) {
            Ok(_) => Ok(self.bytes),
            Err(error) => Err(self.malformed(field, error.kind())),
        }
    }

    /// Reads the values inside a constructed value with this tag.
    pub(super) fn enter(self, field: &'static str, tag: Tag) -> Result<Cursor<'a>, DecodeError> {
        Cursor::new(field, self.expect(field, tag)?, self.offset)
    }

    /// The OBJECT IDENTIFIER that the value is.
    pub(super) fn object_identifier(self, field: &'static str) -> Result<ObjectIdentifier, DecodeError> {
        let bytes = self.expect(field, Tag::ObjectIdentifier)?;
        ObjectIdentifier::from_bytes(bytes).map_err(|_| self.malformed(field, ErrorKind::OidMalformed))
    }

    pub(super) fn malformed(self, field: &'static str, kind: ErrorKind) -> DecodeError {
        DecodeError::Malformed { field, offset: self.offset, source: kind.to_error() }
    }
}

/// Reads one value after the other.
pub(super) struct Cursor<'a> {
    reader: SliceReader<'a>,
    /// Offset in the token of the reader's first byte.
    base: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(field: &'static str, bytes: &'a [u8], base: usize) -> Result<Self, DecodeError> {
        match SliceReader::new(bytes) {
            Ok(reader) => Ok(Self { reader, base }),
            Err(error) => Err(DecodeError::Malformed { field, offset: base, source: error }),
        }
    }

    /// The only value in `bytes`.
    pub(super) fn only(field: &'static str, bytes: &'a [u8], base: usize) -> Result<Value<'a>, DecodeError> {
        let mut cursor = Self::new(field, bytes, base)?;
        let value = cursor.value(field)?;
        cursor.finish(field)?;
        Ok(value)
    }

    /// The next value, whatever it is.
    pub(super) fn value(&mut self, field: &'static str) -> Result<Value<'a>, DecodeError> {
        let header = Header::decode(&mut self.reader).map_err(|e| self.malformed(field, e))?;
        let offset = self.offset();
        let bytes = self.reader.read_slice(header.length()).map_err(|e| self.malformed(field, e))?;
        Ok(Value { tag: header.tag(), bytes, offset })
    }

    /// The value inside `[number]`, if that comes next.
    pub(super) fn explicit(
        &mut self,
        field: &'static str,
        number: u32,
    ) -> Result<Option<Value<'a>>, DecodeError> {
        if self.reader.is_finished() {
            return Ok(None);
        }
        let tag = Tag::peek(&self.reader).map_err(|e| self.malformed(field, e))?;
        if tag != context(number) {
            return Ok(None);
        }
        let Value { bytes, offset, .. } = self.value(field)?;
        Self::only(field, bytes, offset).map(Some)
    }

    /// The OCTET STRING inside `[number]`, if that comes next.
    pub(super) fn octets(
        &mut self,
        field: &'static str,
        number: u32,
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        match self.explicit(field, number)? {
            Some(value) => value.expect(field, Tag::OctetString).map(|bytes| Some(bytes.to_vec())),
            None => Ok(None),
        }
    }

    /// Skips what a later revision may have appended: context tags above `last`.
    pub(super) fn skip_extensions(mut self, field: &'static str, last: u32) -> Result<(), DecodeError> {
        while !self.reader.is_finished() {
            let extension = self.value(field)?;
            if !extension.tag.is_context_specific() || extension.tag.number().value() <= last {
                // A known field twice or out of order.
                return Err(extension.malformed(field, extension.tag.unexpected_error(None)));
            }
        }
        Ok(())
    }

    pub(super) fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    /// Everything not read yet, and its offset.
    pub(super) fn rest(&mut self, field: &'static str) -> Result<(&'a [u8], usize), DecodeError> {
        let offset = self.offset();
        let remaining = self.reader.remaining_len();
        let bytes = self.reader.read_slice(remaining).map_err(|e| self.malformed(field, e))?;
        Ok((bytes, offset))
    }

    pub(super) fn finish(self, field: &'static str) -> Result<(), DecodeError> {
        let offset = self.offset();
        self.reader.finish().map_err(|source| DecodeError::Malformed { field, offset, source })
    }

    fn offset(&self) -> usize {
        // A position is at most the length of a slice, so it fits.
        self.base.saturating_add(usize::try_from(self.reader.position()).unwrap_or(usize::MAX))
    }

    fn malformed(&self, field: &'static str, source: der::Error) -> DecodeError {
        DecodeError::Malformed { field, offset: self.offset(), source }
    }
}

/// Tag, length and value.
pub(super) fn tlv(field: &'static str, tag: Tag, content: &[u8]) -> Result<Vec<u8>, EncodeError> {
    AnyRef::new(tag, content)
        .and_then(|value| value.to_der())
        .map_err(|source| EncodeError::Der { field, source })
}

/// Appends the EXPLICIT field `[number]` around one value.
pub(super) fn put_explicit(
    out: &mut Vec<u8>,
    field: &'static str,
    number: u32,
    tag: Tag,
    content: &[u8],
) -> Result<(), EncodeError> {
    out.extend_from_slice(&tlv(field, context(number), &tlv(field, tag, content)?)?);
    Ok(())
}
