//! Why a value is not of the type that was wanted, and where.

use std::fmt;

/// Why a value is not of the type that was wanted. Texts of values are not kept, but what the type itself says may hold some.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConvertError {
    message: String,
    /// From the innermost outwards.
    path: Vec<Step>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

impl ConvertError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), path: Vec::new() }
    }

    /// The same, one step further out.
    pub(super) fn within(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    /// Where in the value, such as `Services[3].Status`; empty for the value itself.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.path.iter().rev() {
            match step {
                Step::Name(name) if path.is_empty() => path.push_str(name),
                Step::Name(name) => path.extend([".", name]),
                Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
            }
        }
        path
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConvertError {}

impl serde::de::Error for ConvertError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::ser::Error for ConvertError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}
