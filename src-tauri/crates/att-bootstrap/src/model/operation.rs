//! One outside effect: intent committed, then done, then outcome committed (design 2.3).

use super::ids::TargetId;
use crate::words::words;
use att_core::id::{CycleId, OperationId};
use serde::{Deserialize, Serialize};

words! {
    /// What the effect is.
    OperationKind {
        /// Run the project's tests.
        Test = "test",
        /// Commit the change.
        Commit = "commit",
        /// Push the branch.
        Push = "push",
        /// Run the project's own CI command.
        Ci = "ci",
        /// The fenced push to the base branch.
        Merge = "merge",
        /// The target's deploy command.
        Deploy = "deploy",
        /// The target's rollback command.
        Rollback = "rollback",
    }
}

words! {
    /// How far it got.
    OperationPhase {
        /// The intent is committed; whether it was done must be looked up.
        Intended = "intended",
        /// The outcome is committed.
        Finished = "finished",
    }
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationOutcome {
    /// Did it do what it should?
    pub succeeded: bool,
    /// True when nobody can tell what it did.
    pub unknown: bool,
    /// Exit code, when a program ended by itself.
    pub exit_code: Option<i32>,
    /// Its time ran out and its process group was ended.
    pub timed_out: bool,
    /// One sentence.
    pub detail: String,
    /// How long it took.
    pub duration_ms: Option<i64>,
}

/// One outside effect, keyed by an id that is its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The idempotency key.
    pub id: OperationId,
    /// The cycle it belongs to.
    pub cycle_id: CycleId,
    /// The target it acts on, if it acts on one.
    pub target: Option<TargetId>,
    /// What it is.
    pub kind: OperationKind,
    /// How far it got.
    pub phase: OperationPhase,
    /// What is run; empty for work done without a program of the project's.
    pub argv: Vec<String>,
    /// The target's generation that it expects to find.
    pub expected_generation: Option<u64>,
    /// Its time limit.
    pub timeout_ms: i64,
    /// When the intent was committed.
    pub intended_at_ms: i64,
    /// When the outcome was committed.
    pub finished_at_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<OperationOutcome>,
}
