//! What `ansible-inventory --list` and inventory scripts print.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Inventory;
use super::error::{InventoryError, Place};
use super::model::{ALL, Model, Owner};
use super::plain::check_name;

pub(super) fn parse(text: &str) -> Result<Inventory, InventoryError> {
    // The text of the error is not passed on: it might quote a value.
    let groups: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| InventoryError::Json { line: error.line(), column: error.column() })?;
    let mut model = Model::default();
    for name in order(&groups) {
        if let Some(group) = groups.get(name) {
            read_group(&mut model, name, group)?;
        }
    }
    let Some(variables) = groups.get("_meta").and_then(|meta| meta.get("hostvars")) else {
        return model.resolve();
    };
    let shape = || InventoryError::Shape {
        place: Place::Group("_meta".to_owned()),
        key: "hostvars",
        expected: "an object",
    };
    for (name, variables) in variables.as_object().ok_or_else(shape)? {
        // As for Ansible, a host is one that is in a group: variables alone make none.
        if let Some(host) = model.known_host(name) {
            set(&mut model, Owner::Host(host), variables, "hostvars", &Place::Host(name.clone()))?;
        }
    }
    model.resolve()
}

/// The groups from `all` downwards, children in their order, then the others: so hosts come as the inventory had them.
fn order(groups: &Map<String, Value>) -> Vec<&str> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::from(["_meta"]);
    let others: BTreeSet<_> = groups.keys().map(String::as_str).collect();
    for start in std::iter::once(ALL).chain(others) {
        let mut waiting = vec![start];
        while let Some(name) = waiting.pop() {
            if seen.insert(name) {
                order.push(name);
                let children = groups.get(name).and_then(|group| group.get("children")?.as_array());
                waiting.extend(children.into_iter().flatten().rev().filter_map(Value::as_str));
            }
        }
    }
    order
}

fn read_group(model: &mut Model, name: &str, group: &Value) -> Result<(), InventoryError> {
    let place = Place::Group(name.to_owned());
    let at = model.group(name);
    // Scripts may print the bare list of hosts.
    let bare = group.is_array().then_some(group);
    // Something else in the place of a group is more likely not an inventory at all.
    let is_group = |group: &Map<String, Value>| {
        group.is_empty() || ["hosts", "children", "vars"].iter().any(|key| group.contains_key(*key))
    };
    if bare.is_none() && !group.as_object().is_some_and(is_group) {
        return Err(InventoryError::Shape {
            place,
            key: "it",
            expected: "a list of hosts or an object with hosts, children or vars",
        });
    }
    for host in names(bare.or_else(|| group.get("hosts")), "hosts", &place)? {
        check_name(host, &place)?;
        let host = model.host(host, None);
        model.join(at, host);
    }
    for child in names(group.get("children"), "children", &place)? {
        let child = model.group(child);
        model.adopt(at, child);
    }
    match group.get("vars") {
        Some(variables) => set(model, Owner::Group(at), variables, "vars", &place),
        None => Ok(()),
    }
}

fn names<'a>(
    list: Option<&'a Value>,
    key: &'static str,
    place: &Place,
) -> Result<Vec<&'a str>, InventoryError> {
    let shape = || InventoryError::Shape { place: place.clone(), key, expected: "a list of names" };
    match list {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => {
            let list = list.as_array().ok_or_else(shape)?;
            list.iter().map(|name| name.as_str().ok_or_else(shape)).collect()
        }
    }
}

fn set(
    model: &mut Model,
    owner: Owner,
    variables: &Value,
    key: &'static str,
    place: &Place,
) -> Result<(), InventoryError> {
    let shape = || InventoryError::Shape { place: place.clone(), key, expected: "an object" };
    for (name, value) in variables.as_object().ok_or_else(shape)? {
        match value {
            Value::Null => {}
            Value::String(text) => model.set(owner, name, Some(text), place),
            Value::Bool(_) | Value::Number(_) => model.set(owner, name, Some(&value.to_string()), place),
            Value::Object(object) if object.contains_key("__ansible_vault") => {
                model.set(owner, name, None, place);
            }
            // None of the variables that are read is a list; that it was there may still be worth a note.
            Value::Array(_) | Value::Object(_) => model.set(owner, name, Some(""), place),
        }
    }
    Ok(())
}
