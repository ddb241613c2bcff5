//! The server's side of a session (MS-PSRP 3.2).

mod config;
mod event;
mod handle;
mod pool;
mod write;

pub use config::Config;
pub use event::{Event, PipelineEvent};
pub use pool::{Carrier, RunspacePool, Transmit};
