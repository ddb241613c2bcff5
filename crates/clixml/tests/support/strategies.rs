//! Values of every kind.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use winrm_clixml::{
    Content, DateTime, Decimal, Duration, ProgressRecord, Properties, PsObject, PsString, PsValue,
    SecureString, Version,
};

/// With controls, escapes and their likes, and lone surrogates.
pub fn ps_string() -> impl Strategy<Value = PsString> {
    let piece = prop_oneof![
        "[ -~]{0,8}".prop_map(|text| text.encode_utf16().collect::<Vec<_>>()),
        "_x[0-9A-Fa-f]{3,4}_?".prop_map(|text| text.encode_utf16().collect()),
        any::<char>().prop_map(|character| character.encode_utf16(&mut [0; 2]).to_vec()),
        vec(any::<u16>(), 0..3),
        vec(0xd800_u16..0xe000, 0..3),
    ];
    vec(piece, 0..4).prop_map(|pieces| PsString::from_utf16(&pieces.concat()))
}

fn primitive() -> impl Strategy<Value = PsValue> {
    let numbers = prop_oneof![
        any::<u16>().prop_map(PsValue::Char),
        any::<bool>().prop_map(PsValue::Bool),
        any::<u8>().prop_map(PsValue::U8),
        any::<i8>().prop_map(PsValue::I8),
        any::<u16>().prop_map(PsValue::U16),
        any::<i16>().prop_map(PsValue::I16),
        any::<u32>().prop_map(PsValue::U32),
        any::<i32>().prop_map(PsValue::I32),
        any::<u64>().prop_map(PsValue::U64),
        any::<i64>().prop_map(PsValue::I64),
        any::<f32>().prop_map(PsValue::Single),
        any::<f64>().prop_map(PsValue::Double),
    ];
    let texts = prop_oneof![
        Just(PsValue::Nil),
        ps_string().prop_map(PsValue::String),
        ps_string().prop_map(PsValue::Uri),
        ps_string().prop_map(PsValue::XmlDocument),
        ps_string().prop_map(PsValue::ScriptBlock),
        vec(any::<u8>(), 0..40).prop_map(PsValue::Bytes),
        any::<u128>().prop_map(|guid| PsValue::Guid(uuid::Uuid::from_u128(guid))),
        "-?P[0-9]{1,4}DT[0-9]{1,2}\\.[0-9]{1,7}S".prop_map(|text| Duration::new(text).unwrap().into()),
        "[0-9]{4}-0[1-9]-[12][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,7})?(Z|[+-]0[0-9]:[0-5][0-9])?"
            .prop_map(|text| DateTime::new(text).unwrap().into()),
        "-?[0-9]{1,20}(\\.[0-9]{1,8})?".prop_map(|text| Decimal::new(text).unwrap().into()),
        "[0-9]{1,5}(\\.[0-9]{1,5}){1,3}".prop_map(|text| Version::new(text).unwrap().into()),
        "[A-Za-z0-9+/]{0,40}".prop_map(|text| SecureString::new(text).into()),
        progress(),
    ];
    prop_oneof![texts, numbers]
}

fn progress() -> impl Strategy<Value = PsValue> {
    let strings = (ps_string(), proptest::option::of(ps_string()), ps_string(), ps_string());
    (strings, any::<[i32; 4]>()).prop_map(|(strings, [activity_id, parent, percent, seconds])| {
        PsValue::from(ProgressRecord {
            activity: strings.0,
            activity_id,
            current_operation: strings.1,
            parent_activity_id: parent,
            percent_complete: percent,
            record_type: strings.2,
            seconds_remaining: seconds,
            status_description: strings.3,
        })
    })
}

fn properties(value: impl Strategy<Value = PsValue> + Clone) -> impl Strategy<Value = Properties> {
    let named = vec((ps_string(), value), 0..3);
    named.prop_map(|named| {
        let mut properties = Properties::default();
        for (name, value) in named {
            properties.push(name, value);
        }
        properties
    })
}

fn content(value: impl Strategy<Value = PsValue> + Clone) -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::None),
        value.clone().prop_map(|value| Content::Value(Box::new(value))),
        vec(value.clone(), 2..4).prop_map(Content::PropertySet),
        vec(value.clone(), 0..4).prop_map(Content::List),
        vec(value.clone(), 0..4).prop_map(Content::Stack),
        vec(value.clone(), 0..4).prop_map(Content::Queue),
        vec(value.clone(), 0..4).prop_map(Content::Enumerable),
        vec((value.clone(), value), 0..4).prop_map(Content::Dictionary),
    ]
}

/// Up to a few levels of objects; some values come twice, as the same object.
pub fn value() -> impl Strategy<Value = PsValue> {
    primitive().prop_recursive(4, 40, 4, |value| {
        let shared = (value.clone(), any::<bool>());
        let twice = shared.prop_map(|(value, list)| {
            let items = vec![value.clone(), value];
            let content = if list { Content::List(items) } else { Content::PropertySet(items) };
            PsValue::from(PsObject::new().with_content(content))
        });
        let parts = (
            vec(ps_string(), 0..3),
            proptest::option::of(ps_string()),
            content(value.clone()),
            properties(value.clone()),
            properties(value.clone()),
            proptest::option::of((ps_string(), properties(value))),
        );
        let object = parts.prop_map(|(types, text, content, adapted, mut extended, member_set)| {
            if let Some((name, members)) = member_set {
                extended.0.push(winrm_clixml::Property { name, value: PsValue::MemberSet(members) });
            }
            PsValue::Object(Arc::new(PsObject {
                ref_id: None,
                type_names: types.into(),
                to_string: text,
                content,
                adapted,
                extended,
            }))
        });
        prop_oneof![4 => object, 1 => twice]
    })
}
