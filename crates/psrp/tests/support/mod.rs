//! Messages of every kind.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "tests may fail")]

pub mod pair;
pub mod strategies;

#[path = "../../../clixml/tests/support/strategies.rs"]
pub mod values;
