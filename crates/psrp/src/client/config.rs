//! What a pool is opened with.

use crate::Limits;
use crate::message::{InitRunspacePool, SessionCapability};

/// What a pool is opened with. The default is one runspace without a host.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What this side speaks.
    pub capability: SessionCapability,
    /// How large the pool is to be, and for whom.
    pub init: InitRunspacePool,
    /// What the server may make us keep.
    pub limits: Limits,
}

impl Config {
    /// Sets how many runspaces there are.
    pub fn with_runspaces(mut self, min: i32, max: i32) -> Self {
        self.init.min_runspaces = min;
        self.init.max_runspaces = max;
        self
    }

    /// Sets [`limits`](Self::limits).
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
