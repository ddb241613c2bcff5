//! Where the tags of a document are, as the guard found them.

use std::ops::Range;

/// Bytes of a document.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Documents of 4 GiB and more are not held by spans: see [`Markup::holds`].
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let clamp = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end) }
    }

    pub(crate) fn range(self) -> Range<usize> {
        widen(self.start)..widen(self.end)
    }

    pub(crate) fn len(self) -> usize {
        self.range().len()
    }

    /// What `text` has there.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

fn widen(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Start,
    /// Start and end in one.
    Empty,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    pub(crate) kind: Kind,
    /// From `<` to `>`.
    pub(crate) span: Span,
    /// With its prefix.
    pub(crate) name: Span,
    /// Where its values end among those of all tags.
    values_end: u32,
}

/// The tags of a document, and what is between the quotes of their attributes, declarations left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Markup {
    tags: Vec<Tag>,
    values: Vec<Span>,
}

impl Markup {
    /// The next value of the tag that is under way.
    pub(crate) fn value(&mut self, value: Span) {
        self.values.push(value);
    }

    /// A tag that has ended.
    pub(crate) fn tag(&mut self, kind: Kind, span: Span, name: Span) {
        let values_end = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.tags.push(Tag { kind, span, name, values_end });
    }

    /// Whether a document of this size is held.
    pub(crate) fn holds(size: usize) -> bool {
        u32::try_from(size).is_ok_and(|size| size < u32::MAX)
    }

    pub(crate) fn get(&self, index: usize) -> Option<Tag> {
        self.tags.get(index).copied()
    }

    /// Of the tag at `index`, in their order.
    pub(crate) fn values(&self, index: usize) -> &[Span] {
        let end = |index: usize| self.tags.get(index).map_or(0, |tag| widen(tag.values_end));
        let start = index.checked_sub(1).map_or(0, end);
        self.values.get(start..end(index)).unwrap_or_default()
    }
}
