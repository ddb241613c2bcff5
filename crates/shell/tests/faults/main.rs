//! Conversations that are cut, reset, stalled or truncated anywhere: each ends in time, in success or in an error that says
//! what is known; nothing runs twice; nothing that was received is lost.
//!
//! Client and service talk in memory, on a clock that runs as fast as nothing else happens. To see one case again, give its
//! description to [`case::Case`]: it is in every failure.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod case;
mod conversation;
mod link;
mod sweep;
mod tcp;
