//! What `ansible-inventory --list` and scripts print.

use winrm_fleet::{InventoryError, Note, Place};

use super::{error, group, host, names, parse, user};

#[test]
fn the_output_of_ansible_inventory_is_read() {
    let inventory = parse(
        r#"
        {
            "_meta": {
                "hostvars": {
                    "db01": {"ansible_host": "10.0.0.9", "ansible_port": "5985"},
                    "web02": {"ansible_user": "EX\\ops", "ansible_port": 5986, "ansible_host": null}
                }
            },
            "all": {"children": ["ungrouped", "web", "site"]},
            "db": {"hosts": ["db01"], "vars": {"ansible_user": "db"}},
            "site": {"children": ["db"], "vars": {"ansible_user": "site", "ansible_winrm_scheme": "https"}},
            "ungrouped": {"hosts": ["mail"]},
            "web": {"hosts": ["web02", "web01"]}
        }
        "#,
    );
    assert_eq!(names(&inventory), ["mail", "web02", "web01", "db01"]);
    let db = host(&inventory, "db01");
    assert_eq!((db.address.as_deref(), db.port), (Some("10.0.0.9"), Some(5985)));
    assert_eq!((db.user.as_deref(), db.scheme.as_deref()), (Some("db"), Some("https")));
    let web = host(&inventory, "web02");
    assert_eq!((web.user.as_deref(), web.port, web.line), (Some(r"EX\ops"), Some(5986), None));
    assert_eq!(web.address, None);
    assert_eq!(group(&inventory, "site"), ["db01"]);
    assert_eq!(inventory.notes(), []);
}

#[test]
fn scripts_print_less() {
    let inventory =
        parse(r#"{"b": ["x", "y"], "a": {"hosts": ["y", "z"]}, "c": {}, "_meta": {"hostvars": {"w": {}}}}"#);
    assert_eq!(names(&inventory), ["y", "z", "x"]);
    assert_eq!(group(&inventory, "b"), ["y", "x"]);
    assert_eq!(names(&parse("{}")), [""; 0]);
}

#[test]
fn secrets_and_lists_are_not_read() {
    let inventory = parse(
        r#"{"a": {"hosts": ["x"], "vars": {
            "ansible_password": "hunter2",
            "ansible_user": {"__ansible_vault": "hunter2"},
            "ansible_winrm_transport": ["ntlm"],
            "other": [1, 2]
        }}}"#,
    );
    assert_eq!(user(&inventory, "x"), None);
    assert_eq!(
        inventory.notes(),
        [
            Note::SecretsIgnored { place: Place::Group("a".to_owned()) },
            Note::Unread { variables: vec!["ansible_winrm_transport".to_owned()] }
        ]
    );
    assert!(!format!("{inventory:?}").contains("hunter2"));
}

#[test]
fn other_shapes_are_told() {
    assert_eq!(error("{\n \"a\": [,]}"), InventoryError::Json { line: 2, column: 8 });
    let shown = |text| error(text).to_string();
    assert_eq!(shown(r#"{"a": {"hosts": "x"}}"#), "group a: hosts is not a list of names");
    assert_eq!(shown(r#"{"a": {"hosts": [1]}}"#), "group a: hosts is not a list of names");
    assert_eq!(shown(r#"{"a": {"vars": 1}}"#), "group a: vars is not an object");
    assert_eq!(
        shown(r#"{"name": 1}"#),
        "group name: it is not a list of hosts or an object with hosts, children or vars"
    );
    assert_eq!(shown(r#"{"_meta": {"hostvars": []}}"#), "group _meta: hostvars is not an object");
    assert_eq!(
        shown(r#"{"a": ["h"], "_meta": {"hostvars": {"h": {"ansible_port": "70000"}}}}"#),
        "host h: the port is not a number from 1 to 65535"
    );
    assert_eq!(shown(r#"{"a": ["h h"]}"#), "group a: this cannot be the name of a host");
    assert_eq!(
        shown(r#"{"a": {"children": ["a"]}}"#),
        "group a is a child of itself, directly or by other groups"
    );
    assert!(matches!(error(&"{\"a\":".repeat(10_000)), InventoryError::Json { .. }));
}
