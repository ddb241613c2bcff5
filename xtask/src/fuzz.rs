//! `cargo xtask fuzz`: builds the targets of `fuzz/` as cargo-fuzz would, without needing it, and runs them.

mod seeds;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Failure, describe, fixtures, output, root, run as run_command, succeeds, target_dir};

/// What libFuzzer needs of the compiler: edge counters, a table of them, and the operands of comparisons.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
];

/// One input may take this long, in seconds, before it counts as found.
const INPUT_SECONDS: u32 = 10;
/// And this much memory, in MiB.
const MEMORY_LIMIT: u32 = 2048;

const USAGE: &str = "usage: cargo xtask fuzz --seconds N [TARGET] | fuzz TARGET FILE";

pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["--seconds", seconds] => fuzz(parse_seconds(seconds)?, None),
        ["--seconds", seconds, target] => fuzz(parse_seconds(seconds)?, Some(target)),
        [target, file] if !target.starts_with('-') => replay(target, file),
        _ => Err(Failure::new(USAGE)),
    }
}

fn parse_seconds(text: &str) -> Result<u32, Failure> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(Failure::new(format!("{text:?} is not a number of seconds\n{USAGE}"))),
    }
}

/// `fuzz/`, a workspace of its own.
fn folder() -> PathBuf {
    root().join("fuzz")
}

/// The targets are the files of `fuzz_targets/`.
fn targets(only: Option<&str>) -> Result<Vec<String>, Failure> {
    let sources = folder().join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&sources).map_err(Failure::io("list", &sources))? {
        let path = entry.map_err(Failure::io("list", &sources))?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            targets.push(name.to_owned());
        }
    }
    targets.sort();
    match only {
        None => Ok(targets),
        Some(only) if targets.iter().any(|target| target == only) => Ok(vec![only.to_owned()]),
        Some(only) => {
            Err(Failure::new(format!("there is no fuzz target {only}; there are {}", targets.join(", "))))
        }
    }
}

fn fuzz(seconds: u32, only: Option<&str>) -> Result<(), Failure> {
    let targets = targets(only)?;
    let binaries = build(&targets)?;
    let mut failed = Vec::new();
    for target in &targets {
        let corpus = folder().join("corpus").join(target);
        fs::create_dir_all(&corpus).map_err(Failure::io("make", &corpus))?;
        for published in published_seeds(target) {
            seeds::copy_published(&published, &corpus)?;
        }
        if let Some(fixtures) = fixtures()? {
            seeds::extract_recorded(target, &fixtures, &corpus)?;
        }
        if let Err(failure) = fuzz_one(&binaries, target, &corpus, seconds) {
            println!("{failure}");
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        println!("fuzz: {} targets, {seconds} s each, nothing found", targets.len());
        return Ok(());
    }
    Err(Failure::new(format!("fuzz: something was found in {}", failed.join(", "))))
}

/// Figures of the specifications, and what fuzzing has found in the target's crate before.
fn published_seeds(target: &str) -> [PathBuf; 2] {
    let crate_name = target.split('_').next().unwrap_or(target);
    let tests = root().join("crates").join(crate_name).join("tests");
    [folder().join("seeds").join(target), tests.join("regressions")]
}

fn fuzz_one(binaries: &Path, target: &str, corpus: &Path, seconds: u32) -> Result<(), Failure> {
    let artifacts = folder().join("artifacts").join(target);
    fs::create_dir_all(&artifacts).map_err(Failure::io("make", &artifacts))?;
    let inputs = fs::read_dir(corpus).map_err(Failure::io("list", corpus))?.count();
    print!("fuzz: {target} from {inputs} inputs ... ");
    let _ = std::io::stdout().flush();
    let mut command = Command::new(binaries.join(target));
    command
        .arg(corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-print_final_stats=1", "-close_fd_mask=0"])
        .current_dir(folder())
        .stdin(Stdio::null());
    let result = command
        .output()
        .map_err(|error| Failure::new(format!("cannot run {}: {error}", describe(&command))))?;
    let log = String::from_utf8_lossy(&result.stderr);
    if result.status.success() {
        println!("{}", statistics(&log));
        return Ok(());
    }
    println!("FOUND ({})", result.status);
    let report: Vec<_> = log.lines().rev().take(60).collect();
    let report: Vec<_> = report.into_iter().rev().collect();
    let input =
        log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim());
    let advice = match input {
        Some(path) => format!("replay with: cargo xtask fuzz {target} {path}"),
        None => "no input was written: the target died before its first one".to_owned(),
    };
    Err(Failure::new(format!("{}\n{advice}", report.join("\n"))))
}

/// How much was tried, out of libFuzzer's closing lines.
fn statistics(log: &str) -> String {
    let number = |name: &str| {
        let line = log.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().last().map(str::to_owned)
    };
    let inputs = number("stat::number_of_executed_units:").unwrap_or_else(|| "?".to_owned());
    let rate = number("stat::average_exec_per_sec:").unwrap_or_else(|| "?".to_owned());
    let edges = log.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once("cov: ")?;
        rest.split_whitespace().next()
    });
    format!("{inputs} inputs, {rate} a second, {} edges", edges.unwrap_or("?"))
}

