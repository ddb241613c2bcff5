//! What is read of host lists, in each of the formats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ini;
mod json;
mod plain;
mod properties;

use winrm_fleet::{Inventory, InventoryError, InventoryHost};

fn parse(text: &str) -> Inventory {
    Inventory::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn error(text: &str) -> InventoryError {
    Inventory::parse(text).expect_err(text)
}

fn names(inventory: &Inventory) -> Vec<&str> {
    inventory.hosts().iter().map(|host| host.name.as_str()).collect()
}

fn group<'a>(inventory: &'a Inventory, name: &str) -> Vec<&'a str> {
    inventory.group(name).expect(name).into_iter().map(|host| host.name.as_str()).collect()
}

fn host<'a>(inventory: &'a Inventory, name: &str) -> &'a InventoryHost {
    inventory.hosts().iter().find(|host| host.name == name).expect(name)
}

fn user<'a>(inventory: &'a Inventory, name: &str) -> Option<&'a str> {
    host(inventory, name).user.as_deref()
}
