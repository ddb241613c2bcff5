//! `winrm`: runs commands on Windows hosts from any platform.
//!
//! | module | knows |
//! |---|---|
//! | `args` | the command line |
//! | `target`, `password`, `connect` | hosts, secrets, and how a client comes of them |
//! | `settings` | the config file and the pin file |
//! | `waiting` | until a host answers |
//! | `run`, `ps`, `shell`, `copy`, `identify`, `serve`, `demo`, `completions` | one subcommand each |
//! | `fan` | many hosts at once, and what became of each |
//! | `process` | a remote process with our streams and signals |
//! | `control` | what ends commands early: signals, deadlines, closed output |
//! | `keyring` | the passwords that the system keeps; where it was built in |
//! | `input`, `output` | standard streams: to every host, with prefixes, as JSON |
//! | `terminal` | how the terminal was, to leave it like that |
//! | `wire_file` | the file of `--trace-wire` |
//! | `exit`, `report` | exit statuses, and failures as people read them |

mod args;
mod completions;
mod connect;
mod control;
mod copy;
mod demo;
mod exit;
mod fan;
mod hexdump;
mod identify;
mod input;
#[cfg(feature = "keyring")]
mod keyring;
mod output;
mod password;
mod process;
mod ps;
mod report;
mod run;
mod serve;
mod settings;
mod shell;
mod target;
mod terminal;
mod waiting;
mod wire_file;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Action, Cli};
use crate::report::{Failure, warn};

/// The variable that says what to log.
const LOG_VARIABLE: &str = "WINRM_LOG";

fn main() {
    std::process::exit(status());
}

/// Usage errors are failures of the client too, so that no status of the remote command is taken for one.
fn status() -> i32 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            match args::usage_failure(&error, std::env::args_os()) {
                Some(failure) => failure.print(None),
                // Help. Nobody may be reading; the status tells enough.
                None => drop(error.print()),
            }
            return if error.use_stderr() { exit::CLIENT_FAILED } else { 0 };
        }
    };
    cli.color.write_global();
    start_log();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            Failure::caused_by("cannot start", &error).print(None);
            return exit::CLIENT_FAILED;
        }
    };
    let ended = runtime.block_on(async {
        match cli.action {
            Action::Run(args) => run::run(args).await,
            Action::Ps(args) => ps::ps(args).await,
            Action::Shell(args) => shell::shell(args).await,
            Action::Copy(args) => copy::copy(args).await,
            Action::Identify(args) => identify::identify(args).await,
            Action::Serve(args) => serve::serve(args).await,
            Action::Demo => demo::demo().await,
            #[cfg(feature = "keyring")]
            Action::Keyring(args) => keyring::keyring(args).await,
            Action::Completions(args) => completions::completions(&args),
            Action::Man => completions::man(),
        }
    });
    // A read of standard input may be waiting for a line that nobody types.
    runtime.shutdown_background();
    ended.unwrap_or_else(|failure| {
        failure.print(None);
        exit::CLIENT_FAILED
    })
}

fn start_log() {
    let Ok(filter) = std::env::var(LOG_VARIABLE) else { return };
    match EnvFilter::try_new(&filter) {
        Ok(filter) => {
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(std::io::stderr)
                .with_ansi(report::is_coloured())
                .init();
        }
        Err(error) => warn(&format!("{LOG_VARIABLE} is not a log filter: {error}")),
    }
}
