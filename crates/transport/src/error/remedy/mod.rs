//! What the user can do about a failure.

mod answer;
mod log_on;
mod reach;
mod tls;

use super::{Error, ErrorKind};

impl Error {
    /// What the user can do about it, one sentence; `None` where the message says all we know.
    pub fn remedy(&self) -> Option<String> {
        match &*self.kind {
            ErrorKind::Tls(error) => tls::remedy(error),
            ErrorKind::Fault(fault) => answer::to_fault(fault),
            _ => reach::remedy(self).or_else(|| log_on::remedy(self)).or_else(|| answer::remedy(self)),
        }
    }
}
