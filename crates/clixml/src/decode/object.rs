//! `Obj` and what stands in it (MS-PSRP 2.2.5.2).

use std::sync::Arc;

use winrm_xml::Start;

use super::Decoder;
use super::table::{Cost, Slot};
use crate::object::{Content, Properties, RefId};
use crate::{DecodeError, PsObject, PsString, PsValue, unescape};

/// The parts of an object while they are read.
#[derive(Default)]
struct Parts {
    type_names: Option<Arc<[PsString]>>,
    to_string: Option<PsString>,
    adapted: Option<Properties>,
    extended: Option<Properties>,
    container: Option<Content>,
    /// Bare ones.
    values: Vec<PsValue>,
}

impl Decoder<'_, '_> {
    pub(super) fn object(&mut self, start: &Start) -> Result<(PsValue, Cost), DecodeError> {
        let place = self.open.len();
        self.check_depth(place + 1)?;
        let number = self.tables.number();
        let id = start.attribute("", "RefId");
        if let Some(id) = id
            && !self.tables.open(id, Slot::Open { place, number })
        {
            return Err(self.repeated("RefId"));
        }
        self.open.push(false);
        let mut cost = Cost::of_text(0);
        self.charge(cost.size)?;

        let mut parts = Parts::default();
        while let Some(child) = self.reader.next_child()? {
            self.part(&child, &mut parts, &mut cost)?;
        }

        let is_referenced = self.open.pop().unwrap_or_default();
        cost.height += 1;
        let object = Arc::new(PsObject {
            ref_id: is_referenced.then_some(RefId(number)),
            type_names: parts.type_names.unwrap_or_default(),
            to_string: parts.to_string,
            content: match (parts.container, parts.values) {
                (Some(container), _) => container,
                (None, values) => bare(values),
            },
            adapted: parts.adapted.unwrap_or_default(),
            extended: parts.extended.unwrap_or_default(),
        });
        if let Some(id) = id {
            self.tables.close(id, Arc::clone(&object), cost);
        }
        Ok((PsValue::Object(object), cost))
    }

    /// A child of an `Obj`. Windows writes them in one order; others, and the examples of MS-PSRP 2.2.5.2, in any.
    fn part(&mut self, child: &Start, parts: &mut Parts, cost: &mut Cost) -> Result<(), DecodeError> {
        match self.local_name(child, "Obj")? {
            "TN" => {
                let names = self.type_names(child)?;
                self.put(&mut parts.type_names, names, "TN")
            }
            "TNRef" => {
                let names = self.type_names_reference(child)?;
                self.put(&mut parts.type_names, names, "TN")
            }
            "ToString" => {
                let text = self.string(cost)?;
                self.put(&mut parts.to_string, text, "ToString")
            }
            "Props" => {
                let properties = self.properties("Props", cost)?;
                self.put(&mut parts.adapted, properties, "Props")
            }
            "MS" => {
                let properties = self.properties("MS", cost)?;
                self.put(&mut parts.extended, properties, "MS")
            }
            "LST" => self.container("LST", Content::List, parts, cost),
            "STK" => self.container("STK", Content::Stack, parts, cost),
            "QUE" => self.container("QUE", Content::Queue, parts, cost),
            "IE" => self.container("IE", Content::Enumerable, parts, cost),
            "DCT" => {
                let entries = self.dictionary(cost)?;
                self.put_container(parts, Content::Dictionary(entries))
            }
            _ => {
                let (value, child_cost) = self.value(child, "Obj")?;
                cost.add(child_cost);
                if parts.container.is_some() {
                    return Err(self.repeated("content of Obj"));
                }
                parts.values.push(value);
                Ok(())
            }
        }
    }

    fn put<T>(&self, part: &mut Option<T>, value: T, field: &'static str) -> Result<(), DecodeError> {
        if part.replace(value).is_none() { Ok(()) } else { Err(self.repeated(field)) }
    }

    fn put_container(&self, parts: &mut Parts, content: Content) -> Result<(), DecodeError> {
        if !parts.values.is_empty() {
            return Err(self.repeated("content of Obj"));
        }
        self.put(&mut parts.container, content, "content of Obj")
    }

    fn container(
        &mut self,
        field: &'static str,
        content: fn(Vec<PsValue>) -> Content,
        parts: &mut Parts,
        cost: &mut Cost,
    ) -> Result<(), DecodeError> {
        let mut items = Vec::new();
        while let Some(child) = self.reader.next_child()? {
            let (item, child_cost) = self.value(&child, field)?;
            cost.add(child_cost);
            items.push(item);
        }
        self.put_container(parts, content(items))
    }

