//! To roll back or not: the decision, what it rests on, and the approval (design 2.5 and 2.6).

use super::cycle::FailureClass;
use super::ids::TargetId;
use super::policy::DeploymentContext;
use crate::words::words;
use att_core::Actor;
use att_core::id::{ApprovalId, CycleId, DecisionId, OperationId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

words! {
    /// Where a decision stands.
    DecisionState {
        /// Facts are gathered, policy has not spoken.
        Proposed = "proposed",
        /// No rollback.
        Denied = "denied",
        /// A person is asked.
        AwaitingApproval = "awaiting_approval",
        /// Policy alone allows it.
        AutoApproved = "auto_approved",
        /// The rollback runs.
        Executing = "executing",
        /// It is being verified.
        Verifying = "verifying",
        /// The target release is what answers.
        Succeeded = "succeeded",
        /// The rollback did not bring it back.
        Failed = "failed",
        /// Nobody can tell.
        Unknown = "unknown",
        /// A person said no.
        Rejected = "rejected",
        /// Nobody answered in time; it can be evaluated again.
        Expired = "expired",
        /// The world changed; it is evaluated again.
        Superseded = "superseded",
    }
}

words! {
    /// Why the matrix says what it says. `rollback_disabled_for_<class>` is the first three.
    MatrixReason {
        /// The switch for deploy failures is off.
        DisabledForDeployFailure = "rollback_disabled_for_deploy_failure",
        /// The switch for watchdog failures is off.
        DisabledForRestartWatchdogFailure = "rollback_disabled_for_restart_watchdog_failure",
        /// The switch for health failures is off.
        DisabledForHealthFailure = "rollback_disabled_for_health_failure",
        /// Nothing can roll the target back.
        ExecutorMissing = "rollback_executor_missing",
        /// An external target needs to be told where to go.
        TargetRequiredForExternalContext = "rollback_target_required_for_external_context",
        /// No target release is named.
        TargetUnspecified = "rollback_target_unspecified",
        /// The target release is what runs.
        TargetSameAsDeployed = "rollback_target_same_as_deployed",
        /// A target release that differs from the deployed one.
        TargetValidated = "rollback_target_validated",
    }
}

/// What the matrix says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The number of the rule that fired, 1 to 6.
    pub rule: u8,
    /// May a rollback happen, as far as the matrix goes?
    pub allowed: bool,
    /// Why.
    pub reason: MatrixReason,
    /// Is the target release valid? None: not judged.
    pub target_valid: Option<bool>,
}

words! {
    /// The guardrails (design 2.5), in the order in which they are shown.
    GuardrailId {
        /// Safe mode is on.
        SafeModeActive = "safe_mode_active",
        /// This cycle changed nothing.
        NothingDeployedByThisCycle = "nothing_deployed_by_this_cycle",
        /// Somebody else changed the target.
        TargetChanged = "target_changed",
        /// Another rollback runs on this target.
        RollbackInProgress = "rollback_in_progress",
        /// The target release is quarantined.
        RollbackTargetQuarantined = "rollback_target_quarantined",
        /// The target release never ran here, as far as the chain tells.
        RollbackTargetNotInChain = "rollback_target_not_in_chain",
        /// The target release was never found healthy.
        RollbackTargetNeverHealthy = "rollback_target_never_healthy",
        /// Only a log line names the target release.
        RollbackTargetFromLogOnly = "rollback_target_from_log_only",
        /// The executor's preflight cannot find the target release.
        RollbackTargetUnavailable = "rollback_target_unavailable",
        /// There and back again.
        RollbackLoop = "rollback_loop",
        /// A freeze window is open.
        FreezeWindow = "freeze_window",
        /// No target release was named.
        UnspecifiedTarget = "unspecified_target",
        /// The health gate gave no verdict.
        InconclusiveHealth = "inconclusive_health",
    }
}

words! {
    /// What one guardrail says. `escalate` and `unknown` mean that a person decides.
    GuardrailOutcome {
        /// No objection.
        Pass = "pass",
        /// No.
        Deny = "deny",
        /// A person decides.
        Escalate = "escalate",
        /// It could not be judged: a person decides.
        Unknown = "unknown",
    }
}

/// One guardrail's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardrail {
    /// Which.
    pub id: GuardrailId,
    /// What it says.
    pub outcome: GuardrailOutcome,
    /// What it rests on.
    pub evidence: String,
    /// What would have made it pass.
    pub would_allow_if: Option<String>,
}

/// One thing that was known when the decision was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name, such as `current_release_id`.
    pub id: String,
    /// Its value.
    pub value: Value,
    /// Where it was learned.
    pub source: String,
    /// When.
    pub observed_at_ms: i64,
    /// Part of what an approval binds to; ages and latencies are not.
    pub stable: bool,
}

words! {
    /// The sources of release ids (design 2.4).
    SourceKind {
        /// Ids named in the request.
        Request = "request",
        /// The deployments ATT recorded.
        Ledger = "ledger",
        /// The runtime's log.
        RuntimeLog = "runtime_log",
        /// The base branch.
        Git = "git",
        /// The operator's own program.
        Command = "command",
    }
}

