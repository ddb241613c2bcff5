//! What holds for any text.

use proptest::prelude::*;
use winrm_fleet::Inventory;

use super::names;

/// Lines that look like those of an inventory, in any order.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\[[a-d](:vars|:children|:hosts|:x)?\\]",
        "[a-d](\\[0?[0-9]:[0-9]{0,2}(:[0-9])?\\])?(:[0-9]{1,5})?( ansible_(port|user|host)=['\"]?[a-c0-9\\\\]{0,3}['\"]?)?",
        "ansible_(port|user|host|connection|group_priority) ?= ?[a-c0-9]{0,3}",
        "\\PC{0,20}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_an_inventory_or_an_error(text in "\\PC{0,200}|(.|\\n){0,200}") {
        let _ = Inventory::parse(&text);
    }

    #[test]
    fn any_lines_are_an_inventory_or_an_error(lines in prop::collection::vec(line(), 0..12)) {
        if let Ok(inventory) = Inventory::parse(&lines.join("\n")) {
            let all = inventory.group("all").unwrap();
            prop_assert_eq!(all.len(), inventory.hosts().len());
            let mut names: Vec<_> = inventory.hosts().iter().map(|host| &host.name).collect();
            names.sort_unstable();
            names.dedup();
            prop_assert_eq!(names.len(), all.len(), "each host once");
            for name in inventory.group_names() {
                prop_assert!(inventory.group(name).unwrap().len() <= all.len());
            }
        }
    }

    #[test]
    fn plain_lists_come_back(hosts in prop::collection::btree_set("[a-z][a-z0-9.-]{0,12}(:[1-9][0-9]{0,3})?", 0..30)) {
        let text: String = hosts.iter().flat_map(|host| [host, "\r\n"]).collect();
        let inventory = Inventory::parse(&text).unwrap();
        prop_assert_eq!(names(&inventory), hosts.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[test]
    fn no_password_comes_out(secret in "[A-Z]{12}", quote in "['\"]?", before in "[a-z ='\"#\\[\\]:]{0,8}", section in "(\\[w\\]|\\[w:vars\\]|\\[w:children\\])\n") {
        let text = format!("[w]\n{section}a{before} ansible_password={quote}{secret}{quote}\n");
        let shown = format!("{:?}", Inventory::parse(&text).map_err(|error| (error.to_string(), error)));
        prop_assert!(!shown.contains(&secret), "{shown}");
    }
}
