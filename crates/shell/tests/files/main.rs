//! Copies of files, with a local `sh` as the far end, with one behind the service, and with far ends that misbehave.
#![cfg(feature = "files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod download;
mod far_ends;
mod hostile;
mod powershell;
mod resume;
mod service;
mod upload;
