//! Repository tasks, run as `cargo xtask TASK`.

mod bench;
mod ci;
mod dist;
mod fuzz;
mod interop;
mod layers;
mod process;
mod test;

use std::process::ExitCode;

use crate::process::Failure;

const USAGE: &str = "\
usage: cargo xtask TASK

  test                            every test of the workspace, then how many recorded entries were checked
  ci                              what CI runs: formatting, clippy, docs, each crate alone, and all of the below
  layers                          the crates depend on each other only as the table in xtask/src/layers.rs says
  interop                         our NTLM, SPNEGO and WinRM against other implementations
  fuzz --seconds N [TARGET]       each fuzz target, or one, for N seconds
  dist                            the command in release, with shell completions and its manual page
  fuzz TARGET FILE                one input again, for instance a crash
  bench [--quick]                 every criterion bench, and the memory that large streams take
  bench latency                   a warm command by our client, pypsrp and pywinrm
  bench pipelines                 a warm pipeline by our client and pypsrp
  bench fleet                     two thousand hosts by the command, and some of them by pywinrm with threads

WINRM_FIXTURES names the folder of recorded traffic that `test` checks and `fuzz` starts from.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test"] => test::run(),
        ["ci"] => ci::run(),
        ["layers"] => layers::run(),
        ["interop"] => interop::run(),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["dist"] => dist::run(),
        ["bench"] => bench::run(false),
        ["bench", "--quick"] => bench::run(true),
        ["bench", "latency"] => bench::latency(),
        ["bench", "pipelines"] => bench::pipelines(),
        ["bench", "fleet"] => bench::fleet(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::new(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
