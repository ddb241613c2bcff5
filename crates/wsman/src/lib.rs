//! WS-Management as WinRM speaks it (SOAP 1.2, WS-Addressing, DSP0226, MS-WSMV), without I/O.
//!
//! [`Message`] is a request or an answer: a [`Header`] and a typed [`Body`]. It is read from the bytes of an envelope and
//! written into a buffer by the same type on both sides, so that a client and a service of this crate agree, and
//! whatever is written reads back equal. Names are compared by namespace, never by prefix.
//! [`Fault`] is what a peer answers instead, with the number that says why: [`FaultCode`].
//! [`encrypted`] frames sealed messages for HTTP; it knows no cipher and takes one as a closure.
//!
//! What it leaves out: sockets, HTTP, authentication, ciphers, and the content of PowerShell's streams. Eventing and Put
//! have no types; their bodies read as [`Body::Other`].
//!
//! ```
//! use winrm_wsman::{Body, Message, Receive, uri};
//!
//! // What a client sends to fetch the output of a command...
//! let receive = Receive {
//!     command_id: Some("AE1C5F3C-0000-4000-8000-00805F9B34FB".to_owned()),
//!     desired_streams: vec!["stdout".to_owned(), "stderr".to_owned()],
//! };
//! let request = Message::request("http://host:5985/wsman", uri::RESOURCE_URI_CMD, Body::Receive(receive));
//! let bytes = request.encode()?;
//!
//! // ... and how a service answers when nothing came in time.
//! let request = Message::decode(&bytes)?;
//! let answer = Message::fault(&request.header, winrm_wsman::Fault::timed_out("host"));
//!
//! let answer = Message::decode(&answer.encode()?)?;
//! assert!(answer.header.relates_to(&request.header));
//! let code = answer.as_fault().and_then(|fault| fault.wsman_code());
//! assert_eq!(code, Some(winrm_wsman::FaultCode::TIMED_OUT));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use fault::{Fault, FaultCode, ProviderFault, Quota, Reason, WsManFault};
pub use header::{Header, Selector, WsOption, guid, message_id};
pub use message::{Body, Message};
pub use name::QName;
pub use operation::command::{CommandLine, CommandResponse};
pub use operation::config::ServiceConfig;
pub use operation::connect::{Connect, ConnectResponse};
pub use operation::create::{CreateResponse, ResourceCreated, Shell, Variable};
pub use operation::disconnect::Disconnect;
pub use operation::enumerate::{Batch, Condition, Enumerate, Filter};
pub use operation::get::Resource;
pub use operation::identify::IdentifyResponse;
pub use operation::listed_command::ListedCommand;
pub use operation::pull::Pull;
pub use operation::receive::{CommandState, ExitCode, Receive, ReceiveResponse, State, Stream};
pub use operation::send::Send;
pub use operation::signal::Signal;
