//! Values that say the same.

use winrm_clixml::{Content, Properties, Property, PsObject, PsValue};

/// The value with its properties in the order of their names, and without those that are `Nil`: neither says anything.
pub(crate) fn same(value: &PsValue) -> PsValue {
    let PsValue::Object(object) = value else { return value.clone() };
    let all = |values: &[PsValue]| values.iter().map(same).collect();
    let content = match &object.content {
        Content::None => Content::None,
        Content::Value(value) => Content::Value(Box::new(same(value))),
        Content::PropertySet(values) => Content::PropertySet(all(values)),
        Content::List(values) => Content::List(all(values)),
        Content::Stack(values) => Content::Stack(all(values)),
        Content::Queue(values) => Content::Queue(all(values)),
        Content::Enumerable(values) => Content::Enumerable(all(values)),
        Content::Dictionary(entries) => {
            Content::Dictionary(entries.iter().map(|(key, value)| (same(key), same(value))).collect())
        }
    };
    PsValue::from(PsObject {
        content,
        adapted: properties(&object.adapted),
        extended: properties(&object.extended),
        ..PsObject::clone(object)
    })
}

fn properties(properties: &Properties) -> Properties {
    let mut sorted: Vec<_> = properties
        .iter()
        .filter(|(_, value)| !value.is_nil())
        .map(|(name, value)| (name.to_string().to_ascii_lowercase(), value))
        .collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let property = |(name, value): (String, &PsValue)| Property { name: name.into(), value: same(value) };
    Properties(sorted.into_iter().map(property).collect())
}
