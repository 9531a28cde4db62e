//! One attempt to get a change live, stage by stage (design 2.2 and 2.3).

use super::ids::{ProjectId, TargetId};
use super::policy::ResolvedPolicy;
use super::stage::{CycleResult, Stage, StageOutcome, StageRecord};
use crate::request::CycleRequest;
use crate::words::words;
use att_core::Actor;
use att_core::id::{CorrelationId, CycleId, DecisionId, DeploymentId, InterruptionId, OperationId};
use serde::{Deserialize, Serialize};

words! {
    /// What a cycle is for.
    CycleKind {
        /// Get a change live.
        Release = "release",
        /// Bring an earlier (or later) release back, because a person asked for it.
        Rollback = "rollback",
    }
}

words! {
    /// Where a cycle stands. Which state may follow which is in [`crate::table`].
    CycleState {
        /// Accepted, not begun.
        Queued = "queued",
        /// Fetching the base, reading `att.toml`, laying out worktrees.
        Preparing = "preparing",
        /// Writing the change.
        Changing = "changing",
        /// Running the tests.
        Testing = "testing",
        /// Committing the change.
        Committing = "committing",
        /// Pushing the branch.
        Pushing = "pushing",
        /// Opening a pull request, where there is a host for it.
        OpeningPr = "opening_pr",
        /// Waiting for the verdict on the pushed commit.
        AwaitingCi = "awaiting_ci",
        /// Merging the head into the base.
        Merging = "merging",
        /// Capturing what runs now, and what a rollback would do.
        Readying = "readying",
        /// The deploy command runs.
        Deploying = "deploying",
        /// The restart watchdog probes.
        Watching = "watching",
        /// The health gate judges.
        HealthChecking = "health_checking",
        /// The new release is live and healthy, or merged where there is no target.
        Succeeded = "succeeded",
        /// Policy looks at the failure.
        Deciding = "deciding",
        /// No rollback.
        Denied = "denied",
        /// A person is asked.
        AwaitingApproval = "awaiting_approval",
        /// The rollback command runs.
        RollingBack = "rolling_back",
        /// Proof that the target release is what answers.
        VerifyingRollback = "verifying_rollback",
        /// The target release answers and is healthy.
        RolledBack = "rolled_back",
        /// The rollback did not bring the target release back.
        RollbackFailed = "rollback_failed",
        /// It ended before anything was deployed.
        Failed = "failed",
        /// Somebody stopped it before anything was deployed.
        Cancelled = "cancelled",
        /// The outside state is unknown; a person states it.
        NeedsOperator = "needs_operator",
    }
}

impl CycleState {
    /// True when nothing follows any more. Every other state counts as live.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded
                | Self::Denied
                | Self::RolledBack
                | Self::RollbackFailed
                | Self::Failed
                | Self::Cancelled
        )
    }
}

words! {
    /// Why a rollback comes into question (design 2.5).
    FailureClass {
        /// The deploy failed.
        DeployFailure = "deploy_failure",
        /// The watchdog failed.
        RestartWatchdogFailure = "restart_watchdog_failure",
        /// The health gate failed or was inconclusive.
        HealthFailure = "health_failure",
        /// Nothing failed: a person asked. Outside the matrix.
        OperatorRequest = "operator_request",
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class, where a rollback comes into question.
    pub class: Option<FailureClass>,
    /// A stable word such as `tests_failed` or `operator_cancel`.
    pub cause: String,
    /// One sentence.
    pub detail: String,
    /// The gate gave no verdict: a person always decides.
    pub inconclusive: bool,
    /// The stage it happened in.
    pub stage: Stage,
}

words! {
    /// What a live cycle waits for, when it is not working.
    WaitingFor {
        /// A person who approves or rejects the rollback.
        Approval = "approval",
        /// A person who approves this `att.toml`.
        ConfigApproval = "config_approval",
        /// A person who lets the merge happen.
        MergeApproval = "merge_approval",
        /// Safe mode to be lifted.
        SafeMode = "safe_mode",
        /// A freeze window to end.
        FreezeWindow = "freeze_window",
        /// A person who states what runs.
        Operator = "operator",
        /// A due time: the next probe or poll.
        Timer = "timer",
    }
}

/// What a cycle waits for and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// For what.
    pub waiting_for: WaitingFor,
    /// Since when.
    pub since_ms: i64,
    /// When something happens by itself, if it does.
    pub until_ms: Option<i64>,
    /// The entry in the inbox.
    pub interruption_id: Option<InterruptionId>,
    /// One sentence.
    pub detail: String,
}

