//! The SQL room: one SQLite file that the desktop and the CLI have open at once (design 2.8).
//!
//! Three kinds of rows live in `ATT_HOME/journal.db`:
//! - the **audit chain**: typed entries, each hashed over its predecessor, written in the transaction of the
//!   change that they record; the newest sequence and hash are kept beside the file in `journal.head`;
//! - the **cycle** and **engine** tables: what is decided and who drives, changed by compare-and-set;
//! - **telemetry**: states, events and attempts of the fleet, batched apart and bounded.
//!
//! **Invariant:** no SQL outside this crate, and no clock or id source inside it: times and ids are passed in.

mod audit;
mod cycle;
mod cycle_commit;
mod cycle_rows;
mod error;
mod events;
mod fleet;
mod fleet_rows;
mod head;
mod journal;
mod lease;
mod migrate;
mod open;
mod questions;
mod redaction;
mod request;
mod snapshots;
mod telemetry;
mod verify;

pub use audit::{AuditDraft, AuditEntry};
pub use error::JournalError;
pub use events::{AttemptFilter, EventFilter};
pub use fleet::Consent;
pub use head::Head;
pub use journal::Journal;
pub use migrate::SCHEMA_VERSION;
pub use open::OpenOptions;
pub use request::{NewRequest, RequestRow, RequestState};
pub use snapshots::SnapshotBudget;
pub use verify::{BadEntry, Problem, VerifyReport};