fn replay(target: &str, file: &str) -> Result<(), Failure> {
    let file = std::path::absolute(file).map_err(Failure::io("find", Path::new(file)))?;
    if !file.is_file() {
        return Err(Failure::new(format!("there is no file {}", file.display())));
    }
    let binaries = build(&targets(Some(target))?)?;
    run_command(Command::new(binaries.join(target)).arg(&file).env("RUST_BACKTRACE", "1"))
}

/// Builds the targets, and returns where they are.
fn build(targets: &[String]) -> Result<PathBuf, Failure> {
    let nightly = nightly();
    let toolchain = nightly.as_deref();
    let host = host(toolchain)?;
    let mut flags = COVERAGE.join(" ");
    let (folder_name, sanitizer) =
        if toolchain.is_some() { ("fuzz", " -Zsanitizer=address") } else { ("fuzz-stable", "") };
    flags.push_str(sanitizer);
    if toolchain.is_none() {
        // Coverage is in stable; the sanitizer is not. Safe Rust makes it the smaller loss, but one all the same.
        println!(
            "\n!!!! NO NIGHTLY TOOLCHAIN IS INSTALLED !!!!\n\
             !!!! Fuzzing with the stable compiler, without AddressSanitizer.\n\
             !!!! For the real thing: rustup toolchain install nightly\n"
        );
    }
    // Apart from the workspace's: the flags differ, and one would rebuild the other.
    let target_dir = target_dir().join(folder_name);
    let mut command = cargo_of(toolchain);
    command
        .args(["build", "--release", "--manifest-path"])
        .arg(folder().join("Cargo.toml"))
        .args(["--target", &host, "--target-dir"])
        .arg(&target_dir)
        .args(targets.iter().flat_map(|target| ["--bin", target]))
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // The release profile of the workspace links slowly, for speed that fuzzing does not need.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .current_dir(folder());
    run_command(&mut command)?;
    Ok(target_dir.join(host).join("release"))
}

/// The name of an installed nightly toolchain, the one that rustup lists first.
fn nightly() -> Option<String> {
    let listed = Command::new("rustup").args(["toolchain", "list"]).output().ok()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| name.starts_with("nightly")).map(str::to_owned).find(|name| {
        // Listed, but perhaps without a compiler.
        succeeds(Command::new("rustup").args(["run", name, "rustc", "--version"]))
    })
}

fn cargo_of(toolchain: Option<&str>) -> Command {
    match toolchain {
        Some(name) => {
            let mut command = Command::new("rustup");
            command.args(["run", name, "cargo"]);
            // `cargo xtask` runs under the stable toolchain, and says so to its children.
            command.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
            command
        }
        None => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
    }
}

/// Named as `--target`, so that the flags do not reach build scripts and procedural macros.
fn host(toolchain: Option<&str>) -> Result<String, Failure> {
    let mut rustc = match toolchain {
        Some(name) => {
            let mut command = Command::new("rustup");
            command.args(["run", name, "rustc"]);
            command
        }
        None => Command::new("rustc"),
    };
    let version = output(rustc.arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("rustc -vV names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_lines() {
        let log = "#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#99\tDONE   cov: 345 ft: 400 corp: 9/99b\n\
                   Done 1000 runs in 5 second(s)\nstat::number_of_executed_units: 1000\n\
                   stat::average_exec_per_sec:     200\n";
        assert_eq!(statistics(log), "1000 inputs, 200 a second, 345 edges");
        assert_eq!(statistics(""), "? inputs, ? a second, ? edges");
    }

    #[test]
    fn wants_a_number_of_seconds() {
        assert!(parse_seconds("5").is_ok());
        assert!(parse_seconds("0").is_err());
        assert!(parse_seconds("soon").is_err());
        assert!(run(&["--seconds"]).is_err());
        assert!(run(&[]).is_err());
    }

    #[test]
    fn every_target_has_seeds() {
        for target in targets(None).unwrap() {
            let [seeds, _] = published_seeds(&target);
            assert!(fs::read_dir(&seeds).unwrap().count() > 0, "{}", seeds.display());
        }
    }

    #[test]
    fn every_target_is_listed_in_the_manifest() {
        let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
        let targets = targets(None).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        }
    }
}
