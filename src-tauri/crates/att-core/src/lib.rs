//! The words every room of ATT shares: ids, time, error codes, actors, redaction, secret references.
//!
//! **Invariant:** no I/O, no task, no clock of its own; async appears only in a trait that others implement. Whatever
//! needs the time or a random number is handed a [`Clock`] or a seed.

pub mod actor;
pub mod canonical;
pub mod clock;
pub mod error;
pub mod id;
pub mod interruption;
pub mod redact;
pub mod secret;
pub mod text;

pub use actor::{Actor, ActorKind, Face};
pub use canonical::{CanonicalError, canonical_json, sha256_hex};
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{Code, Report};
pub use redact::redact;
pub use text::visible;