    /// `DCT` (MS-PSRP 2.2.5.2): each entry an `En` with one value named `Key` and one named `Value`.
    fn dictionary(&mut self, cost: &mut Cost) -> Result<Vec<(PsValue, PsValue)>, DecodeError> {
        let mut entries = Vec::new();
        while let Some(entry) = self.reader.next_child()? {
            if self.local_name(&entry, "DCT")? != "En" {
                return Err(DecodeError::Unexpected { parent: "DCT", offset: self.reader.offset() });
            }
            let (mut key, mut value) = (None, None);
            while let Some(child) = self.reader.next_child()? {
                let (part, field) = match child.attribute("", "N") {
                    Some("Key") => (&mut key, "Key"),
                    Some("Value") => (&mut value, "Value"),
                    _ => return Err(self.invalid("N in En", "Key or Value")),
                };
                let (read, child_cost) = self.value(&child, "En")?;
                cost.add(child_cost);
                self.put(part, read, field)?;
            }
            let key = key.ok_or_else(|| self.missing("Key"))?;
            entries.push((key, value.ok_or_else(|| self.missing("Value"))?));
        }
        Ok(entries)
    }

    fn properties(&mut self, field: &'static str, cost: &mut Cost) -> Result<Properties, DecodeError> {
        let mut properties = Properties::default();
        while let Some(child) = self.reader.next_child()? {
            let name = child.attribute("", "N").ok_or_else(|| self.missing("N"))?;
            let name = unescape(name.to_owned());
            let name_cost = Cost::of_text(name.size());
            self.charge(name_cost.size)?;
            cost.add(name_cost);
            let value = if self.local_name(&child, field)? == "MS" {
                PsValue::MemberSet(self.properties("MS", cost)?)
            } else {
                let (value, child_cost) = self.value(&child, field)?;
                cost.add(child_cost);
                value
            };
            properties.push(name, value);
        }
        Ok(properties)
    }

    /// `TN` (MS-PSRP 2.2.5.2.3).
    fn type_names(&mut self, start: &Start) -> Result<Arc<[PsString]>, DecodeError> {
        let mut names = Vec::new();
        while let Some(child) = self.reader.next_child()? {
            if self.local_name(&child, "TN")? != "T" {
                return Err(DecodeError::Unexpected { parent: "TN", offset: self.reader.offset() });
            }
            names.push(self.string(&mut Cost::default())?);
        }
        let names: Arc<[PsString]> = names.into();
        if let Some(id) = start.attribute("", "RefId")
            && !self.tables.add_types(id, Arc::clone(&names))
        {
            return Err(self.repeated("RefId of TN"));
        }
        Ok(names)
    }

    fn type_names_reference(&mut self, start: &Start) -> Result<Arc<[PsString]>, DecodeError> {
        let id = start.attribute("", "RefId").ok_or_else(|| self.missing("RefId"))?;
        let unknown = DecodeError::UnknownReference { field: "TNRef", offset: self.reader.offset() };
        let names = self.tables.types(id).ok_or(unknown)?;
        self.nothing("TNRef")?;
        Ok(names)
    }

    /// `Ref` (MS-PSRP 2.2.5.2): to a complete object, which is shared, or to one of those around it.
    pub(super) fn reference(&mut self, start: &Start) -> Result<(PsValue, Cost), DecodeError> {
        let id = start.attribute("", "RefId").ok_or_else(|| self.missing("RefId"))?;
        let (value, cost) = match self.tables.object(id) {
            Some(Slot::Done { object, cost }) => (PsValue::Object(Arc::clone(object)), *cost),
            Some(Slot::Open { place, number }) => {
                if let Some(is_referenced) = self.open.get_mut(*place) {
                    *is_referenced = true;
                }
                (PsValue::Ref(RefId(*number)), Cost::of_text(0))
            }
            None => return Err(DecodeError::UnknownReference { field: "Ref", offset: self.reader.offset() }),
        };
        self.check_depth(self.open.len().saturating_add(cost.height))?;
        self.charge(cost.size)?;
        self.nothing("Ref")?;
        Ok((value, cost))
    }

    fn check_depth(&self, depth: usize) -> Result<(), DecodeError> {
        let maximum = self.limits.depth;
        if depth <= maximum {
            return Ok(());
        }
        Err(DecodeError::TooDeep { maximum, offset: self.reader.offset() })
    }

    /// The text of the element just begun, unescaped.
    fn string(&mut self, cost: &mut Cost) -> Result<PsString, DecodeError> {
        let text = unescape(self.reader.read_text()?);
        let text_cost = Cost::of_text(text.size());
        self.charge(text_cost.size)?;
        cost.add(text_cost);
        Ok(text)
    }
}

/// Values without a container around them.
fn bare(mut values: Vec<PsValue>) -> Content {
    match values.len() {
        0 => Content::None,
        1 => values.pop().map_or(Content::None, |value| Content::Value(Box::new(value))),
        _ => Content::PropertySet(values),
    }
}
