//! SOAP faults with the detail that WinRM adds (SOAP 1.2 part 1, section 5.4; MS-WSMV 2.2.4.43).

mod code;
mod quota;
mod service;
mod wire;

use winrm_xml::Element;

pub use code::FaultCode;
pub use quota::Quota;

use crate::name::QName;
use crate::uri;

/// Why the peer did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// `s:Code`: `s:Sender`, `s:Receiver`, `s:MustUnderstand`, ...
    pub code: QName,
    /// `s:Subcode`: what DSP0226 or WS-Addressing call the fault, for instance `w:TimedOut`.
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
    /// `f:ExtendedError`, which holds an `__ExtendedStatus` of WMI.
    pub extended_error: Option<Element>,
}

impl Fault {
    /// A fault without detail, in English. `code` is a local name of SOAP: `Sender`, `Receiver`, ...
    pub fn new(code: &str, subcode: Option<QName>, reason: impl Into<String>) -> Self {
        Self {
            code: QName::new(uri::NS_SOAP, "s", code),
            subcode,
            reason: vec![Reason { lang: Some("en-US".to_owned()), text: reason.into() }],
            fault_detail: None,
            wsman_fault: None,
            details: Vec::new(),
        }
    }

    /// The reason in the first language sent.
    pub fn reason(&self) -> &str {
        self.reason.first().map_or("", |r| r.text.as_str())
    }

    /// The number of the fault: of the `WSManFault`, else the one that WMI hides in an `MSFT_WmiError`.
    pub fn wsman_code(&self) -> Option<FaultCode> {
        self.wsman_fault.as_ref().map(|fault| fault.code).or_else(|| self.wmi_error_code())
    }

    /// The quota that is used up, where any of the fault's numbers says so: that of the `WSManFault`, those of the providers
    /// inside it, or the one that WMI hides.
    pub fn quota(&self) -> Option<Quota> {
        let mut next = self.wsman_fault.as_ref();
        while let Some(fault) = next {
            if let Some(quota) = fault.code.quota() {
                return Some(quota);
            }
            next = fault.provider_fault.as_deref().and_then(|provider| provider.wsman_fault.as_deref());
        }
        self.wmi_error_code()?.quota()
    }

    /// The instance of a CIM error class in the detail, such as `MSFT_WmiError`.
    pub fn cim_error(&self) -> Option<&Element> {
        self.details.iter().find(|element| element.name.local().ends_with("Error"))
    }

    /// `error_Code` of the [`cim_error`](Self::cim_error).
    pub fn wmi_error_code(&self) -> Option<FaultCode> {
        let error = self.cim_error()?;
        let code = error.child(error.name.namespace(), "error_Code")?.text();
        code.trim().parse().ok().map(FaultCode)
    }

    /// The most specific text: what the innermost provider said, else the message, else the reason.
    pub fn message(&self) -> &str {
        self.wsman_fault.as_ref().and_then(WsManFault::innermost_message).unwrap_or_else(|| self.reason())
    }

    /// The `wsa:Action` that a message with this fault carries: that of the specification its subcode is from.
    pub fn action(&self) -> &'static str {
        match self.subcode.as_ref().and_then(|name| name.namespace.as_deref()) {
            Some(uri::NS_ADDRESSING) => uri::ACTION_ADDRESSING_FAULT,
            Some(uri::NS_ENUMERATION) => uri::ACTION_ENUMERATION_FAULT,
            // As Windows sends MustUnderstand.
            None if self.code.is(uri::NS_SOAP, "MustUnderstand") => uri::ACTION_ADDRESSING_FAULT,
            _ => uri::ACTION_FAULT,
        }
    }
}

impl WsManFault {
    fn innermost_message(&self) -> Option<&str> {
        let provider = self.provider_fault.as_deref();
        provider
            .and_then(|p| p.wsman_fault.as_deref().and_then(Self::innermost_message).or(p.message.as_deref()))
            .or(self.message.as_deref())
    }
}
