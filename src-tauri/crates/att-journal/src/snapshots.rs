//! Snapshots: written in groups, kept within a budget, and the operator's baselines.
//!
//! A thousand servers that become ready at once have a thousand snapshots to keep, each durable when its caller goes on.
//! What arrives while one transaction runs goes into the next one together.

use crate::audit::AuditDraft;
use crate::error::JournalError;
use crate::fleet_rows::snapshot_of;
use crate::journal::{Fault, Journal, Shared, Writing};
use att_core::Actor;
use att_mcp::StoreError;
use att_mcp::model::{Baseline, Snapshot};
use sqlx::{Row, SqliteConnection};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Jobs in one transaction, at most.
const BATCH: usize = 256;
/// Bytes of bodies in one transaction, about.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// What waits to be written.
#[derive(Debug)]
enum Job {
    Put(Box<Laid>),
    Seen { server: String, id: String, at_ms: i64 },
}

/// A snapshot as it is laid into its row, made where it was taken and not under the write lock.
#[derive(Debug)]
struct Laid {
    id: String,
    server: String,
    parent: Option<String>,
    surface: String,
    taken_at_ms: i64,
    last_seen_at_ms: i64,
    body: String,
}

type Done = oneshot::Sender<Result<(), StoreError>>;

/// The queue before the writer.
#[derive(Debug, Default)]
pub(crate) struct SnapshotQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    jobs: Vec<(Job, Done)>,
    /// A task is writing and will look again before it ends.
    writing: bool,
}

impl SnapshotQueue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes into the next transaction; when there is nothing, the writer's leave to end.
    fn next(&self) -> Option<Vec<(Job, Done)>> {
        let mut waiting = self.lock();
        if waiting.jobs.is_empty() {
            waiting.writing = false;
            return None;
        }
        let mut bytes = 0;
        let fits = waiting.jobs.iter().take(BATCH).take_while(|(job, _)| {
            let before = bytes;
            bytes += match job {
                Job::Put(laid) => laid.body.len(),
                Job::Seen { .. } => 0,
            };
            before < BATCH_BYTES
        });
        let count = fits.count().max(1);
        Some(waiting.jobs.drain(..count).collect())
    }
}

