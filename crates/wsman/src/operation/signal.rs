//! Signal: interrupts or ends a command (MS-WSMV 3.1.4.12). The answer is empty.

use winrm_xml::{Reader, Start};

use crate::codec::{Xml, attribute, leaf, missing, set, text};
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `rsp:Signal`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Signal {
    /// The attribute `CommandId`.
    pub command_id: Option<String>,
    /// `rsp:Code`, for instance [`SIGNAL_TERMINATE`](crate::uri::SIGNAL_TERMINATE).
    pub code: String,
}

impl Signal {
    pub(crate) fn read(r: &mut Reader<'_>, start: &Start) -> Result<Self, DecodeError> {
        let mut code = None;
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SHELL, "Code") {
                set(&mut code, text(r)?, r, "rsp:Code")?;
            } else {
                r.skip_element()?;
            }
        }
        let code = code.ok_or_else(|| missing(r, "rsp:Code"))?;
        Ok(Self { command_id: attribute(start, "CommandId"), code })
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        let mut tag = w.start("rsp", "Signal");
        if let Some(command_id) = &self.command_id {
            tag = tag.attribute("", "CommandId", command_id);
        }
        tag.open()?;
        leaf(w, "rsp", "Code", &self.code)?;
        Ok(w.end()?)
    }
}
