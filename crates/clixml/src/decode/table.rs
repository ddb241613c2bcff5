//! What a document has named so far.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Limits, PsObject, PsString};

/// What a value costs who walks it with references followed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// As [`Limits::expanded_size`] counts.
    pub(super) size: usize,
    /// Objects within each other.
    pub(super) height: usize,
}

impl Cost {
    pub(super) fn of_text(size: usize) -> Self {
        Self { size: size.saturating_add(Limits::ELEMENT_SIZE), height: 0 }
    }

    /// Adds that of a child.
    pub(super) fn add(&mut self, child: Self) {
        self.size = self.size.saturating_add(child.size);
        self.height = self.height.max(child.height);
    }
}

/// An object that has a `RefId`.
pub(super) enum Slot {
    /// Its end tag is still to come: the place among the open objects, and its number.
    Open { place: usize, number: u64 },
    /// Complete.
    Done { object: Arc<PsObject>, cost: Cost },
}

/// Identities of one serializer, which last as long as its document (MS-PSRP 2.2.5.3.3).
#[derive(Default)]
pub(crate) struct Tables {
    objects: HashMap<String, Slot>,
    types: HashMap<String, Arc<[PsString]>>,
    /// Number of the next object.
    next: u64,
    /// Bytes counted since [`begin`](Self::begin).
    charged: usize,
    /// Bytes kept alive by the tables, about.
    kept: usize,
}

impl Tables {
    pub(super) fn begin(&mut self) {
        self.charged = 0;
    }

    /// Counts, and returns the sum.
    pub(super) fn charge(&mut self, size: usize) -> usize {
        self.charged = self.charged.saturating_add(size);
        self.charged
    }

    /// Forgets objects that never ended.
    pub(super) fn abandon(&mut self) {
        self.objects.retain(|_, slot| matches!(slot, Slot::Done { .. }));
    }

    /// Forgets everything when it keeps more than `maximum` bytes alive. References to it are then unknown ones.
    pub(crate) fn trim(&mut self, maximum: usize) {
        if self.kept.saturating_add(self.charged) > maximum {
            self.objects.clear();
            self.types.clear();
            self.kept = 0;
        } else {
            self.kept = self.kept.saturating_add(self.charged);
        }
        self.charged = 0;
    }

    pub(super) fn number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }

    pub(super) fn object(&self, id: &str) -> Option<&Slot> {
        self.objects.get(id)
    }

    /// Whether the identity was free.
    pub(super) fn open(&mut self, id: &str, slot: Slot) -> bool {
        let free = !self.objects.contains_key(id);
        if free {
            self.objects.insert(id.to_owned(), slot);
        }
        free
    }

    pub(super) fn close(&mut self, id: &str, object: Arc<PsObject>, cost: Cost) {
        if let Some(slot) = self.objects.get_mut(id) {
            *slot = Slot::Done { object, cost };
        }
    }

    pub(super) fn types(&self, id: &str) -> Option<Arc<[PsString]>> {
        self.types.get(id).cloned()
    }

    /// Whether the identity was free.
    pub(super) fn add_types(&mut self, id: &str, types: Arc<[PsString]>) -> bool {
        self.types.insert(id.to_owned(), types).is_none()
    }
}
