//! `cargo xtask layers`: the crates know each other only downwards.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::process::{Failure, cargo, output};

/// Who may use whom, in normal and build dependencies. A crate that is not listed may not exist.
/// Dev-dependencies are free, so that any crate may be tested against the loopback service.
const ALLOWED: &[(&str, &[&str])] = &[
    ("winrm-ntlm", &[]),
    ("winrm-spnego", &[]),
    ("winrm-xml", &[]),
    ("winrm-clixml", &["winrm-xml"]),
    ("winrm-psrp", &["winrm-clixml"]),
    ("winrm-wsman", &["winrm-xml"]),
    ("winrm-transport", &["winrm-ntlm", "winrm-spnego", "winrm-wsman"]),
    ("winrm-shell", &["winrm-clixml", "winrm-transport", "winrm-wsman"]),
    ("winrm-powershell", &["winrm-clixml", "winrm-psrp", "winrm-transport", "winrm-wsman"]),
    // One action on many hosts: which action is the caller's affair, so it knows none of the others.
    ("winrm-fleet", &[]),
    // Faults are part of its errors, so it offers their types.
    ("winrm", &["winrm-fleet", "winrm-powershell", "winrm-shell", "winrm-transport", "winrm-wsman"]),
    (
        "winrm-loopback",
        &["winrm-clixml", "winrm-ntlm", "winrm-psrp", "winrm-spnego", "winrm-transport", "winrm-wsman"],
    ),
    ("winrm-cli", &["winrm", "winrm-loopback", "winrm-wsman"]),
    // Not a layer: its interop peers are built from the parts.
    ("xtask", &["winrm-clixml", "winrm-ntlm", "winrm-psrp", "winrm-spnego", "winrm-transport"]),
];

/// These do no I/O, so nothing below them may either.
const SANS_IO: &[&str] =
    &["winrm-ntlm", "winrm-spnego", "winrm-xml", "winrm-clixml", "winrm-psrp", "winrm-wsman"];
const IO: &[&str] = &["tokio", "hyper", "mio", "socket2"];

