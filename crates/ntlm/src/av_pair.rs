//! `AV_PAIR` lists: `TargetInfo` of the CHALLENGE and its copy in the NTLMv2 response (MS-NLMP 2.2.2.1).

use std::fmt;

use crate::cursor::Reader;
use crate::error::{DecodeError, EncodeError};
use crate::text;
use crate::time::FileTime;

/// `AvId`: which pair it is. Values without a name are kept.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct AvId(pub u16);

/// Declares the constants and the table of names in one place.
macro_rules! av_ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $spec:literal;)*) => {
        impl AvId {
            $($(#[$doc])* pub const $name: Self = Self($id);)*

            /// `MsvAv` name of the specification, if it has one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($id => Some($spec),)*
                    _ => None,
                }
            }
        }
    };
}

av_ids! {
    /// End of the list.
    EOL = 0, "MsvAvEOL";
    /// NetBIOS name of the server, UTF-16LE.
    NB_COMPUTER_NAME = 1, "MsvAvNbComputerName";
    /// NetBIOS name of its domain, UTF-16LE.
    NB_DOMAIN_NAME = 2, "MsvAvNbDomainName";
    /// DNS name of the server, UTF-16LE.
    DNS_COMPUTER_NAME = 3, "MsvAvDnsComputerName";
    /// DNS name of its domain, UTF-16LE.
    DNS_DOMAIN_NAME = 4, "MsvAvDnsDomainName";
    /// DNS name of its forest, UTF-16LE.
    DNS_TREE_NAME = 5, "MsvAvDnsTreeName";
    /// 32 bits, see [`AvFlags`].
    FLAGS = 6, "MsvAvFlags";
    /// FILETIME of the server.
    TIMESTAMP = 7, "MsvAvTimestamp";
    /// `Single_Host_Data`, 48 bytes.
    SINGLE_HOST = 8, "MsvAvSingleHost";
    /// Service principal name that the client asked for, UTF-16LE.
    TARGET_NAME = 9, "MsvAvTargetName";
    /// MD5 of the channel bindings, or sixteen zero bytes for none.
    CHANNEL_BINDINGS = 10, "MsvAvChannelBindings";
}

impl AvId {
    /// Length that the value must have, where the specification fixes one.
    const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::EOL => Some(0),
            Self::FLAGS => Some(4),
            Self::TIMESTAMP => Some(8),
            Self::CHANNEL_BINDINGS => Some(16),
            _ => None,
        }
    }

    fn field(self) -> &'static str {
        self.name().unwrap_or("AV_PAIR")
    }
}

impl fmt::Debug for AvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "AvId({:#06x})", self.0),
        }
    }
}

/// `MsvAvFlags`. Bits without a name are kept.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct AvFlags(pub u32);

impl AvFlags {
    /// The account's authentication is constrained.
    pub const CONSTRAINED: Self = Self(0x1);
    /// The AUTHENTICATE message carries a MIC.
    pub const MIC_PROVIDED: Self = Self(0x2);
    /// The target name comes from an untrusted source.
    pub const UNTRUSTED_TARGET_NAME: Self = Self(0x4);

    /// True when every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits and those of `other`.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The bits that are set here and in `other`.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// One pair: an id and at most 65 535 bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AvPair {
    /// Which pair.
    pub id: AvId,
    /// Its value as on the wire.
    pub value: Vec<u8>,
}

/// A list of pairs in the order of the wire, without the closing `MsvAvEOL`.
///
/// ```
/// use winrm_ntlm::av_pair::{AvId, AvPairs};
///
/// let mut pairs = AvPairs::default();
/// pairs.set_text(AvId::NB_COMPUTER_NAME, "Server");
/// let bytes = pairs.encode()?;
/// assert_eq!(AvPairs::decode(&bytes).unwrap().text(AvId::NB_COMPUTER_NAME).unwrap().as_deref(), Some("Server"));
/// # Ok::<(), winrm_ntlm::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AvPairs(pub Vec<AvPair>);

