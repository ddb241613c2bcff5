//! `NegotiateFlags` (MS-NLMP 2.2.2.5).

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// The 32 capability bits; bits without a name here are kept.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct NegotiateFlags(pub u32);

/// Declares the constants and the table of names in one place.
macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $spec:literal;)*) => {
        impl NegotiateFlags {
            $($(#[$doc])* pub const $name: Self = Self($bit);)*
            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$name, $spec)),*];
        }
    };
}

flags! {
    /// Strings are UTF-16LE.
    UNICODE = 0x0000_0001, "NEGOTIATE_UNICODE";
    /// Strings may be in the OEM code page; without UNICODE they are.
    OEM = 0x0000_0002, "NEGOTIATE_OEM";
    /// The client wants `TargetName`.
    REQUEST_TARGET = 0x0000_0004, "REQUEST_TARGET";
    /// Messages are signed.
    SIGN = 0x0000_0010, "NEGOTIATE_SIGN";
    /// Messages are encrypted.
    SEAL = 0x0000_0020, "NEGOTIATE_SEAL";
    /// Connectionless: not implemented here, named for logs.
    DATAGRAM = 0x0000_0040, "NEGOTIATE_DATAGRAM";
    /// Session keys from the LM response (weak).
    LM_KEY = 0x0000_0080, "NEGOTIATE_LM_KEY";
    /// NTLM responses; on in practice, whatever version is used.
    NTLM = 0x0000_0200, "NEGOTIATE_NTLM";
    /// The log-on is anonymous.
    ANONYMOUS = 0x0000_0800, "ANONYMOUS";
    /// NEGOTIATE carries a domain name.
    OEM_DOMAIN_SUPPLIED = 0x0000_1000, "OEM_DOMAIN_SUPPLIED";
    /// NEGOTIATE carries a workstation name.
    OEM_WORKSTATION_SUPPLIED = 0x0000_2000, "OEM_WORKSTATION_SUPPLIED";
    /// A session key is made even where nothing is signed or sealed.
    ALWAYS_SIGN = 0x0000_8000, "ALWAYS_SIGN";
    /// `TargetName` is a domain.
    TARGET_TYPE_DOMAIN = 0x0001_0000, "TARGET_TYPE_DOMAIN";
    /// `TargetName` is a server.
    TARGET_TYPE_SERVER = 0x0002_0000, "TARGET_TYPE_SERVER";
    /// Separate keys per direction, HMAC-MD5 signatures.
    EXTENDED_SESSIONSECURITY = 0x0008_0000, "EXTENDED_SESSIONSECURITY";
    /// Asks for an identify-level token.
    IDENTIFY = 0x0010_0000, "IDENTIFY";
    /// Session key from LMOWF (weak).
    REQUEST_NON_NT_SESSION_KEY = 0x0040_0000, "REQUEST_NON_NT_SESSION_KEY";
    /// `TargetInfo` is there.
    TARGET_INFO = 0x0080_0000, "TARGET_INFO";
    /// The Version field is there.
    VERSION = 0x0200_0000, "VERSION";
    /// 128-bit keys.
    NEGOTIATE_128 = 0x2000_0000, "NEGOTIATE_128";
    /// The client makes up the session key and sends it encrypted.
    KEY_EXCH = 0x4000_0000, "KEY_EXCH";
    /// 56-bit keys, where 128 is not common.
    NEGOTIATE_56 = 0x8000_0000, "NEGOTIATE_56";
}

impl NegotiateFlags {
    /// No bit at all.
    pub const NONE: Self = Self(0);

    /// What a context must have before a body may be trusted to it over a plain connection: SIGN, SEAL, `KEY_EXCH`,
    /// 128 bit and extended session security.
    pub const STRONG: Self = Self(
        Self::SIGN.0
            | Self::SEAL.0
            | Self::KEY_EXCH.0
            | Self::NEGOTIATE_128.0
            | Self::EXTENDED_SESSIONSECURITY.0,
    );

    /// True when every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when at least one bit of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The same flags with the bits of `other` on or off.
    pub const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }

    /// The bits of `other` that are not set here.
    pub const fn missing(self, other: Self) -> Self {
        Self(other.0 & !self.0)
    }

    /// Names of the bits that have one, without the prefix `NTLMSSP_`, from bit 0 up.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }

    /// The bits that have no name here.
    pub fn unknown(self) -> Self {
        Self::NAMES.iter().fold(self, |rest, (flag, _)| rest.with(*flag, false))
    }

    /// Length of the session keys that these flags lead to, in bits (MS-NLMP 3.4.5.3).
    ///
    /// Without extended session security and without `LM_KEY` the whole 128-bit key is used whatever was negotiated.
    pub const fn key_bits(self) -> u32 {
        let weakened = self.contains(Self::EXTENDED_SESSIONSECURITY) || self.contains(Self::LM_KEY);
        let lm_key_only = self.contains(Self::LM_KEY) && !self.contains(Self::EXTENDED_SESSIONSECURITY);
        if !weakened || (self.contains(Self::NEGOTIATE_128) && !lm_key_only) {
            128
        } else if self.contains(Self::NEGOTIATE_56) {
            56
        } else {
            40
        }
    }
}

impl BitOr for NegotiateFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for NegotiateFlags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Names, parted by `|`; bits without one as a number; `none` for no bit.
impl fmt::Display for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in self.names() {
            write!(f, "{separator}{name}")?;
            separator = "|";
        }
        let unknown = self.unknown();
        if unknown != Self::NONE {
            write!(f, "{separator}{:#010x}", unknown.0)?;
        } else if separator.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

impl fmt::Debug for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NegotiateFlags({:#010x}: {self})", self.0)
    }
}