pub(crate) fn run() -> Result<(), Failure> {
    let text = output(&mut cargo(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("cannot read the output of cargo metadata: {error}")))?;
    let mut broken = forbidden_arrows(&metadata);
    broken.extend(io_below(&metadata));
    if broken.is_empty() {
        println!("layers: {} crates, every arrow points down", workspace(&metadata).count());
        return Ok(());
    }
    Err(Failure::new(format!("layers are broken:\n  {}", broken.join("\n  "))))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Packages without a source are ours: the others come from a registry.
fn workspace(metadata: &Value) -> impl Iterator<Item = &Value> {
    array(metadata, "packages").filter(|package| package.get("source").is_none_or(Value::is_null))
}

fn forbidden_arrows(metadata: &Value) -> Vec<String> {
    let ours: BTreeSet<_> = workspace(metadata).map(|package| text(package, "name")).collect();
    let mut broken = Vec::new();
    for package in workspace(metadata) {
        let name = text(package, "name");
        let Some((_, allowed)) = ALLOWED.iter().find(|(listed, _)| *listed == name) else {
            broken.push(format!("{name} is not in the table of xtask/src/layers.rs"));
            continue;
        };
        for dependency in
            array(package, "dependencies").filter(|dependency| text(dependency, "kind") != "dev")
        {
            let used = text(dependency, "name");
            if ours.contains(used) && !allowed.contains(&used) {
                broken.push(format!("{name} may not use {used}"));
            }
        }
    }
    broken
}

/// Follows normal and build dependencies down from the crates without I/O.
fn io_below(metadata: &Value) -> Vec<String> {
    let names: BTreeMap<_, _> =
        array(metadata, "packages").map(|package| (text(package, "id"), text(package, "name"))).collect();
    let uses: BTreeMap<_, Vec<_>> = metadata
        .get("resolve")
        .into_iter()
        .flat_map(|resolve| array(resolve, "nodes"))
        .map(|node| {
            let used = array(node, "deps")
                .filter(|dep| array(dep, "dep_kinds").any(|kind| text(kind, "kind") != "dev"));
            (text(node, "id"), used.map(|dep| text(dep, "pkg")).collect())
        })
        .collect();
    let mut broken = Vec::new();
    for (id, name) in names.iter().filter(|(_, name)| SANS_IO.contains(name)) {
        let mut seen = BTreeSet::from([*id]);
        // With the way there, so that the message tells whom to ask.
        let mut waiting = vec![(*id, (*name).to_owned())];
        while let Some((id, way)) = waiting.pop() {
            for used in uses.get(id).into_iter().flatten().copied() {
                let used_name = names.get(used).copied().unwrap_or_default();
                let way = format!("{way} -> {used_name}");
                if IO.contains(&used_name) {
                    broken.push(format!("{name} does I/O: {way}"));
                } else if seen.insert(used) {
                    waiting.push((used, way));
                }
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Name and id, whether it is ours, and what it uses as which kind of dependency.
    type Package<'a> = (&'a str, bool, &'a [(&'a str, Option<&'a str>)]);

    fn metadata(packages: &[Package<'_>]) -> Value {
        let listed: Vec<_> = packages
            .iter()
            .map(|(name, ours, used)| {
                let used: Vec<_> =
                    used.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
                let source = if *ours { Value::Null } else { json!("registry") };
                json!({"id": name, "name": name, "source": source, "dependencies": used})
            })
            .collect();
        let nodes: Vec<_> = packages
            .iter()
            .map(|(name, _, used)| {
                let deps: Vec<_> = used
                    .iter()
                    .map(|(name, kind)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]}))
                    .collect();
                json!({"id": name, "deps": deps})
            })
            .collect();
        json!({"packages": listed, "resolve": {"nodes": nodes}})
    }

    #[test]
    fn arrows_that_point_down_pass() {
        let metadata = metadata(&[
            ("winrm-xml", true, &[("xml", None)]),
            ("winrm-wsman", true, &[("winrm-xml", None), ("winrm-loopback", Some("dev"))]),
            ("winrm-loopback", true, &[("tokio", None), ("winrm-wsman", None)]),
            ("xml", false, &[]),
            ("tokio", false, &[]),
        ]);
        assert_eq!(forbidden_arrows(&metadata), Vec::<String>::new());
        assert_eq!(io_below(&metadata), Vec::<String>::new());
    }

    #[test]
    fn arrows_that_point_up_or_sideways_fail() {
        let metadata = metadata(&[
            ("winrm-ntlm", true, &[("winrm-spnego", Some("build"))]),
            ("winrm-spnego", true, &[]),
            ("winrm-xml", true, &[("winrm-wsman", None)]),
            ("winrm-wsman", true, &[]),
            ("winrm-surprise", true, &[]),
        ]);
        assert_eq!(
            forbidden_arrows(&metadata),
            [
                "winrm-ntlm may not use winrm-spnego",
                "winrm-xml may not use winrm-wsman",
                "winrm-surprise is not in the table of xtask/src/layers.rs"
            ]
        );
    }

    #[test]
    fn io_is_found_below_other_crates() {
        let metadata = metadata(&[
            ("winrm-xml", true, &[("helper", None), ("tokio", Some("dev"))]),
            ("helper", false, &[("tokio", None)]),
            ("tokio", false, &[]),
            ("winrm-shell", true, &[("tokio", None)]),
        ]);
        assert_eq!(io_below(&metadata), ["winrm-xml does I/O: winrm-xml -> helper -> tokio"]);
    }

    #[test]
    fn the_table_itself_has_no_cycle() {
        for (number, (name, allowed)) in ALLOWED.iter().enumerate() {
            for used in *allowed {
                let below = ALLOWED.iter().position(|(listed, _)| listed == used);
                // The facade and the service do not use each other, so the order of the table is one of layers.
                assert!(below.is_some_and(|below| below < number), "{name} -> {used}");
            }
        }
    }
}
