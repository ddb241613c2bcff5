//! WS-Management (DSP0226, MS-WSMV): typed SOAP messages and the encrypted multipart framing, without I/O.

mod codec;
pub mod duration;
pub mod encrypted;
mod error;
mod fault;
mod header;
mod message;
mod name;
pub mod operation;
pub mod uri;

pub use duration::XsDuration;
pub use error::{DecodeError, EncodeError};
pub use fault::{Fault, FaultCode, ProviderFault, Reason, WsManFault};
pub use header::{Header, Selector, WsOption, guid, message_id};
pub use message::{Body, Message};
pub use name::QName;
pub use operation::command::{CommandLine, CommandResponse};
pub use operation::connect::{Connect, ConnectResponse};
pub use operation::create::{CreateResponse, ResourceCreated, Shell, Variable};
pub use operation::disconnect::Disconnect;
pub use operation::enumerate::{Batch, Condition, Enumerate, Filter};
pub use operation::get::Resource;
pub use operation::identify::IdentifyResponse;
pub use operation::pull::Pull;
pub use operation::receive::{CommandState, ExitCode, Receive, ReceiveResponse, State, Stream};
pub use operation::send::Send;
pub use operation::signal::Signal;
