//! SOAP faults with the detail that WinRM adds (SOAP 1.2 part 1, section 5.4; MS-WSMV 2.2.4.43).

use winrm_xml::Element;

use crate::fault_code::FaultCode;
use crate::name::QName;

/// Why the peer did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// `s:Code`: `s:Sender`, `s:Receiver`, `s:MustUnderstand`, ...
    pub code: QName,
    /// `s:Subcode`: what DSP0226 section 14.6 or WS-Addressing call the fault, for instance `w:TimedOut`.
    pub subcode: Option<QName>,
    /// `s:Reason`: the same text in one or more languages.
    pub reason: Vec<Reason>,
    /// `w:FaultDetail`: a URI below `http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/`.
    pub fault_detail: Option<String>,
    /// `f:WSManFault`: the number to match by.
    pub wsman_fault: Option<WsManFault>,
    /// What else the detail holds, for instance an `MSFT_WmiError` of WMI.
    pub details: Vec<Element>,
}

/// One language of the reason.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reason {
    /// `xml:lang`; OMI sends an empty one.
    pub lang: Option<String>,
    /// The text, trimmed.
    pub text: String,
}

/// What WinRM says about a fault (MS-WSMV 2.2.4.43).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WsManFault {
    /// The number; does not depend on the language of the service.
    pub code: FaultCode,
    /// The machine the fault comes from.
    pub machine: Option<String>,
    /// The text beside or without a provider's fault, trimmed.
    pub message: Option<String>,
    /// What the provider below the service said.
    pub provider_fault: Option<Box<ProviderFault>>,
}

/// The fault of a provider: the shell plug-in, WMI, ...
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProviderFault {
    /// Its name.
    pub provider: Option<String>,
    /// The library it lives in.
    pub path: Option<String>,
    /// Its text, trimmed.
    pub message: Option<String>,
    /// Its own fault with number.
    pub wsman_fault: Option<Box<WsManFault>>,
    /// `f:ExtendedError`, its content: `__ExtendedStatus` of WMI.
    pub extended_error: Option<Element>,
}

impl Fault {
    /// The reason in the first language sent.
    pub fn reason(&self) -> &str {
        self.reason.first().map_or("", |r| r.text.as_str())
    }

    /// The number of the fault, wherever in the detail it stands.
    pub fn wsman_code(&self) -> Option<FaultCode> {
        self.wsman_fault.as_ref().map(|f| f.code)
    }
}

impl Fault {
    /// A fault without detail. `code` is `Sender` or `Receiver` of SOAP.
    pub fn new(code: &str, subcode: Option<QName>, reason: impl Into<String>) -> Self {
        Self {
            code: QName::new(crate::uri::NS_SOAP, "s", code),
            subcode,
            reason: vec![Reason { lang: Some("en-US".to_owned()), text: reason.into() }],
            fault_detail: None,
            wsman_fault: None,
            details: Vec::new(),
        }
    }
}
