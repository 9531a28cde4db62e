//! What the operator accepted of a server's surface, and how far it has left that (design 1.4).

use att_core::Actor;
use serde::{Deserialize, Serialize};

use super::snapshot::{ListKind, Severity};

/// Quarantined items that a state tells of; the rest is counted. All of them are enforced.
pub const TOLD_ITEMS: usize = 100;

/// A snapshot that a person accepted as what its server should offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The server.
    pub server: String,
    /// The snapshot.
    pub snapshot_id: String,
    /// When it was accepted, Unix ms.
    pub at_ms: i64,
    /// By whom.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// A surface in spite of which the operator switched the quarantined server on; the policy lets it be.
    pub released_surface: Option<String>,
}

/// An item that drift policy forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedItem {
    /// The list.
    pub list: ListKind,
    /// The item's key.
    pub key: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// How a server's surface differs from its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The snapshot that was accepted.
    pub baseline_id: String,
    /// The snapshot that differs from it.
    pub snapshot_id: String,
    /// The gravest change.
    pub severity: Severity,
    /// How many changes.
    pub changes: u32,
    /// The gravest few, in one sentence.
    pub summary: String,
    /// Since when the surface is off its baseline, Unix ms.
    pub since_ms: i64,
    /// The items that are not callable, at most [`TOLD_ITEMS`].
    pub quarantined_items: Vec<QuarantinedItem>,
    /// How many there are.
    pub quarantined: u32,
}

impl Drift {
    /// True when a person should look at it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.severity >= Severity::Warning || self.quarantined > 0
    }
}
