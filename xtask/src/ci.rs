//! `cargo xtask ci`: what CI runs, in the order in which it fails soonest.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Failure, cargo, output, run as run_command, succeeds};
use crate::{bench, fuzz, interop, layers, test};

/// Of each fuzz target; the rest of the time goes into building them.
const FUZZ_SECONDS: &str = "5";

type Step = (&'static str, fn() -> Result<(), Failure>);

const STEPS: &[Step] = &[
    ("layers", layers::run),
    ("formatting", formatting),
    ("clippy", clippy),
    ("documentation", documentation),
    ("each crate alone", each_crate_alone),
    ("test", test::run),
    ("test with every feature", every_feature),
    ("benches, once each", bench::smoke),
    ("interop", interop::run),
    ("fuzz", || fuzz::run(&["--seconds", FUZZ_SECONDS])),
];

pub(crate) fn run() -> Result<(), Failure> {
    let started = Instant::now();
    let mut summary = Vec::new();
    for (name, step) in STEPS {
        println!("\n==== {name} ====");
        let began = Instant::now();
        let result = step();
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        summary.push(format!("{:>6} s  {name}: {verdict}", seconds(began.elapsed())));
        println!("==== {name}: {verdict} after {} s ====", seconds(began.elapsed()));
        if let Err(failure) = result {
            return Err(Failure::new(format!("{failure}\n\n{}", summary.join("\n"))));
        }
    }
    summary.push(deny()?);
    println!("\n{}\n{:>6} s  in all", summary.join("\n"), seconds(started.elapsed()));
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn formatting() -> Result<(), Failure> {
    run_command(&mut cargo(["fmt", "--all", "--check"]))?;
    run_command(&mut cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
}

fn clippy() -> Result<(), Failure> {
    let what = ["clippy", "--workspace", "--all-targets", "--features", "xtask/peer"];
    run_command(cargo(what).args(["--", "-D", "warnings"]))?;
    // With everything that is off by default.
    let what = ["clippy", "--workspace", "--all-targets", "--all-features"];
    run_command(cargo(what).args(["--", "-D", "warnings"]))
}

fn documentation() -> Result<(), Failure> {
    let doc = |what: &[&str]| -> Result<(), Failure> {
        let mut command = cargo(["doc", "--no-deps"]);
        run_command(command.args(what).env("RUSTDOCFLAGS", "-D warnings"))
    };
    // The command and the facade are both called winrm, and would write over each other's pages.
    doc(&["--workspace", "--exclude", "winrm-cli"])?;
    doc(&["--package", "winrm-cli"])
}

/// What is off by default; the second implementation of TLS, mostly.
fn every_feature() -> Result<(), Failure> {
    run_command(&mut cargo(["test", "--package", "winrm-transport", "--all-features", "--tests"]))?;
    run_command(&mut cargo(["test", "--package", "winrm", "--all-features"]))?;
    // Its other tests have been run without.
    run_command(&mut cargo(["test", "--package", "winrm-cli", "--features", "keyring", "keyring"]))
}

/// A crate that compiles only because another one turned a feature on fails here.
fn each_crate_alone() -> Result<(), Failure> {
    let metadata = output(&mut cargo(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .map_err(|error| Failure::new(format!("cannot read the output of cargo metadata: {error}")))?;
    let packages = metadata.get("packages").and_then(serde_json::Value::as_array).into_iter().flatten();
    for package in packages {
        let name = package.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
        let check = |more: &[&str]| run_command(check_command(name).args(more));
        check(&[])?;
        let has_default = package
            .get("features")
            .and_then(|features| features.get("default"))
            .and_then(serde_json::Value::as_array)
            .is_some_and(|default| !default.is_empty());
        if has_default {
            check(&["--no-default-features"])?;
        }
    }
    Ok(())
}

fn check_command(package: &str) -> Command {
    cargo(["check", "--quiet", "--package", package])
}

/// Licences and sources of the dependencies, where the tool for that is installed; what the summary says of it.
fn deny() -> Result<String, Failure> {
    if !succeeds(&mut cargo(["deny", "--version"])) {
        return Ok("     -    licences and sources: NOT CHECKED, cargo-deny is not installed".to_owned());
    }
    let what = ["deny", "--offline", "check", "--config", ".deny.toml", "bans", "licenses", "sources"];
    run_command(&mut cargo(what))?;
    Ok("     -    licences and sources: ok".to_owned())
}
