//! Whatever keeps hosts from starting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use winrm_fleet::{EventKind, Fleet, NotTried, Outcome};

use super::{Nothing, all, outcomes, started};

#[tokio::test]
async fn after_so_many_failures_none_starts_and_the_running_go_on() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    // Host 0 runs until both failures are known.
    let mut run = Fleet::new(0..10).parallel(2).max_failures(2).run(move |host, _: Nothing| {
        let gate = Arc::clone(&gate);
        async move {
            if host == 0 {
                gate.notified().await;
                return Ok("slow");
            }
            if host == 2 { Ok("fast") } else { Err(host) }
        }
    });
    let mut events = Vec::new();
    let mut failures = 0;
    while let Some(event) = run.next().await {
        if matches!(event.kind, EventKind::Ended(Outcome::Failed(_))) {
            failures += 1;
            if failures == 2 {
                go.notify_one();
            }
        }
        events.push(event);
    }
    assert_eq!(started(&events), [0, 1, 2, 3]);
    let ended = outcomes(events, 10);
    assert_eq!(
        ended[..4],
        [Outcome::Done("slow"), Outcome::Failed(1), Outcome::Done("fast"), Outcome::Failed(3)]
    );
    assert!(ended[4..].iter().all(|end| *end == Outcome::NotTried(NotTried::TooManyFailures)));
}

#[tokio::test(start_paused = true)]
async fn panics_and_missed_deadlines_are_failures_too() {
    let run = Fleet::new(0..5).parallel(1).host_deadline(Duration::from_secs(1)).max_failures(2).run(
        |host, _: Nothing| async move {
            if host == 1 {
                sleep(Duration::from_secs(2)).await;
            }
            assert!(host != 2, "host {host} is odd");
            Ok::<_, ()>(())
        },
    );
    let ended = outcomes(all(run).await, 5);
    assert_eq!(ended[1], Outcome::TimedOut(Duration::from_secs(1)));
    assert_eq!(ended[2], Outcome::Panicked("host 2 is odd".to_owned()));
    assert_eq!(ended[3], Outcome::NotTried(NotTried::TooManyFailures));
}

#[tokio::test]
async fn fail_fast_stops_at_the_first_failure() {
    let run =
        Fleet::new(0..3).parallel(1).fail_fast().run(|host, _: Nothing| async move { Err::<(), _>(host) });
    let events = all(run).await;
    assert_eq!(started(&events), [0]);
    assert_eq!(outcomes(events, 3)[1], Outcome::NotTried(NotTried::TooManyFailures));
}

#[tokio::test]
async fn an_outcome_can_stop_the_run() {
    let run = Fleet::new(0..6)
        .parallel(1)
        .stop_when(|outcome| matches!(outcome, Err("password refused")))
        .run(|host, _: Nothing| async move {
            match host {
                0 => Err("no route"),
                2 => Err("password refused"),
                _ => Ok(()),
            }
        });
    let events = all(run).await;
    assert_eq!(started(&events), [0, 1, 2]);
    // What is not tried comes last and in order.
    let last: Vec<_> = events[events.len() - 3..].iter().map(|event| (event.host, &event.kind)).collect();
    let not_tried = EventKind::Ended(Outcome::NotTried(NotTried::Stopped));
    assert_eq!(last, [(3, &not_tried), (4, &not_tried), (5, &not_tried)]);
}

#[tokio::test]
async fn a_run_can_be_stopped_from_outside() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let fleet = Fleet::new(0..5).parallel(2);
    let early = fleet.stopper();
    let mut run = fleet.run(move |host, _: Nothing| {
        let gate = Arc::clone(&gate);
        async move {
            if host == 1 {
                gate.notified().await;
            }
            Ok::<_, ()>(host)
        }
    });
    let mut events = vec![run.next().await.unwrap(), run.next().await.unwrap()];
    run.stopper().stop();
    assert!(early.is_stopped());
    go.notify_one();
    while let Some(event) = run.next().await {
        events.push(event);
    }
    assert_eq!(started(&events), [0, 1]);
    let ended = outcomes(events, 5);
    assert_eq!(ended[..2], [Outcome::Done(0), Outcome::Done(1)]);
    assert!(ended[2..].iter().all(|end| *end == Outcome::NotTried(NotTried::Cancelled)));
}

#[tokio::test]
async fn a_run_that_was_stopped_before_tries_no_host() {
    let fleet = Fleet::new(0..3);
    fleet.stopper().stop();
    let events = all(fleet.run(|_, _: Nothing| async { Ok::<_, ()>(()) })).await;
    assert_eq!(events.len(), 3);
    assert_eq!(started(&events), [0_usize; 0]);
}
