//! A [`CycleStore`] in memory, with the same compare-and-set and uniqueness rules as the journal; for tests.

use crate::model::{
    Approval, ApprovalState, AuditEntry, ConfigApproval, Cycle, Decision, Deployment, Interruption,
    Operation, OperationPhase, OutputLog, Project, ProjectId, Release, SafeMode, Stage, Target, TargetId,
    TimerRow,
};
use crate::store::{
    ApprovalChange, Changes, Conflict, CycleStore, Lease, LeaseFence, LeaseOwner, OperationChange, StoreError,
};
use async_trait::async_trait;
use att_core::id::{ApprovalId, CycleId, DecisionId, DeploymentId, InterruptionId, OperationId};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The rows, by key.
#[derive(Debug, Clone, Default)]
struct Rows {
    projects: BTreeMap<ProjectId, Project>,
    targets: BTreeMap<TargetId, Target>,
    cycles: BTreeMap<CycleId, Cycle>,
    decisions: BTreeMap<DecisionId, Decision>,
    approvals: BTreeMap<ApprovalId, Approval>,
    operations: BTreeMap<OperationId, Operation>,
    deployments: BTreeMap<DeploymentId, Deployment>,
    releases: BTreeMap<(TargetId, String), Release>,
    interruptions: BTreeMap<InterruptionId, Interruption>,
    timers: BTreeMap<String, TimerRow>,
    outputs: BTreeMap<(CycleId, Stage), OutputLog>,
    configs: BTreeMap<(ProjectId, String), ConfigApproval>,
    safe_mode: Option<SafeMode>,
    audit: Vec<AuditEntry>,
    leases: BTreeMap<String, Lease>,
}

impl Rows {
    fn apply(&mut self, changes: Changes) -> Result<(), Conflict> {
        if let Some(fence) = &changes.fence {
            self.leases.get(&fence.name).filter(|lease| lease.epoch == fence.epoch).ok_or(Conflict::Lease)?;
        }
        if let Some(project) = changes.project {
            self.projects.insert(project.id.clone(), project);
        }
        if let Some(change) = changes.target {
            let found = self.targets.get(&change.row.id).map(|row| row.generation);
            expect(found == change.expected_generation, Conflict::Target)?;
            self.targets.insert(change.row.id.clone(), change.row);
        }
        if let Some(change) = changes.cycle {
            let found = self.cycles.get(&change.row.id).map(|row| row.version);
            expect(found == change.expected_version, Conflict::Cycle)?;
            if !change.row.state.is_terminal() {
                let mut others = self
                    .cycles
                    .values()
                    .filter(|other| other.id != change.row.id && !other.state.is_terminal());
                expect(
                    others.clone().all(|other| other.target.is_none() || other.target != change.row.target),
                    Conflict::LiveOnTarget,
                )?;
                expect(
                    others.all(|other| other.repository != change.row.repository),
                    Conflict::LiveOnRepository,
                )?;
            }
            self.cycles.insert(change.row.id.clone(), change.row);
        }
        if let Some(change) = changes.decision {
            let found = self.decisions.get(&change.row.id).map(|row| row.version);
            expect(found == change.expected_version, Conflict::Decision)?;
            self.decisions.insert(change.row.id.clone(), change.row);
        }
        for change in changes.approvals {
            let (row, wanted) = match change {
                ApprovalChange::Request(row) => (row, None),
                ApprovalChange::Answer(row) => (row, Some(ApprovalState::Requested)),
            };
            let found = self.approvals.get(&row.id).map(|stored| stored.state);
            expect(found == wanted, Conflict::Approval)?;
            self.approvals.insert(row.id.clone(), row);
        }
        for change in changes.operations {
            let (row, wanted) = match change {
                OperationChange::Intend(row) => (row, None),
                OperationChange::Finish(row) => (row, Some(OperationPhase::Intended)),
            };
            let found = self.operations.get(&row.id).map(|stored| stored.phase);
            expect(found == wanted, Conflict::Operation)?;
            self.operations.insert(row.id.clone(), row);
        }
        for row in changes.deployments {
            expect(!self.deployments.contains_key(&row.id), Conflict::Deployment)?;
            self.deployments.insert(row.id.clone(), row);
        }
        for row in changes.releases {
            self.releases.insert((row.target.clone(), row.id.clone()), row);
        }
        for row in changes.interruptions {
            self.interruptions.insert(row.id.clone(), row);
        }
        for id in changes.timers_cleared {
            self.timers.remove(&id);
        }
        for row in changes.timers_set {
            self.timers.insert(row.id.clone(), row);
        }
        for row in changes.output_logs {
            self.outputs.insert((row.cycle_id.clone(), row.stage), row);
        }
        for row in changes.config_approvals {
            self.configs.insert((row.project.clone(), row.digest.clone()), row);
        }
        if changes.safe_mode.is_some() {
            self.safe_mode = changes.safe_mode;
        }
        self.audit.extend(changes.audit);
        Ok(())
    }
}

