//! The command line, as scripts depend on it.

mod connection;
#[cfg(feature = "keyring")]
mod keyring;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anstream::ColorChoice;
use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::connection::{Auth, Backend, Connection, Encryption, Way, operation_seconds, seconds};
#[cfg(feature = "keyring")]
pub(crate) use self::keyring::{KeyringAction, KeyringArgs};
use crate::report::Failure;

/// Runs commands on Windows hosts over WinRM, authenticated by NTLM, every message sealed or inside TLS.
#[derive(Debug, Parser)]
#[command(name = "winrm", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 to 254 is the remote command's, 255 means that winrm itself failed.\n\
    WINRM_LOG=debug shows on stderr what happens (a filter as of RUST_LOG)."
)]
pub(crate) struct Cli {
    /// Whether messages and the log of winrm are coloured; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colours::Auto)]
    pub(crate) color: Colours,
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Colours {
    Auto,
    Always,
    Never,
}

impl Colours {
    /// For everything from now on.
    pub(crate) fn write_global(self) {
        let choice = match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Runs a command on one host or many
    Run(RunArgs),
    /// Runs a PowerShell script on one host or many, by PowerShell remoting
    Ps(PsArgs),
    /// Holds an interactive PowerShell session with one host
    Shell(ShellArgs),
    /// Copies files and folders to hosts, or from them
    Copy(CopyArgs),
    /// Shows what answers at a host, which schemes it offers, what we would choose, and why not the others
    Identify(IdentifyArgs),
    /// Serves WinRM on the loopback address, to test against: commands run on this machine
    Serve(ServeArgs),
    /// Starts a service, runs a command on it through NTLM with encryption, shows what crossed the wire
    Demo,
    /// Stores passwords in the keyring of the system, for --keyring
    #[cfg(feature = "keyring")]
    Keyring(KeyringArgs),
    /// Prints what a shell needs to complete command lines of winrm
    Completions(CompletionsArgs),
    /// Prints the manual page
    #[command(hide = true)]
    Man,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) targets: Targets,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    /// The remote console's code page [default: 65001, which is UTF-8]
    #[arg(long, value_name = "N")]
    pub(crate) codepage: Option<u32>,
    /// Streams standard input to the remote command; to each, when there are several
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) stdin: bool,
    /// The host is to go away under the command, as at a restart: that a started command is lost then is a success
    #[arg(long)]
    pub(crate) expect_disconnect: bool,
    #[command(flatten)]
    pub(crate) fan: FanArgs,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// One word: a line for the host's cmd, sent as it is. Several: a program and its arguments, each delivered as
    /// given
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// What a remote process is started with, and how its errors are shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProcessArgs {
    /// Sets an environment variable; may be given several times
    #[arg(long = "env", value_name = "K=V", value_parser = variable)]
    pub(crate) environment: Vec<(String, String)>,
    /// The directory it starts in [default: the user's profile folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<String>,
    /// Prints standard error as it comes, even where it is PowerShell's CLIXML, which is otherwise shown as text
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub(crate) struct PsArgs {
    #[command(flatten)]
    pub(crate) targets: Targets,
    /// Reads the script from a file
    #[arg(long, value_name = "FILE", group = "source")]
    pub(crate) file: Option<PathBuf>,
    /// Reads the script from standard input
    #[arg(long, group = "source", conflicts_with = "password_stdin")]
    pub(crate) stdin: bool,
    /// A parameter of the script, as text; may be given several times
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = variable, conflicts_with = "exe")]
    pub(crate) arguments: Vec<(String, String)>,
    /// The session configuration, such as that of a JEA endpoint; objects are then not made text on the host [default:
    /// Microsoft.PowerShell]
    #[arg(long, value_name = "NAME", conflicts_with = "exe")]
    pub(crate) configuration: Option<String>,
    /// Prints each object as CLIXML, on a line of its own
    #[arg(long, conflicts_with_all = ["exe", "json"])]
    pub(crate) clixml: bool,
    /// Runs a powershell.exe by WinRS instead of PowerShell remoting, for hosts where that is switched off
    #[arg(long)]
    pub(crate) exe: bool,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    #[command(flatten)]
    pub(crate) fan: FanArgs,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// The script; several words are joined by blanks
    #[arg(last = true, value_name = "SCRIPT", group = "source")]
    pub(crate) script: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ShellArgs {
    /// The host, as run takes it
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    /// The session configuration, such as that of a JEA endpoint; objects are then not made text on the host [default:
    /// Microsoft.PowerShell]
    #[arg(long, value_name = "NAME")]
    pub(crate) configuration: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
#[command(override_usage = "winrm copy [OPTIONS] SOURCE... DESTINATION")]
pub(crate) struct CopyArgs {
    /// What to copy, and last where to: a local path, or HOST:PATH, HOST:PORT:PATH, @FILE:PATH for the hosts in a file, :PATH for those of
    /// --target; one letter before the colon is a local drive
    #[arg(required = true, num_args = 2.., value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// The host that :PATH is on, as run takes it; may be given several times
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: Vec<String>,
    #[command(flatten)]
    pub(crate) how: HowToCopy,
    /// Prints one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) fan: FanArgs,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Args, Debug)]
pub(crate) struct HowToCopy {
    /// Copies folders, with all that is in them
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// What happens to files that are there already
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Existing::Overwrite)]
    pub(crate) existing: Existing,
    /// Goes on where an attempt with this option broke off
    #[arg(long)]
    pub(crate) resume: bool,
    /// Does not keep the time of modification
    #[arg(long)]
    pub(crate) no_times: bool,
    /// Takes %NAME%, $env:NAME, $NAME and ~ in remote paths as they stand
    #[arg(long)]
    pub(crate) literal: bool,
    /// Shows no progress
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Existing {
    /// They are replaced
    Overwrite,
    /// They stay, and that is a failure
    Refuse,
    /// They stay
    Skip,
    /// They stay where size and time are the same
    Update,
}

/// How many hosts at once, and when to stop.
#[derive(Args, Clone, Debug)]
pub(crate) struct FanArgs {
    /// Hosts at once; the others wait for them to end
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) parallel: NonZeroUsize,
    /// For each host, from its turn on; what still runs there then is terminated [default: none]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) host_timeout: Option<Duration>,
    /// Begins on no further host once one has failed
    #[arg(long, conflicts_with = "max_failures")]
    pub(crate) fail_fast: bool,
    /// Begins on no further host once so many have failed
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<NonZeroUsize>,
    /// Takes only the part I of N of the targets, counted from 0: the same for the same names everywhere
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<winrm::fleet::Shard>,
}

