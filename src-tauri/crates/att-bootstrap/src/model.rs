//! The nouns of the engine (design 2.1) as plain data. What each row means is here; what may happen to it
//! is in [`crate::table`] and [`crate::step`]; where it is kept is behind [`crate::store::CycleStore`].

mod audit;
mod cycle;
mod decision;
mod ids;
mod operation;
mod policy;
mod stage;
mod target;

pub use audit::{AuditEntry, AuditEvent};
pub use cycle::{
    CancelRequest, Cycle, CycleKind, CycleState, Failure, FailureClass, ProbeProgress, ReadinessCard,
    Waiting, WaitingFor,
};
pub use decision::{
    Approval, ApprovalState, ChangeSet, CommitLine, Decision, DecisionState, Fact, FileChange, Guardrail,
    GuardrailId, GuardrailOutcome, MatrixReason, PlanStep, Ruling, SourceAnswer, SourceKind, SourceOutcome,
};
pub use ids::{ProjectId, TargetId};
pub use operation::{Operation, OperationKind, OperationOutcome, OperationPhase};
pub use policy::{DeploymentContext, ResolvedPolicy};
pub use stage::{
    CycleResult, GateStatus, OutputLog, RollbackPolicyStatus, Stage, StageOutcome, StageRecord, TimerKind,
    TimerRow,
};
pub use target::{
    ConfigApproval, Deployment, DeploymentKind, Project, Quarantine, Release, ReleaseHealth, SafeMode, Target,
};

pub use att_core::interruption::{Interruption, InterruptionClosure, InterruptionKind};
