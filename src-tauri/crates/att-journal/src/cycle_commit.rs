//! Writing one step of the engine: all of a [`Changes`] in one transaction, or nothing.
//!
//! Every expectation is a compare-and-set inside the write lock; the partial unique indexes of the schema stand
//! behind the rule of one live cycle per target and per repository.

use crate::audit::AuditDraft;
use crate::cycle_rows::{
    put_config_approval, put_interruption, put_output_log, put_project, put_release, put_safe_mode, put_timer,
};
use crate::error::JournalError;
use crate::fleet_rows::signed;
use crate::journal::{Fault, Writing};
use att_bootstrap::model::{Approval, AuditEntry, Deployment, Operation};
use att_bootstrap::store::{
    ApprovalChange, Changes, Conflict, CycleChange, DecisionChange, LeaseFence, OperationChange, TargetChange,
};
use att_core::id::DeploymentId;
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteQueryResult;

/// Writes `changes`, audit entries last.
pub(crate) async fn commit(writing: &mut Writing, changes: Changes) -> Result<(), Fault> {
    let conn = &mut writing.conn;
    if let Some(fence) = &changes.fence {
        hold(conn, fence).await?;
    }
    if let Some(project) = &changes.project {
        put_project(conn, project).await?;
    }
    if let Some(change) = &changes.target {
        set_target(conn, change).await?;
    }
    if let Some(change) = &changes.cycle {
        set_cycle(conn, change).await?;
    }
    if let Some(change) = &changes.decision {
        set_decision(conn, change).await?;
    }
    for change in &changes.approvals {
        set_approval(conn, change).await?;
    }
    for change in &changes.operations {
        set_operation(conn, change).await?;
    }
    for release in &changes.releases {
        put_release(conn, release).await?;
    }
    for deployment in &changes.deployments {
        insert_deployment(conn, deployment).await?;
    }
    for interruption in &changes.interruptions {
        put_interruption(conn, interruption).await?;
    }
    for id in &changes.timers_cleared {
        sqlx::query("DELETE FROM timer WHERE id = ?").bind(id).execute(&mut *conn).await?;
    }
    for timer in &changes.timers_set {
        put_timer(conn, timer).await?;
    }
    for log in &changes.output_logs {
        put_output_log(conn, log).await?;
    }
    for approval in &changes.config_approvals {
        put_config_approval(conn, approval).await?;
    }
    if let Some(safe_mode) = &changes.safe_mode {
        put_safe_mode(conn, safe_mode).await?;
    }
    for entry in changes.audit {
        writing.append(draft_of(entry)?).await?;
    }
    Ok(())
}

fn draft_of(entry: AuditEntry) -> Result<AuditDraft, Fault> {
    Ok(AuditDraft {
        id: Some(entry.id),
        at_ms: entry.at_ms,
        actor: entry.actor,
        kind: entry.event.kind().to_owned(),
        subject: entry.subject,
        body: serde_json::to_value(&entry.event)?,
    })
}

pub(crate) fn text(row: &impl Serialize) -> Result<String, Fault> {
    Ok(serde_json::to_string(row)?)
}

fn conflict(what: Conflict) -> Fault {
    JournalError::Conflict(what).into()
}

/// An insert whose key must be new.
fn fresh(result: Result<SqliteQueryResult, sqlx::Error>, what: Conflict) -> Result<(), Fault> {
    match result {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Err(conflict(what)),
        Err(error) => Err(error.into()),
    }
}

/// An update whose condition must have held.
fn held(result: Result<SqliteQueryResult, sqlx::Error>, what: Conflict) -> Result<(), Fault> {
    match result {
        Ok(done) if done.rows_affected() == 1 => Ok(()),
        Ok(_) => Err(conflict(what)),
        Err(error) => Err(error.into()),
    }
}

async fn hold(conn: &mut SqliteConnection, fence: &LeaseFence) -> Result<(), Fault> {
    let held: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM lease WHERE name = ? AND epoch = ? AND held = 1)")
            .bind(&fence.name)
            .bind(signed(fence.epoch))
            .fetch_one(conn)
            .await?;
    if held { Ok(()) } else { Err(conflict(Conflict::Lease)) }
}