fn expect(holds: bool, otherwise: Conflict) -> Result<(), Conflict> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// The store.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Rows>);

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every audit entry, in order.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.rows().audit.clone()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        // A panic while holding the lock leaves whole rows behind: `apply` works on a copy.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sorted<T, K: Ord>(mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    rows.sort_by_key(key);
    rows
}

fn newest<T>(mut rows: Vec<T>, limit: u32) -> Vec<T> {
    rows.reverse();
    rows.truncate(limit as usize);
    rows
}

#[async_trait]
impl CycleStore for MemoryStore {
    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        let mut rows = self.rows();
        let mut next = rows.clone();
        next.apply(changes).map_err(StoreError::Conflict)?;
        *rows = next;
        Ok(())
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(self.rows().projects.get(id).cloned())
    }

    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        Ok(self.rows().projects.values().cloned().collect())
    }

    async fn target(&self, id: &TargetId) -> Result<Option<Target>, StoreError> {
        Ok(self.rows().targets.get(id).cloned())
    }

    async fn targets(&self) -> Result<Vec<Target>, StoreError> {
        Ok(self.rows().targets.values().cloned().collect())
    }

    async fn cycle(&self, id: &CycleId) -> Result<Option<Cycle>, StoreError> {
        Ok(self.rows().cycles.get(id).cloned())
    }

    async fn live_cycles(&self) -> Result<Vec<Cycle>, StoreError> {
        let rows = self.rows().cycles.values().filter(|row| !row.state.is_terminal()).cloned().collect();
        Ok(sorted(rows, |row: &Cycle| (row.created_at_ms, row.id.clone())))
    }

    async fn cycles(&self, limit: u32) -> Result<Vec<Cycle>, StoreError> {
        let rows = self.rows().cycles.values().cloned().collect();
        Ok(newest(sorted(rows, |row: &Cycle| (row.created_at_ms, row.id.clone())), limit))
    }

    async fn decision(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError> {
        Ok(self.rows().decisions.get(id).cloned())
    }

    async fn decisions(&self, limit: u32) -> Result<Vec<Decision>, StoreError> {
        let rows = self.rows().decisions.values().cloned().collect();
        Ok(newest(sorted(rows, |row: &Decision| (row.created_at_ms, row.id.clone())), limit))
    }

    async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        Ok(self.rows().approvals.get(id).cloned())
    }

    async fn approvals_of(&self, id: &DecisionId) -> Result<Vec<Approval>, StoreError> {
        let rows = self.rows().approvals.values().filter(|row| row.decision_id == *id).cloned().collect();
        Ok(sorted(rows, |row: &Approval| (row.requested_at_ms, row.id.clone())))
    }

    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>, StoreError> {
        Ok(self.rows().operations.get(id).cloned())
    }

    async fn operations_of(&self, id: &CycleId) -> Result<Vec<Operation>, StoreError> {
        let rows = self.rows().operations.values().filter(|row| row.cycle_id == *id).cloned().collect();
        Ok(sorted(rows, |row: &Operation| (row.intended_at_ms, row.id.clone())))
    }

    async fn deployment(&self, id: &DeploymentId) -> Result<Option<Deployment>, StoreError> {
        Ok(self.rows().deployments.get(id).cloned())
    }

    async fn chain(&self, target: &TargetId, limit: u32) -> Result<Vec<Deployment>, StoreError> {
        let rows = self.rows();
        let mut at = rows.targets.get(target).and_then(|row| row.current_deployment_id.clone());
        let mut chain = Vec::new();
        while let Some(row) = at.as_ref().and_then(|id| rows.deployments.get(id))
            && chain.len() < limit as usize
        {
            chain.push(row.clone());
            at.clone_from(&row.predecessor);
        }
        Ok(chain)
    }

    async fn release(&self, target: &TargetId, id: &str) -> Result<Option<Release>, StoreError> {
        Ok(self.rows().releases.get(&(target.clone(), id.to_owned())).cloned())
    }

    async fn releases(&self, target: &TargetId) -> Result<Vec<Release>, StoreError> {
        let rows = self.rows().releases.values().filter(|row| row.target == *target).cloned().collect();
        Ok(sorted(rows, |row: &Release| (row.created_at_ms, row.id.clone())))
    }

    async fn interruption(&self, id: &InterruptionId) -> Result<Option<Interruption>, StoreError> {
        Ok(self.rows().interruptions.get(id).cloned())
    }

    async fn open_interruptions(&self) -> Result<Vec<Interruption>, StoreError> {
        let rows = self.rows().interruptions.values().filter(|row| row.is_open()).cloned().collect();
        Ok(sorted(rows, |row: &Interruption| (row.opened_at_ms, row.id.clone())))
    }

    async fn due_timers(&self, now_ms: i64) -> Result<Vec<TimerRow>, StoreError> {
        let rows = self.rows().timers.values().filter(|row| row.due_at_ms <= now_ms).cloned().collect();
        Ok(sorted(rows, |row: &TimerRow| (row.due_at_ms, row.id.clone())))
    }

    async fn next_timer(&self) -> Result<Option<TimerRow>, StoreError> {
        Ok(self.rows().timers.values().min_by_key(|row| (row.due_at_ms, row.id.clone())).cloned())
    }

    async fn output_logs(&self, id: &CycleId) -> Result<Vec<OutputLog>, StoreError> {
        Ok(self.rows().outputs.values().filter(|row| row.cycle_id == *id).cloned().collect())
    }

    async fn config_approval(
        &self,
        project: &ProjectId,
        digest: &str,
    ) -> Result<Option<ConfigApproval>, StoreError> {
        Ok(self.rows().configs.get(&(project.clone(), digest.to_owned())).cloned())
    }

    async fn safe_mode(&self) -> Result<Option<SafeMode>, StoreError> {
        Ok(self.rows().safe_mode.clone())
    }

    async fn audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self.rows();
        let all: Vec<_> = rows.audit.iter().filter(|row| row.subject == subject).cloned().collect();
        Ok(all[all.len().saturating_sub(limit as usize)..].to_vec())
    }

    async fn acquire_lease(
        &self,
        name: &str,
        owner: &LeaseOwner,
        now_ms: i64,
        ttl_ms: i64,
        take_over: bool,
    ) -> Result<Option<Lease>, StoreError> {
        let mut rows = self.rows();
        let held = rows.leases.get(name);
        if held.is_some_and(|lease| lease.expires_at_ms > now_ms && !take_over) {
            return Ok(None);
        }
        let lease = Lease {
            name: name.to_owned(),
            owner: owner.clone(),
            epoch: held.map_or(0, |lease| lease.epoch) + 1,
            acquired_at_ms: now_ms,
            heartbeat_at_ms: now_ms,
            expires_at_ms: now_ms + ttl_ms,
        };
        rows.leases.insert(name.to_owned(), lease.clone());
        Ok(Some(lease))
    }

    async fn renew_lease(&self, fence: &LeaseFence, now_ms: i64, ttl_ms: i64) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let Some(lease) = rows.leases.get_mut(&fence.name).filter(|lease| lease.epoch == fence.epoch) else {
            return Ok(false);
        };
        lease.heartbeat_at_ms = now_ms;
        lease.expires_at_ms = now_ms + ttl_ms;
        Ok(true)
    }

    async fn release_lease(&self, fence: &LeaseFence, now_ms: i64) -> Result<(), StoreError> {
        if let Some(lease) =
            self.rows().leases.get_mut(&fence.name).filter(|lease| lease.epoch == fence.epoch)
        {
            lease.expires_at_ms = now_ms;
        }
        Ok(())
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.rows().leases.get(name).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_memory_store_keeps_the_contract() {
        crate::store_contract::holds(&MemoryStore::new).await;
    }
}
