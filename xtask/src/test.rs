//! `cargo xtask test`: every test, then the count of recorded entries.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::process::{Failure, cargo, describe, fixtures, in_ci, run as run_command};

pub(crate) fn run() -> Result<(), Failure> {
    let fixtures = fixtures()?;
    let with_fixtures = |mut command: Command| {
        match &fixtures {
            Some(folder) => command.env("WINRM_FIXTURES", folder),
            None => command.env_remove("WINRM_FIXTURES"),
        };
        command
    };
    run_command(&mut with_fixtures(cargo(["test", "--workspace"])))?;
    if fixtures.is_none() {
        return conclude(&BTreeMap::new());
    }
    // The same binaries once more, short as they are: only uncaptured output tells how much they checked.
    let arguments = ["test", "--workspace", "--test", "recorded", "--", "--nocapture"];
    conclude(&count(&mut with_fixtures(cargo(arguments)))?)
}

/// Runs the command with its output passed on, and adds up the `recorded: FOLDER N` in it.
fn count(command: &mut Command) -> Result<BTreeMap<String, u64>, Failure> {
    eprintln!("$ {}", describe(command));
    let failed = |error| Failure::new(format!("cannot run cargo test: {error}"));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut folders = BTreeMap::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(failed)?;
            println!("{line}");
            if let Some((folder, entries)) = recorded(&line) {
                *folders.entry(folder.to_owned()).or_insert(0) += entries;
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.success() { Ok(folders) } else { Err(Failure::new(format!("recorded tests failed: {status}"))) }
}

/// The folder and count in a line of a recorded test; the harness may have put its own words before them.
fn recorded(line: &str) -> Option<(&str, u64)> {
    let (_, report) = line.split_once("recorded: ")?;
    let mut words = report.split_whitespace();
    let (folder, entries) = (words.next()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some((folder, entries))
}

/// The last line, and what it means.
fn conclude(folders: &BTreeMap<String, u64>) -> Result<(), Failure> {
    println!("{}", summary(folders));
    if in_ci() && folders.values().sum::<u64>() == 0 {
        return Err(Failure::new(
            "no recorded entry was checked, and CI must check them: set WINRM_FIXTURES",
        ));
    }
    Ok(())
}

fn summary(folders: &BTreeMap<String, u64>) -> String {
    let total: u64 = folders.values().sum();
    if total == 0 {
        return "recorded: SKIPPED (set WINRM_FIXTURES)".to_owned();
    }
    let mut line = format!("recorded: {total} entries (");
    for (number, (folder, entries)) in folders.iter().enumerate() {
        let separator = if number == 0 { "" } else { ", " };
        let _ = write!(line, "{separator}{folder} {entries}");
    }
    line + ")"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_lines_of_recorded_tests() {
        assert_eq!(recorded("recorded: nlmp 123"), Some(("nlmp", 123)));
        assert_eq!(recorded("test tokens ... recorded: spnego 7"), Some(("spnego", 7)));
        assert_eq!(recorded("..recorded: soap 0"), Some(("soap", 0)));
        assert_eq!(recorded("recorded: skipped"), None);
        assert_eq!(recorded("test recorded_tokens ... ok"), None);
        assert_eq!(recorded("recorded: nlmp 12 of 13"), None);
    }

    #[test]
    fn says_how_much_was_checked() {
        let folders = BTreeMap::from([("soap".to_owned(), 154), ("nlmp".to_owned(), 123)]);
        assert_eq!(summary(&folders), "recorded: 277 entries (nlmp 123, soap 154)");
        assert_eq!(summary(&BTreeMap::new()), "recorded: SKIPPED (set WINRM_FIXTURES)");
    }
}