impl Journal {
    pub(crate) async fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let body = serde_json::to_string(snapshot).map_err(|error| StoreError::Damaged(error.to_string()))?;
        self.queue_snapshot(Job::Put(Box::new(Laid {
            id: snapshot.id.clone(),
            server: snapshot.server.clone(),
            parent: snapshot.parent.clone(),
            surface: snapshot.surface.clone(),
            taken_at_ms: snapshot.taken_at_ms,
            last_seen_at_ms: snapshot.last_seen_at_ms,
            body,
        })))
        .await
    }

    pub(crate) async fn see_snapshot(&self, server: &str, id: &str, at_ms: i64) -> Result<(), StoreError> {
        self.queue_snapshot(Job::Seen { server: server.to_owned(), id: id.to_owned(), at_ms }).await
    }

    async fn queue_snapshot(&self, job: Job) -> Result<(), StoreError> {
        crate::fleet::stored(self.refuse_read_only())?;
        let (done, written) = oneshot::channel();
        let queue = self.snapshot_queue();
        let alone = {
            let mut waiting = queue.lock();
            waiting.jobs.push((job, done));
            !std::mem::replace(&mut waiting.writing, true)
        };
        if alone {
            tokio::spawn(write_all(Arc::clone(queue), Arc::clone(self.shared())));
        }
        written
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the journal is being closed".to_owned())))
    }

    /// A server's snapshots older than `before` (the newest without it), newest first, at most `limit`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn snapshots_before(
        &self,
        server: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Snapshot>, JournalError> {
        let rows = sqlx::query(
            "SELECT body, last_seen_at_ms FROM snapshot
             WHERE server = ?1 AND (?2 IS NULL OR seq < (SELECT seq FROM snapshot WHERE id = ?2 AND server = ?1))
             ORDER BY seq DESC LIMIT ?3",
        )
        .bind(server)
        .bind(before)
        .bind(limit)
        .fetch_all(self.readers())
        .await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| rows.iter().map(snapshot_of).collect()))
    }

    /// Records that a person accepts a snapshot as the baseline of its server, with the audit entry, in one transaction.
    ///
    /// # Errors
    /// When the journal cannot be written, or holds no such snapshot of that server.
    pub async fn accept_baseline(&self, baseline: Baseline) -> Result<(), JournalError> {
        self.write(move |writing| Box::pin(accept(writing, baseline))).await
    }

    /// Takes a server's baseline back; without one its changes are told and nothing is forbidden. False when there was none.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn clear_baseline(
        &self,
        server: &str,
        actor: Actor,
        at_ms: i64,
        reason: String,
    ) -> Result<bool, JournalError> {
        let server = server.to_owned();
        self.write(move |writing| {
            Box::pin(async move {
                let was: Option<String> =
                    sqlx::query_scalar("DELETE FROM baseline WHERE server = ? RETURNING snapshot_id")
                        .bind(&server)
                        .fetch_optional(&mut writing.conn)
                        .await?;
                let Some(was) = was else { return Ok(false) };
                let body = serde_json::json!({"snapshot_id": was, "reason": reason});
                let kind = "BaselineCleared".to_owned();
                writing.append(AuditDraft { id: None, at_ms, actor, kind, subject: server, body }).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The baseline of a server.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn baseline_of(&self, server: &str) -> Result<Option<Baseline>, JournalError> {
        let row = sqlx::query("SELECT * FROM baseline WHERE server = ?")
            .bind(server)
            .fetch_optional(self.readers())
            .await;
        self.settle(row.map_err(Fault::from).and_then(|row| {
            row.map(|row| {
                Ok(Baseline {
                    server: row.try_get("server")?,
                    snapshot_id: row.try_get("snapshot_id")?,
                    at_ms: row.try_get("at_ms")?,
                    actor: serde_json::from_str(&row.try_get::<String, _>("actor")?)?,
                    reason: row.try_get("reason")?,
                    released_surface: row.try_get("released_surface")?,
                })
            })
            .transpose()
        }))
    }

    /// Remembers that the operator switched a quarantined server on in spite of `surface`.
    pub(crate) async fn keep_release(&self, server: &str, surface: &str) -> Result<(), JournalError> {
        let (server, surface) = (server.to_owned(), surface.to_owned());
        self.write(move |writing| {
            Box::pin(async move {
                sqlx::query("UPDATE baseline SET released_surface = ? WHERE server = ?")
                    .bind(surface)
                    .bind(server)
                    .execute(&mut writing.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

async fn accept(writing: &mut Writing, baseline: Baseline) -> Result<(), Fault> {
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM snapshot WHERE id = ? AND server = ?)")
            .bind(&baseline.snapshot_id)
            .bind(&baseline.server)
            .fetch_one(&mut writing.conn)
            .await?;
    if !known {
        let text = format!("{} has no snapshot {}", baseline.server, baseline.snapshot_id);
        return Err(JournalError::Record(text).into());
    }
    let was: Option<String> = sqlx::query_scalar("SELECT snapshot_id FROM baseline WHERE server = ?")
        .bind(&baseline.server)
        .fetch_optional(&mut writing.conn)
        .await?;
    sqlx::query(
        "INSERT INTO baseline (server, snapshot_id, at_ms, actor, reason) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (server) DO UPDATE SET snapshot_id = excluded.snapshot_id, at_ms = excluded.at_ms,
           actor = excluded.actor, reason = excluded.reason, released_surface = NULL",
    )
    .bind(&baseline.server)
    .bind(&baseline.snapshot_id)
    .bind(baseline.at_ms)
    .bind(serde_json::to_string(&baseline.actor)?)
    .bind(&baseline.reason)
    .execute(&mut writing.conn)
    .await?;
    let body =
        serde_json::json!({"snapshot_id": baseline.snapshot_id, "before": was, "reason": baseline.reason});
    writing
        .append(AuditDraft {
            id: None,
            at_ms: baseline.at_ms,
            actor: baseline.actor,
            kind: "BaselineAccepted".into(),
            subject: baseline.server,
            body,
        })
        .await?;
    Ok(())
}

async fn write_all(queue: Arc<SnapshotQueue>, shared: Arc<Shared>) {
    while let Some(batch) = queue.next() {
        let (jobs, waiting): (Vec<Job>, Vec<Done>) = batch.into_iter().unzip();
        let budget = shared.access().options.snapshot_budget;
        let written = shared.write(move |writing| Box::pin(write_jobs(writing, jobs, budget))).await;
        let outcome = crate::fleet::stored(written);
        for done in waiting {
            // Whoever no longer waits has no use for the answer.
            let _ = done.send(outcome.clone());
        }
    }
}

/// How many snapshots of one server are kept, and how many bytes of them. The newest and the baseline always stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotBudget {
    /// Snapshots of one server.
    pub count: u32,
    /// Bytes of one server's snapshots.
    pub bytes: u64,
}

impl Default for SnapshotBudget {
    fn default() -> Self {
        Self { count: 200, bytes: 64 * 1024 * 1024 }
    }
}

async fn write_jobs(writing: &mut Writing, jobs: Vec<Job>, budget: SnapshotBudget) -> Result<(), Fault> {
    for job in jobs {
        match job {
            Job::Put(laid) => {
                insert(&mut writing.conn, &laid).await?;
                if laid.parent.is_some() {
                    keep_within(&mut writing.conn, &laid.server, budget).await?;
                }
            }
            Job::Seen { server, id, at_ms } => {
                sqlx::query(
                    "UPDATE snapshot SET last_seen_at_ms = ?1
                     WHERE server = ?2 AND id = ?3 AND last_seen_at_ms < ?1",
                )
                .bind(at_ms)
                .bind(server)
                .bind(id)
                .execute(&mut writing.conn)
                .await?;
            }
        }
    }
    Ok(())
}

async fn insert(conn: &mut SqliteConnection, laid: &Laid) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO snapshot (id, server, parent, surface, taken_at_ms, last_seen_at_ms, body)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&laid.id)
    .bind(&laid.server)
    .bind(&laid.parent)
    .bind(&laid.surface)
    .bind(laid.taken_at_ms)
    .bind(laid.last_seen_at_ms)
    .bind(&laid.body)
    .execute(conn)
    .await?;
    Ok(())
}

async fn keep_within(conn: &mut SqliteConnection, server: &str, budget: SnapshotBudget) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM snapshot WHERE seq IN (
           SELECT seq FROM (
             SELECT seq, row_number() OVER newest AS place, sum(octet_length(body)) OVER newest AS bytes
             FROM snapshot WHERE server = ?1 WINDOW newest AS (ORDER BY seq DESC)
           ) WHERE place > 1 AND (place > ?2 OR bytes > ?3)
         ) AND id NOT IN (SELECT snapshot_id FROM baseline WHERE server = ?1)",
    )
    .bind(server)
    .bind(budget.count)
    .bind(i64::try_from(budget.bytes).unwrap_or(i64::MAX))
    .execute(conn)
    .await?;
    Ok(())
}
