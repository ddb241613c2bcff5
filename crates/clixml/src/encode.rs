//! From values to a document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use winrm_xml::{StartTag, Writer};

use crate::decode::{Entry, NAMESPACE};
use crate::object::{Content, Properties, RefId};
use crate::{EncodeError, Limits, ProgressRecord, PsObject, PsString, PsValue, escape};

/// Serialization version of Windows PowerShell 2.0 and all later ones.
const VERSION: &str = "1.1.0.1";

/// Writes one bare value, as the data of a message is.
///
/// Objects are numbered as `RefId`; one that comes again, as the same `Arc`, is written as `Ref`, and type names that
/// come again as `TNRef`.
///
/// # Errors
///
/// All of [`EncodeError`].
pub fn encode(value: &PsValue) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.value(value, Place::default())?;
    Ok(encoder.xml.finish()?)
}

/// Writes an `Objs` with these values and their streams.
///
/// # Errors
///
/// All of [`EncodeError`].
pub fn encode_document(entries: &[Entry]) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.xml.start("", "Objs").declare("", NAMESPACE).attribute("", "Version", VERSION).open()?;
    for entry in entries {
        encoder.value(&entry.value, Place { stream: entry.stream.as_deref(), name: None })?;
    }
    encoder.xml.end()?;
    Ok(encoder.xml.finish()?)
}

/// What the attributes of an element say about where it stands.
#[derive(Default)]
struct Place<'a> {
    stream: Option<&'a str>,
    /// Escaped.
    name: Option<Cow<'a, str>>,
}

impl<'a> Place<'a> {
    fn named(name: impl Into<Cow<'a, str>>) -> Self {
        Self { stream: None, name: Some(name.into()) }
    }
}

struct Encoder<'v> {
    xml: Writer<Vec<u8>>,
    /// By address, which is theirs for as long as the values are borrowed.
    objects: HashMap<*const PsObject, u64>,
    types: HashMap<&'v [PsString], usize>,
    /// Those that are referred back to, outermost first while open, and the last that ended of each number.
    open: Vec<(RefId, u64)>,
    closed: HashMap<RefId, u64>,
    next: u64,
}

impl<'v> Encoder<'v> {
    fn new() -> Self {
        Self {
            xml: Writer::new(Vec::new()),
            objects: HashMap::new(),
            types: HashMap::new(),
            open: Vec::new(),
            closed: HashMap::new(),
            next: 0,
        }
    }

    fn start<'a>(&'a mut self, tag: &'a str, place: Place<'a>) -> StartTag<'a, Vec<u8>> {
        let mut start = self.xml.start("", tag);
        if let Some(stream) = place.stream {
            start = start.attribute("", "S", stream);
        }
        if let Some(name) = place.name {
            start = start.attribute("", "N", name);
        }
        start
    }

    fn value(&mut self, value: &'v PsValue, place: Place<'_>) -> Result<(), EncodeError> {
        self.check_depth(value)?;
        match value {
            PsValue::Object(object) => self.object(object, place),
            PsValue::Ref(id) => {
                let open = self.open.iter().rev().find(|(open, _)| open == id).map(|(_, number)| *number);
                let number =
                    open.or_else(|| self.closed.get(id).copied()).ok_or(EncodeError::UnknownReference)?;
                self.reference(number, place)
            }
            PsValue::Progress(record) => self.progress(record, place),
            PsValue::MemberSet(_) if place.name.is_none() => {
                Err(EncodeError::Misplaced { field: "a member set without name" })
            }
            PsValue::MemberSet(properties) => {
                self.start("MS", place).open()?;
                self.properties(properties)
            }
            primitive => Ok(self.start(value.tag(), place).text(&text(primitive))?),
        }
    }

    /// What is written must be readable again, under the default bounds.
    fn check_depth(&self, value: &PsValue) -> Result<(), EncodeError> {
        let maximum = Limits::default().depth;
        // Its own elements: Obj, DCT and En are the most before another value begins.
        let levels = match value {
            PsValue::Object(_) => 3,
            PsValue::Progress(_) => 2,
            _ => 1,
        };
        if self.xml.depth().saturating_add(levels) > maximum {
            return Err(EncodeError::TooDeep { maximum });
        }
        Ok(())
    }

    fn reference(&mut self, number: u64, place: Place<'_>) -> Result<(), EncodeError> {
        Ok(self.start("Ref", place).attribute("", "RefId", number.to_string()).empty()?)
    }

    fn object(&mut self, object: &'v Arc<PsObject>, place: Place<'_>) -> Result<(), EncodeError> {
        if let Some(number) = self.objects.get(&Arc::as_ptr(object)) {
            return self.reference(*number, place);
        }
        let number = self.next;
        self.next = number.saturating_add(1);
        self.start("Obj", place).attribute("", "RefId", number.to_string()).open()?;
        if let Some(id) = object.ref_id {
            self.open.push((id, number));
        }
        self.type_names(&object.type_names)?;
        if let Some(text) = &object.to_string {
            self.xml.start("", "ToString").text(&escape(text))?;
        }
        self.content(&object.content)?;
        for (tag, properties) in [("Props", &object.adapted), ("MS", &object.extended)] {
            if !properties.is_empty() {
                self.xml.start("", tag).open()?;
                self.properties(properties)?;
            }
        }
        if let Some(id) = object.ref_id {
            self.open.pop();
            self.closed.insert(id, number);
        }
        self.objects.insert(Arc::as_ptr(object), number);
        Ok(self.xml.end()?)
    }

    fn type_names(&mut self, names: &'v [PsString]) -> Result<(), EncodeError> {
        if names.is_empty() {
            return Ok(());
        }
        if let Some(number) = self.types.get(names) {
            return Ok(self.xml.start("", "TNRef").attribute("", "RefId", number.to_string()).empty()?);
        }
        let number = self.types.len();
        self.types.insert(names, number);
        self.xml.start("", "TN").attribute("", "RefId", number.to_string()).open()?;
        for name in names {
            self.xml.start("", "T").text(&escape(name))?;
        }
        Ok(self.xml.end()?)
    }

    fn content(&mut self, content: &'v Content) -> Result<(), EncodeError> {
        match content {
            Content::None => Ok(()),
            Content::Value(value) => self.value(value, Place::default()),
            Content::PropertySet(values) if values.len() < 2 => {
                Err(EncodeError::Misplaced { field: "a property set of less than two values" })
            }
            Content::PropertySet(values) => self.values(values),
            Content::List(items) => self.container("LST", items),
            Content::Stack(items) => self.container("STK", items),
            Content::Queue(items) => self.container("QUE", items),
            Content::Enumerable(items) => self.container("IE", items),
            Content::Dictionary(entries) => self.dictionary(entries),
        }
    }

    fn container(&mut self, tag: &str, items: &'v [PsValue]) -> Result<(), EncodeError> {
        self.xml.start("", tag).open()?;
        self.values(items)?;
        Ok(self.xml.end()?)
    }

    fn values(&mut self, values: &'v [PsValue]) -> Result<(), EncodeError> {
        values.iter().try_for_each(|value| self.value(value, Place::default()))
    }

    fn dictionary(&mut self, entries: &'v [(PsValue, PsValue)]) -> Result<(), EncodeError> {
        self.xml.start("", "DCT").open()?;
        for (key, value) in entries {
            self.xml.start("", "En").open()?;
            self.value(key, Place::named("Key"))?;
            self.value(value, Place::named("Value"))?;
            self.xml.end()?;
        }
        Ok(self.xml.end()?)
    }

    /// Ends the element too.
    fn properties(&mut self, properties: &'v Properties) -> Result<(), EncodeError> {
        for (name, value) in properties.iter() {
            self.value(value, Place::named(escape(name)))?;
        }
        Ok(self.xml.end()?)
    }

    fn progress(&mut self, record: &ProgressRecord, place: Place<'_>) -> Result<(), EncodeError> {
        self.start("PR", place).open()?;
        let mut text = |tag: &str, text: &str| self.xml.start("", tag).text(text);
        text("AV", &escape(&record.activity))?;
        text("AI", &record.activity_id.to_string())?;
        match &record.current_operation {
            Some(operation) => text("S", &escape(operation))?,
            None => text("Nil", "")?,
        }
        text("PI", &record.parent_activity_id.to_string())?;
        text("PC", &record.percent_complete.to_string())?;
        text("T", &escape(&record.record_type))?;
        text("SR", &record.seconds_remaining.to_string())?;
        text("SD", &escape(&record.status_description))?;
        Ok(self.xml.end()?)
    }
}

