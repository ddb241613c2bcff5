//! The `winrm` command.

fn main() {}
