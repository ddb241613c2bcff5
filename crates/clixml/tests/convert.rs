//! Values as types of the caller's, and the other way round.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use winrm_clixml::{
    Content, DateTime, Decimal, PsObject, PsString, PsValue, SecureString, decode, encode, from_value,
    to_value,
};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Status {
    Stopped,
    Running,
    Failed(i32),
    Paused { since: String, by: Option<String> },
    Both(u8, u8),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Inner {
    numbers: Vec<i64>,
    bytes: Vec<u8>,
    table: BTreeMap<String, Option<bool>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Outer {
    name: String,
    letter: char,
    small: i8,
    large: u64,
    single: f32,
    double: f64,
    nothing: Option<u16>,
    unit: (),
    status: Status,
    inner: Vec<Inner>,
    pair: (String, i32),
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Stopped),
        Just(Status::Running),
        any::<i32>().prop_map(Status::Failed),
        (any::<String>(), any::<Option<String>>()).prop_map(|(since, by)| Status::Paused { since, by }),
        any::<(u8, u8)>().prop_map(|(one, other)| Status::Both(one, other)),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    let table = prop::collection::btree_map(any::<String>(), any::<Option<bool>>(), 0..4);
    (prop::collection::vec(any::<i64>(), 0..4), prop::collection::vec(any::<u8>(), 0..4), table)
        .prop_map(|(numbers, bytes, table)| Inner { numbers, bytes, table })
}

fn outer() -> impl Strategy<Value = Outer> {
    let scalars = (any::<String>(), any::<char>(), any::<i8>(), any::<u64>(), any::<Option<u16>>());
    let floats = (-1e30_f32..1e30, -1e300_f64..1e300);
    (scalars, floats, status(), prop::collection::vec(inner(), 0..3), any::<(String, i32)>()).prop_map(
        |((name, letter, small, large, nothing), (single, double), status, inner, pair)| Outer {
            name,
            letter,
            small,
            large,
            single,
            double,
            nothing,
            unit: (),
            status,
            inner,
            pair,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_reads_back(outer in outer()) {
        let value = to_value(&outer).unwrap();
        prop_assert_eq!(&from_value::<Outer>(&value).unwrap(), &outer);
        // And by way of the document.
        let again = decode(&encode(&value).unwrap()).unwrap();
        prop_assert_eq!(&from_value::<Outer>(&again).unwrap(), &outer);
    }
}

fn enumeration(text: &str, code: i32) -> PsObject {
    PsObject::new()
        .with_type_names(["Some.Status", "System.Enum", "System.ValueType", "System.Object"])
        .with_to_string(text)
        .with_content(Content::Value(Box::new(code.into())))
}

fn read<T: DeserializeOwned>(value: impl Into<PsValue>) -> Result<T, String> {
    from_value(&value.into()).map_err(|error| error.to_string())
}

#[test]
fn fields_are_found_as_scripts_find_properties() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Service {
        name: String,
        #[serde(rename = "ID")]
        id: u8,
        missing: Option<String>,
    }
    let object = PsObject::new()
        .with_adapted("Name", "adapted")
        .with_extended("NAME", "extended")
        .with_extended("name", "exact")
        .with_adapted("Id", 7)
        .with_adapted("Other", PsValue::Nil);
    assert_eq!(read(object), Ok(Service { name: "exact".to_owned(), id: 7, missing: None }));
    let table = Content::Dictionary(vec![("Name".into(), "n".into()), ("id".into(), 8.into())]);
    let expected = Service { name: "n".to_owned(), id: 8, missing: None };
    assert_eq!(read(PsObject::new().with_content(table)), Ok(expected));
}

#[test]
fn enumerations_are_names_or_numbers() {
    assert_eq!(read::<Status>(enumeration("running", 4)), Ok(Status::Running));
    assert_eq!(read::<String>(enumeration("Running", 4)), Ok("Running".to_owned()));
    assert_eq!(read::<i32>(enumeration("Running", 4)), Ok(4));
    assert_eq!(read::<Status>(1), Ok(Status::Running));
    assert!(read::<Status>("Unknown").is_err());
}

#[test]
fn primitives_are_taken_out_of_objects_and_texts_are_what_was_sent() {
    let wrapped =
        PsObject::new().with_content(Content::Value(Box::new("text".into()))).with_extended("Note", 1);
    assert_eq!(read::<String>(wrapped), Ok("text".to_owned()));
    assert_eq!(read::<f64>(Decimal::new("1.25").unwrap()), Ok(1.25));
    assert_eq!(read::<String>(Decimal::new("1.25").unwrap()), Ok("1.25".to_owned()));
    assert_eq!(read::<f32>(3), Ok(3.0));
    let time = "2018-06-13T23:46:28.00516+00:00";
    assert_eq!(read::<String>(DateTime::new(time).unwrap()), Ok(time.to_owned()));
    assert_eq!(read::<Vec<u8>>(vec![1_u8, 2]), Ok(vec![1, 2]));
    let guid = uuid::Uuid::from_u128(5);
    assert_eq!(read::<String>(guid), Ok(guid.to_string()));
    let keys = Content::Dictionary(vec![(1.into(), true.into()), (2.into(), false.into())]);
    let expected = BTreeMap::from([(1, true), (2, false)]);
    assert_eq!(read::<BTreeMap<i32, bool>>(PsObject::new().with_content(keys)), Ok(expected));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read only")]
    struct Holder {
        inner: Vec<Inner>,
    }
    let bad =
        PsObject::new().with_extended("numbers", to_value(&[1, 2]).unwrap()).with_extended("bytes", "x");
    let list = to_value(&Vec::<i32>::new()).unwrap();
    let outer =
        PsObject::new().with_extended("inner", PsObject::new().with_content(Content::List(vec![bad.into()])));
    let error = read::<Holder>(outer).unwrap_err();
    assert!(error.starts_with("inner[0].bytes: "), "{error}");
    assert!(read::<Holder>(list).is_err());
    assert!(read::<i8>(300).unwrap_err().contains("300"));
    assert!(read::<u32>(-1).is_err());
    assert!(read::<String>(SecureString::new("AAAA")).unwrap_err().contains("decrypted"));
    assert!(read::<String>(PsString::from_utf16(&[0xd800])).unwrap_err().contains("surrogates"));
    assert!(read::<String>(5).is_err());
    assert!(to_value(&u128::MAX).is_err());
}
