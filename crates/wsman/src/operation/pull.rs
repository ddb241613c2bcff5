//! Pull: the next items of an enumeration (WS-Enumeration in DSP0226). The answer is a
//! [`Batch`](super::enumerate::Batch).

use winrm_xml::Reader;

use crate::codec::{Xml, duration, leaf, missing, number, optional_value, set, text};
use crate::duration::XsDuration;
use crate::error::{DecodeError, EncodeError};
use crate::uri;

/// `n:Pull`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pull {
    /// `n:EnumerationContext` of the answer before.
    pub context: String,
    /// `n:MaxTime`.
    pub max_time: Option<XsDuration>,
    /// `n:MaxElements`.
    pub max_elements: Option<u32>,
    /// `n:MaxCharacters`.
    pub max_characters: Option<u32>,
}

impl Pull {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (mut pull, mut context) = (Self::default(), None);
        while let Some(start) = r.next_child()? {
            match start.name().as_pair() {
                (uri::NS_ENUMERATION, "EnumerationContext") => {
                    set(&mut context, text(r)?, r, "n:EnumerationContext")?;
                }
                (uri::NS_ENUMERATION, "MaxTime") => {
                    let time = duration(r, "n:MaxTime")?;
                    set(&mut pull.max_time, time, r, "n:MaxTime")?;
                }
                (uri::NS_ENUMERATION, "MaxElements") => {
                    let maximum = number(r, "n:MaxElements")?;
                    set(&mut pull.max_elements, maximum, r, "n:MaxElements")?;
                }
                (uri::NS_ENUMERATION, "MaxCharacters") => {
                    let maximum = number(r, "n:MaxCharacters")?;
                    set(&mut pull.max_characters, maximum, r, "n:MaxCharacters")?;
                }
                _ => r.skip_element()?,
            }
        }
        pull.context = context.ok_or_else(|| missing(r, "n:EnumerationContext"))?;
        Ok(pull)
    }

    pub(crate) fn write(&self, w: &mut Xml<'_>) -> Result<(), EncodeError> {
        w.start("n", "Pull").open()?;
        leaf(w, "n", "EnumerationContext", &self.context)?;
        optional_value(w, "n", "MaxTime", self.max_time)?;
        optional_value(w, "n", "MaxElements", self.max_elements)?;
        optional_value(w, "n", "MaxCharacters", self.max_characters)?;
        Ok(w.end()?)
    }
}
