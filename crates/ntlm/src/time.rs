//! FILETIME (MS-DTYP 2.3.3).

use std::time::Duration;

/// 1601-01-01 to 1970-01-01, in 100-nanosecond steps.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// 100-nanosecond steps since 1601-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileTime(pub u64);

impl FileTime {
    /// The moment `since_1970` after the Unix epoch; the far future (after the year 60 000) is cut to the last moment.
    pub fn from_unix(since_1970: Duration) -> Self {
        let steps = u64::try_from(since_1970.as_nanos() / 100).unwrap_or(u64::MAX);
        Self(UNIX_EPOCH.saturating_add(steps))
    }

    /// From the eight bytes of the wire.
    pub const fn from_le_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// The eight bytes of the wire.
    pub const fn to_le_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}