/// The text of a primitive as people read it: as on the wire, but without escapes.
pub(crate) fn unescaped_text(value: &PsValue) -> Cow<'_, str> {
    match value {
        PsValue::String(text)
        | PsValue::Uri(text)
        | PsValue::XmlDocument(text)
        | PsValue::ScriptBlock(text) => text.to_string_lossy(),
        other => text(other),
    }
}

/// The text of a primitive; none for what is no primitive.
fn text(value: &PsValue) -> Cow<'_, str> {
    match value {
        PsValue::String(text)
        | PsValue::Uri(text)
        | PsValue::XmlDocument(text)
        | PsValue::ScriptBlock(text) => escape(text),
        PsValue::DateTime(text) => text.as_str().into(),
        PsValue::Duration(text) => text.as_str().into(),
        PsValue::Decimal(text) => text.as_str().into(),
        PsValue::Version(text) => text.as_str().into(),
        PsValue::SecureString(text) => text.as_str().into(),
        PsValue::Bool(value) => if *value { "true" } else { "false" }.into(),
        PsValue::Char(value) | PsValue::U16(value) => value.to_string().into(),
        PsValue::U8(value) => value.to_string().into(),
        PsValue::I8(value) => value.to_string().into(),
        PsValue::I16(value) => value.to_string().into(),
        PsValue::U32(value) => value.to_string().into(),
        PsValue::I32(value) => value.to_string().into(),
        PsValue::U64(value) => value.to_string().into(),
        PsValue::I64(value) => value.to_string().into(),
        // The shortest text that reads back as the same number; each type has its own.
        PsValue::Single(value) => float(f64::from(*value), value.to_string(), || format!("{value:E}")),
        PsValue::Double(value) => float(*value, value.to_string(), || format!("{value:E}")),
        PsValue::Bytes(bytes) => STANDARD.encode(bytes).into(),
        PsValue::Guid(guid) => guid.hyphenated().to_string().into(),
        PsValue::Nil
        | PsValue::Progress(_)
        | PsValue::Object(_)
        | PsValue::Ref(_)
        | PsValue::MemberSet(_) => Cow::Borrowed(""),
    }
}

/// XML Schema's words for what is no number, and an exponent where there would be many zeros.
fn float(value: f64, plain: String, scientific: impl Fn() -> String) -> Cow<'static, str> {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "INF" } else { "-INF" }.into()
    } else if value == 0.0 || (1e-5..1e15).contains(&value.abs()) {
        plain.into()
    } else {
        scientific().into()
    }
}
