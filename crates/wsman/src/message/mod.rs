//! One SOAP message: a header and one typed body.

mod wire;

use winrm_xml::Element;

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
use crate::uri;

/// A request or an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The addressing.
    pub header: Header,
    /// What is asked or answered.
    pub body: Body,
}

/// What a message says; decided by Action, `ResourceURI` and the element in the body together.
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

impl Body {
    /// The `wsa:Action` that belongs to this body; `None` where the body does not say (Identify, Invoke, faults, open
    /// content).
    pub fn action(&self) -> Option<&'static str> {
        Some(match self {
            Self::Create(_) => uri::ACTION_CREATE,
            Self::CreateResponse(_) => uri::ACTION_CREATE_RESPONSE,
            Self::Delete => uri::ACTION_DELETE,
            Self::DeleteResponse => uri::ACTION_DELETE_RESPONSE,
            Self::Command(_) => uri::ACTION_COMMAND,
            Self::CommandResponse(_) => uri::ACTION_COMMAND_RESPONSE,
            Self::Receive(_) => uri::ACTION_RECEIVE,
            Self::ReceiveResponse(_) => uri::ACTION_RECEIVE_RESPONSE,
            Self::Send(_) => uri::ACTION_SEND,
            Self::SendResponse => uri::ACTION_SEND_RESPONSE,
            Self::Signal(_) => uri::ACTION_SIGNAL,
            Self::SignalResponse => uri::ACTION_SIGNAL_RESPONSE,
            Self::Get => uri::ACTION_GET,
            Self::GetResponse(_) => uri::ACTION_GET_RESPONSE,
            Self::Enumerate(_) => uri::ACTION_ENUMERATE,
            Self::EnumerateResponse(_) => uri::ACTION_ENUMERATE_RESPONSE,
            Self::Pull(_) => uri::ACTION_PULL,
            Self::PullResponse(_) => uri::ACTION_PULL_RESPONSE,
            Self::Connect(_) => uri::ACTION_CONNECT,
            Self::ConnectResponse(_) => uri::ACTION_CONNECT_RESPONSE,
            Self::Disconnect(_) => uri::ACTION_DISCONNECT,
            Self::DisconnectResponse => uri::ACTION_DISCONNECT_RESPONSE,
            Self::Reconnect => uri::ACTION_RECONNECT,
            Self::ReconnectResponse => uri::ACTION_RECONNECT_RESPONSE,
            Self::Identify
            | Self::IdentifyResponse(_)
            | Self::Invoke(_)
            | Self::InvokeResponse(_)
            | Self::Fault(_)
            | Self::Other(_)
            | Self::Empty => return None,
        })
    }
}

impl Message {
    /// A message.
    pub fn new(header: Header, body: Body) -> Self {
        Self { header, body }
    }

    /// The request Identify, whose header is empty (DSP0226 section 11).
    pub fn identify() -> Self {
        Self::new(Header::default(), Body::Identify)
    }

    /// A request: header as [`Header::request`] makes it, with the action of `body`.
    pub fn request(to: impl Into<String>, resource_uri: impl Into<String>, body: Body) -> Self {
        let mut header = Header::request(to, resource_uri, body.action().unwrap_or_default());
        header.action = body.action().map(str::to_owned);
        Self::new(header, body)
    }

    /// An answer to the request with that header, with the action of `body`.
    pub fn response(request: &Header, body: Body) -> Self {
        let mut header = Header::response_to(request, body.action().unwrap_or_default());
        header.action = body.action().map(str::to_owned);
        Self::new(header, body)
    }

    /// A fault that answers the request with that header. One about headers not understood names them.
    pub fn fault(request: &Header, fault: Fault) -> Self {
        let mut header = Header::response_to(request, fault.action());
        if fault.code.is(uri::NS_SOAP, "MustUnderstand") {
            header.not_understood.clone_from(&request.unknown);
        }
        Self::new(header, Body::Fault(Box::new(fault)))
    }

    /// The fault in the body, if it is one.
    pub fn as_fault(&self) -> Option<&Fault> {
        if let Body::Fault(fault) = &self.body { Some(fault) } else { None }
    }
}
