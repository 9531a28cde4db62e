//! The fleet's rows: how a state, an event, an attempt and a snapshot are laid into columns, and back.

use crate::journal::Fault;
use crate::redaction::redact_json;
use att_mcp::model::{AttemptRecord, Event, EventKind, ServerState, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

/// The JSON text of `value` with secrets taken out.
fn redacted(value: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string(value)?;
    if !att_core::redact::may_hold_secret(&text) {
        return Ok(text);
    }
    Ok(serde_json::to_string(&redact_json(serde_json::to_value(value)?))?)
}

/// The word that a closed list's value has in JSON.
pub(crate) fn word(value: &impl Serialize) -> Result<String, Fault> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(text) => Ok(text),
        other => Ok(other.to_string()),
    }
}

/// Reads the JSON text in the column `body`.
pub(crate) fn body<T: DeserializeOwned>(row: &SqliteRow) -> Result<T, Fault> {
    Ok(serde_json::from_str(&row.try_get::<String, _>("body")?)?)
}

/// Reads `body` of every row.
pub(crate) fn bodies<T: DeserializeOwned>(rows: &[SqliteRow]) -> Result<Vec<T>, Fault> {
    rows.iter().map(body).collect()
}

/// Reads `body` of the rows that this program understands. Telemetry of another version must not hide the rest.
pub(crate) fn readable_bodies<T: DeserializeOwned>(rows: &[SqliteRow]) -> Result<Vec<T>, Fault> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match serde_json::from_str(&row.try_get::<String, _>("body")?) {
            Ok(value) => found.push(value),
            Err(error) => tracing::warn!(%error, "a telemetry row of another version is left out"),
        }
    }
    Ok(found)
}

/// A generation or version as SQLite keeps it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Rows of one statement, at most: each statement costs a way to SQLite's own thread and back.
const ROWS_AT_ONCE: usize = 64;

/// The next part of `rows`: a power of two, so that few statements are prepared and kept.
fn next_rows<'r, T>(rows: &mut &'r [T]) -> &'r [T] {
    let size = rows.len().checked_ilog2().map_or(0, |power| (1 << power).min(ROWS_AT_ONCE));
    let (next, rest) = rows.split_at(size);
    *rows = rest;
    next
}

pub(crate) async fn insert_events(conn: &mut SqliteConnection, mut events: &[&Event]) -> Result<(), Fault> {
    while !events.is_empty() {
        let rows = next_rows(&mut events)
            .iter()
            .map(|event| {
                let (phase, method) = match &event.kind {
                    EventKind::InvocationPhase { phase, method, .. } => {
                        (Some(word(phase)?), Some(method.as_str()))
                    }
                    _ => (None, None),
                };
                Ok((event, phase, method, redacted(event)?))
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO event
               (id, at_ms, server, generation, kind, phase, method, correlation_id, request_id, body) ",
        );
        insert.push_values(rows, |mut row, (event, phase, method, body)| {
            row.push_bind(event.id.as_str())
                .push_bind(event.at_ms)
                .push_bind(&event.server)
                .push_bind(signed(event.generation))
                .push_bind(event.kind.name())
                .push_bind(phase)
                .push_bind(method)
                .push_bind(event.correlation_id.as_str())
                .push_bind(event.request_id.as_ref().map(att_core::id::RequestId::as_str))
                .push_bind(body);
        });
        insert.push(" ON CONFLICT (id) DO NOTHING").build().execute(&mut *conn).await?;
    }
    Ok(())
}

pub(crate) async fn insert_attempts(
    conn: &mut SqliteConnection,
    mut records: &[&AttemptRecord],
) -> Result<(), Fault> {
    while !records.is_empty() {
        let rows = next_rows(&mut records)
            .iter()
            .map(|record| Ok((record, redacted(record)?)))
            .collect::<Result<Vec<_>, Fault>>()?;
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO attempt (request_id, place, at_ms, server, correlation_id, body) ",
        );
        insert.push_values(rows, |mut row, (record, body)| {
            row.push_bind(record.request_id.as_str())
                .push_bind(record.index)
                .push_bind(record.at_ms)
                .push_bind(&record.attempt.server)
                .push_bind(record.correlation_id.as_str())
                .push_bind(body);
        });
        insert.build().execute(&mut *conn).await?;
    }
    Ok(())
}

pub(crate) async fn save_state(conn: &mut SqliteConnection, state: &ServerState) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO server_state (server, as_of_ms, status, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (server) DO UPDATE
         SET as_of_ms = excluded.as_of_ms, status = excluded.status, body = excluded.body",
    )
    .bind(&state.server)
    .bind(state.as_of_ms)
    .bind(state.status.as_str())
    .bind(redacted(state)?)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget_state(conn: &mut SqliteConnection, server: &str) -> Result<(), Fault> {
    sqlx::query("DELETE FROM server_state WHERE server = ?").bind(server).execute(conn).await?;
    Ok(())
}

/// Deletes the oldest events and attempts above `cap`. Numbers have no gaps but at the old end.
pub(crate) async fn keep_newest(
    conn: &mut SqliteConnection,
    cap: u32,
    events: bool,
    attempts: bool,
) -> Result<(), Fault> {
    if events {
        sqlx::query("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?")
            .bind(cap)
            .execute(&mut *conn)
            .await?;
    }
    if attempts {
        sqlx::query("DELETE FROM attempt WHERE seq <= (SELECT max(seq) FROM attempt) - ?")
            .bind(cap)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// A snapshot with the time it was last seen, which lives in its own column.
pub(crate) fn snapshot_of(row: &SqliteRow) -> Result<Snapshot, Fault> {
    let mut snapshot: Snapshot = body(row)?;
    snapshot.last_seen_at_ms = row.try_get("last_seen_at_ms")?;
    Ok(snapshot)
}
