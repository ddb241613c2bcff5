//! Reading and writing messages: a fixed part in order, payloads behind it at 16/32-bit descriptors (MS-NLMP 2.2.1).

use crate::error::{DecodeError, EncodeError, MessageType};

/// First eight bytes of every message.
const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";
/// Signature and `MessageType`.
const PREFIX_LEN: usize = 12;

/// Reads the fixed part of a message in order; payloads are looked up in the whole message.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    message: &'a [u8],
    position: usize,
    /// Where the first payload that is not empty starts, if any was read.
    first_payload: Option<usize>,
}

impl<'a> Reader<'a> {
    /// Over plain bytes: no signature.
    pub(crate) const fn bytes(bytes: &'a [u8]) -> Self {
        Self { message: bytes, position: 0, first_payload: None }
    }

    /// Over a whole message, past Signature and `MessageType`.
    pub(crate) fn message(message: &'a [u8], expected: MessageType) -> Result<Self, DecodeError> {
        if !message.starts_with(&SIGNATURE) {
            return Err(DecodeError::BadSignature);
        }
        let mut reader = Self { message, position: SIGNATURE.len(), first_payload: None };
        let found = reader.u32_le("MessageType")?;
        if found == expected.number() { Ok(reader) } else { Err(DecodeError::WrongType { expected, found }) }
    }

    /// Bytes not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.message.get(self.position..).unwrap_or_default()
    }

    pub(crate) fn slice(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let bytes =
            rest.get(..len).ok_or(DecodeError::Truncated { field, needed: len, available: rest.len() })?;
        self.position += len;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = self.rest();
        let bytes = rest.first_chunk::<N>().ok_or(DecodeError::Truncated {
            field,
            needed: N,
            available: rest.len(),
        })?;
        self.position += N;
        Ok(*bytes)
    }

    pub(crate) fn u16_le(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    pub(crate) fn u32_le(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// Reads a descriptor (Len, `MaxLen`, `BufferOffset`) and returns what it points to.
    ///
    /// `MaxLen` is ignored on receipt, and so is the offset of an empty field: Windows writes 0 there, others the place
    /// where the field would have been.
    pub(crate) fn payload(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = usize::from(self.u16_le(field)?);
        self.u16_le(field)?;
        // An offset beyond usize lies outside any message.
        let offset = usize::try_from(self.u32_le(field)?).unwrap_or(usize::MAX);
        if len == 0 {
            return Ok(&[]);
        }
        let message_len = self.message.len();
        let end = offset.checked_add(len);
        let bytes = end.and_then(|end| self.message.get(offset..end)).ok_or(DecodeError::OutOfBounds {
            field,
            offset,
            len,
            message_len,
        })?;
        self.first_payload = Some(self.first_payload.map_or(offset, |first| first.min(offset)));
        Ok(bytes)
    }

    /// Where the fixed part ends: at the first payload, or with the message when there is none.
    pub(crate) fn fixed_end(&self) -> usize {
        self.first_payload.unwrap_or(self.message.len())
    }
}

/// Writes a message; the fixed part must come out `fixed_len` bytes long.
#[derive(Debug)]
pub(crate) struct Writer {
    fixed: Vec<u8>,
    payloads: Vec<u8>,
    fixed_len: usize,
}

impl Writer {
    pub(crate) fn message(message_type: MessageType, fixed_len: usize) -> Self {
        let mut writer = Self { fixed: Vec::with_capacity(fixed_len), payloads: Vec::new(), fixed_len };
        writer.bytes(&SIGNATURE);
        writer.u32_le(message_type.number());
        debug_assert_eq!(writer.fixed.len(), PREFIX_LEN);
        writer
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.fixed.extend_from_slice(bytes);
    }

    pub(crate) fn u32_le(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Puts `payload` behind what is there and its descriptor into the fixed part.
    pub(crate) fn payload(&mut self, field: &'static str, payload: &[u8]) -> Result<(), EncodeError> {
        let placed = self.place(field, payload)?;
        self.descriptor(placed);
        Ok(())
    }

    /// Puts `payload` behind what is there; the descriptor is for [`Self::descriptor`], in the order of the fields.
    pub(crate) fn place(&mut self, field: &'static str, payload: &[u8]) -> Result<Descriptor, EncodeError> {
        let too_long = || EncodeError::TooLong { field, len: payload.len(), max: usize::from(u16::MAX) };
        let len = u16::try_from(payload.len()).map_err(|_| too_long())?;
        let offset = u32::try_from(self.fixed_len + self.payloads.len()).map_err(|_| too_long())?;
        self.payloads.extend_from_slice(payload);
        Ok(Descriptor { len, offset })
    }

    pub(crate) fn descriptor(&mut self, Descriptor { len, offset }: Descriptor) {
        self.bytes(&len.to_le_bytes()); // Len
        self.bytes(&len.to_le_bytes()); // MaxLen
        self.u32_le(offset);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        debug_assert_eq!(self.fixed.len(), self.fixed_len);
        self.fixed.append(&mut self.payloads);
        self.fixed
    }
}

/// Where a payload was put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    len: u16,
    offset: u32,
}
