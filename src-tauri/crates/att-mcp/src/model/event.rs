//! What happened in the fleet, one record each (design 1.6).

use att_core::id::{CorrelationId, EventId, RequestId};
use serde::{Deserialize, Serialize};

use super::failure::ErrorCategory;
use super::server::{ConnectionState, HealthState, Reason};
use super::snapshot::Severity;

/// The phase of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvocationPhase {
    /// The connection is renewed first.
    InitializeStart,
    /// That worked.
    InitializeSuccess,
    /// That failed.
    InitializeFailure,
    /// The request goes out.
    InvokeStart,
    /// It was answered.
    InvokeSuccess,
    /// It was not, or with an error.
    InvokeFailure,
}

/// The six kinds, each with what it tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum EventKind {
    /// The connection facet moved.
    ConnectionChanged {
        /// From.
        from: ConnectionState,
        /// To.
        to: ConnectionState,
        /// Why.
        reason: Reason,
        /// When it will move by itself.
        next_action_at_ms: Option<i64>,
    },
    /// The health facet moved, or its reason did.
    HealthChanged {
        /// From.
        from: HealthState,
        /// To.
        to: HealthState,
        /// Why.
        reason: Reason,
    },
    /// An invocation reached a phase.
    InvocationPhase {
        /// The phase.
        phase: InvocationPhase,
        /// `tools/call` and so on.
        method: String,
        /// The tool, URI or prompt.
        item: String,
        /// What went wrong.
        error: Option<String>,
        /// Its category.
        error_category: Option<ErrorCategory>,
    },
    /// A new snapshot was taken.
    SnapshotTaken {
        /// Its id.
        snapshot_id: String,
        /// The one before.
        parent: Option<String>,
    },
    /// A snapshot differs from the baseline, or, where there is none, from the one before.
    DriftFound {
        /// The newer snapshot.
        snapshot_id: String,
        /// The older.
        from: String,
        /// The gravest change.
        severity: Severity,
        /// How many changes.
        changes: u32,
        /// One sentence.
        summary: String,
        /// True when the older one is the baseline, and not merely the snapshot before.
        #[serde(default)]
        baseline: bool,
    },
    /// The child wrote to stderr. Redacted and bounded.
    ServerStderr {
        /// One line.
        line: String,
    },
}

impl EventKind {
    /// The kind's name, as in the JSON key `kind`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConnectionChanged { .. } => "ConnectionChanged",
            Self::HealthChanged { .. } => "HealthChanged",
            Self::InvocationPhase { .. } => "InvocationPhase",
            Self::SnapshotTaken { .. } => "SnapshotTaken",
            Self::DriftFound { .. } => "DriftFound",
            Self::ServerStderr { .. } => "ServerStderr",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id; later ones sort later.
    pub id: EventId,
    /// The server.
    pub server: String,
    /// The connection's generation.
    pub generation: u64,
    /// When, Unix ms.
    pub at_ms: i64,
    /// The trace it belongs to.
    pub correlation_id: CorrelationId,
    /// The invocation it belongs to.
    pub request_id: Option<RequestId>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}
