//! From values.

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer, U32Deserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer as _, Error as _, IntoDeserializer, Unexpected, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::{ConvertError, Step};
use crate::{Content, PsObject, PsString, PsValue};

/// One value. How deep it goes was bounded when it was read.
#[derive(Clone, Copy)]
pub(super) struct Deserializer<'de>(pub(super) &'de PsValue);

type Result<T> = std::result::Result<T, ConvertError>;

impl<'de> Deserializer<'de> {
    /// The text of what has one: strings, enumerations by their names, and what is text on the wire.
    fn text(self) -> Option<Result<&'de str>> {
        let unicode =
            |text: &'de PsString| text.as_str().ok_or_else(|| ConvertError::new("text has lone surrogates"));
        Some(match self.0 {
            PsValue::String(text)
            | PsValue::Uri(text)
            | PsValue::XmlDocument(text)
            | PsValue::ScriptBlock(text) => unicode(text),
            PsValue::DateTime(text) => Ok(text.as_str()),
            PsValue::Duration(text) => Ok(text.as_str()),
            PsValue::Decimal(text) => Ok(text.as_str()),
            PsValue::Version(text) => Ok(text.as_str()),
            PsValue::Object(object) => match (&object.content, &object.to_string) {
                (Content::Value(value), _) if !object.is_type("System.Enum") => return Self(value).text(),
                (Content::Value(_) | Content::None, Some(text)) => unicode(text),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn invalid(self, visitor: &dyn de::Expected) -> ConvertError {
        ConvertError::invalid_type(Unexpected::Other(self.0.tag()), visitor)
    }

    /// A number where one is wanted, also from what is exact text on the wire.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.primitive() {
            PsValue::U64(value) => visitor.visit_u64(*value),
            PsValue::Single(value) => visitor.visit_f32(*value),
            PsValue::Double(value) => visitor.visit_f64(*value),
            PsValue::Decimal(text) => match (text.as_str().parse::<i64>(), text.as_str().parse::<f64>()) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_f64(value),
                _ => Err(self.invalid(&visitor)),
            },
            value => match value.as_i64() {
                Some(number) => visitor.visit_i64(number),
                None => Err(self.invalid(&visitor)),
            },
        }
    }

    fn object<V: Visitor<'de>>(self, object: &'de PsObject, visitor: V) -> Result<V::Value> {
        match &object.content {
            Content::Value(value) => Self(value).deserialize_any(visitor),
            Content::PropertySet(items)
            | Content::List(items)
            | Content::Stack(items)
            | Content::Queue(items)
            | Content::Enumerable(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Content::Dictionary(entries) => {
                let entries = entries.iter().map(|(key, value)| (Key::Value(key), value)).collect();
                visitor.visit_map(Entries::new(entries))
            }
            Content::None => match &object.to_string {
                Some(_) if object.adapted.is_empty() && object.extended.is_empty() => {
                    self.deserialize_str(visitor)
                }
                _ => visitor.visit_map(Entries::new(properties(object))),
            },
        }
    }
}

/// Extended properties hide adapted ones of the same name.
fn properties(object: &PsObject) -> Vec<(Key<'_>, &PsValue)> {
    let mut all: Vec<(Key<'_>, &PsValue)> = Vec::new();
    for (name, value) in object.extended.iter().chain(object.adapted.iter()) {
        let is_hidden = all.iter().any(|(known, _)| matches!(known, Key::Name(known) if *known == name));
        if !is_hidden {
            all.push((Key::Name(name), value));
        }
    }
    all
}

/// The value for each field: of exactly this name, or whatever the case.
fn fields<'de>(value: &'de PsValue, names: &'static [&'static str]) -> Option<Vec<(Key<'de>, &'de PsValue)>> {
    let all: Vec<(&str, &PsValue)> = match value {
        PsValue::Object(object) => match &object.content {
            Content::Dictionary(entries) => {
                let entry = |(key, value): &'de (PsValue, PsValue)| Some((key.as_str()?, value));
                entries.iter().filter_map(entry).collect()
            }
            Content::None | Content::Value(_) => properties(object)
                .into_iter()
                .filter_map(|(key, value)| match key {
                    Key::Name(name) => Some((name.as_str()?, value)),
                    _ => None,
                })
                .collect(),
            _ => return None,
        },
        PsValue::MemberSet(set) => {
            set.iter().filter_map(|(name, value)| Some((name.as_str()?, value))).collect()
        }
        _ => return None,
    };
    let find = |field: &'static str| {
        let exact = all.iter().find(|(name, _)| *name == field);
        let found = exact.or_else(|| all.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)));
        found.map(|(_, value)| (Key::Field(field), *value))
    };
    Some(names.iter().filter_map(|field| find(field)).collect())
}

