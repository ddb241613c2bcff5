//! `cargo xtask bench`: criterion's benches of every crate.

use crate::process::{Failure, cargo, run as run_command};

pub(crate) fn run(quick: bool) -> Result<(), Failure> {
    // Bench targets only: the unit tests' harness does not know criterion's options.
    let mut command = cargo(["bench", "--workspace", "--bench", "*"]);
    if quick {
        command.args(["--", "--quick"]);
    }
    run_command(&mut command)
}