impl FanArgs {
    /// For one host.
    pub(crate) fn single() -> Self {
        Self {
            parallel: NonZeroUsize::MIN,
            host_timeout: None,
            fail_fast: false,
            max_failures: None,
            shard: None,
        }
    }

    pub(crate) fn max_failures(&self) -> Option<usize> {
        if self.fail_fast { Some(1) } else { self.max_failures.map(NonZeroUsize::get) }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct IdentifyArgs {
    /// Prints a line for a pin file for each https target, whoever vouches for it, and nothing else: trust on first use
    #[arg(long, conflicts_with = "json")]
    pub(crate) print_pins: bool,
    #[command(flatten)]
    pub(crate) targets: Targets,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Args, Debug)]
pub(crate) struct Targets {
    /// `host`, `host:port`, `[v6]:port` or `http://host:port/path`, or https; `@FILE` reads one a line
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// Prints one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// The account that may log on; its password is WINRM_PASSWORD, or made up and shown once
    #[arg(long, value_name = "NAME", default_value = "winrm", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) user: String,
    /// Lets --listen name other than loopback addresses: whoever has the password runs commands on this machine
    #[arg(long)]
    pub(crate) dangerous_listen_beyond_loopback: bool,
    #[command(flatten)]
    pub(crate) channel: ServeTls,
    /// Prints one JSON object with url, user and password, and with --tls the pin
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ServeTls {
    /// Speaks https, with a certificate made at the start; its pin is printed. Basic is offered too
    #[arg(long)]
    pub(crate) tls: bool,
    /// Without --tls: offers Basic, and takes messages in clear, which everybody on the network reads
    #[arg(long, conflicts_with = "tls")]
    pub(crate) dangerous_clear_text_basic: bool,
    /// With --tls: lets who has this certificate (PEM, or DER) log on as the user
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) client_certificate: Vec<PathBuf>,
    /// With --tls: refuses log-ons by NTLM without the right channel binding
    #[arg(long, requires = "tls")]
    pub(crate) require_channel_binding: bool,
}

/// A mistake on this command line, told as all our failures are; `None` when it is a text that was asked for.
pub(crate) fn usage_failure(error: &clap::Error, line: impl Iterator<Item = OsString>) -> Option<Failure> {
    let text = error.render().to_string();
    let failure = Failure::new(text.strip_prefix("error: ")?.trim_end());
    let words: Vec<OsString> = line.skip(1).collect();
    let lacks_dashes =
        matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::UnknownArgument)
            && words.iter().all(|word| word != "--");
    // What was meant as the command has been taken for targets and options.
    Some(match words.first().and_then(|word| word.to_str()).filter(|_| lacks_dashes) {
        Some("run") => failure
            .with_remedy("put -- before the command: winrm run TARGET... [OPTIONS] -- COMMAND [ARG...]"),
        Some("ps") => failure.with_remedy("put -- before the script: winrm ps TARGET... [OPTIONS] -- SCRIPT"),
        _ => failure,
    })
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not of the form NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["winrm"], line].concat())
    }

    #[test]
    fn the_definition_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn what_follows_the_dashes_is_the_command_alone() {
        let cli = parse(&["run", "a", "b", "--env", "K=V=W", "--", "x", "--json", "--", "@y"]).unwrap();
        let Action::Run(run) = cli.action else { panic!("not run") };
        assert_eq!(run.targets.targets, ["a", "b"]);
        assert_eq!(run.process.environment, [("K".to_owned(), "V=W".to_owned())]);
        assert_eq!(run.command, ["x", "--json", "--", "@y"]);
        assert!(!run.targets.json);
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for line in [
            &["run", "host"][..],
            &["run", "--", "x"],
            &["run", "host", "--env", "=V", "--", "x"],
            &["run", "host", "--operation-timeout", "61", "--", "x"],
            &["run", "host", "--operation-timeout", "0.4", "--", "x"],
            &["run", "host", "--timeout", "nan", "--", "x"],
            &["run", "host", "--timeout", "1e300", "--", "x"],
            &["run", "host", "--auth", "kerberos", "--", "x"],
            &["run", "host", "--stdin", "--password-stdin", "--", "x"],
            &["run", "host", "--password-file", "f", "--password-stdin", "--", "x"],
            &["run", "host", "--password", "secret", "--", "x"],
            &["serve", "--listen", "localhost"],
            &["serve", "--user", ""],
            &["ps", "host"],
            &[],
        ] {
            assert!(parse(line).unwrap_err().use_stderr(), "{line:?}");
        }
    }
}