impl<'de> de::Deserializer<'de> for Deserializer<'de> {
    type Error = ConvertError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            PsValue::Nil => visitor.visit_unit(),
            PsValue::Bool(value) => visitor.visit_bool(*value),
            PsValue::Char(unit) => match char::from_u32(u32::from(*unit)) {
                Some(character) => visitor.visit_char(character),
                None => Err(ConvertError::new("character is a lone surrogate")),
            },
            PsValue::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            PsValue::Guid(guid) => visitor.visit_string(guid.to_string()),
            PsValue::SecureString(_) => Err(ConvertError::new("a secure string has to be decrypted first")),
            PsValue::Ref(_) => Err(ConvertError::new("value refers to what is around it")),
            PsValue::Progress(_) => Err(self.invalid(&visitor)),
            PsValue::Object(object) => self.object(object, visitor),
            PsValue::MemberSet(set) => visitor
                .visit_map(Entries::new(set.iter().map(|(name, value)| (Key::Name(name), value)).collect())),
            _ => match self.text() {
                Some(text) => visitor.visit_borrowed_str(text?),
                None => self.number(visitor),
            },
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text?),
            None => match self.0.primitive() {
                // No object, or the bare value in it.
                PsValue::Object(_) => Err(self.invalid(&visitor)),
                value => Self(value).deserialize_any(visitor),
            },
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.number(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_nil() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.primitive() {
            PsValue::Bytes(bytes) => {
                visitor.visit_seq(de::value::SeqDeserializer::<_, ConvertError>::new(bytes.iter().copied()))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match fields(self.0, names) {
            Some(entries) => visitor.visit_map(Entries::new(entries)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if let Some(text) = self.text() {
            let text = text?;
            let found = variants.iter().find(|variant| **variant == text);
            let found = found.or_else(|| variants.iter().find(|variant| variant.eq_ignore_ascii_case(text)));
            return visitor.visit_enum(BorrowedStrDeserializer::new(found.copied().unwrap_or(text)));
        }
        if let Some(number) = self.0.as_i64().and_then(|number| u32::try_from(number).ok()) {
            return visitor.visit_enum(U32Deserializer::new(number));
        }
        // With content: the only property is the variant's.
        let entries = match self.0 {
            PsValue::Object(object) => match &object.content {
                Content::Dictionary(entries) => {
                    entries.iter().map(|(key, value)| (Key::Value(key), value)).collect()
                }
                _ => properties(object),
            },
            _ => Vec::new(),
        };
        match <[_; 1]>::try_from(entries) {
            Ok([(key, value)]) => visitor.visit_enum(Variant { key, value }),
            Err(_) => Err(self.invalid(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i128 u128 char bytes byte_buf unit unit_struct map
    }
}

/// What an entry of a map goes by.
#[derive(Clone, Copy)]
enum Key<'de> {
    Name(&'de PsString),
    Field(&'static str),
    Value(&'de PsValue),
}

impl Key<'_> {
    fn step(self) -> Step {
        Step::Name(match self {
            Self::Name(name) => name.to_string(),
            Self::Field(name) => name.to_owned(),
            Self::Value(value) => {
                value.as_ps_string().map_or_else(|| value.tag().to_owned(), ToString::to_string)
            }
        })
    }

    fn read<'de, T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value>
    where
        Self: 'de,
    {
        match self {
            Self::Field(name) => seed.deserialize(name.into_deserializer()),
            Self::Name(name) => seed.deserialize(StringDeserializer::new(name.to_string())),
            Self::Value(value) => match Deserializer(value).text() {
                Some(text) => seed.deserialize(StringDeserializer::new(text?.to_owned())),
                None => match value.as_i64() {
                    Some(number) => seed.deserialize(number.into_deserializer()),
                    None => Err(ConvertError::new("key is neither text nor a number")),
                },
            },
        }
    }
}

struct Entries<'de> {
    entries: std::vec::IntoIter<(Key<'de>, &'de PsValue)>,
    next: Option<(Key<'de>, &'de PsValue)>,
}

impl<'de> Entries<'de> {
    fn new(entries: Vec<(Key<'de>, &'de PsValue)>) -> Self {
        Self { entries: entries.into_iter(), next: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = ConvertError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.next = self.entries.next();
        self.next.map(|(key, _)| key.read(seed)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let (key, value) = self.next.take().ok_or_else(|| ConvertError::new("value without key"))?;
        seed.deserialize(Deserializer(value)).map_err(|error| error.within(key.step()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Items<'de> {
    items: std::slice::Iter<'de, PsValue>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = ConvertError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Deserializer(item)).map(Some).map_err(|error| error.within(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// A variant with content.
struct Variant<'de> {
    key: Key<'de>,
    value: &'de PsValue,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = ConvertError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        Ok((self.key.read(seed)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = ConvertError;

    fn unit_variant(self) -> Result<()> {
        if self.value.is_nil() {
            Ok(())
        } else {
            Err(ConvertError::new("variant has no content").within(self.key.step()))
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(Deserializer(self.value)).map_err(|error| error.within(self.key.step()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        let read = de::Deserializer::deserialize_tuple(Deserializer(self.value), len, visitor);
        read.map_err(|error| error.within(self.key.step()))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let read = de::Deserializer::deserialize_struct(Deserializer(self.value), "", fields, visitor);
        read.map_err(|error| error.within(self.key.step()))
    }
}
