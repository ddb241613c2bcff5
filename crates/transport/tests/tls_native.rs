//! What holds for rustls holds for OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "tls.rs"]
mod tls;
