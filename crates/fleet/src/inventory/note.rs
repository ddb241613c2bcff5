//! What the reader of a host list should know.

use std::fmt;

use super::error::Place;

/// Names that a note lists at most.
const LISTED: usize = 10;

/// Something in a host list that is not used, or perhaps not meant so. `Display` is one clause.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// A plain list names these more than once; they count once.
    Repeated {
        /// As first given.
        names: Vec<String>,
    },
    /// Passwords and vaulted values are not read.
    SecretsIgnored {
        /// The first.
        place: Place,
    },
    /// Templates such as `{{ name }}` are not evaluated, so these are ignored.
    TemplateIgnored {
        /// Variable and place.
        variables: Vec<(&'static str, Place)>,
    },
    /// Variables for WinRM that are not read, and may be needed to connect.
    Unread {
        /// Sorted.
        variables: Vec<String>,
    },
    /// Hosts that Ansible reaches otherwise than by WinRM or PSRP.
    OtherConnection {
        /// The value of `ansible_connection`.
        connection: String,
        /// In the order of the inventory.
        hosts: Vec<String>,
    },
    /// Outside of quotes a backslash is dropped, as in a shell: `EX\ops` is `EXops`.
    BackslashDropped {
        /// The first line where one was.
        line: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { names } => {
                f.write_str("named more than once, counted once: ")?;
                list(f, names)
            }
            Self::SecretsIgnored { place } => {
                write!(f, "passwords and vaulted values in it are ignored: the first is at {place}")
            }
            Self::TemplateIgnored { variables } => {
                f.write_str("templates are not evaluated, so these are ignored: ")?;
                let named: Vec<_> =
                    variables.iter().map(|(name, place)| format!("{name} at {place}")).collect();
                list(f, &named)
            }
            Self::Unread { variables } => {
                f.write_str("these variables are not read: ")?;
                list(f, variables)
            }
            Self::OtherConnection { connection, hosts } => {
                write!(f, "ansible_connection is {}, not winrm or psrp: ", connection.escape_debug())?;
                list(f, hosts)
            }
            Self::BackslashDropped { line } => {
                write!(f, "line {line}: a backslash outside of quotes is dropped: quote the value to keep it")
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    for (number, name) in names.iter().take(LISTED).enumerate() {
        write!(f, "{}{name}", if number == 0 { "" } else { ", " })?;
    }
    match names.len().checked_sub(LISTED) {
        Some(more @ 1..) => write!(f, " and {more} more"),
        _ => Ok(()),
    }
}
