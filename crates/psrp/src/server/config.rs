//! How a server serves a pool.

use crate::Limits;
use crate::message::SessionCapability;

/// How a server serves a pool.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this side speaks.
    pub capability: SessionCapability,
    /// What the client may make us keep.
    pub limits: Limits,
    /// Whether a byte order mark stands before the data of each message, as from Windows.
    pub byte_order_mark: bool,
}

impl Config {
    /// Sets [`limits`](Self::limits).
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { capability: SessionCapability::default(), limits: Limits::default(), byte_order_mark: true }
    }
}
