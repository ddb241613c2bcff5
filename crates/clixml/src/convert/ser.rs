//! To values.

use serde::ser::{self, Serialize};

use super::error::{ConvertError, Step};
use crate::{Content, PsObject, PsValue};

type Result<T> = std::result::Result<T, ConvertError>;

const ARRAY: [&str; 3] = ["System.Object[]", "System.Array", "System.Object"];
const HASHTABLE: [&str; 2] = ["System.Collections.Hashtable", "System.Object"];
const CUSTOM: [&str; 2] = ["System.Management.Automation.PSCustomObject", "System.Object"];

pub(super) struct Serializer;

fn custom() -> PsObject {
    PsObject::new().with_type_names(CUSTOM)
}

/// An object whose only property is the variant's.
fn variant(name: &'static str, content: PsValue) -> PsValue {
    custom().with_extended(name, content).into()
}

impl ser::Serializer for Serializer {
    type Ok = PsValue;
    type Error = ConvertError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    fn serialize_bool(self, value: bool) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<PsValue> {
        let unit = u16::try_from(u32::from(value));
        Ok(unit.map_or_else(|_| value.to_string().into(), PsValue::Char))
    }

    fn serialize_str(self, value: &str) -> Result<PsValue> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<PsValue> {
        Ok(value.to_vec().into())
    }

    fn serialize_none(self) -> Result<PsValue> {
        Ok(PsValue::Nil)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<PsValue> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<PsValue> {
        Ok(PsValue::Nil)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<PsValue> {
        Ok(PsValue::Nil)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<PsValue> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<PsValue> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<PsValue> {
        let content = value.serialize(self).map_err(|error| error.within(Step::Name(name.to_owned())))?;
        Ok(variant(name, content))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items> {
        Ok(Items { items: Vec::with_capacity(len.unwrap_or_default().min(1024)), variant: None })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, name: &'static str, _: usize) -> Result<Items> {
        Ok(Items { items: Vec::new(), variant: Some(name) })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries> {
        Ok(Entries { entries: Vec::new(), key: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields> {
        Ok(Fields { object: custom(), variant: None })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Fields> {
        Ok(Fields { object: custom(), variant: Some(name) })
    }
}

pub(super) struct Items {
    items: Vec<PsValue>,
    variant: Option<&'static str>,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.items.len();
        self.items.push(value.serialize(Serializer).map_err(|error| error.within(Step::Index(index)))?);
        Ok(())
    }

    fn finish(self) -> PsValue {
        let list = PsObject::new().with_type_names(ARRAY).with_content(Content::List(self.items)).into();
        match self.variant {
            Some(name) => variant(name, list),
            None => list,
        }
    }
}

impl ser::SerializeSeq for Items {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}

impl ser::SerializeTuple for Items {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}

impl ser::SerializeTupleVariant for Items {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}

pub(super) struct Entries {
    entries: Vec<(PsValue, PsValue)>,
    key: Option<PsValue>,
}

impl ser::SerializeMap for Entries {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(key.serialize(Serializer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().ok_or_else(|| ConvertError::new("value without key"))?;
        let step = || Step::Name(key.as_ps_string().map(ToString::to_string).unwrap_or_default());
        let value = value.serialize(Serializer).map_err(|error| error.within(step()))?;
        self.entries.push((key, value));
        Ok(())
    }

    fn end(self) -> Result<PsValue> {
        let content = Content::Dictionary(self.entries);
        Ok(PsObject::new().with_type_names(HASHTABLE).with_content(content).into())
    }
}

pub(super) struct Fields {
    object: PsObject,
    variant: Option<&'static str>,
}

impl Fields {
    fn put<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        let value = value.serialize(Serializer).map_err(|error| error.within(Step::Name(name.to_owned())))?;
        self.object.extended.push(name, value);
        Ok(())
    }

    fn finish(self) -> PsValue {
        match self.variant {
            Some(name) => variant(name, self.object.into()),
            None => self.object.into(),
        }
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.put(name, value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for Fields {
    type Ok = PsValue;
    type Error = ConvertError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
        self.put(name, value)
    }

    fn end(self) -> Result<PsValue> {
        Ok(self.finish())
    }
}
