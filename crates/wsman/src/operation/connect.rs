//! Connect: attaches a new client to a disconnected shell (MS-WSMV 3.1.4.17).

use bytes::Bytes;

/// `rsp:Connect`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Connect {
    /// `connectXml` of a PowerShell shell: fragments of MS-PSRP, decoded from base64.
    pub connect_xml: Option<Bytes>,
}

/// `rsp:ConnectResponse`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConnectResponse {
    /// `rsp:InputStreams`.
    pub input_streams: Vec<String>,
    /// `rsp:OutputStreams`.
    pub output_streams: Vec<String>,
    /// `connectResponseXml`: fragments of MS-PSRP, decoded from base64.
    pub connect_response_xml: Option<Bytes>,
}
