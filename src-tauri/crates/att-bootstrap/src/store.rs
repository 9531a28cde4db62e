//! Where the engine keeps its state. The journal implements it with SQL, [`crate::memory`] in memory;
//! [`crate::store_contract`] is what both must do.
//!
//! **Invariant:** everything one step changes is one [`Changes`], written whole or not at all.

use crate::model::{
    Approval, AuditEntry, ConfigApproval, Cycle, Decision, Deployment, Interruption, Operation, OutputLog,
    Project, ProjectId, Release, SafeMode, Target, TargetId, TimerRow,
};
use async_trait::async_trait;
use att_core::id::{ApprovalId, CycleId, DecisionId, DeploymentId, InterruptionId, OperationId};
use serde::{Deserialize, Serialize};

/// Why the store refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A version, generation, lease or uniqueness rule did not hold. Nothing was written; read again.
    #[error("{0} changed in the meantime")]
    Conflict(Conflict),
    /// The store cannot be used. `report` says why and what the cure is.
    #[error("{0}")]
    Unavailable(att_core::Report),
}

/// Which rule did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Conflict {
    /// The cycle has another version, or exists already.
    #[error("the cycle")]
    Cycle,
    /// Another live cycle holds the target.
    #[error("the live cycle of the target")]
    LiveOnTarget,
    /// Another live cycle holds the repository.
    #[error("the live cycle of the repository")]
    LiveOnRepository,
    /// The decision has another version, or exists already.
    #[error("the decision")]
    Decision,
    /// The approval is in another state, or exists already.
    #[error("the approval")]
    Approval,
    /// The target has another generation, or exists already.
    #[error("the target")]
    Target,
    /// The operation's id is taken, or its outcome is already there.
    #[error("the operation")]
    Operation,
    /// The deployment's id is taken.
    #[error("the deployment")]
    Deployment,
    /// The lease has another epoch or owner.
    #[error("the lease of the engine")]
    Lease,
}

/// A cycle with the version it must still have; none inserts it.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleChange {
    /// The version that must be there now; none: the row must not exist.
    pub expected_version: Option<u64>,
    /// The row to be; its version is greater than the expected one.
    pub row: Cycle,
}

/// A decision with the version it must still have; none inserts it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionChange {
    /// The version that must be there now; none: the row must not exist.
    pub expected_version: Option<u64>,
    /// The row to be.
    pub row: Decision,
}

/// An approval, asked for or answered.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalChange {
    /// Insert; the id must be new.
    Request(Approval),
    /// Replace; the stored row must still be `requested`. This is what makes two clicks one execution.
    Answer(Approval),
}

/// An operation's intent or outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationChange {
    /// Insert; the id must be new.
    Intend(Operation),
    /// Replace; the stored row must still be `intended`.
    Finish(Operation),
}

/// A target with the generation it must still have; none inserts it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetChange {
    /// The generation that must be there now; none: the row must not exist.
    pub expected_generation: Option<u64>,
    /// The row to be; its generation is the same or greater.
    pub row: Target,
}

/// The lease under which a transaction is written: refused when somebody else holds it by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseFence {
    /// The lease's name.
    pub name: String,
    /// The epoch it was acquired with.
    pub epoch: u64,
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseOwner {
    /// The process.
    pub pid: u32,
    /// Its face, such as `desktop`.
    pub face: String,
    /// The machine.
    pub host: String,
}

/// A lease as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its name.
    pub name: String,
    /// Who holds it.
    pub owner: LeaseOwner,
    /// Grows with every acquisition.
    pub epoch: u64,
    /// When it was acquired.
    pub acquired_at_ms: i64,
    /// The last sign of life.
    pub heartbeat_at_ms: i64,
    /// When anybody may take it.
    pub expires_at_ms: i64,
}

/// Everything one transaction writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Refuse all if this lease is no longer held with this epoch.
    pub fence: Option<LeaseFence>,
    /// Upsert by id.
    pub project: Option<Project>,
    /// Compare-and-set on the generation.
    pub target: Option<TargetChange>,
    /// Compare-and-set on the version; one live cycle per target and per repository.
    pub cycle: Option<CycleChange>,
    /// Compare-and-set on the version.
    pub decision: Option<DecisionChange>,
    /// In order.
    pub approvals: Vec<ApprovalChange>,
    /// In order.
    pub operations: Vec<OperationChange>,
    /// Upsert by target and id.
    pub releases: Vec<Release>,
    /// Insert; ids must be new.
    pub deployments: Vec<Deployment>,
    /// Upsert by id.
    pub interruptions: Vec<Interruption>,
    /// Upsert by id.
    pub timers_set: Vec<TimerRow>,
    /// Ids of timers to delete; unknown ones are no error. Deleted before `timers_set` is written.
    pub timers_cleared: Vec<String>,
    /// Upsert by cycle and stage.
    pub output_logs: Vec<OutputLog>,
    /// Upsert by project and digest.
    pub config_approvals: Vec<ConfigApproval>,
    /// Replaces the one row.
    pub safe_mode: Option<SafeMode>,
    /// Appended to the audit chain, in order, in the same transaction.
    pub audit: Vec<AuditEntry>,
}

