//! The MCP client manager: wire, era, connection, health, snapshots, diff, calls (design 1).
//!
//! **Invariant:** this room knows nothing of releases, of SQL or of a window. What it keeps goes through
//! [`store::FleetStore`]; time and randomness are handed in.

mod child;
mod client;
pub mod config;
mod connection;
mod dial;
pub mod diff;
mod era;
pub mod facets;
mod link;
mod lists;
pub mod model;
mod recorder;
pub mod snapshot;
pub mod store;
mod target;
mod wire;

pub use store::{FleetStore, MemoryFleetStore, StoreError};
