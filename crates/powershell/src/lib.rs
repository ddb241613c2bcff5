//! PowerShell remoting (MS-PSRP over MS-WSMV): objects in, objects out.
//!
//! A [`RunspacePool`] is opened on a host and runs pipelines, several at once if it is allowed to. A [`PowerShell`] is a pipeline
//! to be: scripts, or commands with typed parameters. [`invoke`](PowerShell::invoke) runs it to its end;
//! [`start`](PowerShell::start) gives its [records](Record) as they come. The server may call the client's [`PsHost`].
//!
//! ```no_run
//! use winrm_powershell::RunspacePool;
//! use winrm_transport::{Client, Credentials};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("web01")?.credentials(Credentials::password("EXAMPLE\\ops", "secret")).build()?;
//! let pool = RunspacePool::builder(&client).open().await?;
//! let services = pool.command("Get-Service").parameter("Name", "win*").invoke().await?;
//! for service in &services.output {
//!     let name = service.as_object().and_then(|object| object.property("Name"));
//!     println!("{:?}", name.and_then(|name| name.as_str()));
//! }
//! pool.close().await?;
//! # Ok(())
//! # }
//! ```

mod error;
mod host;
mod input;
mod listing;
mod output;
mod pool;
mod powershell;
mod running;
mod wire;

pub use error::Error;
pub use host::{Colors, HostError, NoHost, PsHost, Setting};
pub use input::Input;
pub use listing::ListedPool;
pub use output::{PsOutput, Record};
pub use pool::{RunspacePool, RunspacePoolBuilder};
pub use powershell::PowerShell;
pub use running::{Running, Stopper};
pub use winrm_clixml::{self as clixml, PsObject, PsValue};
pub use winrm_psrp as psrp;
pub use winrm_psrp::ErrorCategory;
pub use winrm_psrp::message::{Command, CreatePipeline};
pub use winrm_psrp::record::{ErrorRecord, InformationRecord, InformationalRecord, ProgressRecord};
