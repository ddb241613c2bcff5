//! Starting actions and telling what becomes of them.

mod event;
mod events;
mod fleet;
mod reporter;
mod stopper;

pub use event::{Event, EventKind, NotTried, Outcome};
pub use events::Events;
pub use fleet::Fleet;
pub use reporter::Reporter;
pub use stopper::Stopper;
