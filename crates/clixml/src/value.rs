//! Values: primitives, and objects.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::object::RefId;
use crate::{
    DateTime, Decimal, Duration, ProgressRecord, Properties, PsObject, PsString, SecureString, Version,
};

/// A value as MS-PSRP 2.2.5.1 and 2.2.5.2 serialize it, named by its element unless the element's name says nothing.
///
/// `Debug` names kinds and lengths, never contents: values come out of messages that are encrypted for a reason.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum PsValue {
    /// `Nil`: `$null`.
    Nil,
    /// `S`.
    String(PsString),
    /// `C`: a UTF-16 code unit, which may be half of a pair.
    Char(u16),
    /// `B`.
    Bool(bool),
    /// `DT`.
    DateTime(DateTime),
    /// `TS`.
    Duration(Duration),
    /// `By`.
    U8(u8),
    /// `SB`.
    I8(i8),
    /// `U16`.
    U16(u16),
    /// `I16`.
    I16(i16),
    /// `U32`.
    U32(u32),
    /// `I32`.
    I32(i32),
    /// `U64`.
    U64(u64),
    /// `I64`.
    I64(i64),
    /// `Sg`.
    Single(f32),
    /// `Db`.
    Double(f64),
    /// `D`.
    Decimal(Decimal),
    /// `BA`.
    Bytes(Vec<u8>),
    /// `G`.
    Guid(Uuid),
    /// `URI`, which .NET takes even if it is none, so that it stays text.
    Uri(PsString),
    /// `Version`.
    Version(Version),
    /// `XD`: the text of an XML document.
    XmlDocument(PsString),
    /// `SBK`: the text of a script block.
    ScriptBlock(PsString),
    /// `SS`.
    SecureString(SecureString),
    /// `PR`, which only `powershell.exe` writes.
    Progress(Box<ProgressRecord>),
    /// `Obj`, shared by all that refer to it.
    Object(Arc<PsObject>),
    /// `Ref` to an object that encloses this place, which would have no end if it were repeated here.
    Ref(RefId),
    /// `MS` with a name: a member set, which stands only as a property.
    MemberSet(Properties),
}

impl PsValue {
    /// The name of its element.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Nil => "Nil",
            Self::String(_) => "S",
            Self::Char(_) => "C",
            Self::Bool(_) => "B",
            Self::DateTime(_) => "DT",
            Self::Duration(_) => "TS",
            Self::U8(_) => "By",
            Self::I8(_) => "SB",
            Self::U16(_) => "U16",
            Self::I16(_) => "I16",
            Self::U32(_) => "U32",
            Self::I32(_) => "I32",
            Self::U64(_) => "U64",
            Self::I64(_) => "I64",
            Self::Single(_) => "Sg",
            Self::Double(_) => "Db",
            Self::Decimal(_) => "D",
            Self::Bytes(_) => "BA",
            Self::Guid(_) => "G",
            Self::Uri(_) => "URI",
            Self::Version(_) => "Version",
            Self::XmlDocument(_) => "XD",
            Self::ScriptBlock(_) => "SBK",
            Self::SecureString(_) => "SS",
            Self::Progress(_) => "PR",
            Self::Object(_) => "Obj",
            Self::Ref(_) => "Ref",
            Self::MemberSet(_) => "MS",
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&PsObject> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The value without what may be wrapped around: the primitive of an extended primitive or enumeration, else this.
    pub fn primitive(&self) -> &Self {
        match self {
            Self::Object(object) => match &object.content {
                crate::Content::Value(value) => value,
                _ => self,
            },
            _ => self,
        }
    }

    /// The text of a string, URI, XML document or script block, of an extended one too.
    pub fn as_ps_string(&self) -> Option<&PsString> {
        match self.primitive() {
            Self::String(text) | Self::Uri(text) | Self::XmlDocument(text) | Self::ScriptBlock(text) => {
                Some(text)
            }
            _ => None,
        }
    }

    /// As [`as_ps_string`](Self::as_ps_string), unless there are lone surrogates in it.
    pub fn as_str(&self) -> Option<&str> {
        self.as_ps_string()?.as_str()
    }

    /// The truth value, of an extended one too.
    pub fn as_bool(&self) -> Option<bool> {
        match self.primitive() {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Any integer that fits, of an enumeration too.
    pub fn as_i64(&self) -> Option<i64> {
        Some(match self.primitive() {
            Self::U8(value) => i64::from(*value),
            Self::I8(value) => i64::from(*value),
            Self::U16(value) => i64::from(*value),
            Self::I16(value) => i64::from(*value),
            Self::U32(value) => i64::from(*value),
            Self::I32(value) => i64::from(*value),
            Self::U64(value) => i64::try_from(*value).ok()?,
            Self::I64(value) => *value,
            _ => return None,
        })
    }

    /// Whether it is `$null`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }
}

impl fmt::Debug for PsValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) | Self::Uri(text) | Self::XmlDocument(text) | Self::ScriptBlock(text) => {
                write!(f, "{}({} bytes)", self.tag(), text.size())
            }
            Self::Bytes(bytes) => write!(f, "BA({} bytes)", bytes.len()),
            Self::Object(object) => object.fmt(f),
            Self::Ref(id) => id.fmt(f),
            Self::MemberSet(properties) => f.debug_tuple("MS").field(properties).finish(),
            Self::Progress(record) => record.fmt(f),
            other => f.write_str(other.tag()),
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {$(
        impl From<$type> for PsValue {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    &str => String, String => String, PsString => String, bool => Bool, DateTime => DateTime, Duration => Duration,
    u8 => U8, i8 => I8, u16 => U16, i16 => I16, u32 => U32, i32 => I32, u64 => U64, i64 => I64, f32 => Single, f64 => Double,
    Decimal => Decimal, Vec<u8> => Bytes, Uuid => Guid, Version => Version, SecureString => SecureString,
    ProgressRecord => Progress, PsObject => Object, Arc<PsObject> => Object,
}
