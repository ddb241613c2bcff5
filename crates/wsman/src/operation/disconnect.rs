//! Disconnect: detaches from a shell that goes on (MS-WSMV 3.1.4.15). The answer is empty.

use winrm_xml::Reader;

use crate::codec::{Xml, duration, optional, optional_value, set, text};
use crate::duration::XsDuration;
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `rsp:Disconnect`. Empty is safest: Windows refuses an idle time-out below 60 seconds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disconnect {
    /// `rsp:IdleTimeOut`.
    pub idle_timeout: Option<XsDuration>,
    /// `rsp:BufferMode`: `Block` or `Drop`.
    pub buffer_mode: Option<String>,
}

impl Disconnect {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut disconnect = Self::default();
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_SHELL, "IdleTimeOut") => {
                    let timeout = duration(r, "rsp:IdleTimeOut")?;
                    set(&mut disconnect.idle_timeout, timeout, r, "rsp:IdleTimeOut")?;
                }
                (uri::NS_SHELL, "BufferMode") => {
                    set(&mut disconnect.buffer_mode, text(r)?, r, "rsp:BufferMode")?;
                }
                _ => r.skip_element()?,
            }
        }
        Ok(disconnect)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("rsp", "Disconnect").open()?;
        optional_value(w, "rsp", "IdleTimeOut", self.idle_timeout)?;
        optional(w, "rsp", "BufferMode", self.buffer_mode.as_deref())?;
        Ok(w.end()?)
    }
}
