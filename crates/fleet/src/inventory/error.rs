//! What can be wrong with a host list.

use std::fmt;

/// Where in a host list something is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// The line, from 1.
    Line(usize),
    /// What JSON says of this host.
    Host(String),
    /// What JSON says of this group.
    Group(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Host(name) => write!(f, "host {}", name.escape_debug()),
            Self::Group(name) => write!(f, "group {}", name.escape_debug()),
        }
    }
}

/// Why a text is not a host list. Says where and what, and quotes no values: a value out of its place may be a password.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// The whole text is an ansible-vault.
    #[error("the inventory is encrypted: decrypt it first, by `ansible-vault view`")]
    Encrypted,
    /// YAML is not read.
    #[error("line {line}: this looks like YAML: convert it by `ansible-inventory --list`")]
    Yaml {
        /// The line that does.
        line: usize,
    },
    /// It begins as JSON but is none.
    #[error("line {line}, column {column}: this is not JSON")]
    Json {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// JSON, but not what `ansible-inventory --list` prints.
    #[error("{place}: {key} is not {expected}")]
    Shape {
        /// The group or host.
        place: Place,
        /// The member that is of another kind.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Not a name, an address or a URL.
    #[error("{place}: this cannot be the name of a host")]
    NotAHost {
        /// Where.
        place: Place,
    },
    /// A URL with `user@` or `user:password@`.
    #[error("{place}: user and password do not belong in the URL of a host")]
    Credentials {
        /// Where.
        place: Place,
    },
    /// A host list names another, as `@FILE` does on a command line.
    #[error("line {line}: a host list cannot name another")]
    Nested {
        /// The line.
        line: usize,
    },
    /// A quote is opened and not closed, or a line ends with a backslash.
    #[error("line {line}: a quote is not closed")]
    UnclosedQuote {
        /// The line.
        line: usize,
    },
    /// Something else than `key=value`.
    #[error("line {line}: expected key=value")]
    ExpectedAssignment {
        /// The line.
        line: usize,
    },
    /// A variable stands where a host is expected.
    #[error("line {line}: a variable where a host is expected: its header may lack `:vars`")]
    NoHost {
        /// The line.
        line: usize,
    },
    /// Something else than one group name.
    #[error("line {line}: expected the name of one group")]
    ExpectedGroup {
        /// The line.
        line: usize,
    },
    /// A header that is not `[group]`, `[group:vars]` or `[group:children]`.
    #[error("line {line}: unknown kind of section: there are [group], [group:vars] and [group:children]")]
    UnknownSection {
        /// The line.
        line: usize,
    },
    /// A group is given variables or made a child, and is defined nowhere.
    #[error("line {line}: group {} is not defined", .group.escape_debug())]
    UndefinedGroup {
        /// The line.
        line: usize,
        /// The group.
        group: String,
    },
    /// A group is among its own descendants.
    #[error("group {} is a child of itself, directly or by other groups", .group.escape_debug())]
    GroupLoop {
        /// One of the groups.
        group: String,
    },
    /// A range such as `[01:20]` that cannot be expanded.
    #[error("line {line}: {problem}")]
    Range {
        /// The line.
        line: usize,
        /// What is wrong with it.
        problem: RangeProblem,
    },
    /// The ranges together make more hosts than [`MAX_HOSTS`](crate::MAX_HOSTS).
    #[error("line {line}: ranges make more than {limit} hosts")]
    TooManyHosts {
        /// The line where it is too much.
        line: usize,
        /// The bound.
        limit: usize,
    },
    /// Not a number from 1 to 65535.
    #[error("{place}: the port is not a number from 1 to 65535")]
    Port {
        /// Where.
        place: Place,
    },
}

/// What is wrong with a range of hosts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeProblem {
    /// Neither two numbers nor two letters, perhaps with a step.
    #[error("a range is written [01:20], [a:f] or [1:10:2]")]
    Malformed,
    /// Nothing after the colon.
    #[error("a range needs an end")]
    NoEnd,
    /// It ends before it begins.
    #[error("a range ends before it begins")]
    Backwards,
    /// `[01:100]`: how many digits is not clear.
    #[error("a range with leading zeros needs begin and end of the same length")]
    Widths,
    /// Not a whole number from 1.
    #[error("the step of a range is a number from 1")]
    Step,
}
