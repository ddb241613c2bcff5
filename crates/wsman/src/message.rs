//! One SOAP message: a header and one typed body.

use bytes::BytesMut;
use winrm_xml::Element;

use crate::error::{DecodeError, EncodeError};
use crate::fault::Fault;
use crate::header::Header;
use crate::operation::command::{CommandLine, CommandResponse};
use crate::operation::connect::{Connect, ConnectResponse};
use crate::operation::create::{CreateResponse, Shell};
use crate::operation::disconnect::Disconnect;
use crate::operation::enumerate::{Batch, Enumerate};
use crate::operation::get::Resource;
use crate::operation::identify::IdentifyResponse;
use crate::operation::pull::Pull;
use crate::operation::receive::{Receive, ReceiveResponse};
use crate::operation::send::Send;
use crate::operation::signal::Signal;

/// A request or an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The addressing.
    pub header: Header,
    /// What is asked or answered.
    pub body: Body,
}

/// What a message says; decided by Action, ResourceURI and the element in the body together.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// Who are you? Without Action.
    Identify,
    /// Answer to [`Identify`](Self::Identify).
    IdentifyResponse(IdentifyResponse),
    /// Open a shell.
    Create(Box<Shell>),
    /// Answer to [`Create`](Self::Create).
    CreateResponse(Box<CreateResponse>),
    /// Close a shell; the selectors say which. An empty body.
    Delete,
    /// Answer to [`Delete`](Self::Delete). An empty body.
    DeleteResponse,
    /// Start a command.
    Command(CommandLine),
    /// Answer to [`Command`](Self::Command).
    CommandResponse(CommandResponse),
    /// Poll for output.
    Receive(Receive),
    /// Answer to [`Receive`](Self::Receive).
    ReceiveResponse(ReceiveResponse),
    /// Hand input over.
    Send(Send),
    /// Answer to [`Send`](Self::Send).
    SendResponse,
    /// Interrupt or end a command.
    Signal(Signal),
    /// Answer to [`Signal`](Self::Signal).
    SignalResponse,
    /// Read a resource; the selectors say which. An empty body.
    Get,
    /// Answer to [`Get`](Self::Get).
    GetResponse(Resource),
    /// List resources.
    Enumerate(Enumerate),
    /// Answer to [`Enumerate`](Self::Enumerate).
    EnumerateResponse(Batch),
    /// List more.
    Pull(Pull),
    /// Answer to [`Pull`](Self::Pull).
    PullResponse(Batch),
    /// Call a method: an element whose name ends in `_INPUT`.
    Invoke(Element),
    /// Answer to [`Invoke`](Self::Invoke): an element whose name ends in `_OUTPUT`.
    InvokeResponse(Element),
    /// Attach to a disconnected shell.
    Connect(Connect),
    /// Answer to [`Connect`](Self::Connect).
    ConnectResponse(ConnectResponse),
    /// Detach from a shell.
    Disconnect(Disconnect),
    /// Answer to [`Disconnect`](Self::Disconnect). An empty body.
    DisconnectResponse,
    /// Attach again. An empty body.
    Reconnect,
    /// Answer to [`Reconnect`](Self::Reconnect). An empty body.
    ReconnectResponse,
    /// The peer did not do it.
    Fault(Box<Fault>),
    /// One element that we have no type for, such as the instance in a WS-Transfer Create of a CIM class.
    Other(Element),
    /// An empty body under an action that we do not know.
    Empty,
}

impl Message {
    /// A message.
    pub fn new(header: Header, body: Body) -> Self {
        Self { header, body }
    }

    /// Reads a request or an answer. At most 16 MiB; see [`winrm_xml::Limits`].
    ///
    /// # Errors
    /// [`DecodeError`] names the field and the place.
    pub fn decode(_document: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::NotAnEnvelope)
    }

    /// Writes the message into a new buffer.
    ///
    /// # Errors
    /// [`EncodeError`] when a text holds what XML cannot express, or a list is too long.
    pub fn encode(&self) -> Result<BytesMut, EncodeError> {
        let mut buffer = BytesMut::new();
        self.encode_into(&mut buffer)?;
        Ok(buffer)
    }

    /// Appends the message to a buffer, for instance one from [`encrypted::buffer`](crate::encrypted::buffer).
    ///
    /// # Errors
    /// As [`encode`](Self::encode); the buffer is then as long as before.
    pub fn encode_into(&self, _buffer: &mut BytesMut) -> Result<(), EncodeError> {
        Err(EncodeError::Invalid { field: "s:Body", expected: "written" })
    }
}
