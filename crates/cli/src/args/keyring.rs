//! The options of `winrm keyring`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

#[derive(Args, Debug)]
pub(crate) struct KeyringArgs {
    #[command(subcommand)]
    pub(crate) action: KeyringAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyringAction {
    /// Stores the password of a user, which is asked for
    Set {
        /// As --user is given later
        #[arg(value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
        user: String,
        /// Reads the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Deletes the password of a user
    Delete {
        /// As it was given to `set`
        #[arg(value_name = "USER", value_parser = NonEmptyStringValueParser::new())]
        user: String,
    },
}
