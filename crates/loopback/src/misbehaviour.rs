//! Ways to do it wrong on purpose, so that a client's error handling can be tested. Nothing here is ever on by default.

use std::time::Duration;

use bytes::Bytes;
use winrm_wsman::FaultCode;

/// Which requests a [`Misbehaviour`] strikes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Trigger {
    /// Every request.
    Always,
    /// A request that opens a log-on: the first token.
    FirstToken,
    /// A request that finishes a log-on, whatever its body.
    LastToken,
    /// A request that finishes a log-on and carries a sealed envelope along.
    Combined,
    /// A request with an envelope on a context established before.
    Envelope,
    /// The n-th request with an envelope on one connection, counted from 1; the one with the last token counts.
    NthEnvelope(u64),
    /// An envelope with this action (see [`winrm_wsman::uri`]).
    Action(String),
}

impl Trigger {
    /// An envelope with this action.
    pub fn action(action: impl Into<String>) -> Self {
        Self::Action(action.into())
    }
}

/// What the service does wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// Answers with this HTTP status and an empty body, without doing what was asked. Forgets the context when the
    /// request carried a token: 400, 411, 415 or 500 to [`Trigger::Combined`] is what services do that want the last
    /// token alone.
    Status(u16),
    /// As [`Status`](Self::Status), but the context of the connection is gone afterwards: 401 or 400 is what Windows
    /// answers when it lost it.
    ForgetContext(u16),
    /// Closes the connection before anything is done.
    CloseBefore,
    /// Does what was asked, then closes the connection instead of answering.
    CloseAfter,
    /// Never answers.
    Stall,
    /// Answers after a while.
    Delay(Duration),
    /// Sends the head of the answer and so many bytes of its body, then closes the connection.
    Truncate(usize),
    /// Sends the head of the answer and so many bytes of its body, then nothing.
    StallInBody(usize),
    /// Flips a bit of the signature in the answer.
    BadMac,
    /// Flips a bit of the sealed bytes of the answer.
    DamagedCiphertext,
    /// Writes a `Length` into the framing of the answer that is one too large.
    WrongLength,
    /// Answers in clear what was asked under seal.
    Unsealed,
    /// Answers with an HTML page and this status, as a proxy or another service would.
    Html(u16),
    /// Answers with this plaintext instead of an envelope, properly sealed.
    Document(Bytes),
    /// Answers with this fault, properly sealed, without doing what was asked.
    Fault(FaultCode),
    /// Answers in clear with this HTTP status and a fault (5, access denied), without doing what was asked. The fault is the
    /// answer to no request in particular, and forgets the context as [`Status`](Self::Status) does.
    ClearFault(u16),
    /// Does what was asked and answers it, but says that the answer is to another request.
    WrongRelatesTo,
    /// Does what was asked and answers it, with an envelope one byte larger than the client's `MaxEnvelopeSize`.
    Oversized,
    /// Leaves the mechListMIC out of the last token.
    OmitMechListMic,
    /// Sends a wrong mechListMIC in the last token.
    WrongMechListMic,
    /// Sends no last token at all.
    OmitLastToken,
    /// Sends a token that is not one.
    GarbledToken,
}

impl Misbehaviour {
    /// Whether what was asked is not done.
    pub(crate) fn prevents(&self) -> bool {
        matches!(
            self,
            Self::Status(_)
                | Self::ForgetContext(_)
                | Self::CloseBefore
                | Self::Stall
                | Self::Html(_)
                | Self::Document(_)
                | Self::Fault(_)
                | Self::ClearFault(_)
        )
    }
}

/// A misbehaviour in force.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) trigger: Trigger,
    pub(crate) misbehaviour: Misbehaviour,
    /// How often it may still strike; `None`: for ever.
    pub(crate) times: Option<u64>,
}

/// What the service knows about a request when it looks for a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) first_token: bool,
    pub(crate) last_token: bool,
    /// Counted from 1 on this connection; 0 where the request carries no envelope.
    pub(crate) envelope: u64,
    /// Known once the envelope has been read.
    pub(crate) action: Option<&'a str>,
}

impl Occasion<'_> {
    fn fits(&self, trigger: &Trigger) -> bool {
        match trigger {
            Trigger::Always => true,
            Trigger::FirstToken => self.first_token,
            Trigger::LastToken => self.last_token,
            Trigger::Combined => self.last_token && self.envelope > 0,
            Trigger::Envelope => !self.last_token && self.envelope > 0,
            Trigger::NthEnvelope(n) => self.envelope > 0 && self.envelope == *n,
            Trigger::Action(action) => self.action == Some(action),
        }
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first rule that fits; uses it up once.
    pub(crate) fn strike(&mut self, occasion: Occasion<'_>) -> Option<Misbehaviour> {
        let at = self.0.iter().position(|rule| occasion.fits(&rule.trigger))?;
        let rule = self.0.get_mut(at)?;
        let misbehaviour = rule.misbehaviour.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0.remove(at);
            }
        }
        Some(misbehaviour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: Occasion<'_> =
        Occasion { first_token: false, last_token: false, envelope: 2, action: Some("a") };

    #[test]
    fn rules_are_used_up_in_order() {
        let mut rules = Rules::default();
        let rule = |trigger, misbehaviour, times| Rule { trigger, misbehaviour, times };
        rules.add(rule(Trigger::action("a"), Misbehaviour::Stall, Some(1)));
        rules.add(rule(Trigger::Envelope, Misbehaviour::BadMac, None));
        assert_eq!(rules.strike(ENVELOPE), Some(Misbehaviour::Stall));
        assert_eq!(rules.strike(ENVELOPE), Some(Misbehaviour::BadMac));
        assert_eq!(rules.strike(ENVELOPE), Some(Misbehaviour::BadMac));
        rules.clear();
        assert_eq!(rules.strike(ENVELOPE), None);
    }

    #[test]
    fn triggers_tell_requests_apart() {
        let token = Occasion { first_token: true, last_token: false, envelope: 0, action: None };
        let combined = Occasion { first_token: false, last_token: true, envelope: 1, action: None };
        let fitting = |trigger: &Trigger| [token, combined, ENVELOPE].map(|occasion| occasion.fits(trigger));
        assert_eq!(fitting(&Trigger::Always), [true, true, true]);
        assert_eq!(fitting(&Trigger::FirstToken), [true, false, false]);
        assert_eq!(fitting(&Trigger::LastToken), [false, true, false]);
        assert_eq!(fitting(&Trigger::Combined), [false, true, false]);
        assert_eq!(fitting(&Trigger::Envelope), [false, false, true]);
        assert_eq!(fitting(&Trigger::NthEnvelope(1)), [false, true, false]);
        assert_eq!(fitting(&Trigger::NthEnvelope(2)), [false, false, true]);
        assert_eq!(fitting(&Trigger::action("a")), [false, false, true]);
        assert_eq!(fitting(&Trigger::action("b")), [false, false, false]);
    }
}