impl AvPairs {
    /// Reads pairs up to and including `MsvAvEOL`; what stands behind it is ignored.
    ///
    /// # Errors
    /// When the list is cut off or has no `MsvAvEOL`, or when `MsvAvFlags`, `MsvAvTimestamp`, `MsvAvChannelBindings` or `MsvAvEOL`
    /// have another length than they must.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::bytes(bytes);
        let mut pairs = Vec::new();
        loop {
            let id = AvId(r.u16_le("AvId")?);
            let len = usize::from(r.u16_le("AvLen")?);
            let value = r.slice(id.field(), len)?;
            if let Some(expected) = id.fixed_len().filter(|expected| *expected != len) {
                return Err(DecodeError::WrongLength { field: id.field(), expected, found: len });
            }
            if id == AvId::EOL {
                return Ok(Self(pairs));
            }
            pairs.push(AvPair { id, value: value.to_vec() });
        }
    }

    /// The bytes of the list, closed by `MsvAvEOL`.
    ///
    /// # Errors
    /// When a value is longer than 65 535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::with_capacity(self.0.iter().map(|pair| pair.value.len() + 4).sum::<usize>() + 4);
        for AvPair { id, value } in &self.0 {
            let len = u16::try_from(value.len()).map_err(|_| EncodeError::TooLong {
                field: id.field(),
                len: value.len(),
                max: usize::from(u16::MAX),
            })?;
            bytes.extend_from_slice(&id.0.to_le_bytes());
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(&[0; 4]); // MsvAvEOL
        Ok(bytes)
    }

    /// Value of the first pair with this id.
    pub fn get(&self, id: AvId) -> Option<&[u8]> {
        self.0.iter().find(|pair| pair.id == id).map(|pair| pair.value.as_slice())
    }

    /// Replaces the value where the first pair with this id stands, or puts the pair at the end. Further pairs with this
    /// id go, so that no reader can find another value than this one.
    pub fn set(&mut self, id: AvId, value: Vec<u8>) {
        let mut value = Some(value);
        self.0.retain_mut(|pair| pair.id != id || value.take().map(|value| pair.value = value).is_some());
        self.0.extend(value.map(|value| AvPair { id, value }));
    }

    /// Takes out every pair with this id.
    pub fn remove(&mut self, id: AvId) {
        self.0.retain(|pair| pair.id != id);
    }

    /// Refuses a list that holds one of these ids twice: which of the two values counts would be up to the reader.
    pub(crate) fn require_unique(&self, ids: &[AvId]) -> Result<(), DecodeError> {
        let repeated = |id: &&AvId| self.0.iter().filter(|pair| pair.id == **id).count() > 1;
        match ids.iter().find(repeated) {
            Some(id) => Err(DecodeError::Repeated { field: id.field() }),
            None => Ok(()),
        }
    }

    /// Text of the first pair with this id. Pairs are UTF-16LE even where the messages use OEM strings.
    ///
    /// # Errors
    /// When the value is not UTF-16LE.
    pub fn text(&self, id: AvId) -> Result<Option<String>, DecodeError> {
        self.get(id).map(|value| text::from_utf16_le(id.field(), value)).transpose()
    }

    /// As [`Self::set`], with text.
    pub fn set_text(&mut self, id: AvId, value: &str) {
        self.set(id, text::utf16_le(value));
    }

    /// `MsvAvFlags`, if the pair is there.
    pub fn flags(&self) -> Option<AvFlags> {
        self.get(AvId::FLAGS)?.first_chunk().map(|bytes| AvFlags(u32::from_le_bytes(*bytes)))
    }

    /// `MsvAvTimestamp`, if the pair is there.
    pub fn timestamp(&self) -> Option<FileTime> {
        self.get(AvId::TIMESTAMP)?.first_chunk().map(|bytes| FileTime::from_le_bytes(*bytes))
    }

    /// `MsvAvChannelBindings`, if the pair is there.
    pub fn channel_bindings(&self) -> Option<[u8; 16]> {
        self.get(AvId::CHANNEL_BINDINGS)?.first_chunk().copied()
    }
}
