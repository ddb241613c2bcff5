//! A WinRM service for the machine itself: for tests, demos and other people's test suites.
//!
//! It is built from the acceptor halves of `winrm-ntlm`, `winrm-spnego` and `winrm-wsman`, and shares no code with the
//! client but these. It is as strict as Windows: HTTP bodies are sealed or, but over TLS, refused, a wrong MAC, shell id, header or size
//! gets the status or the fault that Windows gives, Receive is held until there is output or the operation timeout is over.
//! What a command does is up to a [`Handler`]; [`LocalProcess`] runs it on this machine. A request [`Log`] tells a test what
//! a client did, and [`Misbehaviour`] does things wrong on purpose.
//!
//! PowerShell remoting is offered where a [`PowerShellHandler`] is given.
//!
//! It leaves out CIM and Kerberos, and answers each of them with a fault or
//! does not offer it. It is not made for any network.
//!
//! ```
//! use winrm_loopback::Service;
//!
//! # async fn example() -> std::io::Result<()> {
//! let service = Service::builder().account("user", "correct horse").start().await?;
//! println!("point a WinRM client at {}", service.url());
//! // ...
//! for request in service.log().entries() {
//!     println!("{} on connection {}: {:?}", request.action_name(), request.connection, request.status);
//! }
//! service.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod authentication;
mod builder;
mod command_line;
mod config;
mod connection;
mod disconnection;
mod envelope;
mod fault;
mod handler;
mod kept;
mod listing;
mod local_process;
mod log;
mod misbehaviour;
mod operations;
mod powershell;
mod request;
mod response;
mod service;
mod shell;
mod stdin;
mod stdout;
mod tamper;
mod tls;
mod wire;

pub use self::builder::Builder;
pub use self::command_line::CommandLineError;
pub use self::config::{Limits, OversizeReply};
pub use self::handler::{Handler, Invocation, Io, Running, SignalCode, Signals};
pub use self::local_process::LocalProcess;
pub use self::log::{AuthStep, Log, LogEntry, Logon};
pub use self::misbehaviour::{Misbehaviour, Trigger};
pub use self::powershell::{Builtin, PipelineIo, PowerShellHandler, PowerShellRunning};
pub use self::service::Service;
pub use self::stdin::StdinReader;
pub use self::stdout::OutputWriter;
pub use self::wire::{Direction, WireChunk};