/// Somebody asked to stop the cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at_ms: i64,
}

/// Progress of a gate that probes several times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeProgress {
    /// Good probes in a row.
    pub good: u32,
    /// Bad probes in all.
    pub bad: u32,
    /// Looks in all.
    pub polls: u32,
    /// What the last one said.
    pub last: Option<String>,
}

/// What a rollback would do, were it needed for one failure class (design 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessCard {
    /// For which failure.
    pub failure_class: FailureClass,
    /// Would policy allow it?
    pub allowed: bool,
    /// The matrix's reason, or the first denying guard's.
    pub reason: String,
    /// Would a person be asked?
    pub needs_person: bool,
    /// To which release.
    pub target_release_id: Option<String>,
}

/// One attempt to get a change live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// Its id.
    pub id: CycleId,
    /// Grows with every write; the expected version of the next one.
    pub version: u64,
    /// What it is for.
    pub kind: CycleKind,
    /// The project.
    pub project: ProjectId,
    /// The remote: one live cycle per repository.
    pub repository: String,
    /// The target, if anything is deployed.
    pub target: Option<TargetId>,
    /// Where it stands.
    pub state: CycleState,
    /// Since when.
    pub state_since_ms: i64,
    /// What was asked for.
    pub request: CycleRequest,
    /// Who asked.
    pub requested_by: Actor,
    /// Joins it with what caused it.
    pub correlation_id: CorrelationId,
    /// The rules it runs under, once they were read.
    pub policy: Option<ResolvedPolicy>,
    /// SHA-256 of the `att.toml` it runs under.
    pub config_digest: Option<String>,
    /// An older cycle that this one answers to.
    pub linked_to: Option<CycleId>,
    /// When it was accepted.
    pub created_at_ms: i64,
    /// When it was last written.
    pub updated_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// How often it was taken up again after its driver died.
    pub resumes: u32,
    /// Somebody wants it stopped.
    pub cancel: Option<CancelRequest>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// The base commit, as fetched: its `att.toml` rules.
    pub base_commit: Option<String>,
    /// The branch it works on.
    pub branch: String,
    /// The commit under test, pushed and merged.
    pub head_commit: Option<String>,
    /// A person let a held merge happen.
    pub merge_allowed: bool,
    /// The release this cycle deploys, or, for kind `rollback`, the one that is to be replaced.
    pub release_id: Option<String>,
    /// What ran before the deploy, captured in `readying`.
    pub previous_release_id: Option<String>,
    /// The deployment that ran before the deploy.
    pub previous_deployment_id: Option<DeploymentId>,
    /// The target's generation after this cycle's own last operation.
    pub expected_generation: Option<u64>,
    /// Did the target change under this cycle's deploy? None: nobody could tell.
    pub deployed_by_this_cycle: Option<bool>,
    /// The operation whose outcome is awaited.
    pub operation_id: Option<OperationId>,
    /// What a rollback would do, per failure class.
    pub readiness: Vec<ReadinessCard>,
    /// What went wrong.
    pub failure: Option<Failure>,
    /// The decision about it.
    pub decision_id: Option<DecisionId>,
    /// Progress of the gate that is probing.
    pub probe: ProbeProgress,
    /// Every stage, in order.
    pub stages: Vec<StageRecord>,
    /// The result so far.
    pub result: CycleResult,
}

impl Cycle {
    /// Every stage, none of them run.
    #[must_use]
    pub fn stages_not_run() -> Vec<StageRecord> {
        Stage::ALL
            .iter()
            .map(|&stage| StageRecord {
                stage,
                outcome: StageOutcome::NotRun,
                started_at_ms: None,
                ended_at_ms: None,
                detail: None,
            })
            .collect()
    }
}
