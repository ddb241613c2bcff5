//! The script that runs at the far end, and the interpreters it is written for.
//!
//! Command lines of Windows are too short for it, so the line names an interpreter that reads the script from standard input
//! and runs it; what follows there is the copy's.

use crate::powershell;

/// What a host runs scripts in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Interpreter {
    /// `powershell.exe`, 5.1: part of every Windows but Nano Server.
    WindowsPowerShell,
    /// `pwsh`, 7.
    PowerShell,
    /// POSIX `sh`, where processes are not those of Windows: `winrm-loopback` on Unix.
    PosixShell,
}

const SH: &str = include_str!("transfer.sh");
const POWERSHELL: &str = include_str!("transfer.ps1");
/// Reads a line, undoes its escapes, and runs what it is then.
const SH_LINE: &str = "IFS= read -r s; eval \"$(printf %b \"$s\")\"";

impl Interpreter {
    /// Of a host that calls itself so in the `Server` header.
    pub fn of(server: Option<&str>) -> Self {
        match server {
            Some(server) if server.starts_with("winrm-loopback/") && server.contains("(unix)") => {
                Self::PosixShell
            }
            _ => Self::WindowsPowerShell,
        }
    }

    /// The command line that waits for the script.
    pub fn line(self) -> String {
        match self {
            Self::WindowsPowerShell => powershell::waiting_line("powershell.exe"),
            Self::PowerShell => powershell::waiting_line("pwsh"),
            Self::PosixShell => SH_LINE.to_owned(),
        }
    }

    /// What it waits for.
    pub fn greeting(self) -> Vec<u8> {
        match self {
            Self::WindowsPowerShell | Self::PowerShell => powershell::through_stdin(POWERSHELL),
            Self::PosixShell => {
                let mut line = String::with_capacity(SH.len() + SH.len() / 8);
                for c in SH.chars() {
                    match c {
                        '\\' => line.push_str("\\\\"),
                        '\n' => line.push_str("\\n"),
                        c => line.push(c),
                    }
                }
                line.push('\n');
                line.into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_header_tells() {
        assert_eq!(Interpreter::of(Some("Microsoft-HTTPAPI/2.0")), Interpreter::WindowsPowerShell);
        assert_eq!(Interpreter::of(None), Interpreter::WindowsPowerShell);
        assert_eq!(Interpreter::of(Some("winrm-loopback/0.1.0 (unix)")), Interpreter::PosixShell);
        assert_eq!(Interpreter::of(Some("winrm-loopback/0.1.0 (windows)")), Interpreter::WindowsPowerShell);
    }

    #[test]
    fn lines_fit_cmd() {
        for interpreter in [Interpreter::WindowsPowerShell, Interpreter::PowerShell, Interpreter::PosixShell]
        {
            let line = interpreter.line();
            assert!(line.len() < powershell::CMD_LINE_LIMIT / 2, "{}", line.len());
            assert!(!line.contains(['\r', '\n', '\0']));
        }
    }
}
