//! Recorded and published handshakes: every entry of every index under `WINRM_FIXTURES`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "recorded/captures.rs"]
mod captures;
#[path = "recorded/encryption.rs"]
mod encryption;
#[path = "recorded/handshakes.rs"]
mod handshakes;
#[path = "recorded/messages.rs"]
mod messages;
#[path = "recorded/support.rs"]
mod support;
#[path = "recorded/vectors.rs"]
mod vectors;

use support::Fixtures;

#[test]
fn nlmp() {
    let Some(fixtures) = Fixtures::folder("nlmp") else { return };
    let count =
        vectors::check_all(&fixtures) + messages::check_all(&fixtures) + handshakes::check_all(&fixtures);
    println!("recorded: nlmp {count}");
}

#[test]
fn encryption() {
    let Some(fixtures) = Fixtures::folder("encryption") else { return };
    let count = encryption::check_all(&fixtures);
    println!("recorded: encryption {count}");
}

#[test]
fn capture() {
    let Some(fixtures) = Fixtures::folder("capture") else { return };
    let count = captures::check_all(&fixtures);
    println!("recorded: capture {count}");
}
