//! Tiny notices that tell a face what to read again, and the errors that operations answer with.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What a face should read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Server list, facets, latency.
    Fleet,
    /// A new snapshot.
    Snapshots,
    /// Events.
    Events,
    /// Targets, chains, cycles.
    Releases,
    /// Live output of a cycle's stage.
    Output,
    /// Decisions and interruptions.
    Decisions,
    /// Home, engine, configuration problems, safe mode.
    System,
}

/// "Something under `topic` is newer than `version`": the only thing that is pushed to a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Notice {
    /// What changed.
    pub topic: Topic,
    /// Grows with every change of the topic.
    pub version: u32,
}

/// An error as a face shows it: code, what happened, why, cure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ErrorDto {
    /// Closed code in snake case, such as `not_found` (see `att_core::Code`).
    pub code: String,
    /// What happened, one sentence.
    pub message: String,
    /// Why, when known.
    pub cause: Option<String>,
    /// What to do about it.
    pub cure: Option<String>,
}
