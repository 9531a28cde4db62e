//! The MCP client manager: wire, era, connection, health, snapshots, diff, calls (design 1).
//!
//! **Invariant:** this room knows nothing of releases, of SQL or of a window. What it keeps goes through
//! [`store::FleetStore`]; time and randomness are handed in.

pub mod config;
pub mod diff;
pub mod facets;
pub mod model;
pub mod snapshot;
pub mod store;

pub use store::{FleetStore, MemoryFleetStore, StoreError};
