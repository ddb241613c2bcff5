#![no_main]
//! Lists of hosts: whatever a file holds, hosts are bounded and named, and no note or error breaks a line.

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use winrm_fleet::{Inventory, MAX_HOSTS};

fuzz_target!(|text: &str| {
    match Inventory::parse(text) {
        Ok(inventory) => {
            assert!(inventory.hosts().len() <= MAX_HOSTS.max(text.len()));
            let names: BTreeSet<_> = inventory.hosts().iter().map(|host| &host.name).collect();
            assert_eq!(names.len(), inventory.hosts().len(), "a host is there twice");
            assert!(inventory.hosts().iter().all(|host| !host.name.is_empty()));
            assert!(inventory.notes().iter().all(|note| !note.to_string().contains('\n')));
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});
