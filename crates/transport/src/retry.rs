//! What may be sent again, how often, and after which pauses.

use std::time::Duration;

use winrm_wsman::{Body, Message};

use crate::error::{Error, ErrorKind, Step};

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// How often an exchange is tried again where that cannot hurt.
///
/// It cannot where the server provably has not taken the request, and where the protocol makes it safe to repeat:
/// Identify, Get and Delete, and requests of a robust connection (MS-WSMV 3.1.4.1.39, see
/// [`Client::robust_header`](crate::Client::robust_header)). Command, Create, Send, Signal and Receive of a remote
/// process are never sent again once the server may have taken them, whatever this says.
///
/// The pause before each further attempt doubles, up to 10 s, and is shortened by up to a half at random, so that many
/// clients of one host do not return together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryPolicy {
    attempts: u32,
    first_pause: Duration,
    time: Duration,
}

impl Default for RetryPolicy {
    /// Four attempts in all, the first pause a quarter of a second, none begun after 60 s.
    fn default() -> Self {
        Self { attempts: 4, first_pause: Duration::from_millis(250), time: Duration::from_mins(1) }
    }
}

impl RetryPolicy {
    /// One attempt only.
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// The attempts in all, the first one counted; 0 counts as 1.
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// The pause before the second attempt.
    pub fn first_pause(self, first_pause: Duration) -> Self {
        Self { first_pause, ..self }
    }

    /// How long after the first attempt began another one may begin.
    pub fn time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// The pause after `made` attempts, the first of which began `elapsed` ago; `None` when there is no further one.
    pub(crate) fn pause(&self, made: u32, elapsed: Duration, random: u32) -> Option<Duration> {
        if made >= self.attempts {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1)));
        let pause = jittered(doubled.min(MAX_PAUSE), random);
        (elapsed.saturating_add(pause) <= self.time).then_some(pause)
    }
}

/// From a half of `pause` to the whole, as `random` has it.
pub(crate) fn jittered(pause: Duration, random: u32) -> Duration {
    let half = pause / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// A random number; of no value to anybody who guesses it.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

/// Whether the connection was lost before anything was asked on it, or a password judged.
pub(crate) fn is_before_log_on(error: &Error) -> bool {
    matches!(error.step(), Step::Connect | Step::Tls | Step::Negotiate)
        && matches!(
            error.kind(),
            ErrorKind::ConnectionLost(_) | ErrorKind::ConnectionClosed(_) | ErrorKind::Io(_)
        )
}

/// What a request may bear.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// Once: doing it twice may do harm.
    Never,
    /// Twice does what once does.
    Idempotent,
    /// The server keeps the answer, and gives it to whoever sends the request again (MS-WSMV 3.1.4.1.39).
    Robust,
}

impl Repeat {
    /// `robust`: the server has shown that it keeps answers for this kind of request.
    pub(crate) fn of(message: &Message, robust: bool) -> Self {
        match message.body {
            Body::Identify | Body::Get | Body::Delete => Self::Idempotent,
            _ if robust => Self::Robust,
            _ => Self::Never,
        }
    }

    /// Whether the request may be sent again after `error`. `proved`: the credentials have been good before. While they have
    /// not, what is lost may have been a log-on that the server judged: another one could lock the account.
    pub(crate) fn allows(self, error: &Error, proved: bool) -> bool {
        match error.kind() {
            // hyper gives a request back exactly when no byte of it was written. In the middle of a log-on it would happen
            // again.
            ErrorKind::ConnectionClosed(_) => error.step() == Step::Exchange,
            // Before the envelope was on its way nobody can have acted on it.
            ErrorKind::Busy { .. } if error.step() != Step::Exchange => true,
            ErrorKind::Busy { .. } => self == Self::Idempotent,
            ErrorKind::ConnectionLost(_) | ErrorKind::Deadline(_) | ErrorKind::Io(_) => {
                error.step() == Step::Exchange && self != Self::Never && proved
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_are_jittered() {
        let policy = RetryPolicy::default().attempts(20).time(Duration::from_hours(1));
        let pause = |made, random| policy.pause(made, Duration::ZERO, random).unwrap();
        for (made, longest) in [(1, 250), (2, 500), (3, 1000), (7, 10_000), (19, 10_000)] {
            let longest = Duration::from_millis(longest);
            assert_eq!(pause(made, u32::MAX), longest, "{made}");
            assert_eq!(pause(made, 0), longest / 2, "{made}");
            let between = pause(made, u32::MAX / 3);
            assert!(between > longest / 2 && between < longest, "{made}");
        }
    }

    #[test]
    fn attempts_and_time_are_limits() {
        let policy = RetryPolicy::default();
        assert!(policy.pause(3, Duration::ZERO, 0).is_some());
        assert_eq!(policy.pause(4, Duration::ZERO, 0), None);
        assert_eq!(policy.pause(1, Duration::from_mins(1), 0), None);
        assert_eq!(RetryPolicy::never().pause(1, Duration::ZERO, 0), None);
        assert_eq!(policy.attempts(0).pause(1, Duration::ZERO, 0), None);
    }
}
