//! VERSION (MS-NLMP 2.2.2.10).

/// Eight bytes that name the sender's operating system; for logs only, nothing depends on them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Version(pub [u8; 8]);

impl Version {
    /// `NTLMSSP_REVISION_W2K3`, the only revision there is.
    const REVISION: u8 = 15;

    /// Product version and build, with the current NTLM revision.
    pub const fn new(major: u8, minor: u8, build: u16) -> Self {
        let [low, high] = build.to_le_bytes();
        Self([major, minor, low, high, 0, 0, 0, Self::REVISION])
    }

    /// `ProductMajorVersion`.
    pub const fn major(self) -> u8 {
        self.0[0]
    }

    /// `ProductMinorVersion`.
    pub const fn minor(self) -> u8 {
        self.0[1]
    }

    /// `ProductBuild`.
    pub const fn build(self) -> u16 {
        u16::from_le_bytes([self.0[2], self.0[3]])
    }

    /// `NTLMRevisionCurrent`.
    pub const fn revision(self) -> u8 {
        self.0[7]
    }
}
