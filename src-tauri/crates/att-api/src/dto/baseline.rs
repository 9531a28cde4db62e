//! What the operator accepted of a server's surface, and how far it has left that.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::SnapshotSummaryDto;

/// The accepted snapshot of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BaselineDto {
    /// The snapshot.
    pub snapshot_id: String,
    /// When it was accepted, Unix ms.
    #[specta(type = u32)]
    pub at_ms: i64,
    /// By whom, in a few words.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// An item that drift policy forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct QuarantinedItemDto {
    /// `tool` `resource` `resource_template` `prompt`.
    pub kind: String,
    /// The item.
    pub name: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// How a surface differs from its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DriftDto {
    /// The accepted snapshot.
    pub baseline_id: String,
    /// The snapshot that differs.
    pub snapshot_id: String,
    /// `info` `notice` `warning` `alarm`.
    pub severity: String,
    /// How many changes.
    pub changes: u32,
    /// The gravest few, in one sentence.
    pub summary: String,
    /// Since when, Unix ms.
    #[specta(type = u32)]
    pub since_ms: i64,
    /// The items that are not callable, at most 100.
    pub quarantined_items: Vec<QuarantinedItemDto>,
    /// How many there are.
    pub quarantined: u32,
}

/// A line of a server's history of snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SnapshotRowDto {
    /// The snapshot.
    #[serde(flatten)]
    pub summary: SnapshotSummaryDto,
    /// True for the accepted one.
    pub baseline: bool,
    /// The gravest change since the snapshot before; null for the first, and where that one is no longer kept.
    pub severity: Option<String>,
}

/// One page of a server's history of snapshots, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct SnapshotHistoryDto {
    /// The accepted snapshot, if there is one.
    pub baseline: Option<BaselineDto>,
    /// How the surface differs from it, as last known.
    pub drift: Option<DriftDto>,
    /// The snapshots.
    pub snapshots: Vec<SnapshotRowDto>,
    /// What to give as `before` for the next page; null on the last one.
    pub next_before: Option<String>,
}
