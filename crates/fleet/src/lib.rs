//! One action on many hosts.
//!
//! ```
//! use winrm_fleet::{EventKind, Fleet, Inventory, Reporter, Summary};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let inventory = Inventory::parse("[web]\nweb[01:20].example.com\nweb21.example.com ansible_port=5986\n")?;
//! let hosts = inventory.into_hosts();
//! let names: Vec<_> = hosts.iter().map(|host| host.name.clone()).collect();
//!
//! let mut summary = Summary::new();
//! let mut events = Fleet::new(hosts).parallel(10).max_failures(3).run(|host, reporter: Reporter<String>| async move {
//!     reporter.send(format!("hello from {}", host.name)).await;
//!     if host.port == Some(5986) { Err("connection refused") } else { Ok(()) }
//! });
//! while let Some(event) = events.next().await {
//!     match event.kind {
//!         EventKind::Started => {}
//!         EventKind::Progress(line) => println!("{line}"),
//!         EventKind::Ended(outcome) => summary.record(event.host, &names[event.host], &outcome),
//!     }
//! }
//! assert_eq!(summary.to_string(), "20 done, 1 failed\n  1  connection refused: web21.example.com");
//! # Ok(())
//! # }
//! ```
//!
//! - [`Fleet`] starts the actions, so many at a time, and [`Events`] tells what becomes of them.
//! - [`Summary`] counts outcomes and groups failures by their cause.
//! - [`Inventory`] reads host lists: plain ones, Ansible's INI format, and what `ansible-inventory --list` prints.
//! - [`Shard`] splits a list of hosts among several jobs.
//!
//! What a host is and what the action does is the caller's affair: this crate speaks no protocol and opens no file.
//!
//! Left out: retries (an action may repeat itself), Ansible's YAML format, `group_vars` and `host_vars` folders, templates.

mod inventory;
mod schedule;
mod shard;
mod summary;

pub use inventory::{Inventory, InventoryError, InventoryHost, MAX_HOSTS, Note, Place, RangeProblem};
pub use schedule::{Event, EventKind, Events, Fleet, NotTried, Outcome, Reporter, Stopper};
pub use shard::{Shard, ShardError};
pub use summary::{Group, Summary};
