//! Dropping, aborting, panicking, and runtimes that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::yield_now;
use winrm_fleet::{EventKind, Events, Fleet, Outcome};

use super::{Nothing, all, outcomes};

/// Counts itself while it lives.
struct Guard(Arc<AtomicUsize>);

impl Guard {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn endless(alive: &Arc<AtomicUsize>) -> Events<i32, (), (), ()> {
    let alive = Arc::clone(alive);
    Fleet::new(0..10).parallel(4).run(move |_, _| {
        let guard = Guard::new(&alive);
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    })
}

#[tokio::test]
async fn dropping_the_stream_drops_the_actions() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut run = endless(&alive);
    for _ in 0..4 {
        assert_eq!(run.next().await.unwrap().kind, EventKind::Started);
    }
    yield_now().await;
    assert_eq!(alive.load(Ordering::SeqCst), 4);
    drop(run);
    yield_now().await;
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abort_returns_when_all_actions_are_dropped() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut run = endless(&alive);
    for _ in 0..4 {
        run.next().await.unwrap();
    }
    run.abort().await;
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_an_outcome() {
    // A closure that is no future yet when it panics, and a payload that is no string.
    let run = Fleet::new(0..2).run(|host, _: Nothing| {
        if host == 0 {
            std::panic::panic_any(7);
        }
        async { Ok::<_, ()>(()) }
    });
    let ended = outcomes(all(run).await, 2);
    assert_eq!(ended, [Outcome::Panicked("no message".to_owned()), Outcome::Done(())]);
}

#[test]
fn a_runtime_that_goes_away_is_an_outcome() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut run = Fleet::new([()]).run(|(), _: Nothing| std::future::pending::<Result<(), ()>>());
    let first = runtime();
    assert_eq!(first.block_on(run.next()).unwrap().kind, EventKind::Started);
    drop(first);
    assert_eq!(runtime().block_on(run.next()).unwrap().kind, EventKind::Ended(Outcome::Aborted));
}

#[tokio::test]
async fn giving_up_a_wait_loses_nothing() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let mut run = Fleet::new(0..2).run(move |_, _: Nothing| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok::<_, ()>(())
        }
    });
    let mut events = 0;
    while events < 4 {
        tokio::select! {
            biased;
            event = run.next() => {
                events += usize::from(event.is_some());
            }
            () = yield_now() => go.notify_one(),
        }
    }
    assert!(run.next().await.is_none());
}
