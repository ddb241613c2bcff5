//! What a peer may make us keep.

/// Bounds on what a peer controls, checked before anything is kept for what exceeds them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one message before it is fragmented; 16 MiB.
    pub object_size: usize,
    /// Messages of one stream whose fragments have come in part; 8.
    pub open_objects: usize,
    /// Pipelines in one pool; 1 000, as many commands as Windows allows in a shell.
    pub pipelines: usize,
    /// Host calls of one pool that wait for their answers; 1 000.
    pub calls: usize,
    /// Bounds on the objects in messages.
    pub clixml: winrm_clixml::Limits,
}

impl Limits {
    /// Sets [`object_size`](Self::object_size), and the size of a document with it.
    pub fn with_object_size(mut self, bytes: usize) -> Self {
        self.object_size = bytes;
        self.clixml = self.clixml.with_document_size(bytes);
        self
    }

    /// Sets [`open_objects`](Self::open_objects).
    pub fn with_open_objects(mut self, objects: usize) -> Self {
        self.open_objects = objects;
        self
    }

    /// Sets [`pipelines`](Self::pipelines).
    pub fn with_pipelines(mut self, pipelines: usize) -> Self {
        self.pipelines = pipelines;
        self
    }

    /// Sets [`calls`](Self::calls).
    pub fn with_calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Sets [`clixml`](Self::clixml).
    pub fn with_clixml(mut self, limits: winrm_clixml::Limits) -> Self {
        self.clixml = limits;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_size: 16 << 20,
            open_objects: 8,
            pipelines: 1_000,
            calls: 1_000,
            clixml: winrm_clixml::Limits::default(),
        }
    }
}
