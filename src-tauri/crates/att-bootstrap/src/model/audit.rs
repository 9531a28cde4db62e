//! The typed entries of the audit chain: one for every change that somebody may later ask about.

use super::cycle::{CycleKind, CycleState, FailureClass};
use super::decision::{ApprovalState, DecisionState};
use super::operation::{OperationKind, OperationOutcome};
use super::stage::Stage;
use super::target::DeploymentKind;
use att_core::Actor;
use att_core::id::{AuditId, CycleId, DecisionId, DeploymentId, InterruptionId, OperationId};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[allow(missing_docs, reason = "the fields carry the names of the model they are copied from")]
pub enum AuditEvent {
    /// A project was added or changed.
    ProjectRegistered { project: String, remote: String, base: String },
    /// A person approved an `att.toml`.
    ConfigApproved { project: String, digest: String, reason: String },
    /// A cycle was accepted.
    CycleRequested {
        cycle_id: CycleId,
        cycle_kind: CycleKind,
        project: String,
        target: Option<String>,
        linked_to: Option<CycleId>,
    },
    /// A cycle changed its state.
    CycleMoved { cycle_id: CycleId, from: CycleState, to: CycleState, on: String, detail: Option<String> },
    /// A cycle began to wait.
    CycleHeld { cycle_id: CycleId, stage: CycleState, detail: String },
    /// A driver took a cycle up again.
    CycleResumed { cycle_id: CycleId, state: CycleState, resumes: u32 },
    /// Somebody asked to stop a cycle.
    CancelRequested { cycle_id: CycleId, reason: String },
    /// A person let a held merge happen.
    MergeAllowed { cycle_id: CycleId, reason: String },
    /// An outside effect is about to happen.
    OperationIntended {
        operation_id: OperationId,
        cycle_id: CycleId,
        operation: OperationKind,
        argv: Vec<String>,
    },
    /// An outside effect ended.
    OperationFinished {
        operation_id: OperationId,
        cycle_id: CycleId,
        operation: OperationKind,
        outcome: OperationOutcome,
    },
    /// What runs on a target changed.
    DeploymentRecorded {
        deployment_id: DeploymentId,
        target: String,
        release_id: String,
        deployment: DeploymentKind,
        generation: u64,
    },
    /// A stage failed.
    FailureFound {
        cycle_id: CycleId,
        stage: Stage,
        class: Option<FailureClass>,
        cause: String,
        detail: String,
    },
    /// Policy spoke.
    RollbackProposed {
        decision_id: DecisionId,
        cycle_id: CycleId,
        version: u64,
        allowed: bool,
        reason: String,
        needs_person: bool,
        target_release_id: Option<String>,
        digest: String,
    },
    /// A decision changed its state.
    DecisionMoved { decision_id: DecisionId, from: DecisionState, to: DecisionState, detail: Option<String> },
    /// A person answered, or the question lapsed.
    ApprovalAnswered {
        decision_id: DecisionId,
        version: u64,
        answer: ApprovalState,
        digest: String,
        reason: Option<String>,
        typed_release_id: Option<String>,
    },
    /// A person stated what runs.
    OperatorStated { cycle_id: CycleId, running_release_id: Option<String>, reason: String, to: CycleState },
    /// Somebody has seen a failed or denied rollback.
    InterruptionAcknowledged { interruption_id: InterruptionId, reason: String },
    /// Safe mode was set or lifted.
    SafeModeSet { active: bool, reason: String },
    /// A release was marked, or the mark was taken away.
    ReleaseQuarantined { target: String, release_id: String, quarantined: bool, reason: String },
}

impl AuditEvent {
    /// The word under `kind` in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ProjectRegistered { .. } => "ProjectRegistered",
            Self::ConfigApproved { .. } => "ConfigApproved",
            Self::CycleRequested { .. } => "CycleRequested",
            Self::CycleMoved { .. } => "CycleMoved",
            Self::CycleHeld { .. } => "CycleHeld",
            Self::CycleResumed { .. } => "CycleResumed",
            Self::CancelRequested { .. } => "CancelRequested",
            Self::MergeAllowed { .. } => "MergeAllowed",
            Self::OperationIntended { .. } => "OperationIntended",
            Self::OperationFinished { .. } => "OperationFinished",
            Self::DeploymentRecorded { .. } => "DeploymentRecorded",
            Self::FailureFound { .. } => "FailureFound",
            Self::RollbackProposed { .. } => "RollbackProposed",
            Self::DecisionMoved { .. } => "DecisionMoved",
            Self::ApprovalAnswered { .. } => "ApprovalAnswered",
            Self::OperatorStated { .. } => "OperatorStated",
            Self::InterruptionAcknowledged { .. } => "InterruptionAcknowledged",
            Self::SafeModeSet { .. } => "SafeModeSet",
            Self::ReleaseQuarantined { .. } => "ReleaseQuarantined",
        }
    }
}

/// One entry, before the journal gives it its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub actor: Actor,
    /// The id of what it is about: a cycle, a decision, a target or a project.
    pub subject: String,
    /// What happened.
    pub event: AuditEvent,
}
