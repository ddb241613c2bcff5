//! The client's side of a session (MS-PSRP 3.1).

mod command;
mod config;
mod event;
mod handle;
mod pipeline;
mod pool;
mod send;

pub use config::Config;
pub use event::{Event, PipelineEvent};
pub use pool::RunspacePool;
pub use send::{Carrier, Transmit};
