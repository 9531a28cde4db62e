//! What may happen to a cycle.

use crate::model::{
    CycleState, Decision, Deployment, Failure, GateStatus, InterruptionKind, Operation, OperationOutcome,
    ProbeProgress, ReadinessCard, Release, ResolvedPolicy, StageOutcome, WaitingFor,
};
use crate::store::TargetChange;
use crate::table::CycleEvent;
use att_core::Actor;
use att_core::id::{DeploymentId, InterruptionId};

/// A target that was looked at: its new row, and what of it is new.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetUpdate {
    /// The row with the generation it must still have.
    pub target: TargetChange,
    /// The deployment that was found, if what runs changed.
    pub deployments: Vec<Deployment>,
    /// Releases that are new or whose health changed.
    pub releases: Vec<Release>,
}

/// That the release that should answer was seen answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The release that answered.
    pub release_id: String,
    /// When.
    pub observed_at_ms: i64,
}

/// What a stage found out. Absent fields leave the cycle's as they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    /// The base commit.
    pub base_commit: Option<String>,
    /// The digest of its `att.toml`.
    pub config_digest: Option<String>,
    /// The rules.
    pub policy: Option<ResolvedPolicy>,
    /// The commit under test.
    pub head_commit: Option<String>,
    /// CI's outcome.
    pub ci_status: Option<GateStatus>,
    /// The base has the commit.
    pub merged: bool,
    /// The release that is deployed.
    pub release_id: Option<String>,
    /// What ran before.
    pub previous_release_id: Option<String>,
    /// Its deployment.
    pub previous_deployment_id: Option<DeploymentId>,
    /// The generation after this cycle's own last operation.
    pub expected_generation: Option<u64>,
    /// Did what runs change by this cycle?
    pub deployed_by_this_cycle: Option<bool>,
    /// The readiness card.
    pub readiness: Option<Vec<ReadinessCard>>,
    /// The watchdog's outcome and why.
    pub watchdog: Option<(GateStatus, String)>,
    /// The health gate's outcome.
    pub health: Option<GateStatus>,
    /// The release that should answer answered.
    pub proof: Option<Proof>,
    /// The target was looked at.
    pub target: Option<TargetUpdate>,
}

/// A stage that ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// Along which row.
    pub event: CycleEvent,
    /// `passed` or `skipped`.
    pub outcome: StageOutcome,
    /// One sentence.
    pub detail: Option<String>,
    /// The outcome of the awaited operation.
    pub finish: Option<OperationOutcome>,
    /// The operation of the next state.
    pub intent: Option<Operation>,
    /// What was found out.
    pub learned: Learned,
}

/// Begin to wait for something that is no timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// For what.
    pub waiting_for: WaitingFor,
    /// When it ends by itself.
    pub until_ms: Option<i64>,
    /// One sentence.
    pub detail: String,
    /// The entry in the inbox: kind and title.
    pub interruption: Option<(InterruptionKind, String)>,
}

/// A person's answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub actor: Actor,
    /// The version that was on screen.
    pub version: u64,
    /// The digest that was on screen.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// The release id that was typed.
    pub typed_release_id: Option<String>,
}

/// What may happen to a cycle.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A new driver took it up.
    Resumed,
    /// Somebody wants it stopped.
    CancelAsked {
        /// Who.
        actor: Actor,
        /// Why.
        reason: String,
    },
    /// A person lets a held merge happen.
    MergeAllowed {
        /// Who.
        actor: Actor,
        /// Why.
        reason: String,
    },
    /// An effect is about to happen in this state.
    Intended(Box<Operation>),
    /// The awaited effect ended, and the state stays.
    Finished(OperationOutcome),
    /// It begins to wait.
    Held(Hold),
    /// It goes on.
    Unheld,
    /// A gate was tried, and is tried again when due.
    Probed {
        /// How far it got.
        progress: ProbeProgress,
        /// When it is tried again.
        due_at_ms: i64,
        /// One sentence.
        detail: String,
        /// What was found out.
        learned: Box<Learned>,
    },
    /// A stage ended well.
    Passed(Box<Passed>),
    /// A stage failed; after the deploy began this leads to a decision.
    Failed {
        /// What went wrong, and what was found out.
        failure: Box<(Failure, Learned)>,
        /// The outcome of the awaited operation.
        finish: Option<OperationOutcome>,
    },
    /// It was stopped before the deploy.
    Cancelled {
        /// The outcome of the awaited operation.
        finish: Option<OperationOutcome>,
        /// One sentence.
        detail: String,
    },
    /// Nobody can tell what the outside state is.
    Lost {
        /// One sentence.
        detail: String,
        /// The outcome of the awaited operation.
        finish: Option<OperationOutcome>,
    },
    /// Policy has spoken. An auto-approved decision brings the intent of its rollback.
    Proposed {
        /// The decision, state `proposed`; its version and digest are set here.
        decision: Box<Decision>,
        /// The rollback's operation, if it may happen without a person.
        intent: Option<Box<Operation>>,
    },
    /// A person approved.
    Approved {
        /// The answer.
        answer: Answer,
        /// The digest of the decision with facts gathered just now.
        fresh_digest: String,
        /// When they were gathered.
        gathered_at_ms: i64,
        /// The rollback's operation.
        intent: Box<Operation>,
    },
    /// A person refused.
    Rejected(Answer),
    /// Nobody answered in time.
    Expired,
    /// The world changed under the question.
    Superseded {
        /// What changed, one line each.
        changed: Vec<String>,
    },
    /// A person wants a lapsed question evaluated again.
    Reconsidered {
        /// Who.
        actor: Actor,
    },
    /// A person states what runs.
    Stated {
        /// Who.
        actor: Actor,
        /// `deciding`, `failed` or `cancelled`.
        to: CycleState,
        /// What runs, if anything does.
        running_release_id: Option<String>,
        /// Why.
        reason: String,
    },
    /// The rollback's command or its verification ended.
    RollbackEnded {
        /// Well?
        succeeded: bool,
        /// One sentence.
        detail: String,
        /// The outcome of the awaited operation.
        finish: Option<OperationOutcome>,
        /// What was found out.
        learned: Box<Learned>,
    },
    /// The target was looked at, and the state stays.
    Saw(Box<TargetUpdate>),
}

/// An inbox entry that a step opened.
pub(super) type Opened = InterruptionId;
