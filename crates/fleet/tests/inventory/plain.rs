//! Plain lists.

use winrm_fleet::{InventoryError, Note, Place};

use super::{error, group, names, parse};

#[test]
fn one_target_a_line() {
    let inventory = parse(
        "\u{feff}# hosts\r\n\r\n  web01 \r\nweb02:5986 # second\n; old\n[::1]:5985\n\t# x\nhttps://db/x#y\n10.0.0.1",
    );
    assert_eq!(names(&inventory), ["web01", "web02:5986", "[::1]:5985", "https://db/x#y", "10.0.0.1"]);
    let lines: Vec<_> = inventory.hosts().iter().map(|host| host.line.unwrap()).collect();
    assert_eq!(lines, [3, 4, 6, 8, 9]);
    assert!(inventory.hosts().iter().all(|host| host.port.is_none() && host.user.is_none()));
    assert_eq!(inventory.notes(), []);
}

#[test]
fn nothing_is_an_empty_list() {
    for text in ["", "\u{feff}", "\n\n", "# only\r\n;comments"] {
        assert_eq!(names(&parse(text)), [""; 0], "{text:?}");
    }
}

#[test]
fn repeated_targets_count_once_and_are_told_once() {
    let inventory = parse("b\na\nB\na:1\nb\nhttp://A/x\nhttp://a/x\nhttp://a/X\nc\n");
    assert_eq!(names(&inventory), ["b", "a", "a:1", "http://A/x", "http://a/X", "c"]);
    assert_eq!(inventory.notes(), [Note::Repeated { names: vec!["B".to_owned(), "http://a/x".to_owned()] }]);
    assert_eq!(inventory.notes()[0].to_string(), "named more than once, counted once: B, http://a/x");
}

#[test]
fn everybody_is_in_all_and_ungrouped() {
    let inventory = parse("a\nb");
    assert_eq!(group(&inventory, "all"), ["a", "b"]);
    assert_eq!(group(&inventory, "ungrouped"), ["a", "b"]);
    assert_eq!(inventory.group("web"), None);
    assert_eq!(inventory.group_names().collect::<Vec<_>>(), ["all", "ungrouped"]);
}

#[test]
fn what_is_no_target_is_told_with_its_line() {
    let line = |line| Place::Line(line);
    assert_eq!(error("a\nweb 02"), InventoryError::NotAHost { place: line(2) });
    assert_eq!(error("\n\"web\""), InventoryError::NotAHost { place: line(2) });
    assert_eq!(error(&"a".repeat(2000)), InventoryError::NotAHost { place: line(1) });
    assert_eq!(error("http://"), InventoryError::NotAHost { place: line(1) });
    assert_eq!(error("a\n@more"), InventoryError::Nested { line: 2 });
    assert_eq!(error("http://ops:pw@web/x"), InventoryError::Credentials { place: line(1) });
    assert_eq!(names(&parse("http://web/x@y")), ["http://web/x@y"]);
}

#[test]
fn other_formats_are_named() {
    assert_eq!(error("# c\n---\nall:\n"), InventoryError::Yaml { line: 2 });
    assert_eq!(error("all:\n  hosts:\n"), InventoryError::Yaml { line: 1 });
    assert_eq!(error("$ANSIBLE_VAULT;1.1;AES256\n3132"), InventoryError::Encrypted);
}
