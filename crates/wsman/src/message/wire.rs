//! Reading and writing whole envelopes.

use bytes::{BufMut, BytesMut};
use winrm_xml::{Limits, Reader, Start, Writer};

use crate::codec::{Xml, missing, set};
use crate::error::{DecodeError, EncodeError};
use crate::fault::Fault;
use crate::header::Header;
use crate::message::{Body, Message};
use crate::operation::command::{CommandLine, CommandResponse};
use crate::operation::connect::{Connect, ConnectResponse};
use crate::operation::create::{CreateResponse, ResourceCreated, Shell};
use crate::operation::disconnect::Disconnect;
use crate::operation::enumerate::{Batch, Enumerate};
use crate::operation::get::Resource;
use crate::operation::identify::IdentifyResponse;
use crate::operation::pull::Pull;
use crate::operation::receive::{Receive, ReceiveResponse, Stream};
use crate::operation::send::Send;
use crate::operation::signal::Signal;
use crate::uri;

/// What an envelope takes beside the data in it, about.
const SKELETON: usize = 2048;

impl Message {
    /// Reads a request or an answer, under the default [`Limits`]: at most 16 MiB.
    ///
    /// # Errors
    /// [`DecodeError`] names the field and the place.
    pub fn decode(document: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_with(document, &Limits::default())
    }

    /// As [`decode`](Self::decode), under other bounds.
    ///
    /// # Errors
    /// [`DecodeError`] names the field and the place.
    pub fn decode_with(document: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader::with_limits(document, limits)?;
        let r = &mut reader;
        if !r.root()?.is(uri::NS_SOAP, "Envelope") {
            return Err(DecodeError::NotAnEnvelope);
        }
        // The header decides how the body reads, so it must come first, as SOAP 1.2 part 1 section 5 has it.
        let (mut header, mut body) = (None, None);
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SOAP, "Header") if body.is_none() => {
                    set(&mut header, Header::read(r)?, r, "s:Header")?;
                }
                (uri::NS_SOAP, "Body") => {
                    let header = header.get_or_insert_default();
                    set(&mut body, Body::read(r, header.action.as_deref())?, r, "s:Body")?;
                }
                _ => return Err(DecodeError::Unexpected { parent: "s:Envelope", offset: r.offset() }),
            }
        }
        let body = body.ok_or_else(|| missing(r, "s:Body"))?;
        reader.finish()?;
        Ok(Self { header: header.unwrap_or_default(), body })
    }

    /// Writes the message into a new buffer.
    ///
    /// # Errors
    /// [`EncodeError`] when a text holds what XML cannot express, a list is too long, or the action in the header is not
    /// that of the body.
    pub fn encode(&self) -> Result<BytesMut, EncodeError> {
        let mut buffer = BytesMut::new();
        self.encode_into(&mut buffer)?;
        Ok(buffer)
    }

    /// Appends the message to a buffer, for instance one from [`encrypted::buffer`](crate::encrypted::buffer).
    ///
    /// # Errors
    /// As [`encode`](Self::encode); the buffer is then as long as before.
    pub fn encode_into(&self, buffer: &mut BytesMut) -> Result<(), EncodeError> {
        self.body.check_action(self.header.action.as_deref())?;
        buffer.reserve(self.encoded_len());
        let len = buffer.len();
        let result = self.write(buffer);
        if result.is_err() {
            buffer.truncate(len);
        }
        result
    }

    /// About how many bytes [`encode`](Self::encode) will write: enough that its buffer does not grow under large
    /// streams.
    pub fn encoded_len(&self) -> usize {
        let data = match &self.body {
            Body::ReceiveResponse(response) => streams_len(&response.streams),
            Body::Send(send) => streams_len(&send.streams),
            Body::Command(command) => command.arguments.iter().map(String::len).sum(),
            Body::Create(shell) => shell.creation_xml.as_ref().map_or(0, |data| data.len().div_ceil(3) * 4),
            Body::EnumerateResponse(batch) | Body::PullResponse(batch) => {
                batch.items.len().saturating_mul(SKELETON)
            }
            _ => 0,
        };
        data.saturating_add(SKELETON)
    }

    fn write(&self, buffer: &mut BytesMut) -> Result<(), EncodeError> {
        let mut writer = Writer::new(buffer.writer());
        let w = &mut writer;
        let mut envelope = w.start("s", "Envelope").declare("s", uri::NS_SOAP);
        match &self.body {
            Body::Identify | Body::IdentifyResponse(_) => {
                envelope = envelope.declare("wsmid", uri::NS_IDENTITY);
            }
            Body::CreateResponse(_) => envelope = envelope.declare("x", uri::NS_TRANSFER),
            Body::Enumerate(_) | Body::EnumerateResponse(_) | Body::Pull(_) | Body::PullResponse(_) => {
                envelope = envelope.declare("n", uri::NS_ENUMERATION);
            }
            _ => {}
        }
        if self.header != Header::default()
            || !matches!(self.body, Body::Identify | Body::IdentifyResponse(_))
        {
            envelope = envelope
                .declare("a", uri::NS_ADDRESSING)
                .declare("w", uri::NS_WSMAN)
                .declare("p", uri::NS_WSMV)
                .declare("rsp", uri::NS_SHELL);
        }
        envelope.open()?;
        self.header.write(w)?;
        w.start("s", "Body").open()?;
        self.body.write(w)?;
        w.end()?;
        w.end()?;
        writer.finish()?;
        Ok(())
    }
}

