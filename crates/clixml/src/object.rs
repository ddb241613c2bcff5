//! Complex objects (MS-PSRP 2.2.5.2).

use std::fmt;
use std::sync::Arc;

use crate::{PsString, PsValue};

/// The number of an object among those of its document, in the order of their start tags, from 0.
///
/// The strings that a document uses are not kept: they mean nothing outside of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RefId(pub u64);

/// An object with whatever it has of type names, text, content and properties.
///
/// ```
/// use winrm_clixml::{PsObject, PsValue};
///
/// let record = PsObject::new()
///     .with_type_names(["System.Management.Automation.PSCustomObject", "System.Object"])
///     .with_extended("Name", PsValue::from("Spooler"))
///     .with_extended("Count", PsValue::I32(3));
/// assert_eq!(record.property("count"), Some(&PsValue::I32(3)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PsObject {
    /// Set when something inside refers back to this object by [`PsValue::Ref`], else not.
    pub ref_id: Option<RefId>,
    /// `TN`: from the most specific type to `System.Object`; empty when none were given. Shared by all objects of the
    /// same types.
    pub type_names: Arc<[PsString]>,
    /// `ToString`.
    pub to_string: Option<PsString>,
    /// What it holds besides properties.
    pub content: Content,
    /// `Props`: those of the .NET object.
    pub adapted: Properties,
    /// `MS`: those that PowerShell added.
    pub extended: Properties,
}

/// What an object holds besides properties (MS-PSRP 2.2.5.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// Nothing.
    #[default]
    None,
    /// The primitive of an extended primitive or enumeration.
    Value(Box<PsValue>),
    /// Several bare values, two at least: a property set.
    PropertySet(Vec<PsValue>),
    /// `LST`.
    List(Vec<PsValue>),
    /// `STK`, in document order.
    Stack(Vec<PsValue>),
    /// `QUE`, in document order.
    Queue(Vec<PsValue>),
    /// `IE`.
    Enumerable(Vec<PsValue>),
    /// `DCT`: keys and values in document order. Keys are not checked to differ.
    Dictionary(Vec<(PsValue, PsValue)>),
}

/// Named values in document order. Names are not checked to differ: the first counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties(pub Vec<Property>);

/// One named value.
#[derive(Clone, PartialEq)]
pub struct Property {
    /// `N`.
    pub name: PsString,
    /// The element.
    pub value: PsValue,
}

impl PsObject {
    /// An object with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`type_names`](Self::type_names), the most specific first.
    pub fn with_type_names<T: Into<PsString>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.type_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`to_string`](Self::to_string).
    pub fn with_to_string(mut self, text: impl Into<PsString>) -> Self {
        self.to_string = Some(text.into());
        self
    }

    /// Sets [`content`](Self::content).
    pub fn with_content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// Adds an adapted property.
    pub fn with_adapted(mut self, name: impl Into<PsString>, value: impl Into<PsValue>) -> Self {
        self.adapted.push(name, value);
        self
    }

    /// Adds an extended property.
    pub fn with_extended(mut self, name: impl Into<PsString>, value: impl Into<PsValue>) -> Self {
        self.extended.push(name, value);
        self
    }

    /// A property by name, whatever its ASCII case, as scripts name them; an extended one hides an adapted one.
    pub fn property(&self, name: &str) -> Option<&PsValue> {
        let all = self.extended.0.iter().chain(&self.adapted.0);
        all.into_iter()
            .find(|property| property.name.eq_ignore_ascii_case(name))
            .map(|property| &property.value)
    }

    /// Whether one of the type names is this.
    pub fn is_type(&self, name: &str) -> bool {
        self.type_names.iter().any(|type_name| type_name == name)
    }

    /// The primitive of an extended primitive or enumeration, the first value of a property set.
    pub fn value(&self) -> Option<&PsValue> {
        match &self.content {
            Content::Value(value) => Some(value),
            Content::PropertySet(values) => values.first(),
            _ => None,
        }
    }

    /// The items of a list, stack, queue or enumerable.
    pub fn items(&self) -> Option<&[PsValue]> {
        match &self.content {
            Content::List(items)
            | Content::Stack(items)
            | Content::Queue(items)
            | Content::Enumerable(items) => Some(items),
            _ => None,
        }
    }

    /// The keys and values of a dictionary.
    pub fn dictionary(&self) -> Option<&[(PsValue, PsValue)]> {
        match &self.content {
            Content::Dictionary(entries) => Some(entries),
            _ => None,
        }
    }
}

impl Properties {
    /// The first of exactly this name, as protocol messages name them.
    pub fn get(&self, name: &str) -> Option<&PsValue> {
        self.0.iter().find(|property| property.name == name).map(|property| &property.value)
    }

    /// Adds one at the end.
    pub fn push(&mut self, name: impl Into<PsString>, value: impl Into<PsValue>) {
        self.0.push(Property { name: name.into(), value: value.into() });
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&PsString, &PsValue)> {
        self.0.iter().map(|property| (&property.name, &property.value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The name as it is, which belongs to the schema, and the value without its text.
impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.name.to_string_lossy(), self.value)
    }
}
