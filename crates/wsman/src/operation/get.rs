//! Get: reads one resource (WS-Transfer Get; MS-WSMV 3.1.4.2). The request is empty.

use winrm_xml::{Element, Reader, Start};

use crate::codec::Xml;
use crate::error::{DecodeError, EncodeError};
use crate::operation::create::Shell;
use crate::uri;

/// A resource as `GetResponse` and enumerations carry it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Resource {
    /// `rsp:Shell`.
    Shell(Box<Shell>),
    /// Anything else: a CIM instance, `cfg:Config`, an endpoint reference, ...
    Other(Element),
}

impl Resource {
    pub(crate) fn read(r: &mut Reader<'_>, start: Start) -> Result<Self, DecodeError> {
        if start.is(uri::NS_SHELL, "Shell") {
            Ok(Self::Shell(Box::new(Shell::read(r, &start)?)))
        } else {
            Ok(Self::Other(r.read_element(start)?))
        }
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        match self {
            Self::Shell(shell) => shell.write(w),
            Self::Other(element) => Ok(w.element(element)?),
        }
    }
}