words! {
    /// How a source answered.
    SourceOutcome {
        /// Current and previous.
        Complete = "complete",
        /// Current only: kept, does not win.
        Incomplete = "incomplete",
        /// Its current is not what runs: does not win.
        Stale = "stale",
        /// It knows nothing.
        Silent = "silent",
        /// It failed.
        Error = "error",
        /// Its time ran out.
        TimedOut = "timed_out",
    }
}

/// One source's answer, silence or error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAnswer {
    /// Which source.
    pub source: SourceKind,
    /// How it answered.
    pub outcome: SourceOutcome,
    /// What it says runs.
    pub current_release_id: Option<String>,
    /// What it says ran before.
    pub previous_release_id: Option<String>,
    /// More, such as the error or the line.
    pub detail: Option<String>,
    /// When it was asked.
    pub asked_at_ms: i64,
    /// How long it took.
    pub took_ms: i64,
    /// The answer that counts.
    pub won: bool,
}

/// One command of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is run.
    pub argv: Vec<String>,
    /// Where.
    pub cwd: String,
    /// For how long at most.
    pub timeout_ms: i64,
}

/// A commit between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitLine {
    /// Its id.
    pub id: String,
    /// First line of its message.
    pub summary: String,
    /// Author's name.
    pub author: String,
    /// When it was made.
    pub at_ms: i64,
}

/// A file that differs between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// `added`, `removed`, `changed` or `renamed`, going from deployed to target release.
    pub change: String,
    /// Lines that come.
    pub insertions: u32,
    /// Lines that go.
    pub deletions: u32,
}

/// Commits and files between the deployed and the target release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// Commits that the rollback takes away, newest first.
    pub commits: Vec<CommitLine>,
    /// Files that differ.
    pub files: Vec<FileChange>,
    /// More differs than is listed.
    pub truncated: bool,
    /// Why nothing could be compared.
    pub unavailable: Option<String>,
}

/// To roll back or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Grows with every write; an approval binds to it.
    pub version: u64,
    /// Where it stands.
    pub state: DecisionState,
    /// The cycle it is about.
    pub cycle_id: CycleId,
    /// The target it is about.
    pub target: TargetId,
    /// The target's generation that it was made for.
    pub generation: u64,
    /// What failed.
    pub failure_class: FailureClass,
    /// Why, in one sentence.
    pub failure_detail: String,
    /// Whose deployment it is.
    pub deployment_context: DeploymentContext,
    /// What the matrix says; none before it has spoken.
    pub ruling: Option<Ruling>,
    /// The reason shown: the matrix's if it denies, else the first denying guard's, else the matrix's.
    pub reason: String,
    /// May it happen at all?
    pub allowed: bool,
    /// Does a person decide?
    pub needs_person: bool,
    /// The release that runs.
    pub deployed_release_id: Option<String>,
    /// The release to bring back.
    pub target_release_id: Option<String>,
    /// The commit of that release.
    pub target_commit: Option<String>,
    /// Which source named it.
    pub target_release_source: Option<SourceKind>,
    /// Everything it rests on.
    pub facts: Vec<Fact>,
    /// Every guardrail's answer.
    pub guardrails: Vec<Guardrail>,
    /// Every source's answer.
    pub sources: Vec<SourceAnswer>,
    /// What would have allowed it.
    pub would_allow_if: Vec<String>,
    /// What will be run.
    pub plan: Vec<PlanStep>,
    /// What a rollback takes away.
    pub diff: ChangeSet,
    /// SHA-256 over canonical JSON of ids, generation, releases, stable facts and plan.
    pub digest: String,
    /// The approval that was asked for last.
    pub approval_id: Option<ApprovalId>,
    /// The operation that carries it out.
    pub operation_id: Option<OperationId>,
    /// When it was first made.
    pub created_at_ms: i64,
    /// When it was last evaluated.
    pub evaluated_at_ms: i64,
    /// When it was last written.
    pub updated_at_ms: i64,
}

words! {
    /// Where an approval stands.
    ApprovalState {
        /// A person is asked.
        Requested = "requested",
        /// Given and used, once.
        Consumed = "consumed",
        /// Refused.
        Rejected = "rejected",
        /// Its 30 minutes are over.
        Expired = "expired",
        /// The world changed.
        Superseded = "superseded",
    }
}

/// One request for a person's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The decision.
    pub decision_id: DecisionId,
    /// The version that was on screen.
    pub decision_version: u64,
    /// Where it stands.
    pub state: ApprovalState,
    /// The digest that was on screen.
    pub digest: String,
    /// When it was asked for.
    pub requested_at_ms: i64,
    /// When it lapses.
    pub expires_at_ms: i64,
    /// When it left `requested`.
    pub answered_at_ms: Option<i64>,
    /// Who answered.
    pub actor: Option<Actor>,
    /// Why.
    pub reason: Option<String>,
    /// The release id that was typed.
    pub typed_release_id: Option<String>,
}
