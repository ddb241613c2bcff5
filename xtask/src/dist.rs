//! `cargo xtask dist`: the command in release, with completions of shells and its manual page beside it.

use std::path::Path;
use std::process::Command;

use crate::process::{Failure, cargo, output, run as run_command, target_dir};

/// Shells, and what they call the file.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "winrm.bash"),
    ("zsh", "_winrm"),
    ("fish", "winrm.fish"),
    ("powershell", "_winrm.ps1"),
    ("elvish", "winrm.elv"),
];

pub(crate) fn run() -> Result<(), Failure> {
    run_command(&mut cargo(["build", "--release", "--package", "winrm-cli", "--bin", "winrm"]))?;
    let name = format!("winrm{}", std::env::consts::EXE_SUFFIX);
    let built = target_dir().join("release").join(&name);
    let folder = target_dir().join("dist");
    let completions = folder.join("completions");
    let man = folder.join("man");
    for folder in [&completions, &man] {
        std::fs::create_dir_all(folder).map_err(Failure::io("make", folder))?;
    }
    let binary = folder.join(&name);
    std::fs::copy(&built, &binary).map_err(Failure::io("copy", &built))?;
    for (shell, file) in COMPLETIONS {
        write(&binary, &["completions", shell], &completions.join(file))?;
    }
    write(&binary, &["man"], &man.join("winrm.1"))?;
    println!("written to {}", folder.display());
    Ok(())
}

fn write(winrm: &Path, arguments: &[&str], file: &Path) -> Result<(), Failure> {
    let text = output(Command::new(winrm).args(arguments))?;
    std::fs::write(file, text).map_err(Failure::io("write", file))
}