async fn set_target(conn: &mut SqliteConnection, change: &TargetChange) -> Result<(), Fault> {
    let row = &change.row;
    let deployment = row.current_deployment_id.as_ref().map(DeploymentId::as_str);
    match change.expected_generation {
        None => {
            let done = sqlx::query(
                "INSERT INTO target (id, project, generation, current_deployment_id, body)
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(row.id.as_str())
            .bind(row.project.as_str())
            .bind(signed(row.generation))
            .bind(deployment)
            .bind(text(row)?)
            .execute(conn)
            .await;
            fresh(done, Conflict::Target)
        }
        Some(expected) => {
            let done = sqlx::query(
                "UPDATE target SET generation = ?, current_deployment_id = ?, body = ?
                 WHERE id = ? AND generation = ?",
            )
            .bind(signed(row.generation))
            .bind(deployment)
            .bind(text(row)?)
            .bind(row.id.as_str())
            .bind(signed(expected))
            .execute(conn)
            .await;
            held(done, Conflict::Target)
        }
    }
}

async fn set_cycle(conn: &mut SqliteConnection, change: &CycleChange) -> Result<(), Fault> {
    let row = &change.row;
    let found: Option<i64> = sqlx::query_scalar("SELECT version FROM cycle WHERE id = ?")
        .bind(row.id.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    if found != change.expected_version.map(signed) {
        return Err(conflict(Conflict::Cycle));
    }
    let live = !row.state.is_terminal();
    if live {
        refuse_second_live(conn, change).await?;
    }
    match change.expected_version {
        None => {
            let done = sqlx::query(
                "INSERT INTO cycle (id, version, project, repository, target, state, live, created_at_ms, body)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(row.id.as_str())
            .bind(signed(row.version))
            .bind(row.project.as_str())
            .bind(&row.repository)
            .bind(row.target.as_ref().map(att_bootstrap::model::TargetId::as_str))
            .bind(row.state.as_str())
            .bind(live)
            .bind(row.created_at_ms)
            .bind(text(row)?)
            .execute(conn)
            .await;
            fresh(done, Conflict::Cycle)
        }
        Some(expected) => {
            let done = sqlx::query(
                "UPDATE cycle SET version = ?, repository = ?, target = ?, state = ?, live = ?, body = ?
                 WHERE id = ? AND version = ?",
            )
            .bind(signed(row.version))
            .bind(&row.repository)
            .bind(row.target.as_ref().map(att_bootstrap::model::TargetId::as_str))
            .bind(row.state.as_str())
            .bind(live)
            .bind(text(row)?)
            .bind(row.id.as_str())
            .bind(signed(expected))
            .execute(conn)
            .await;
            held(done, Conflict::Cycle)
        }
    }
}

/// Says which of the two rules another live cycle stands against, before the index would only say that one does.
async fn refuse_second_live(conn: &mut SqliteConnection, change: &CycleChange) -> Result<(), Fault> {
    let row = &change.row;
    if let Some(target) = &row.target {
        let other: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM cycle WHERE live = 1 AND target = ? AND id <> ?)",
        )
        .bind(target.as_str())
        .bind(row.id.as_str())
        .fetch_one(&mut *conn)
        .await?;
        if other {
            return Err(conflict(Conflict::LiveOnTarget));
        }
    }
    let other: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM cycle WHERE live = 1 AND repository = ? AND id <> ?)",
    )
    .bind(&row.repository)
    .bind(row.id.as_str())
    .fetch_one(conn)
    .await?;
    if other { Err(conflict(Conflict::LiveOnRepository)) } else { Ok(()) }
}

async fn set_decision(conn: &mut SqliteConnection, change: &DecisionChange) -> Result<(), Fault> {
    let row = &change.row;
    match change.expected_version {
        None => {
            let done = sqlx::query(
                "INSERT INTO decision (id, version, state, cycle_id, target, created_at_ms, body)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(row.id.as_str())
            .bind(signed(row.version))
            .bind(row.state.as_str())
            .bind(row.cycle_id.as_str())
            .bind(row.target.as_str())
            .bind(row.created_at_ms)
            .bind(text(row)?)
            .execute(conn)
            .await;
            fresh(done, Conflict::Decision)
        }
        Some(expected) => {
            let done = sqlx::query(
                "UPDATE decision SET version = ?, state = ?, body = ? WHERE id = ? AND version = ?",
            )
            .bind(signed(row.version))
            .bind(row.state.as_str())
            .bind(text(row)?)
            .bind(row.id.as_str())
            .bind(signed(expected))
            .execute(conn)
            .await;
            held(done, Conflict::Decision)
        }
    }
}

async fn set_approval(conn: &mut SqliteConnection, change: &ApprovalChange) -> Result<(), Fault> {
    match change {
        ApprovalChange::Request(row) => {
            let done = sqlx::query(
                "INSERT INTO approval (id, decision_id, state, requested_at_ms, body) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(row.id.as_str())
            .bind(row.decision_id.as_str())
            .bind(row.state.as_str())
            .bind(row.requested_at_ms)
            .bind(text(row)?)
            .execute(conn)
            .await;
            fresh(done, Conflict::Approval)
        }
        ApprovalChange::Answer(row) => answer_approval(conn, row).await,
    }
}

async fn answer_approval(conn: &mut SqliteConnection, row: &Approval) -> Result<(), Fault> {
    let done = sqlx::query("UPDATE approval SET state = ?, body = ? WHERE id = ? AND state = 'requested'")
        .bind(row.state.as_str())
        .bind(text(row)?)
        .bind(row.id.as_str())
        .execute(conn)
        .await;
    held(done, Conflict::Approval)
}

async fn set_operation(conn: &mut SqliteConnection, change: &OperationChange) -> Result<(), Fault> {
    match change {
        OperationChange::Intend(row) => {
            let done = sqlx::query(
                "INSERT INTO operation (id, cycle_id, kind, phase, intended_at_ms, body)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(row.id.as_str())
            .bind(row.cycle_id.as_str())
            .bind(row.kind.as_str())
            .bind(row.phase.as_str())
            .bind(row.intended_at_ms)
            .bind(text(row)?)
            .execute(conn)
            .await;
            fresh(done, Conflict::Operation)
        }
        OperationChange::Finish(row) => finish_operation(conn, row).await,
    }
}

async fn finish_operation(conn: &mut SqliteConnection, row: &Operation) -> Result<(), Fault> {
    let done = sqlx::query("UPDATE operation SET phase = ?, body = ? WHERE id = ? AND phase = 'intended'")
        .bind(row.phase.as_str())
        .bind(text(row)?)
        .bind(row.id.as_str())
        .execute(conn)
        .await;
    held(done, Conflict::Operation)
}

async fn insert_deployment(conn: &mut SqliteConnection, row: &Deployment) -> Result<(), Fault> {
    let done = sqlx::query(
        "INSERT INTO deployment (id, target, release_id, predecessor, generation, at_ms, body)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.id.as_str())
    .bind(row.target.as_str())
    .bind(&row.release_id)
    .bind(row.predecessor.as_ref().map(DeploymentId::as_str))
    .bind(signed(row.generation))
    .bind(row.at_ms)
    .bind(text(row)?)
    .execute(conn)
    .await;
    fresh(done, Conflict::Deployment)
}
