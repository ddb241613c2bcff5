//! The built command against services in this process: what scripts depend on.
//!
//! Commands are lines for `sh`, so most of this is for Unix.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(unix)]
mod clear_text;
#[cfg(unix)]
mod colours;
mod common;
#[cfg(unix)]
mod copy;
#[cfg(unix)]
mod endings;
#[cfg(unix)]
mod fleet;
mod identify;
#[cfg(all(feature = "keyring", unix))]
mod keyring;
#[cfg(unix)]
mod many;
#[cfg(unix)]
mod passwords;
#[cfg(unix)]
mod ps;
#[cfg(unix)]
mod reboots;
mod run;
mod serve;
#[cfg(unix)]
mod settings;
#[cfg(unix)]
mod shell;
mod tls;
mod usage;
