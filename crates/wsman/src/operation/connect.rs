//! Connect: attaches a new client to a disconnected shell (MS-WSMV 3.1.4.17).

use std::fmt;

use bytes::Bytes;
use winrm_xml::{Reader, Start};

use crate::codec::{Xml, attribute, bytes, names, optional_names, powershell, set};
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `rsp:Connect`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Connect {
    /// The attribute `CommandId`: a command of the shell, to connect to that and not to the shell.
    pub command_id: Option<String>,
    /// `connectXml` of a PowerShell shell: fragments of MS-PSRP, decoded from base64.
    pub connect_xml: Option<Bytes>,
}

/// `rsp:ConnectResponse`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct ConnectResponse {
    /// `rsp:InputStreams`.
    pub input_streams: Vec<String>,
    /// `rsp:OutputStreams`.
    pub output_streams: Vec<String>,
    /// `connectResponseXml`: fragments of MS-PSRP, decoded from base64.
    pub connect_response_xml: Option<Bytes>,
}

/// The fragments as their length.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.connect_xml.as_ref().map(Bytes::len);
        f.debug_struct("Connect")
            .field("command_id", &self.command_id)
            .field("connect_xml_len", &len)
            .finish_non_exhaustive()
    }
}

/// The fragments as their length.
impl fmt::Debug for ConnectResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectResponse")
            .field("input_streams", &self.input_streams)
            .field("output_streams", &self.output_streams)
            .field("connect_response_xml_len", &self.connect_response_xml.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

impl Connect {
    pub(crate) fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let mut connect = Self { command_id: attribute(start, "CommandId"), connect_xml: None };
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_POWERSHELL, "connectXml") {
                set(&mut connect.connect_xml, bytes(r, "connectXml")?, r, "connectXml")?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(connect)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("rsp", "Connect");
        if let Some(id) = &self.command_id {
            tag = tag.attribute("", "CommandId", id);
        }
        tag.open()?;
        powershell(w, "connectXml", self.connect_xml.as_ref())?;
        Ok(w.end()?)
    }
}

impl ConnectResponse {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut response = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SHELL, "InputStreams") => response.input_streams = names(r, "rsp:InputStreams")?,
                (uri::NS_SHELL, "OutputStreams") => response.output_streams = names(r, "rsp:OutputStreams")?,
                (uri::NS_POWERSHELL, "connectResponseXml") => {
                    let data = bytes(r, "connectResponseXml")?;
                    set(&mut response.connect_response_xml, data, r, "connectResponseXml")?;
                }
                _ => r.skip_element()?,
            }
        }
        Ok(response)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("rsp", "ConnectResponse").open()?;
        optional_names(w, "InputStreams", &self.input_streams)?;
        optional_names(w, "OutputStreams", &self.output_streams)?;
        powershell(w, "connectResponseXml", self.connect_response_xml.as_ref())?;
        Ok(w.end()?)
    }
}
