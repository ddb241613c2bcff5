//! What `Fleet` promises of order, limits, deadlines, stopping and dropping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod ending;
mod limits;
mod progress;
mod stop;

use std::collections::HashMap;

use winrm_fleet::{Event, EventKind, Events, Outcome, Reporter};

type Nothing = Reporter<()>;

async fn all<H, P, T: Send + 'static, E: Send + 'static>(
    mut events: Events<H, P, T, E>,
) -> Vec<Event<P, T, E>> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        all.push(event);
    }
    assert!(events.next().await.is_none(), "it stays at its end");
    all
}

/// Outcomes by host; each host must have exactly one.
fn outcomes<P, T, E>(events: Vec<Event<P, T, E>>, hosts: usize) -> Vec<Outcome<T, E>> {
    let mut outcomes = HashMap::new();
    for event in events {
        if let EventKind::Ended(outcome) = event.kind {
            assert!(outcomes.insert(event.host, outcome).is_none(), "host {} ended twice", event.host);
        }
    }
    (0..hosts).map(|host| outcomes.remove(&host).expect("every host ends")).collect()
}

fn started<P, T, E>(events: &[Event<P, T, E>]) -> Vec<usize> {
    let started = events.iter().filter(|event| matches!(event.kind, EventKind::Started));
    started.map(|event| event.host).collect()
}
