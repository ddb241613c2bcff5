//! How large a request may be, found out without administrator rights.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::{DEFAULT_MAX_ENVELOPE_SIZE, MIN_MAX_ENVELOPE_SIZE};

/// The longest envelope that the service is believed to take: MaxEnvelopeSizekb of every Windows since 2012 at first, and
/// half of what it refused from then on.
#[derive(Debug)]
pub(crate) struct RequestSize(AtomicUsize);

impl Default for RequestSize {
    fn default() -> Self {
        Self(AtomicUsize::new(bytes(DEFAULT_MAX_ENVELOPE_SIZE)))
    }
}

impl RequestSize {
    /// In bytes.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The service says itself what it takes.
    pub(crate) fn told(&self, size: usize) {
        self.0.store(size.max(bytes(MIN_MAX_ENVELOPE_SIZE)), Ordering::Relaxed);
    }

    /// An envelope of so many bytes was refused for its size. What is smaller than the least that WS-Management allows is
    /// no longer about size.
    pub(crate) fn refused(&self, size: usize) {
        let half = (size / 2).max(bytes(MIN_MAX_ENVELOPE_SIZE));
        // Several requests may have been refused at once: the smallest of them counts.
        self.0.fetch_min(half, Ordering::Relaxed);
    }
}

fn bytes(size: u32) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_halved_down_to_what_every_service_takes() {
        let size = RequestSize::default();
        assert_eq!(size.get(), 512_000);
        size.refused(512_000);
        assert_eq!(size.get(), 256_000);
        // The answer to a request that was under way before.
        size.refused(512_000);
        assert_eq!(size.get(), 256_000);
        size.refused(10_000);
        assert_eq!(size.get(), 8192);
        size.refused(100);
        assert_eq!(size.get(), 8192);
        size.told(153_600);
        assert_eq!(size.get(), 153_600);
    }
}
