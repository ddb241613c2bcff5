//! Pull: the next items of an enumeration (WS-Enumeration, DSP0226 section 8.4). The answer is a
//! [`Batch`](super::enumerate::Batch).

use crate::duration::XsDuration;

/// `n:Pull` (DSP0226 section 8.4).
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
