//! What a remote process's standard streams are tied to.

/// What a standard stream is tied to; mirrors [`std::process::Stdio`]. There is nothing to inherit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stdio(Kind);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Null,
    Piped,
}

impl Stdio {
    /// Nothing. Output is thrown away. Input is a console on which nobody types; a process that is still silent after
    /// the first operation timeout is told end-of-file, in case it waits for input.
    pub fn null() -> Self {
        Self(Kind::Null)
    }

    /// A stream in [`Child`](crate::Child). Output that is not read stops the process, as a full pipe does.
    pub fn piped() -> Self {
        Self(Kind::Piped)
    }

    pub(crate) fn is_piped(self) -> bool {
        self.0 == Kind::Piped
    }
}
