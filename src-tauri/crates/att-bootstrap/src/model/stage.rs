//! The stages of a cycle, what they printed, and the cycle's result (design 2.2 and 2.3).

use super::cycle::FailureClass;
use super::policy::DeploymentContext;
use crate::words::words;
use att_core::id::CycleId;
use serde::{Deserialize, Serialize};

words! {
    /// A part of a cycle with an outcome of its own, in the order of the cycle.
    Stage {
        /// Fetch, configuration, worktrees.
        Preparing = "preparing",
        /// The change.
        Changing = "changing",
        /// The tests.
        Testing = "testing",
        /// The commit.
        Committing = "committing",
        /// The push.
        Pushing = "pushing",
        /// The pull request.
        OpeningPr = "opening_pr",
        /// CI.
        AwaitingCi = "awaiting_ci",
        /// The merge.
        Merging = "merging",
        /// The readiness card.
        Readying = "readying",
        /// The deploy.
        Deploying = "deploying",
        /// The watchdog.
        Watching = "watching",
        /// The health gate.
        HealthChecking = "health_checking",
        /// The decision.
        Deciding = "deciding",
        /// The wait for a person.
        AwaitingApproval = "awaiting_approval",
        /// The rollback.
        RollingBack = "rolling_back",
        /// Its verification.
        VerifyingRollback = "verifying_rollback",
    }
}

words! {
    /// What became of a stage. A skipped stage is never shown as passed.
    StageOutcome {
        /// It did not run.
        NotRun = "not_run",
        /// It runs.
        Running = "running",
        /// It did what it should.
        Passed = "passed",
        /// It failed.
        Failed = "failed",
        /// There was nothing to do, and the detail says why.
        Skipped = "skipped",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// Nobody can tell.
        Unknown = "unknown",
    }
}

/// One stage's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which.
    pub stage: Stage,
    /// What became of it.
    pub outcome: StageOutcome,
    /// When it began.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// One sentence.
    pub detail: Option<String>,
}

words! {
    /// The verdict of the policy matrix in a result (design 2.2).
    RollbackPolicyStatus {
        /// It was not needed.
        NotEvaluated = "not_evaluated",
        /// It allows.
        Allowed = "allowed",
        /// It denies.
        Denied = "denied",
    }
}

words! {
    /// The outcome of a gate in a result.
    GateStatus {
        /// It did not run.
        NotRun = "not_run",
        /// It passed.
        Passed = "passed",
        /// It failed.
        Failed = "failed",
        /// It gave no verdict.
        Inconclusive = "inconclusive",
        /// There was nothing to run.
        Skipped = "skipped",
    }
}

/// The result besides the stage outcomes (design 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleResult {
    /// The release that this cycle put live, or tried to.
    pub deployed_release_id: Option<String>,
    /// The release a rollback would bring back.
    pub rollback_target_release_id: Option<String>,
    /// Where that was learned.
    pub release_metadata_source: Option<String>,
    /// What policy said.
    pub rollback_policy_status: RollbackPolicyStatus,
    /// Why.
    pub rollback_policy_reason: Option<String>,
    /// Is the rollback target valid? None: not judged.
    pub rollback_target_valid: Option<bool>,
    /// The failure class.
    pub rollback_failure_class: Option<FailureClass>,
    /// The context.
    pub rollback_deployment_context: Option<DeploymentContext>,
    /// Was a rollback run?
    pub rollback_performed: bool,
    /// Did it succeed? None: not run.
    pub rollback_succeeded: Option<bool>,
    /// The watchdog's outcome.
    pub restart_watchdog_status: GateStatus,
    /// Why.
    pub restart_watchdog_reason: Option<String>,
    /// The health gate's outcome.
    pub health_status: GateStatus,
    /// CI's outcome.
    pub ci_status: GateStatus,
    /// The pull request.
    pub pr_url: Option<String>,
    /// Is the change on the base branch?
    pub merged: bool,
}

impl Default for CycleResult {
    fn default() -> Self {
        Self {
            deployed_release_id: None,
            rollback_target_release_id: None,
            release_metadata_source: None,
            rollback_policy_status: RollbackPolicyStatus::NotEvaluated,
            rollback_policy_reason: None,
            rollback_target_valid: None,
            rollback_failure_class: None,
            rollback_deployment_context: None,
            rollback_performed: false,
            rollback_succeeded: None,
            restart_watchdog_status: GateStatus::NotRun,
            restart_watchdog_reason: None,
            health_status: GateStatus::NotRun,
            ci_status: GateStatus::NotRun,
            pr_url: None,
            merged: false,
        }
    }
}

words! {
    /// What a timer is for.
    TimerKind {
        /// Probe or poll again.
        Probe = "probe",
        /// The approval lapses.
        ApprovalExpiry = "approval_expiry",
    }
}

/// A due time, kept as a row so that a crash does not lose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRow {
    /// Its key: `<kind>:<cycle id>`.
    pub id: String,
    /// What for.
    pub kind: TimerKind,
    /// Whose.
    pub cycle_id: CycleId,
    /// When.
    pub due_at_ms: i64,
}

/// What a stage printed: where it is kept and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputLog {
    /// The cycle.
    pub cycle_id: CycleId,
    /// The stage.
    pub stage: Stage,
    /// The file, relative to `ATT_HOME`.
    pub path: String,
    /// How much is kept.
    pub bytes: u64,
    /// More was printed than is kept.
    pub truncated: bool,
    /// The last lines.
    pub tail: String,
    /// When it was last written.
    pub updated_at_ms: i64,
}
