//! The engine's store over SQL.

use crate::cycle_commit::commit;
use crate::error::JournalError;
use crate::fleet_rows::bodies;
use crate::journal::{Fault, Journal};
use async_trait::async_trait;
use att_bootstrap::model::{
    Approval, AuditEntry, ConfigApproval, Cycle, Decision, Deployment, Interruption, Operation, OutputLog,
    Project, ProjectId, Release, SafeMode, Target, TargetId, TimerRow,
};
use att_bootstrap::store::{Changes, CycleStore, Lease, LeaseFence, LeaseOwner, StoreError};
use att_core::Report;
use att_core::id::{ApprovalId, CycleId, DecisionId, DeploymentId, InterruptionId, OperationId};
use serde::de::DeserializeOwned;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

type Question<'q> = Query<'q, Sqlite, SqliteArguments>;

fn stored<T>(result: Result<T, JournalError>) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        JournalError::Conflict(what) => StoreError::Conflict(what),
        other => StoreError::Unavailable(Report::from(other)),
    })
}

impl Journal {
    async fn rows<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<Vec<T>, StoreError> {
        let rows = question.fetch_all(self.readers()).await;
        stored(self.settle(rows.map_err(Fault::from).and_then(|rows| bodies(&rows))))
    }

    async fn row<T: DeserializeOwned>(&self, question: Question<'_>) -> Result<Option<T>, StoreError> {
        Ok(self.rows(question).await?.pop())
    }
}

#[async_trait]
impl CycleStore for Journal {
    async fn commit(&self, changes: Changes) -> Result<(), StoreError> {
        stored(self.write(move |writing| Box::pin(commit(writing, changes))).await)
    }

