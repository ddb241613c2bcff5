//! The PowerShell Remoting Protocol (MS-PSRP) without I/O: objects go in, objects come out, bytes travel between.
//!
//! - [`fragment`]: messages cut into fragments and put together again.
//! - [`message`]: every message, typed, with [`pipeline`]s and [`record`]s that they carry, and calls of the [`host`].
//! - [`key`]: the exchange of the session key, and secure strings.
//! - [`client`] and [`server`]: the states of a runspace pool and its pipelines as each side sees them. Both take the
//!   bytes of a peer and give events, and say what to send; how it travels is the caller's affair (WS-Man, a pipe).
//!
//! Values are those of [`winrm_clixml`], re-exported as [`clixml`].
//!
//! ```
//! use bytes::BytesMut;
//! use winrm_psrp::client::{self, Event, PipelineEvent};
//! use winrm_psrp::clixml::PsValue;
//! use winrm_psrp::pipeline::Pipeline;
//! use winrm_psrp::{PipelineState, PoolState, server};
//!
//! let mut client = client::Pool::new(client::PoolOptions::default());
//! let mut server = server::Pool::new();
//! let room = 32 * 1024;
//!
//! // What the client sends, the server takes, and the other way round.
//! client.open()?;
//! let mut sent = BytesMut::new();
//! client.take_output(None, &mut sent, room);
//! server.receive(None, &sent)?;
//! server.opened(PsValue::Nil)?;
//! let mut answer = BytesMut::new();
//! server.take_output(None, &mut answer, room);
//! client.receive(None, &answer)?;
//! assert_eq!(client.state(), PoolState::Opened);
//!
//! let id = client.start(&Pipeline::script("1 + 1"))?;
//! let mut sent = BytesMut::new();
//! client.take_output(Some(id), &mut sent, room);
//! server.receive(Some(id), &sent)?;
//! server.pipeline_output(id, &2.into())?;
//! server.pipeline_state(id, PipelineState::Completed, None)?;
//! let mut answer = BytesMut::new();
//! server.take_output(Some(id), &mut answer, room);
//! let events = client.receive(Some(id), &answer)?;
//! assert!(matches!(&events[0], Event::Pipeline { event: PipelineEvent::Output(value), .. } if value.as_i64() == Some(2)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod channel;
pub mod client;
mod error;
mod fields;
pub mod fragment;
pub mod host;
pub mod key;
pub mod message;
pub mod pipeline;
pub mod record;
pub mod server;
mod state;

pub use error::{Error, Rejected};
pub use state::{PipelineState, PoolState};
pub use winrm_clixml as clixml;
