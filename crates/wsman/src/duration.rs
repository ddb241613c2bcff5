//! `xs:duration` as WinRM uses it (XML Schema part 2, section 3.2.6): days to seconds, never negative.

use std::fmt;
use std::time::Duration;

/// Longest text looked at; the longest recorded one has 15 characters.
const MAX_TEXT: usize = 64;

/// A time span of an `OperationTimeout`, `IdleTimeOut`, `Lifetime` or run time.
///
/// Reads the forms that occur (`PT20S`, `PT0.500S`, `PT30M`, `P0DT0H0M0S`, `PT7200.000S`) and any other of days,
/// hours, minutes and seconds; years and months have no fixed length and are refused, as is a negative span.
/// The value is kept, the spelling is not: [`Display`](fmt::Display) writes seconds.
/// At most [`XsDuration::MAX`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct XsDuration(Duration);

/// Why a text is no duration that we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Not of the form `PnDTnHnMnS`.
    #[error("not a duration of days, hours, minutes and seconds")]
    Syntax,
    /// Above [`XsDuration::MAX`].
    #[error("longer than 4294967295 seconds")]
    TooLong,
}

impl XsDuration {
    /// 2^32 - 1 seconds, about 136 years; the longest span seen is 2147483.647 seconds.
    pub const MAX: Self = Self(Duration::from_secs(0xffff_ffff));

    /// A span of whole seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        // `u64::from` is not const; the value is the same.
        Self(Duration::new(0, 0).saturating_add(Duration::from_secs(1).saturating_mul(seconds)))
    }

    /// The span as the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Reads one of the forms above; surrounding white space is allowed.
    ///
    /// # Errors
    /// [`DurationError`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(DurationError::Syntax);
        }
        let rest = text.strip_prefix('P').ok_or(DurationError::Syntax)?;
        let (date, time) = match rest.split_once('T') {
            // "P1DT" is not allowed: a T must be followed by something.
            Some((_, "")) => return Err(DurationError::Syntax),
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(DurationError::Syntax);
        }
        let mut total = Duration::ZERO;
        let mut rest = date;
        if let Some((days, tail)) = rest.split_once('D') {
            total = add(total, whole(days)?, 86_400)?;
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(DurationError::Syntax);
        }
        rest = time;
        for (unit, seconds) in [('H', 3_600), ('M', 60)] {
            if let Some((count, tail)) = rest.split_once(unit) {
                total = add(total, whole(count)?, seconds)?;
                rest = tail;
            }
        }
        if let Some((count, tail)) = rest.split_once('S') {
            let (count, fraction) = match count.split_once('.') {
                Some((count, fraction)) => (count, nanoseconds(fraction)?),
                None => (count, Duration::ZERO),
            };
            total = add(total, whole(count)?, 1)?;
            total = total.checked_add(fraction).ok_or(DurationError::TooLong)?;
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(DurationError::Syntax);
        }
        Self::try_from(total)
    }
}

impl TryFrom<Duration> for XsDuration {
    type Error = DurationError;

    fn try_from(duration: Duration) -> Result<Self, DurationError> {
        if duration > Self::MAX.0 { Err(DurationError::TooLong) } else { Ok(Self(duration)) }
    }
}

impl From<XsDuration> for Duration {
    fn from(duration: XsDuration) -> Self {
        duration.0
    }
}

/// `PT20S`, or with three, six or nine decimals where the span is no whole number of seconds: `PT0.500S`.
impl fmt::Display for XsDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if nanos == 0 {
            write!(f, "PT{seconds}S")
        } else if nanos % 1_000_000 == 0 {
            write!(f, "PT{seconds}.{:03}S", nanos / 1_000_000)
        } else if nanos % 1_000 == 0 {
            write!(f, "PT{seconds}.{:06}S", nanos / 1_000)
        } else {
            write!(f, "PT{seconds}.{nanos:09}S")
        }
    }
}

fn whole(digits: &str) -> Result<u64, DurationError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::Syntax);
    }
    digits.parse().map_err(|_| DurationError::TooLong)
}

/// Digits behind the point; more than nine say nothing that we could keep.
fn nanoseconds(digits: &str) -> Result<Duration, DurationError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::Syntax);
    }
    let mut nanos = 0_u32;
    let mut place = 100_000_000_u32;
    for digit in digits.bytes().take(9) {
        nanos += u32::from(digit - b'0') * place;
        place /= 10;
    }
    Ok(Duration::new(0, nanos))
}

fn add(total: Duration, count: u64, unit: u64) -> Result<Duration, DurationError> {
    let seconds = count.checked_mul(unit).ok_or(DurationError::TooLong)?;
    total.checked_add(Duration::from_secs(seconds)).ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_occur() {
        for (text, millis) in [
            ("PT20S", 20_000),
            ("PT0.500S", 500),
            ("PT30M", 1_800_000),
            ("P0DT0H0M0S", 0),
            ("P1DT2H3M4S", 93_784_000),
            ("PT7200.000S", 7_200_000),
            ("PT2147483.647S", 2_147_483_647),
            ("P1D", 86_400_000),
            (" PT60S\n", 60_000),
        ] {
            assert_eq!(XsDuration::parse(text).unwrap().get(), Duration::from_millis(millis), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "", "P", "PT", "P1DT", "20", "PTS", "PT.5S", "PT5.S", "-PT5S", "P1Y", "P1M", "PT5", "PT1S2M",
            "PT+5S",
        ] {
            assert_eq!(XsDuration::parse(text), Err(DurationError::Syntax), "{text}");
        }
        for text in ["PT4294967296S", "PT99999999999999999999S", "P99999999999999999D"] {
            assert_eq!(XsDuration::parse(text), Err(DurationError::TooLong), "{text}");
        }
    }

    #[test]
    fn writes_seconds() {
        assert_eq!(XsDuration::from_secs(20).to_string(), "PT20S");
        assert_eq!(XsDuration::parse("PT0.5S").unwrap().to_string(), "PT0.500S");
        assert_eq!(XsDuration::parse("P1DT0.000001S").unwrap().to_string(), "PT86400.000001S");
        assert_eq!(XsDuration::parse("PT0.123456789S").unwrap().to_string(), "PT0.123456789S");
        assert_eq!(XsDuration::MAX.to_string(), "PT4294967295S");
    }
}
