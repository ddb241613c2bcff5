//! Send: carries input to a command (MS-WSMV 3.1.4.13). The answer is empty.

use winrm_xml::Reader;

use crate::codec::{Xml, bounds, push};
use crate::error::{DecodeError, EncodeError};
use crate::operation::receive::Stream;
use crate::uri;

/// `rsp:Send`. End-of-file is an empty last block with `end`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Send {
    /// The blocks, usually one.
    pub streams: Vec<Stream>,
}

impl Send {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut send = Self::default();
        while let Some(start) = r.next_child()? {
            if start.is(uri::NS_SHELL, "Stream") {
                let stream = Stream::read(r, &start)?;
                push(&mut send.streams, stream, bounds::STREAMS, r, "rsp:Stream")?;
            } else {
                r.skip_element()?;
            }
        }
        Ok(send)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("rsp", "Send").open()?;
        Stream::write_all(w, &self.streams)?;
        Ok(w.end()?)
    }
}
