//! WinRS: processes on Windows hosts that mirror [`tokio::process`].
//!
//! ```no_run
//! use tokio::io::AsyncWriteExt;
//! use winrm_shell::{Command, Stdio};
//! use winrm_transport::{Client, Credentials};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("web01")?.credentials(Credentials::password("ops", "secret")).build()?;
//!
//! let output = Command::new(&client, "ipconfig").arg("/all").output().await?;
//! println!("{}: {}", output.status, String::from_utf8_lossy(&output.stdout));
//!
//! let mut child = Command::new(&client, "findstr").arg("x").stdin(Stdio::piped()).spawn().await?;
//! child.stdin.take().expect("piped").write_all(b"xyz\r\nabc\r\n").await?;
//! assert_eq!(child.wait_with_output().await?.stdout, b"xyz\r\n");
//! # Ok(())
//! # }
//! ```
//!
//! Output streams while the process runs, with back-pressure; a process may run for any number of operation
//! timeouts. What is dropped is cleaned up behind the caller's back while the runtime lives;
//! [`Client::close`](winrm_transport::Client::close) waits for it.
//!
//! Output is bytes in the console's code page; the feature `encoding` decodes them.

mod child;
#[cfg(feature = "encoding")]
mod code_page;
mod command;
mod command_line;
mod disconnected;
mod error;
mod exit_status;
#[cfg(feature = "files")]
pub mod files;
mod input;
mod pipes;
mod powershell;
mod running;
mod shell;
mod stdio;

pub use child::{Child, Output, Signals};
#[cfg(feature = "encoding")]
pub use code_page::{Decoder, UnknownCodePage};
pub use command::Command;
pub use command_line::CommandLineError;
pub use disconnected::DisconnectedShell;
pub use error::{Error, PartialOutput};
pub use exit_status::ExitStatus;
pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
pub use powershell::encoded_command;
pub use shell::{DEFAULT_CODEPAGE, Shell, ShellBuilder};
pub use stdio::Stdio;
/// What PowerShell writes to standard error, decoded while it comes: `clixml::stderr`.
pub use winrm_clixml as clixml;
