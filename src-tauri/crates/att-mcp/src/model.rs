//! The fleet's nouns, as they are stored and shown (design 1 and 4). Data only: what changes them lives in `facets`.

pub mod drift;
pub mod event;
pub mod failure;
pub mod question;
pub mod server;
pub mod session;
pub mod snapshot;
pub mod wire;

pub use drift::{Baseline, Drift, QuarantinedItem, TOLD_ITEMS};
pub use event::{Event, EventKind, InvocationPhase};
pub use failure::{
    Attempt, AttemptRecord, AttemptStage, AuthNeed, BreakerCount, BreakerState, ErrorCategory, Fault,
    InvokeOutcome,
};
pub use question::QuestionClosure;
pub use server::{
    AdminState, ConnectionState, Counters, Era, Facet, Facets, HealthState, ListCounts, Reason, ReasonCode,
    ServerState, Status, SuggestedAction, TransportKind,
};
pub use session::{Freshness, Session};
pub use snapshot::{
    Change, ChangeKind, FieldChange, ItemHashes, ListKind, ListSnapshot, ListStatus, Lists, Remark, Severity,
    Snapshot, SnapshotDiff, SnapshotItem,
};
pub use wire::{WireDirection, WireEntry, WireKind};