    async fn project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        self.row(sqlx::query("SELECT body FROM project WHERE id = ?").bind(id.as_str())).await
    }

    async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        self.rows(sqlx::query("SELECT body FROM project ORDER BY id")).await
    }

    async fn target(&self, id: &TargetId) -> Result<Option<Target>, StoreError> {
        self.row(sqlx::query("SELECT body FROM target WHERE id = ?").bind(id.as_str())).await
    }

    async fn targets(&self) -> Result<Vec<Target>, StoreError> {
        self.rows(sqlx::query("SELECT body FROM target ORDER BY id")).await
    }

    async fn cycle(&self, id: &CycleId) -> Result<Option<Cycle>, StoreError> {
        self.row(sqlx::query("SELECT body FROM cycle WHERE id = ?").bind(id.as_str())).await
    }

    async fn live_cycles(&self) -> Result<Vec<Cycle>, StoreError> {
        self.rows(sqlx::query("SELECT body FROM cycle WHERE live = 1 ORDER BY created_at_ms, id")).await
    }

    async fn cycles(&self, limit: u32) -> Result<Vec<Cycle>, StoreError> {
        let newest = "SELECT body FROM cycle ORDER BY created_at_ms DESC, id DESC LIMIT ?";
        self.rows(sqlx::query(newest).bind(limit)).await
    }

    async fn decision(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError> {
        self.row(sqlx::query("SELECT body FROM decision WHERE id = ?").bind(id.as_str())).await
    }

    async fn decisions(&self, limit: u32) -> Result<Vec<Decision>, StoreError> {
        let newest = "SELECT body FROM decision ORDER BY created_at_ms DESC, id DESC LIMIT ?";
        self.rows(sqlx::query(newest).bind(limit)).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        self.row(sqlx::query("SELECT body FROM approval WHERE id = ?").bind(id.as_str())).await
    }

    async fn approvals_of(&self, id: &DecisionId) -> Result<Vec<Approval>, StoreError> {
        let asked = "SELECT body FROM approval WHERE decision_id = ? ORDER BY requested_at_ms, rowid";
        self.rows(sqlx::query(asked).bind(id.as_str())).await
    }

    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>, StoreError> {
        self.row(sqlx::query("SELECT body FROM operation WHERE id = ?").bind(id.as_str())).await
    }

    async fn operations_of(&self, id: &CycleId) -> Result<Vec<Operation>, StoreError> {
        let intended = "SELECT body FROM operation WHERE cycle_id = ? ORDER BY intended_at_ms, rowid";
        self.rows(sqlx::query(intended).bind(id.as_str())).await
    }

    async fn deployment(&self, id: &DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.row(sqlx::query("SELECT body FROM deployment WHERE id = ?").bind(id.as_str())).await
    }

    async fn chain(&self, target: &TargetId, limit: u32) -> Result<Vec<Deployment>, StoreError> {
        let links = "WITH RECURSIVE link (id, depth) AS (
               SELECT current_deployment_id, 0 FROM target WHERE id = ?1 AND ?2 > 0
               UNION ALL
               SELECT deployment.predecessor, link.depth + 1 FROM link JOIN deployment USING (id)
               WHERE deployment.predecessor IS NOT NULL AND link.depth + 1 < ?2
             )
             SELECT deployment.body FROM link JOIN deployment USING (id) ORDER BY link.depth";
        self.rows(sqlx::query(links).bind(target.as_str()).bind(limit)).await
    }

    async fn release(&self, target: &TargetId, id: &str) -> Result<Option<Release>, StoreError> {
        let one = "SELECT body FROM release WHERE target = ? AND id = ?";
        self.row(sqlx::query(one).bind(target.as_str()).bind(id)).await
    }

    async fn releases(&self, target: &TargetId) -> Result<Vec<Release>, StoreError> {
        let all = "SELECT body FROM release WHERE target = ? ORDER BY created_at_ms, id";
        self.rows(sqlx::query(all).bind(target.as_str())).await
    }

    async fn interruption(&self, id: &InterruptionId) -> Result<Option<Interruption>, StoreError> {
        self.row(sqlx::query("SELECT body FROM interruption WHERE id = ?").bind(id.as_str())).await
    }

    async fn open_interruptions(&self) -> Result<Vec<Interruption>, StoreError> {
        self.rows(sqlx::query("SELECT body FROM interruption WHERE open = 1 ORDER BY opened_at_ms, id")).await
    }

    async fn due_timers(&self, now_ms: i64) -> Result<Vec<TimerRow>, StoreError> {
        let due = "SELECT body FROM timer WHERE due_at_ms <= ? ORDER BY due_at_ms, id";
        self.rows(sqlx::query(due).bind(now_ms)).await
    }

    async fn next_timer(&self) -> Result<Option<TimerRow>, StoreError> {
        self.row(sqlx::query("SELECT body FROM timer ORDER BY due_at_ms, id LIMIT 1")).await
    }

    async fn output_logs(&self, id: &CycleId) -> Result<Vec<OutputLog>, StoreError> {
        let mut logs: Vec<OutputLog> = self
            .rows(sqlx::query("SELECT body FROM output_log WHERE cycle_id = ?").bind(id.as_str()))
            .await?;
        logs.sort_by_key(|log| log.stage);
        Ok(logs)
    }

    async fn config_approval(
        &self,
        project: &ProjectId,
        digest: &str,
    ) -> Result<Option<ConfigApproval>, StoreError> {
        let one = "SELECT body FROM config_approval WHERE project = ? AND digest = ?";
        self.row(sqlx::query(one).bind(project.as_str()).bind(digest)).await
    }

    async fn safe_mode(&self) -> Result<Option<SafeMode>, StoreError> {
        self.row(sqlx::query("SELECT body FROM safe_mode")).await
    }

    async fn audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let newest = stored(self.newest_audit_entries(subject, limit).await)?;
        newest
            .into_iter()
            .rev()
            // What other rooms recorded about the same subject is none of the engine's events.
            .filter_map(|entry| Some((serde_json::from_value(entry.body.clone()).ok()?, entry)))
            .map(|(event, entry)| {
                let actor = serde_json::from_value(entry.actor).map_err(JournalError::from);
                Ok(AuditEntry {
                    id: entry.id,
                    at_ms: entry.at_ms,
                    actor: stored(actor)?,
                    subject: entry.subject,
                    event,
                })
            })
            .collect()
    }

    async fn acquire_lease(
        &self,
        name: &str,
        owner: &LeaseOwner,
        now_ms: i64,
        ttl_ms: i64,
        take_over: bool,
    ) -> Result<Option<Lease>, StoreError> {
        stored(self.take_lease(name, owner, now_ms, ttl_ms, take_over).await)
    }

    async fn renew_lease(&self, fence: &LeaseFence, now_ms: i64, ttl_ms: i64) -> Result<bool, StoreError> {
        stored(self.extend_lease(fence, now_ms, ttl_ms).await)
    }

    async fn release_lease(&self, fence: &LeaseFence, now_ms: i64) -> Result<(), StoreError> {
        stored(self.give_lease_back(fence, now_ms).await)
    }

    async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        stored(self.read_lease(name).await)
    }
}
