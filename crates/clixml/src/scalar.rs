//! Primitive values that keep the text they were sent as, which may say more than a Rust type would: precision,
//! offset, notation.

use std::fmt;

use crate::error::InvalidText;

macro_rules! text_type {
    ($(#[$docs:meta])* $name:ident, $expected:literal, $is_valid:path) => {
        $(#[$docs])*
        #[derive(Clone, Eq, Hash, PartialEq)]
        pub struct $name(String);

        impl $name {
            pub(crate) const EXPECTED: &'static str = $expected;

            /// Checks the form and keeps the text.
            ///
            /// # Errors
            ///
            /// The text is of another form.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
                let text = text.into();
                if $is_valid(&text) { Ok(Self(text)) } else { Err(InvalidText { expected: Self::EXPECTED }) }
            }

            /// The text on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        /// Without the value: it comes out of messages that are encrypted for a reason.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} bytes)", stringify!($name), self.0.len())
            }
        }
    };
}

text_type! {
    /// A date and time (MS-PSRP 2.2.5.1) as XML Schema's `dateTime`: `2018-06-13T23:46:28.00516+00:00`, with `Z`, an
    /// offset or neither.
    DateTime, "a date and time", is_date_time
}

text_type! {
    /// A span of time (MS-PSRP 2.2.5.1) as XML Schema's `duration`: `-P1DT2H3M4.5S`.
    Duration, "a duration", is_duration
}

text_type! {
    /// A decimal number (MS-PSRP 2.2.5.1): `-1.50`, at most 29 significant digits as .NET has them.
    Decimal, "a decimal number", is_decimal
}

text_type! {
    /// A version (MS-PSRP 2.2.5.1): two to four numbers below 2³¹, as in `1.1.0.1`.
    Version, "a version", is_version
}

impl Version {
    /// The numbers: major, minor, and if given build and revision.
    pub fn parts(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.split('.').filter_map(|part| part.parse().ok())
    }
}

/// Major and minor.
impl From<[u16; 2]> for Version {
    fn from([major, minor]: [u16; 2]) -> Self {
        Self(format!("{major}.{minor}"))
    }
}

/// Major, minor, build and revision.
impl From<[u16; 4]> for Version {
    fn from([major, minor, build, revision]: [u16; 4]) -> Self {
        Self(format!("{major}.{minor}.{build}.{revision}"))
    }
}

/// A string encrypted with the session key (MS-PSRP 2.2.5.1), as it was sent: base64 of AES-256-CBC in a session,
/// something else in files.
///
/// This crate has no key; nor does `Debug` show the text.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct SecureString(String);

impl SecureString {
    /// From the encrypted text, never from the secret itself.
    pub fn new(encrypted: impl Into<String>) -> Self {
        Self(encrypted.into())
    }

    /// The encrypted text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecureString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecureString(hidden)")
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits, and if there is a point more digits.
fn is_fractional(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(text),
    }
}

/// Exactly two digits, at most `maximum`.
fn is_two_digits(text: &str, maximum: u32) -> bool {
    text.len() == 2 && is_digits(text) && text.parse::<u32>().is_ok_and(|number| number <= maximum)
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let mut parts = date.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (time, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at_checked(at).unwrap_or((time, "")),
        None => (time, ""),
    };
    let offset_is_valid = match offset.strip_prefix(['+', '-']) {
        Some(offset) => offset
            .split_once(':')
            .is_some_and(|(hours, minutes)| is_two_digits(hours, 14) && is_two_digits(minutes, 59)),
        None => matches!(offset, "" | "Z"),
    };
    let mut parts = time.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    year.len() == 4
        && is_digits(year)
        && is_two_digits(month, 12)
        && is_two_digits(day, 31)
        && is_two_digits(hour, 24)
        && is_two_digits(minute, 59)
        && is_two_digits(second, 59)
        && is_digits(fraction)
        && fraction.len() <= 9
        && offset_is_valid
}

fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let some_part = !date.is_empty() || time.is_some();
    some_part && has_parts(date, "YMD") && time.is_none_or(|time| !time.is_empty() && has_parts(time, "HMS"))
}

/// Numbers, each before one of `units`, which come in that order; seconds may have a fraction.
fn has_parts(text: &str, units: &str) -> bool {
    let (mut text, mut units) = (text, units);
    while !text.is_empty() {
        let Some(end) = text.find(|character: char| character.is_ascii_alphabetic()) else { return false };
        let (number, rest) = text.split_at_checked(end).unwrap_or(("", text));
        let mut rest = rest.chars();
        let Some((_, later)) = rest.next().and_then(|unit| units.split_once(unit)) else { return false };
        let is_valid =
            if later.is_empty() && units.contains('S') { is_fractional(number) } else { is_digits(number) };
        if !is_valid {
            return false;
        }
        (text, units) = (rest.as_str(), later);
    }
    true
}

fn is_decimal(text: &str) -> bool {
    let number = text.strip_prefix(['-', '+']).unwrap_or(text);
    let significant = number.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
    is_fractional(number) && significant <= 29
}

fn is_version(text: &str) -> bool {
    (2..=4).contains(&text.split('.').count())
        && text.split('.').all(|part| is_digits(part) && part.parse::<i32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        for text in [
            "2018-06-13T23:46:28.00516+00:00",
            "2023-08-31T14:40:37.0592148-04:00",
            "2008-04-11T10:42:32.2731993-07:00",
            "0001-01-01T00:00:00",
            "2023-08-31T18:40:37Z",
        ] {
            assert_eq!(DateTime::new(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "2018-06-13",
            "2018-6-13T23:46:28",
            "2018-13-13T23:46:28",
            "2018-06-13T23:46",
            "2018-06-13T23:46:28.",
            "2018-06-13T23:46:28+1",
            "x",
        ] {
            assert!(DateTime::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for text in ["PT9.0269026S", "P1DT2H3M4.5S", "-P1D", "PT0S", "P1Y2M3D"] {
            assert!(Duration::new(text).is_ok(), "{text}");
        }
        for text in ["", "P", "PT", "1D", "P1H", "PT1D", "P1D2D", "PTS", "P1.5D", "PT1.S", "P1M1Y", "PT1"] {
            assert!(Duration::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimals_and_versions() {
        for text in ["0", "-1.50", "79228162514264337593543950335", "0.0000000000000000000000000001"] {
            assert!(Decimal::new(text).is_ok(), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1e5", "792281625142643375935439503350"] {
            assert!(Decimal::new(text).is_err(), "{text}");
        }
        assert_eq!(Version::new("1.1.0.1").unwrap().parts().collect::<Vec<_>>(), [1, 1, 0, 1]);
        for text in ["", "1", "1.", "1.2.3.4.5", "1.-1", "1.2147483648"] {
            assert!(Version::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shows_no_values() {
        assert_eq!(format!("{:?}", SecureString::new("abc")), "SecureString(hidden)");
        assert_eq!(format!("{:?}", Version::new("1.2").unwrap()), "Version(3 bytes)");
    }
}
