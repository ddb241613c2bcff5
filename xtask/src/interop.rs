//! `cargo xtask interop`: our protocols against other people's implementations.
//!
//! Every `xtask/interop/check_*.py` runs in a virtual environment with exactly the packages of
//! `requirements.txt`, prints a line for each check and exits with 0 when all held. It finds the binaries to test in
//! its environment:
//!
//! - `WINRM_BIN`: the command, for `winrm serve` and `winrm run`
//! - `PSRP_PEER_BIN`: our state machines of PowerShell remoting (`src/bin/psrp-peer`)
//! - `PEER_BIN`: our side of a pipe that carries tokens and sealed messages (`src/bin/interop-peer.rs`)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Failure, cargo, root, run as run_command, succeeds, target_dir};

pub(crate) fn run() -> Result<(), Failure> {
    let scripts = scripts();
    let python = python()?;
    run_command(&mut cargo([
        "build",
        "--workspace",
        "--bins",
        "--features",
        "xtask/peer,winrm-cli/tls-native",
    ]))?;
    let binary =
        |name: &str| target_dir().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let checks = checks(&scripts)?;
    for check in &checks {
        let mut command = Command::new(&python);
        command
            .arg(check)
            .current_dir(&scripts)
            .env("WINRM_BIN", binary("winrm"))
            .env("PEER_BIN", binary("interop-peer"))
            .env("PSRP_PEER_BIN", binary("psrp-peer"))
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        run_command(&mut command)?;
    }
    println!("interop: {} suites passed", checks.len());
    Ok(())
}

/// Python with the packages that our clients are held against.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    virtual_environment(&scripts().join("requirements.txt"))
}

fn scripts() -> PathBuf {
    root().join("xtask").join("interop")
}

fn checks(scripts: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut checks = Vec::new();
    for entry in fs::read_dir(scripts).map_err(Failure::io("list", scripts))? {
        let path = entry.map_err(Failure::io("list", scripts))?.path();
        let is_check =
            path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("check_"));
        if is_check && path.extension().is_some_and(|extension| extension == "py") {
            checks.push(path);
        }
    }
    checks.sort();
    if checks.is_empty() {
        return Err(Failure::new(format!("there is no check_*.py in {}", scripts.display())));
    }
    Ok(checks)
}

/// Makes or reuses the environment, and returns its Python.
fn virtual_environment(requirements: &Path) -> Result<PathBuf, Failure> {
    let folder = target_dir().join("interop-venv");
    let python = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let python = folder.join(python);
    let wanted = fs::read_to_string(requirements).map_err(Failure::io("read", requirements))?;
    // Written last, so that a half-made environment is not taken for a whole one.
    let stamp = folder.join("installed-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && succeeds(Command::new(&python).arg("-V"))
    {
        return Ok(python);
    }
    create(&folder)?;
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements);
    run_command(&mut install)?;
    fs::write(&stamp, wanted).map_err(Failure::io("write", &stamp))?;
    Ok(python)
}

fn create(folder: &Path) -> Result<(), Failure> {
    let make = || run_command(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    if make().is_ok() {
        return Ok(());
    }
    // Debian keeps venv apart from Python, and may have neither.
    if succeeds(Command::new("sh").args(["-c", "command -v apt-get && test \"$(id -u)\" = 0"])) {
        run_command(Command::new("apt-get").args(["update", "-qq"]))?;
        run_command(
            Command::new("apt-get")
                .args(["install", "-y", "-qq", "python3", "python3-venv"])
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
        return make();
    }
    Err(Failure::new("interop needs Python 3 with venv (Debian: apt-get install python3-venv)"))
}
