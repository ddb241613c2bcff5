//! What a service allows of a kind at once, learned from its refusals: who comes too many waits instead of failing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As good as no limit.
const UNLIMITED: usize = 1 << 20;

/// Of successes, after which one more place is tried.
const ROUNDS: usize = 4;

/// Places of one kind, for instance for shells: first come, first served.
///
/// There are as many as anybody wants until the service refuses one for a [quota](winrm_wsman::Quota) while others are
/// taken: then there are as many as were taken. After four rounds of successes one more is tried, for somebody else may
/// have given places back.
///
/// ```
/// # use winrm_transport::Places;
/// # async fn example(open: impl Fn() -> Result<(), ()>) -> Option<()> {
/// let shells = Places::new();
/// loop {
///     let place = shells.take().await?;
///     match open() {
///         Ok(()) => {
///             place.granted();
///             // ... and `place` is kept until the shell is gone.
///             return Some(());
///         }
///         // Others of ours will give places back.
///         Err(()) if place.refused() => {}
///         Err(()) => return None,
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Places {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    free: Arc<Semaphore>,
    /// Places that somebody has, also those that are asked of the service at this moment.
    taken: AtomicUsize,
    learned: Mutex<Learned>,
}

#[derive(Debug, Default)]
struct Learned {
    /// A refusal has bounded the places.
    limited: bool,
    /// Successes since the last change.
    granted: usize,
}

/// A place taken, until this is dropped.
#[derive(Debug)]
pub struct Place {
    inner: Arc<Inner>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self::new()
    }
}

impl Places {
    /// As many as anybody wants.
    pub fn new() -> Self {
        let free = Arc::new(Semaphore::new(UNLIMITED));
        Self { inner: Arc::new(Inner { free, taken: AtomicUsize::new(0), learned: Mutex::default() }) }
    }

    /// Waits for a place; `None` once they are [closed](Self::close). Cancel-safe.
    pub async fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.inner.free).acquire_owned().await.ok()?;
        self.inner.taken.fetch_add(1, Ordering::SeqCst);
        Some(Place { inner: Arc::clone(&self.inner), permit: Some(permit) })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.inner.taken.load(Ordering::SeqCst)
    }

    /// Nobody gets a place any more.
    pub fn close(&self) {
        self.inner.free.close();
    }
}

impl Place {
    /// The service has granted what the place is for.
    pub fn granted(&self) {
        let mut learned = self.inner.learned.lock().unwrap_or_else(PoisonError::into_inner);
        if !learned.limited {
            return;
        }
        learned.granted += 1;
        if learned.granted >= ROUNDS.saturating_mul(self.inner.taken.load(Ordering::SeqCst)) {
            learned.granted = 0;
            self.inner.free.add_permits(1);
        }
    }

    /// The service has refused for a quota. Whether waiting for another place helps: others of ours are taken, so that one
    /// of them will be given back. Otherwise somebody else uses the quota up.
    pub fn refused(mut self) -> bool {
        let mut learned = self.inner.learned.lock().unwrap_or_else(PoisonError::into_inner);
        // Not given back: as many as others have are all there are. One of theirs comes back.
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
        let others = self.inner.taken.fetch_sub(1, Ordering::SeqCst).saturating_sub(1);
        self.inner.free.forget_permits(UNLIMITED);
        learned.limited = true;
        learned.granted = 0;
        if others == 0 {
            // Who waits may ask for himself.
            self.inner.free.add_permits(1);
        }
        others > 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The permit after the count, so that there are never more places taken than the count tells.
        if let Some(permit) = self.permit.take() {
            self.inner.taken.fetch_sub(1, Ordering::SeqCst);
            drop(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Whether a place is to be had at once.
    async fn free(places: &Places) -> Option<Place> {
        tokio::time::timeout(Duration::from_millis(1), places.take()).await.ok().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_makes_others_wait_for_what_is_given_back() {
        let places = Places::new();
        let (one, two) = (places.take().await.unwrap(), places.take().await.unwrap());
        assert!(places.take().await.unwrap().refused());
        assert!(free(&places).await.is_none());
        drop(one);
        let three = free(&places).await.unwrap();
        assert!(free(&places).await.is_none());
        drop((two, three));
        assert_eq!(places.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn without_places_of_ours_waiting_does_not_help() {
        let places = Places::new();
        assert!(!places.take().await.unwrap().refused());
        // But the next one may try.
        let again = free(&places).await.unwrap();
        assert!(free(&places).await.is_none());
        assert!(!again.refused());
        assert!(free(&places).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn after_rounds_of_successes_one_more_is_tried() {
        let places = Places::new();
        let held = [places.take().await.unwrap(), places.take().await.unwrap()];
        assert!(places.take().await.unwrap().refused());
        for _ in 1..2 * ROUNDS {
            held[0].granted();
        }
        assert!(free(&places).await.is_none());
        held[1].granted();
        assert!(free(&places).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_leaves_no_hole() {
        let places = Places::new();
        let one = places.take().await.unwrap();
        assert!(places.take().await.unwrap().refused());
        for _ in 0..3 {
            assert!(free(&places).await.is_none());
        }
        drop(one);
        assert!(free(&places).await.is_some());
        places.close();
        assert!(places.take().await.is_none());
    }
}
