//! The PowerShell remoting protocol (MS-PSRP), without I/O.
//!
//! Messages are cut into [`fragment`]s and put together again; every [`Message`] is a typed value that is read and
//! written by the same type; [`client::RunspacePool`] and [`server::RunspacePool`] are the two sides of a session,
//! which take bytes and give events and bytes. Strings that must stay secret cross under a [`key::SessionKey`].
//! All that a peer controls is bounded by [`Limits`].
//!
//! What it leaves out: the transport. The bytes travel in WS-Man shells, or in the standard streams of a process; a
//! [`client::Carrier`] says where they belong. Random values are arguments, as are the identifiers of pools and
//! pipelines.
//!
//! ```
//! use winrm_psrp::client::{Config, Event, RunspacePool};
//! use winrm_psrp::message::{CreatePipeline, PowerShell};
//! use winrm_psrp::{PipelineState, server, uuid::Uuid};
//!
//! let mut client = RunspacePool::new(Uuid::from_u128(1), Config::default());
//! let mut server = server::RunspacePool::new(server::Config::default());
//! client.open()?;
//! while let Some(sent) = client.poll_transmit(32_768)? {
//!     let mut bytes = sent.payload.as_slice();
//!     while let Some(event) = server.handle_data(sent.carrier.pipeline(), &mut bytes)? {
//!         if let server::Event::Opening(_) = event {
//!             server.accept(winrm_clixml::PsValue::Nil)?;
//!         }
//!     }
//! }
//! let mut opened = false;
//! while let Some(sent) = server.poll_transmit(32_768)? {
//!     let mut bytes = sent.payload.as_slice();
//!     while let Some(event) = client.handle_data(sent.carrier.pipeline(), &mut bytes)? {
//!         opened |= matches!(event, Event::Opened);
//!     }
//! }
//! assert!(opened);
//! client.create_pipeline(Uuid::from_u128(2), CreatePipeline::new(PowerShell::script("Get-Date")))?;
//! assert_eq!(client.pipeline_state(Uuid::from_u128(2)), Some(PipelineState::Running));
//! # Ok::<(), winrm_psrp::Error>(())
//! ```

pub mod client;
mod error;
mod field;
pub mod fragment;
pub mod host;
pub mod key;
mod limits;
mod link;
pub mod message;
pub mod record;
pub mod server;
mod value;

pub use error::{DecodeError, EncodeError, Error, Scope};
pub use limits::Limits;
pub use message::{Destination, Message, MessageType, RawMessage};
/// Identifiers of pools and pipelines.
pub use uuid;
pub use value::{
    ApartmentState, CommandTypes, ErrorCategory, PipelineResultTypes, PipelineState, ProgressRecordType,
    ProtocolVersion, PsThreadOptions, RemoteStreamOptions, RunspacePoolState,
};
