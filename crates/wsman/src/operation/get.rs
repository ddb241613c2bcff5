//! Get: reads one resource (WS-Transfer Get, DSP0226 section 7.2). The request is empty.

use winrm_xml::Element;

use crate::operation::create::Shell;

/// A resource as GetResponse and enumerations carry it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Resource {
    /// `rsp:Shell`.
    Shell(Box<Shell>),
    /// Anything else: a CIM instance, `cfg:Config`, an endpoint reference, ...
    Other(Element),
}
