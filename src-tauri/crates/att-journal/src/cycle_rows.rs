//! The engine's rows that are simply replaced: no expectation, no version.

use crate::cycle_commit::text;
use crate::journal::Fault;
use att_bootstrap::model::{ConfigApproval, Interruption, OutputLog, Project, Release, SafeMode, TimerRow};
use sqlx::SqliteConnection;

pub(crate) async fn put_project(conn: &mut SqliteConnection, project: &Project) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO project (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    )
    .bind(project.id.as_str())
    .bind(text(project)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_release(conn: &mut SqliteConnection, row: &Release) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO release (target, id, health, created_at_ms, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (target, id) DO UPDATE
         SET health = excluded.health, created_at_ms = excluded.created_at_ms, body = excluded.body",
    )
    .bind(row.target.as_str())
    .bind(&row.id)
    .bind(row.health.as_str())
    .bind(row.created_at_ms)
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_interruption(conn: &mut SqliteConnection, row: &Interruption) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO interruption (id, kind, target, open, opened_at_ms, body) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, target = excluded.target, open = excluded.open,
           opened_at_ms = excluded.opened_at_ms, body = excluded.body",
    )
    .bind(row.id.as_str())
    .bind(row.kind.as_str())
    .bind(&row.target)
    .bind(row.is_open())
    .bind(row.opened_at_ms)
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_timer(conn: &mut SqliteConnection, row: &TimerRow) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO timer (id, cycle_id, due_at_ms, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE
         SET cycle_id = excluded.cycle_id, due_at_ms = excluded.due_at_ms, body = excluded.body",
    )
    .bind(&row.id)
    .bind(row.cycle_id.as_str())
    .bind(row.due_at_ms)
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_output_log(conn: &mut SqliteConnection, row: &OutputLog) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO output_log (cycle_id, stage, body) VALUES (?, ?, ?)
         ON CONFLICT (cycle_id, stage) DO UPDATE SET body = excluded.body",
    )
    .bind(row.cycle_id.as_str())
    .bind(row.stage.as_str())
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_config_approval(
    conn: &mut SqliteConnection,
    row: &ConfigApproval,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO config_approval (project, digest, at_ms, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (project, digest) DO UPDATE SET at_ms = excluded.at_ms, body = excluded.body",
    )
    .bind(row.project.as_str())
    .bind(&row.digest)
    .bind(row.at_ms)
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put_safe_mode(conn: &mut SqliteConnection, row: &SafeMode) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO safe_mode (id, body) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
    )
    .bind(text(row)?)
    .execute(conn)
    .await?;
    Ok(())
}
