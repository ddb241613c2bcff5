//! What the client knows of a pipeline.

use crate::PipelineState;

/// A pipeline that has not ended (MS-PSRP 3.1.1.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Pipeline {
    pub(super) state: PipelineState,
    /// Whether more input may be sent.
    pub(super) input_open: bool,
    /// Whether it was ours before the pool was disconnected, so that its state comes back with the pool.
    pub(super) before: PipelineState,
}

impl Pipeline {
    pub(super) fn new(input_open: bool) -> Self {
        Self { state: PipelineState::Running, input_open, before: PipelineState::Running }
    }
}
