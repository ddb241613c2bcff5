//! Every place at which a conversation may break.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::case::{Case, Shape};
use crate::conversation::Conversation;
use crate::link::{Direction, Fault, Kind};

const DIRECTIONS: [Direction; 2] = [Direction::Request, Direction::Response];

/// Runs cases on all cores.
fn run_all(cases: &[Case]) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    case.run();
                }
            });
        }
    });
}

fn whole(conversation: Conversation) -> Shape {
    Case { conversation, fault: None, again: false }.run()
}

fn length(shape: &Shape, direction: Direction) -> usize {
    match direction {
        Direction::Request => shape.requests,
        Direction::Response => shape.responses,
    }
}

/// Faults of one kind at these offsets. Every eighth client is used again afterwards.
fn faults(
    conversation: Conversation,
    kind: Kind,
    direction: Direction,
    offsets: impl Iterator<Item = usize>,
) -> impl Iterator<Item = Case> {
    offsets.map(move |offset| Case {
        conversation,
        fault: Some(Fault { direction, offset, kind }),
        again: offset % 8 == 0,
    })
}

/// The boundaries of messages, one byte to either side, and each sixteenth offset.
fn coarse(shape: &Shape, direction: Direction) -> Vec<usize> {
    let length = length(shape, direction);
    let turns = shape.turns.iter().filter(|turn| turn.0 == direction).map(|turn| turn.1);
    let mut offsets: Vec<usize> = turns.flat_map(|at| [at.saturating_sub(1), at, at + 1]).collect();
    offsets.extend((0..length).step_by(16));
    offsets.sort_unstable();
    offsets.dedup();
    offsets.retain(|offset| *offset < length);
    offsets
}

#[test]
fn a_cold_command_is_cut_at_every_byte() {
    let shape = whole(Conversation::Cold);
    assert!(shape.turns.len() >= 10, "{shape:?}");
    for direction in DIRECTIONS {
        let offsets = 0..length(&shape, direction);
        run_all(&faults(Conversation::Cold, Kind::Cut, direction, offsets).collect::<Vec<_>>());
    }
}

#[test]
fn every_conversation_is_reset_stalled_and_truncated() {
    for conversation in [Conversation::Cold, Conversation::Input, Conversation::Warm] {
        let shape = whole(conversation);
        for kind in [Kind::Cut, Kind::Reset, Kind::Stall, Kind::Truncate] {
            // Cut at every byte already.
            if (conversation, kind) == (Conversation::Cold, Kind::Cut) {
                continue;
            }
            for direction in DIRECTIONS {
                let offsets = coarse(&shape, direction).into_iter();
                run_all(&faults(conversation, kind, direction, offsets).collect::<Vec<_>>());
            }
        }
    }
}

/// What the client had received whole is in its hands, wherever the rest is cut off.
#[test]
fn output_received_before_the_fault_is_kept() {
    // The answer to the first Receive ends where the request of the second begins: after the tokens, Create and Command
    // three answers came before it.
    let shape = whole(Conversation::Cold);
    let answers: Vec<usize> =
        shape.turns.iter().filter(|turn| turn.0 == Direction::Response).map(|turn| turn.1).collect();
    let second_receive = answers[4];
    let end_of_output = answers[5];
    // Right behind the first the connection is cut while nothing is asked, and nothing is lost.
    for offset in second_receive + 1..end_of_output {
        for kind in [Kind::Cut, Kind::Reset] {
            let fault = Fault { direction: Direction::Response, offset, kind };
            let case = Case { conversation: Conversation::Cold, fault: Some(fault), again: false };
            let kept = case.partial_output();
            assert_eq!(kept, crate::conversation::FIRST, "{case:?}");
        }
    }
}
