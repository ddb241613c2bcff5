//! The header blocks of requests and responses (DSP0226 sections 5.4 and 6, MS-WSMV 3.1.4.1).

mod wire;

use crate::duration::XsDuration;
use crate::name::QName;
use crate::uri;

/// The SOAP header: what WinRM sends and reads, one field per block.
///
/// Absent blocks are `None` or empty. Texts are trimmed of white space when read, because recorded peers
/// indent them. Which blocks carry `mustUnderstand` is fixed and written by the encoder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// `wsa:To`; WinRM does not compare it with its own name.
    pub to: Option<String>,
    /// `wsa:Action`; absent in Identify and its answer only.
    pub action: Option<String>,
    /// `wsa:MessageID`, `uuid:` and a GUID in upper case (DSP0226 section 5.4.4). See [`message_id`].
    pub message_id: Option<String>,
    /// `wsa:RelatesTo`: the `MessageID` that this answers. Compare with [`Header::relates_to`].
    pub relates_to: Option<String>,
    /// The address in `wsa:ReplyTo`; a request without one is not valid for WinRM.
    pub reply_to: Option<String>,
    /// The address in `wsa:FaultTo`.
    pub fault_to: Option<String>,
    /// `w:ResourceURI`.
    pub resource_uri: Option<String>,
    /// `w:MaxEnvelopeSize`: the longest answer the sender takes, in bytes (DSP0226 section 6.2).
    pub max_envelope_size: Option<u32>,
    /// `w:OperationTimeout`: how long the service may hold the request (DSP0226 section 6.1); Windows cuts it to its
    /// `MaxTimeoutms`, 60 seconds (MS-WSMV 3.1.4.1.6).
    pub operation_timeout: Option<XsDuration>,
    /// `w:Locale`: the language of texts, for instance `en-US` (DSP0226 section 6.3).
    pub locale: Option<String>,
    /// `p:DataLocale`: the language of numbers and dates.
    pub data_locale: Option<String>,
    /// `p:SessionId`, `uuid:` and a GUID. A shell created with one wants it in every later request.
    pub session_id: Option<String>,
    /// `p:OperationID`, `uuid:` and a GUID, new for each request.
    pub operation_id: Option<String>,
    /// The request has been sent before: written as `mustUnderstand` of `p:OperationID`, which asks a service with robust
    /// connections for the answer it has kept (MS-WSMV 3.1.4.1.39). Without an `operation_id` it is not written.
    pub retransmission: bool,
    /// `p:SequenceId`, counting from 1.
    pub sequence_id: Option<u64>,
    /// `p:ActivityId`, a GUID for the event log.
    pub activity_id: Option<String>,
    /// `rsp:CompressionType`, for instance `xpress`.
    pub compression_type: Option<String>,
    /// `w:OptionSet`.
    pub options: Vec<WsOption>,
    /// `w:SelectorSet`.
    pub selectors: Vec<Selector>,
    /// Names in `s:NotUnderstood`, beside a `MustUnderstand` fault (SOAP 1.2 part 1, section 5.4.8).
    pub not_understood: Vec<QName>,
    /// Blocks that we do not know although their sender set `mustUnderstand`: a service answers them with
    /// [`Fault::not_understood`](crate::Fault::not_understood). Other unknown blocks are dropped.
    pub unknown: Vec<QName>,
}

/// One `w:Option` (DSP0226).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WsOption {
    /// Its `Name`.
    pub name: String,
    /// Its text.
    pub value: String,
    /// `MustComply`: fail rather than ignore the option.
    pub must_comply: bool,
    /// `Type`, as sent (a qualified name whose prefix peers often leave undeclared).
    pub value_type: Option<String>,
}

impl WsOption {
    /// An option that the service may ignore.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), must_comply: false, value_type: None }
    }

    /// The same, as one that the service must obey or refuse.
    pub fn must_comply(mut self) -> Self {
        self.must_comply = true;
        self
    }
}

/// One `w:Selector` with a text (DSP0226).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selector {
    /// Its `Name`.
    pub name: String,
    /// Its text.
    pub value: String,
}

impl Selector {
    /// A selector.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Header {
    /// The header of a request: To, `ResourceURI`, Action, a new `MessageID` and the anonymous `ReplyTo`.
    pub fn request(
        to: impl Into<String>,
        resource_uri: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        Self {
            to: Some(to.into()),
            resource_uri: Some(resource_uri.into()),
            action: Some(action.into()),
            message_id: Some(message_id()),
            reply_to: Some(uri::ANONYMOUS.to_owned()),
            ..Self::default()
        }
    }

    /// The header of an answer: Action, a new `MessageID`, To the anonymous endpoint, `RelatesTo` the request.
    ///
    /// `OperationID` and `SequenceId` are echoed when the request has them, as Windows does
    /// (MS-WSMV 3.1.4.1.39).
    pub fn response_to(request: &Self, action: impl Into<String>) -> Self {
        Self {
            action: Some(action.into()),
            message_id: Some(message_id()),
            to: Some(uri::ANONYMOUS.to_owned()),
            relates_to: request.message_id.clone(),
            operation_id: request.operation_id.clone(),
            sequence_id: request.operation_id.as_ref().and(request.sequence_id),
            ..Self::default()
        }
    }

    /// The action, or an empty text where there is none.
    pub fn action(&self) -> &str {
        self.action.as_deref().unwrap_or_default()
    }

    /// The text of the first option of that name. Names are compared without regard to ASCII case.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|o| o.name.eq_ignore_ascii_case(name)).map(|o| o.value.as_str())
    }

    /// The text of the first selector of that name. Names are compared without regard to ASCII case.
    pub fn selector(&self, name: &str) -> Option<&str> {
        self.selectors.iter().find(|s| s.name.eq_ignore_ascii_case(name)).map(|s| s.value.as_str())
    }

    /// The selector `ShellId`.
    pub fn shell_id(&self) -> Option<&str> {
        self.selector(uri::SELECTOR_SHELL_ID)
    }

    /// Whether this answers the request with that header: `RelatesTo` is its `MessageID`.
    ///
    /// Services answer in another case than they were asked in, so case does not count.
    pub fn relates_to(&self, request: &Self) -> bool {
        match (&self.relates_to, &request.message_id) {
            (Some(relates_to), Some(message_id)) => relates_to.eq_ignore_ascii_case(message_id),
            _ => false,
        }
    }
}

/// A new `MessageID`, `SessionId` or `OperationID`: `uuid:` and a random GUID in upper case.
pub fn message_id() -> String {
    format!("uuid:{}", guid())
}

/// A new GUID in upper case, as shell and command ids are written.
pub fn guid() -> String {
    uuid::Uuid::new_v4().as_hyphenated().encode_upper(&mut uuid::Uuid::encode_buffer()).to_owned()
}