/// The engine's memory.
#[async_trait]
pub trait CycleStore: Send + Sync + std::fmt::Debug {
    /// Writes all of `changes` in one transaction, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an expectation does not hold; [`StoreError::Unavailable`] otherwise.
    async fn commit(&self, changes: Changes) -> Result<(), StoreError>;

    /// The project of that name.
    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError>;
    /// All projects, by name.
    async fn projects(&self) -> Result<Vec<Project>, StoreError>;
    /// The target of that id.
    async fn target(&self, id: &TargetId) -> Result<Option<Target>, StoreError>;
    /// All targets, by id.
    async fn targets(&self) -> Result<Vec<Target>, StoreError>;
    /// The cycle of that id.
    async fn cycle(&self, id: &CycleId) -> Result<Option<Cycle>, StoreError>;
    /// Every cycle whose state is not terminal, oldest first.
    async fn live_cycles(&self) -> Result<Vec<Cycle>, StoreError>;
    /// The newest cycles (by `created_at_ms`, then id), newest first.
    async fn cycles(&self, limit: u32) -> Result<Vec<Cycle>, StoreError>;
    /// The decision of that id.
    async fn decision(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError>;
    /// The newest decisions (by `created_at_ms`, then id), newest first.
    async fn decisions(&self, limit: u32) -> Result<Vec<Decision>, StoreError>;
    /// The approval of that id.
    async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError>;
    /// All approvals ever asked for one decision, oldest first.
    async fn approvals_of(&self, id: &DecisionId) -> Result<Vec<Approval>, StoreError>;
    /// The operation of that id.
    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>, StoreError>;
    /// The operations of a cycle, oldest first.
    async fn operations_of(&self, id: &CycleId) -> Result<Vec<Operation>, StoreError>;
    /// The deployment of that id.
    async fn deployment(&self, id: &DeploymentId) -> Result<Option<Deployment>, StoreError>;
    /// A target's deployments along the links, from its current one back; at most `limit`.
    async fn chain(&self, target: &TargetId, limit: u32) -> Result<Vec<Deployment>, StoreError>;
    /// One release of a target.
    async fn release(&self, target: &TargetId, id: &str) -> Result<Option<Release>, StoreError>;
    /// All releases of a target, by `created_at_ms`, then id.
    async fn releases(&self, target: &TargetId) -> Result<Vec<Release>, StoreError>;
    /// The Interruption of that id.
    async fn interruption(&self, id: &InterruptionId) -> Result<Option<Interruption>, StoreError>;
    /// Everything that waits for a person, oldest first.
    async fn open_interruptions(&self) -> Result<Vec<Interruption>, StoreError>;
    /// Timers due at `now_ms`, earliest first.
    async fn due_timers(&self, now_ms: i64) -> Result<Vec<TimerRow>, StoreError>;
    /// The timer that is due next.
    async fn next_timer(&self) -> Result<Option<TimerRow>, StoreError>;
    /// What the stages of a cycle printed, in the order of stages.
    async fn output_logs(&self, id: &CycleId) -> Result<Vec<OutputLog>, StoreError>;
    /// The approval of an `att.toml` by digest.
    async fn config_approval(
        &self,
        project: &ProjectId,
        digest: &str,
    ) -> Result<Option<ConfigApproval>, StoreError>;
    /// Safe mode; none when it was never set.
    async fn safe_mode(&self) -> Result<Option<SafeMode>, StoreError>;
    /// The audit entries about one subject, oldest first, the last `limit` of them.
    async fn audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// Takes the lease `name` if it is free or expired, or, with `take_over`, from whoever holds it (for a
    /// process that holds the file lock and so knows that the holder is dead). None: somebody else holds it.
    async fn acquire_lease(
        &self,
        name: &str,
        owner: &LeaseOwner,
        now_ms: i64,
        ttl_ms: i64,
        take_over: bool,
    ) -> Result<Option<Lease>, StoreError>;
    /// Moves the expiry of a lease that is still held with this epoch. False: it was lost.
    async fn renew_lease(&self, fence: &LeaseFence, now_ms: i64, ttl_ms: i64) -> Result<bool, StoreError>;
    /// Gives a lease back; no effect if it was lost.
    async fn release_lease(&self, fence: &LeaseFence, now_ms: i64) -> Result<(), StoreError>;
    /// The lease of that name.
    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError>;
}
