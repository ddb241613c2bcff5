//! What a document may cost before it is refused.

/// Bounds on one document, checked before anything is allocated for what exceeds them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the document; 16 MiB.
    pub document_size: usize,
    /// Elements open at once, and objects within each other when references are followed; 128.
    pub depth: usize,
    /// Elements in the whole document; 262 144.
    pub elements: usize,
    /// Bytes of texts and [`ELEMENT_SIZE`](Self::ELEMENT_SIZE) for each value, counted again for each `Ref`; 64 MiB.
    ///
    /// Objects that several references name are shared, but who walks or copies the values meets them as often as
    /// they are named. So this bounds every such walk, and a few references to references cannot make it exponential.
    pub expanded_size: usize,
}

impl Limits {
    /// What a value counts for in [`expanded_size`](Self::expanded_size) besides its text.
    pub const ELEMENT_SIZE: usize = 64;

    /// Sets [`document_size`](Self::document_size).
    pub fn with_document_size(mut self, bytes: usize) -> Self {
        self.document_size = bytes;
        self
    }

    /// Sets [`depth`](Self::depth).
    pub fn with_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Sets [`elements`](Self::elements).
    pub fn with_elements(mut self, elements: usize) -> Self {
        self.elements = elements;
        self
    }

    /// Sets [`expanded_size`](Self::expanded_size).
    pub fn with_expanded_size(mut self, bytes: usize) -> Self {
        self.expanded_size = bytes;
        self
    }

    /// The part that the XML reader takes care of.
    pub(crate) fn xml(&self) -> winrm_xml::Limits {
        winrm_xml::Limits::default()
            .with_document_size(self.document_size)
            .with_depth(self.depth)
            .with_elements(self.elements)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { document_size: 16 << 20, depth: 128, elements: 1 << 18, expanded_size: 64 << 20 }
    }
}
