//! `cargo xtask bench`: criterion's benches of every crate, and what takes other programs to compare with.

use std::path::Path;
use std::process::Command;

use crate::interop;
use crate::process::{Failure, cargo, in_ci, root, run as run_command, target_dir};

pub(crate) fn run(quick: bool) -> Result<(), Failure> {
    // Bench targets only: the unit tests' harness does not know criterion's options.
    let mut command = cargo(["bench", "--workspace", "--bench", "*"]);
    if quick {
        command.args(["--", "--quick"]);
    }
    run_command(&mut command)
}

/// Every bench once, to see that it still runs: nothing is measured.
pub(crate) fn smoke() -> Result<(), Failure> {
    // Unoptimized, as what the tests use is built already.
    run_command(&mut cargo(["test", "--workspace", "--bench", "*"]))?;
    small_fleet()
}

/// A warm command by our client and by others.
pub(crate) fn latency() -> Result<(), Failure> {
    compare("winrm-shell", "latency", "LATENCY_BIN")
}

/// A warm pipeline by our client and by pypsrp.
pub(crate) fn pipelines() -> Result<(), Failure> {
    compare("winrm-powershell", "pipelines", "PIPELINES_BIN")
}

/// An example of a crate beside clients in Python, by the script of the same name.
fn compare(package: &str, name: &str, variable: &str) -> Result<(), Failure> {
    let python = interop::python()?;
    // Together, so that what both use is built once.
    let packages = ["build", "--release", "--package", "winrm-cli", "--package", package];
    run_command(cargo(packages).args(["--bin", "winrm", "--example", name]))?;
    let binary =
        |name: &str| target_dir().join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&python);
    command
        .arg(root().join("xtask").join("bench").join(format!("{name}.py")))
        .env("WINRM_BIN", binary("winrm"))
        .env(variable, binary(&format!("examples/{name}")))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run_command(&mut command)
}

/// Two thousand hosts, and pywinrm on some of them.
pub(crate) fn fleet() -> Result<(), Failure> {
    let python = interop::python()?;
    run_command(&mut cargo(["build", "--release", "--package", "winrm-cli", "--bin", "winrm"]))?;
    run_command(&mut cargo(["build", "--release", "--package", "winrm-loopback", "--example", "many"]))?;
    run_fleet(&python, "release", if in_ci() { "200" } else { "2000" })
}

/// The same unoptimized on a few hosts, to see that it works.
fn small_fleet() -> Result<(), Failure> {
    run_command(&mut cargo(["build", "--package", "winrm-cli", "--bin", "winrm"]))?;
    run_command(&mut cargo(["build", "--package", "winrm-loopback", "--example", "many"]))?;
    run_fleet(&interop::python()?, "debug", "40")
}

fn run_fleet(python: &Path, profile: &str, hosts: &str) -> Result<(), Failure> {
    let binary =
        |name: &str| target_dir().join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let script = root().join("xtask").join("bench").join("fleet.py");
    let mut command = Command::new(python);
    command.arg(script).arg(binary("winrm")).arg(binary("examples/many")).arg(hosts);
    run_command(command.env("PYTHONDONTWRITEBYTECODE", "1"))
}
