//! What both sides have in common: streams of fragments in, messages out of them.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::fragment::Defragmenter;
use crate::{DecodeError, Destination, Error, Limits, Message, RawMessage};

/// The streams of a pool, and the rules that hold for every message.
#[derive(Debug)]
pub(crate) struct Link {
    /// Which side this is.
    side: Destination,
    limits: Limits,
    /// One for the pool, one for each command: fragments are not cut across them (MS-PSRP 2.2.4), but chunks of bytes may
    /// be, and a cut one is finished by its own stream.
    streams: BTreeMap<Option<Uuid>, Defragmenter>,
}

impl Link {
    pub(crate) fn new(side: Destination, limits: Limits) -> Self {
        Self { side, limits, streams: BTreeMap::new() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes from the front of `input` until a message is whole or nothing is left.
    pub(crate) fn read(
        &mut self,
        stream: Option<Uuid>,
        input: &mut &[u8],
    ) -> Result<Option<RawMessage>, Error> {
        let maximum = self.limits.pipelines;
        if !self.streams.contains_key(&stream) {
            // Those that wait for nothing can be made again.
            if self.streams.len() > maximum {
                self.streams.retain(|_, defragmenter| !defragmenter.is_idle());
            }
            if self.streams.len() > maximum {
                *input = &[];
                return Err(Error::TooManyPipelines { maximum });
            }
        }
        let limits = &self.limits;
        let defragmenter = self.streams.entry(stream).or_insert_with(|| Defragmenter::new(limits.clone()));
        let Some(object) = defragmenter.read(input)? else { return Ok(None) };
        let raw = RawMessage::decode(object)?;
        if raw.message_type.name().is_none() {
            return Err(DecodeError::UnknownType(raw.message_type).into());
        }
        if raw.destination != self.side {
            return Err(Error::WrongDestination { message: raw.message_type, found: raw.destination });
        }
        Ok(Some(raw))
    }

    pub(crate) fn decode(&self, raw: &RawMessage) -> Result<Message, Error> {
        Ok(Message::decode(raw.message_type, &raw.data, &self.limits.clixml)?)
    }

    /// A stream that ended: what came in part will not be finished.
    pub(crate) fn forget(&mut self, stream: Option<Uuid>) {
        self.streams.remove(&stream);
    }

    /// Another client, who counts from the beginning.
    pub(crate) fn reset(&mut self) {
        self.streams.clear();
    }
}
