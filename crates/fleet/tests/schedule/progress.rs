//! What actions report, and who waits for whom.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::yield_now;
use winrm_fleet::{EventKind, Fleet, Outcome, Reporter};

use super::all;

#[tokio::test]
async fn progress_comes_in_order_between_start_and_end() {
    let run = Fleet::new(0..20_usize).parallel(6).run(|host, reporter: Reporter<usize>| async move {
        for step in 0..host * 10 {
            reporter.send(step).await;
        }
        Ok::<_, ()>(host)
    });
    // The next step of each running host.
    let mut steps = HashMap::new();
    let mut ended = 0;
    for event in all(run).await {
        match event.kind {
            EventKind::Started => assert!(steps.insert(event.host, 0).is_none()),
            EventKind::Progress(step) => {
                let next = steps.get_mut(&event.host).expect("it runs");
                assert_eq!(step, *next);
                *next += 1;
            }
            EventKind::Ended(outcome) => {
                assert_eq!(outcome, Outcome::Done(event.host));
                assert_eq!(steps.remove(&event.host), Some(event.host * 10), "all progress before the end");
                ended += 1;
            }
        }
    }
    assert_eq!(ended, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn progress_keeps_its_order_on_several_threads() {
    for _ in 0..20 {
        let run = Fleet::new(0..40).parallel(16).run(|_, reporter: Reporter<u32>| async move {
            for step in 0..30 {
                reporter.send(step).await;
            }
            Ok::<_, ()>(())
        });
        let mut steps = [0; 40];
        for event in all(run).await {
            match event.kind {
                EventKind::Progress(step) => {
                    assert_eq!(step, steps[event.host]);
                    steps[event.host] += 1;
                }
                EventKind::Ended(_) => assert_eq!(steps[event.host], 30),
                EventKind::Started => {}
            }
        }
    }
}

#[tokio::test]
async fn a_slow_reader_makes_actions_wait() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let mut run = Fleet::new(0..4).run(move |_, reporter: Reporter<[u8; 64]>| {
        let count = Arc::clone(&count);
        async move {
            for _ in 0..1000 {
                reporter.send([0; 64]).await;
                count.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<_, ()>(())
        }
    });
    let mut read = 0;
    for _ in 0..50 {
        if matches!(run.next().await.unwrap().kind, EventKind::Progress(_)) {
            read += 1;
        }
        // As long as there is anything to do without the reader.
        for _ in 0..200 {
            yield_now().await;
        }
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent <= read + 64, "{sent} sent, {read} read");
    }
    assert!(read > 0);
    let rest = all(run).await;
    assert_eq!(rest.iter().filter(|event| matches!(event.kind, EventKind::Progress(_))).count() + read, 4000);
}

#[tokio::test]
async fn outcomes_do_not_wait_behind_the_progress_of_others() {
    let run = Fleet::new([true, false]).run(|talks, reporter: Reporter<u32>| async move {
        for step in 0..if talks { 10_000 } else { 0 } {
            reporter.send(step).await;
        }
        Ok::<_, ()>(())
    });
    let events = all(run).await;
    let end = events.iter().position(|event| event.host == 1 && matches!(event.kind, EventKind::Ended(_)));
    assert!(end.unwrap() < 200, "{end:?}");
}

#[tokio::test]
async fn what_is_reported_after_the_end_is_lost() {
    let (first_over, late_sent) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let mut run = Fleet::new([0, 1]).parallel(1).run(move |host, reporter: Reporter<&str>| {
        let (first_over, late_sent) = (Arc::clone(&first_over), Arc::clone(&late_sent));
        async move {
            if host == 0 {
                tokio::spawn(async move {
                    let _over = first_over.acquire().await;
                    reporter.send("late").await;
                    late_sent.add_permits(1);
                });
            } else {
                // One at a time: that this runs shows that the other has ended.
                first_over.add_permits(1);
                late_sent.acquire().await.unwrap().forget();
                reporter.send("in time").await;
            }
            Ok::<_, ()>(())
        }
    });
    let mut seen = Vec::new();
    while let Some(event) = run.next().await {
        if let EventKind::Progress(text) = event.kind {
            seen.push((event.host, text));
        }
    }
    assert_eq!(seen, [(1, "in time")]);
}