fn streams_len(streams: &[Stream]) -> usize {
    streams.iter().map(|stream| stream.data.len().div_ceil(3).saturating_mul(4).saturating_add(128)).sum()
}

/// Whether an action is of an operation that has a type here.
fn is_known(action: &str) -> bool {
    matches!(
        action,
        uri::ACTION_CREATE
            | uri::ACTION_CREATE_RESPONSE
            | uri::ACTION_DELETE
            | uri::ACTION_DELETE_RESPONSE
            | uri::ACTION_GET
            | uri::ACTION_GET_RESPONSE
            | uri::ACTION_ENUMERATE
            | uri::ACTION_ENUMERATE_RESPONSE
            | uri::ACTION_PULL
            | uri::ACTION_PULL_RESPONSE
            | uri::ACTION_COMMAND
            | uri::ACTION_COMMAND_RESPONSE
            | uri::ACTION_RECEIVE
            | uri::ACTION_RECEIVE_RESPONSE
            | uri::ACTION_SEND
            | uri::ACTION_SEND_RESPONSE
            | uri::ACTION_SIGNAL
            | uri::ACTION_SIGNAL_RESPONSE
            | uri::ACTION_CONNECT
            | uri::ACTION_CONNECT_RESPONSE
            | uri::ACTION_DISCONNECT
            | uri::ACTION_DISCONNECT_RESPONSE
            | uri::ACTION_RECONNECT
            | uri::ACTION_RECONNECT_RESPONSE
    )
}

/// The operation an empty body belongs to.
fn empty(action: &str) -> Body {
    match action {
        uri::ACTION_DELETE => Body::Delete,
        uri::ACTION_DELETE_RESPONSE => Body::DeleteResponse,
        uri::ACTION_GET => Body::Get,
        uri::ACTION_SEND_RESPONSE => Body::SendResponse,
        uri::ACTION_SIGNAL_RESPONSE => Body::SignalResponse,
        uri::ACTION_DISCONNECT_RESPONSE => Body::DisconnectResponse,
        uri::ACTION_RECONNECT => Body::Reconnect,
        uri::ACTION_RECONNECT_RESPONSE => Body::ReconnectResponse,
        _ => Body::Empty,
    }
}

impl Body {
    /// Reads the children of `s:Body`, the innermost open element.
    fn read(r: &mut Reader<'_>, action: Option<&str>) -> Result<Self, DecodeError> {
        let action = action.unwrap_or_default();
        let Some(start) = r.next_child()? else {
            return Ok(empty(action));
        };
        let mut body = Self::read_element(r, start, action)?;
        while let Some(start) = r.next_child()? {
            match &mut body {
                Self::CreateResponse(response)
                    if response.shell.is_none() && start.is(uri::NS_SHELL, "Shell") =>
                {
                    response.shell = Some(Shell::read(r, &start)?);
                }
                _ => return Err(DecodeError::Unexpected { parent: "s:Body", offset: r.offset() }),
            }
        }
        match body.action() {
            Some(expected) if expected != action && is_known(action) => {
                Err(DecodeError::Mismatch { offset: r.offset() })
            }
            _ => Ok(body),
        }
    }

