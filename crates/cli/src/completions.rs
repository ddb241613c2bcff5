//! What shells and `man` need to know, made from the definition of the command line.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::report::Failure;

/// `winrm completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<i32, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "winrm", &mut text);
    print(&text)
}

/// `winrm man`: the page of the command itself, then one of each subcommand.
pub(crate) fn man() -> Result<i32, Failure> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let subcommands: Vec<_> = command.get_subcommands().filter(|one| !one.is_hide_set()).cloned().collect();
    let pages = std::iter::once(command).chain(subcommands);
    for page in pages {
        clap_mangen::Man::new(page)
            .render(&mut text)
            .map_err(|error| Failure::caused_by("cannot make the manual page", &error))?;
    }
    print(&text)
}

fn print(text: &[u8]) -> Result<i32, Failure> {
    std::io::stdout()
        .write_all(text)
        .map(|()| 0)
        .map_err(|error| Failure::caused_by("cannot write standard output", &error))
}
