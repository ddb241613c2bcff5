//! Order, limits and deadlines.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_core::Stream;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use winrm_fleet::{EventKind, Fleet, Outcome, Reporter};

use super::{Nothing, all, outcomes, started};

#[tokio::test]
async fn hosts_start_in_order_and_end_once() {
    let hosts = ["a", "b", "c", "d"];
    let events = all(Fleet::new(hosts).parallel(2).run(|host, _: Nothing| async move {
        yield_now().await;
        if host == "b" { Err(host) } else { Ok(host) }
    }))
    .await;
    assert_eq!(started(&events), [0, 1, 2, 3]);
    assert_eq!(
        outcomes(events, 4),
        [Outcome::Done("a"), Outcome::Failed("b"), Outcome::Done("c"), Outcome::Done("d")]
    );
}

#[tokio::test]
async fn no_hosts_no_events() {
    let fleet = Fleet::new(Vec::<u8>::new());
    assert!(all(fleet.run(|_, _: Nothing| async { Ok::<_, ()>(()) })).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_limit_is_reached_and_never_exceeded() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, top) = (Arc::clone(&running), Arc::clone(&most));
    let run = Fleet::new(0..500).parallel(7).run(move |_, _: Nothing| {
        let (now, top) = (Arc::clone(&now), Arc::clone(&top));
        async move {
            top.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..20 {
                yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, ()>(())
        }
    });
    let ended = outcomes(all(run).await, 500);
    assert!(ended.iter().all(Outcome::is_done));
    assert!((2..=7).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    assert_eq!(running.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_limit_of_none_is_a_limit_of_one() {
    let events = all(Fleet::new(0..3).parallel(0).run(|_, _: Nothing| async { Ok::<_, ()>(()) })).await;
    let hosts: Vec<_> = events.iter().map(|event| event.host).collect();
    assert_eq!(hosts, [0, 0, 1, 1, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_each_start() {
    let begin = Instant::now();
    let deadline = Duration::from_secs(10);
    let run =
        Fleet::new([8, 9, 30, 9]).parallel(1).host_deadline(deadline).run(|seconds, _: Nothing| async move {
            sleep(Duration::from_secs(seconds)).await;
            Ok::<_, ()>(seconds)
        });
    assert_eq!(
        outcomes(all(run).await, 4),
        [Outcome::Done(8), Outcome::Done(9), Outcome::TimedOut(deadline), Outcome::Done(9)]
    );
    assert_eq!(begin.elapsed().as_secs(), 8 + 9 + 10 + 9);
}

#[tokio::test(start_paused = true)]
async fn a_run_takes_as_long_as_its_longest_action() {
    let begin = Instant::now();
    let run = Fleet::new(0..50).run(|host, _: Nothing| async move {
        sleep(Duration::from_secs(host)).await;
        Ok::<_, ()>(())
    });
    assert_eq!(all(run).await.len(), 100);
    assert_eq!(begin.elapsed().as_secs(), 49);
}

#[tokio::test]
async fn hosts_that_have_not_started_cost_no_task() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let mut run = Fleet::new(0..10_000).parallel(3).run(move |_, _: Nothing| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Result<(), ()>>()
    });
    for _ in 0..3 {
        run.next().await.unwrap();
    }
    yield_now().await;
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert_eq!(run.size_hint(), (10_000, None));
}

#[tokio::test]
async fn ten_thousand_hosts_are_soon_done() {
    let begin = std::time::Instant::now();
    let run = Fleet::new(0..10_000_u32).parallel(200).run(|host, reporter: Reporter<u32>| async move {
        yield_now().await;
        reporter.send(host).await;
        if host % 5 == 0 { Err("fifth") } else { Ok(()) }
    });
    let events = all(run).await;
    assert_eq!(events.len(), 30_000);
    let ended = outcomes(events, 10_000);
    assert_eq!(ended.iter().filter(|end| end.is_failure()).count(), 2000);
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn it_is_a_stream_that_can_move() {
    fn is_send_stream<S: Stream + Unpin + Send + 'static>(stream: S) -> S {
        stream
    }
    let mut run = is_send_stream(Fleet::new([1]).run(|_, _: Nothing| async { Ok::<_, ()>(()) }));
    let next = std::future::poll_fn(|cx| Pin::new(&mut run).poll_next(cx)).await;
    assert_eq!(next.unwrap().kind, EventKind::Started);
}