    fn read_element(r: &mut Reader<'_>, start: Start, action: &str) -> Result<Self, DecodeError> {
        Ok(match (start.name().as_pair(), action) {
            ((uri::NS_SOAP, "Fault"), _) => Self::Fault(Box::new(Fault::read(r)?)),
            (_, uri::ACTION_GET_RESPONSE) => Self::GetResponse(Resource::read(r, start)?),
            ((uri::NS_SHELL, "Shell"), uri::ACTION_CREATE) => Self::Create(Box::new(Shell::read(r, &start)?)),
            ((uri::NS_SHELL, "Shell"), uri::ACTION_CREATE_RESPONSE) => {
                let shell = Some(Shell::read(r, &start)?);
                Self::CreateResponse(Box::new(CreateResponse { resource_created: None, shell }))
            }
            ((uri::NS_TRANSFER, "ResourceCreated"), _) => {
                let resource_created = Some(ResourceCreated::read(r)?);
                Self::CreateResponse(Box::new(CreateResponse { resource_created, shell: None }))
            }
            ((uri::NS_IDENTITY, "Identify"), _) => {
                r.skip_element()?;
                Self::Identify
            }
            ((namespace, "IdentifyResponse"), _) if IdentifyResponse::is_namespace(namespace) => {
                Self::IdentifyResponse(IdentifyResponse::read(r)?)
            }
            ((uri::NS_SHELL, "CommandLine"), _) => Self::Command(CommandLine::read(r, &start)?),
            ((uri::NS_SHELL, "CommandResponse"), _) => Self::CommandResponse(CommandResponse::read(r)?),
            ((uri::NS_SHELL, "Receive"), _) => Self::Receive(Receive::read(r)?),
            ((uri::NS_SHELL, "ReceiveResponse"), _) => Self::ReceiveResponse(ReceiveResponse::read(r)?),
            ((uri::NS_SHELL, "Send"), _) => Self::Send(Send::read(r)?),
            ((uri::NS_SHELL, "SendResponse"), _) => {
                r.skip_element()?;
                Self::SendResponse
            }
            ((uri::NS_SHELL, "Signal"), _) => Self::Signal(Signal::read(r, &start)?),
            ((uri::NS_SHELL, "SignalResponse"), _) => {
                r.skip_element()?;
                Self::SignalResponse
            }
            ((uri::NS_SHELL, "Connect"), _) => Self::Connect(Connect::read(r, &start)?),
            ((uri::NS_SHELL, "ConnectResponse"), _) => Self::ConnectResponse(ConnectResponse::read(r)?),
            ((uri::NS_SHELL, "Disconnect"), _) => Self::Disconnect(Disconnect::read(r)?),
            ((uri::NS_ENUMERATION, "Enumerate"), _) => Self::Enumerate(Enumerate::read(r)?),
            ((uri::NS_ENUMERATION, "EnumerateResponse"), _) => Self::EnumerateResponse(Batch::read(r)?),
            ((uri::NS_ENUMERATION, "Pull"), _) => Self::Pull(Pull::read(r)?),
            ((uri::NS_ENUMERATION, "PullResponse"), _) => Self::PullResponse(Batch::read(r)?),
            ((_, local), action) => {
                let (input, output) = (local.ends_with("_INPUT"), local.ends_with("_OUTPUT"));
                let method = !action.is_empty() && !is_known(action);
                let element = r.read_element(start)?;
                if method && input {
                    Self::Invoke(element)
                } else if method && output {
                    Self::InvokeResponse(element)
                } else {
                    Self::Other(element)
                }
            }
        })
    }

    fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Identify => Ok(w.start("wsmid", "Identify").empty()?),
            Self::IdentifyResponse(response) => response.write(w),
            Self::Create(shell) => shell.write(w),
            Self::CreateResponse(response) => response.write(w),
            Self::Command(command) => command.write(w),
            Self::CommandResponse(response) => response.write(w),
            Self::Receive(receive) => receive.write(w),
            Self::ReceiveResponse(response) => response.write(w),
            Self::Send(send) => send.write(w),
            Self::SendResponse => Ok(w.start("rsp", "SendResponse").empty()?),
            Self::Signal(signal) => signal.write(w),
            Self::SignalResponse => Ok(w.start("rsp", "SignalResponse").empty()?),
            Self::GetResponse(resource) => resource.write(w),
            Self::Enumerate(enumerate) => enumerate.write(w),
            Self::EnumerateResponse(batch) => batch.write(w, "EnumerateResponse", "w"),
            Self::Pull(pull) => pull.write(w),
            Self::PullResponse(batch) => batch.write(w, "PullResponse", "n"),
            Self::Invoke(element) | Self::InvokeResponse(element) | Self::Other(element) => {
                Ok(w.element(element)?)
            }
            Self::Connect(connect) => connect.write(w),
            Self::ConnectResponse(response) => response.write(w),
            Self::Disconnect(disconnect) => disconnect.write(w),
            Self::Fault(fault) => fault.write(w),
            Self::Delete
            | Self::DeleteResponse
            | Self::Get
            | Self::DisconnectResponse
            | Self::Reconnect
            | Self::ReconnectResponse
            | Self::Empty => Ok(()),
        }
    }

    /// Whether a reader would take this body for what it is under that action.
    fn check_action(&self, action: Option<&str>) -> Result<(), EncodeError> {
        let given = action.unwrap_or_default();
        let fits = match self {
            // The element alone does not tell these.
            Self::Create(_)
            | Self::GetResponse(_)
            | Self::Delete
            | Self::DeleteResponse
            | Self::Get
            | Self::DisconnectResponse
            | Self::Reconnect
            | Self::ReconnectResponse => self.action() == action,
            Self::CreateResponse(response) => {
                if response.resource_created.is_none() && response.shell.is_none() {
                    return Err(EncodeError::Invalid {
                        field: "s:Body of CreateResponse",
                        expected: "a reference, a shell or both",
                    });
                }
                self.action() == action || response.resource_created.is_some() && !is_known(given)
            }
            Self::Invoke(element) => method_fits(given) && element.name.local().ends_with("_INPUT"),
            Self::InvokeResponse(element) => method_fits(given) && element.name.local().ends_with("_OUTPUT"),
            Self::Empty => empty(given) == Self::Empty,
            Self::Identify | Self::IdentifyResponse(_) | Self::Fault(_) | Self::Other(_) => true,
            _ => self.action() == action || !is_known(given),
        };
        if fits {
            Ok(())
        } else {
            Err(EncodeError::Invalid { field: "a:Action", expected: "that of the body" })
        }
    }
}

/// Whether an action may be that of a method.
fn method_fits(action: &str) -> bool {
    !action.is_empty() && !is_known(action)
}
