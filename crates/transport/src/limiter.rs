//! What a service allows of a kind at once, learned from its refusals: who comes too many waits instead of failing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// As good as no limit.
const UNLIMITED: usize = 1 << 20;

/// Of successes, after which one more place is tried.
const ROUNDS: usize = 4;

/// Of waiting in which nothing was learned, after which one more place is tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// Places of one kind, for instance for shells: first come, first served.
///
/// There are as many as anybody wants until the service refuses one for a [quota](winrm_wsman::Quota) while others are
/// taken: then there are as many as were taken. After four rounds of successes one more is tried, and one every ten seconds
/// while somebody waits, for others may have given places back.
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
    /// A permit is a place: those that nobody has, first come, first served.
    free: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Places that somebody has, also those that are asked of the service at this moment.
    taken: usize,
    /// Places given back so far.
    given_back: u64,
    /// Successes since the last change.
    granted: usize,
    /// When a refusal has bounded the places, or one more was last tried; `None` as long as nothing was refused.
    learned: Option<Instant>,
}

/// A place taken, until this is dropped.
#[derive(Debug)]
pub struct Place {
    inner: Arc<Inner>,
    permit: Option<OwnedSemaphorePermit>,
    /// Of the places given back, those that were when this one was taken.
    given_back: u64,
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
        Self { inner: Arc::new(Inner { free, state: Mutex::default() }) }
    }

    /// Waits for a place; `None` once they are [closed](Self::close). Cancel-safe.
    pub async fn take(&self) -> Option<Place> {
        let acquire = Arc::clone(&self.inner.free).acquire_owned();
        tokio::pin!(acquire);
        let permit = loop {
            tokio::select! {
                biased;
                permit = &mut acquire => break permit.ok()?,
                () = tokio::time::sleep(PATIENCE) => self.inner.try_one_more(),
            }
        };
        let mut state = self.inner.state();
        state.taken += 1;
        Some(Place { inner: Arc::clone(&self.inner), permit: Some(permit), given_back: state.given_back })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.inner.state().taken
    }

    /// Nobody gets a place any more.
    pub fn close(&self) {
        self.inner.free.close();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On behalf of those who wait: whose turn it is asks the service again. However many wait, one does in that time.
    fn try_one_more(&self) {
        let mut state = self.state();
        if state.learned.is_some_and(|learned| learned.elapsed() >= PATIENCE) {
            state.learned = Some(Instant::now());
            self.free.add_permits(1);
        }
    }
}

impl Place {
    /// The service has granted what the place is for.
    pub fn granted(&self) {
        let mut state = self.inner.state();
        if state.learned.is_none() {
            return;
        }
        state.granted += 1;
        if state.granted >= ROUNDS.saturating_mul(state.taken) {
            state.granted = 0;
            self.inner.free.add_permits(1);
        }
    }

    /// The service has refused for a quota. Whether waiting for another place helps: others of ours are taken, so that one
    /// of them will be given back, or one was while the service was asked. Otherwise somebody else uses the quota up.
    pub fn refused(mut self) -> bool {
        let mut state = self.inner.state();
        state.taken -= 1;
        let given_back = usize::try_from(state.given_back - self.given_back).unwrap_or(UNLIMITED);
        // There is one place less than there seemed to be.
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
        if state.learned.is_none() {
            // As many as others have, and those that they gave back meanwhile.
            self.inner.free.forget_permits(UNLIMITED);
            self.inner.free.add_permits(given_back.min(UNLIMITED));
        }
        state.learned = Some(Instant::now());
        state.granted = 0;
        if state.taken == 0 && self.inner.free.available_permits() == 0 {
            // Who waits may ask for himself.
            self.inner.free.add_permits(1);
        }
        state.taken > 0 || given_back > 0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            let mut state = self.inner.state();
            state.taken -= 1;
            state.given_back += 1;
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
    async fn a_place_given_back_while_the_service_refused_is_worth_another_try() {
        let places = Places::new();
        let (one, two) = (places.take().await.unwrap(), places.take().await.unwrap());
        // The service refused before it heard that the first is gone.
        drop(one);
        assert!(two.refused());
        let again = free(&places).await.unwrap();
        assert!(free(&places).await.is_none(), "as many as there were");
        // Nobody of ours has given one back this time.
        assert!(!again.refused());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_refusals_leaves_as_many_places_as_there_are() {
        let places = Places::new();
        let mut taken = Vec::new();
        for _ in 0..50 {
            taken.push(places.take().await.unwrap());
        }
        // Five are granted, and two of these have ended before the refusals come.
        let mut granted = taken.split_off(45);
        granted.truncate(3);
        for refused in taken {
            assert!(refused.refused());
        }
        let (four, five) = (free(&places).await, free(&places).await);
        assert!(four.is_some() && five.is_some());
        assert!(free(&places).await.is_none());
        assert_eq!(places.taken(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_waits_the_service_is_asked_now_and_then() {
        let places = Places::new();
        let _held = places.take().await.unwrap();
        assert!(places.take().await.unwrap().refused());
        let started = Instant::now();
        let (first, second) = tokio::join!(places.take(), places.take());
        // One at a time: the second waited for twice as long.
        assert_eq!(started.elapsed(), PATIENCE * 2);
        assert!(first.unwrap().refused());
        drop(second);
        assert_eq!(places.taken(), 1);
        assert!(free(&places).await.is_some());
        places.close();
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
