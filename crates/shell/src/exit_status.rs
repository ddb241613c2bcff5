//! How a remote process ended.

use std::fmt;

use winrm_wsman::ExitCode;

/// How a remote process ended; mirrors [`std::process::ExitStatus`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ExitStatus(Option<ExitCode>);

impl ExitStatus {
    pub(crate) fn exited(code: ExitCode) -> Self {
        Self(Some(code))
    }

    /// Ended by a signal of ours, and the service told no code.
    pub(crate) fn terminated() -> Self {
        Self(None)
    }

    /// Exit code zero.
    pub fn success(self) -> bool {
        self.0.is_some_and(ExitCode::is_success)
    }

    /// The exit code as Windows shows it, with its sign; `None` when the process was terminated and the service
    /// told no code.
    pub fn code(self) -> Option<i32> {
        self.0.map(ExitCode::as_i32)
    }

    /// The exit code's 32 bits: `3221225786` is `0xC000013A`, ended by Ctrl-C.
    pub fn raw(self) -> Option<u32> {
        self.0.map(|code| code.0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.raw() {
            // NTSTATUS values are only known by their hexadecimal form.
            Some(code) if code > 0x7fff_ffff => write!(f, "exit code: {code:#010x}"),
            Some(code) => write!(f, "exit code: {code}"),
            None => f.write_str("terminated"),
        }
    }
}
