//! The fleet's store over SQL, and the operator's consents.

use crate::audit::AuditDraft;
use crate::error::JournalError;
use crate::fleet_rows::{readable_bodies, snapshot_of};
use crate::journal::{Fault, Journal};
use crate::telemetry::Row as Queued;
use async_trait::async_trait;
use att_core::Actor;
use att_mcp::model::{AttemptRecord, Baseline, Event, QuestionClosure, ServerState, Snapshot};
use att_mcp::{FleetStore, Question, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// The operator's consent to one exact command of one server (design 1.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The server.
    pub server: String,
    /// The digest of command line, arguments and environment names.
    pub digest: String,
    /// When it was given.
    pub at_ms: i64,
    /// By whom.
    pub actor: Actor,
}

pub(crate) fn stored<T>(result: Result<T, JournalError>) -> Result<T, StoreError> {
    result.map_err(|error| {
        let text = format!("{error}. {}", error.cure());
        match error {
            JournalError::Corrupt { .. } | JournalError::Damaged { .. } | JournalError::Record(_) => {
                StoreError::Damaged(text)
            }
            _ => StoreError::Unavailable(text),
        }
    })
}

impl Journal {
    /// Records the operator's consent to a command, with `shown`, the command as it was on screen, in the audit chain.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn give_consent(&self, consent: Consent, shown: serde_json::Value) -> Result<(), JournalError> {
        self.write(move |writing| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO consent (server, digest, at_ms, actor) VALUES (?, ?, ?, ?)
                     ON CONFLICT (server, digest) DO UPDATE SET at_ms = excluded.at_ms, actor = excluded.actor",
                )
                .bind(&consent.server)
                .bind(&consent.digest)
                .bind(consent.at_ms)
                .bind(serde_json::to_string(&consent.actor)?)
                .execute(&mut writing.conn)
                .await?;
                writing
                    .append(AuditDraft {
                        id: None,
                        at_ms: consent.at_ms,
                        actor: consent.actor,
                        kind: "ConsentGiven".into(),
                        subject: consent.server,
                        body: serde_json::json!({"digest": consent.digest, "command": shown}),
                    })
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Takes every consent of a server back; its command is asked for again. Returns how many there were.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn withdraw_consent(
        &self,
        server: &str,
        actor: Actor,
        at_ms: i64,
    ) -> Result<u64, JournalError> {
        let server = server.to_owned();
        self.write(move |writing| {
            Box::pin(async move {
                let gone = sqlx::query("DELETE FROM consent WHERE server = ?")
                    .bind(&server)
                    .execute(&mut writing.conn)
                    .await?
                    .rows_affected();
                if gone > 0 {
                    writing
                        .append(AuditDraft {
                            id: None,
                            at_ms,
                            actor,
                            kind: "ConsentWithdrawn".into(),
                            subject: server,
                            body: serde_json::json!({"consents": gone}),
                        })
                        .await?;
                }
                Ok(gone)
            })
        })
        .await
    }

    /// Every consent there is, by server, newest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn consents(&self) -> Result<Vec<Consent>, JournalError> {
        let rows =
            sqlx::query("SELECT * FROM consent ORDER BY server, at_ms DESC").fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| {
            rows.iter()
                .map(|row| {
                    Ok(Consent {
                        server: row.try_get("server")?,
                        digest: row.try_get("digest")?,
                        at_ms: row.try_get("at_ms")?,
                        actor: serde_json::from_str(&row.try_get::<String, _>("actor")?)?,
                    })
                })
                .collect()
        }))
    }

    async fn read_states(&self) -> Result<Vec<ServerState>, JournalError> {
        self.flush_before_reading().await;
        let rows =
            sqlx::query("SELECT body FROM server_state ORDER BY server").fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| readable_bodies(&rows)))
    }

    async fn read_snapshots(
        &self,
        column: SnapshotKey,
        key: &str,
        limit: u32,
    ) -> Result<Vec<Snapshot>, JournalError> {
        let question = match column {
            SnapshotKey::Id => "SELECT body, last_seen_at_ms FROM snapshot WHERE id = ? LIMIT ?",
            SnapshotKey::Server => {
                "SELECT body, last_seen_at_ms FROM snapshot WHERE server = ? ORDER BY seq DESC LIMIT ?"
            }
        };
        let rows = sqlx::query(question).bind(key).bind(limit).fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| rows.iter().map(snapshot_of).collect()))
    }

    async fn has_consent(&self, server: &str, digest: &str) -> Result<bool, JournalError> {
        let found =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM consent WHERE server = ? AND digest = ?)")
                .bind(server)
                .bind(digest)
                .fetch_one(self.readers())
                .await;
        self.settle(found.map_err(Fault::from))
    }
}

#[derive(Clone, Copy)]
enum SnapshotKey {
    Id,
    Server,
}

#[async_trait]
impl FleetStore for Journal {
    async fn save_state(&self, state: ServerState) -> Result<(), StoreError> {
        stored(self.refuse_read_only())?;
        self.telemetry().set_state(state.server.clone(), Some(Box::new(state)));
        Ok(())
    }

    async fn forget_state(&self, server: &str) -> Result<(), StoreError> {
        stored(self.refuse_read_only())?;
        self.telemetry().set_state(server.to_owned(), None);
        Ok(())
    }

    async fn states(&self) -> Result<Vec<ServerState>, StoreError> {
        stored(self.read_states().await)
    }

    async fn append_events(&self, events: Vec<Event>) -> Result<(), StoreError> {
        stored(self.refuse_read_only())?;
        self.telemetry().push(events.into_iter().map(|event| Queued::Event(Box::new(event))));
        Ok(())
    }

    async fn append_attempts(&self, attempts: Vec<AttemptRecord>) -> Result<(), StoreError> {
        stored(self.refuse_read_only())?;
        self.telemetry().push(attempts.into_iter().map(|record| Queued::Attempt(Box::new(record))));
        Ok(())
    }

    async fn keep_questions(
        &self,
        asked: Vec<Question>,
        settled: Vec<QuestionClosure>,
    ) -> Result<(), StoreError> {
        stored(self.write_questions(asked, settled).await)
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.keep_snapshot(&snapshot).await
    }

    async fn touch_snapshot(&self, server: &str, id: &str, last_seen_at_ms: i64) -> Result<(), StoreError> {
        self.see_snapshot(server, id, last_seen_at_ms).await
    }

    async fn latest_snapshot(&self, server: &str) -> Result<Option<Snapshot>, StoreError> {
        stored(self.read_snapshots(SnapshotKey::Server, server, 1).await).map(|mut found| found.pop())
    }

    async fn snapshot(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        stored(self.read_snapshots(SnapshotKey::Id, id, 1).await).map(|mut found| found.pop())
    }

    async fn snapshots(&self, server: &str, limit: u32) -> Result<Vec<Snapshot>, StoreError> {
        stored(self.read_snapshots(SnapshotKey::Server, server, limit).await)
    }

    async fn baseline(&self, server: &str) -> Result<Option<Baseline>, StoreError> {
        stored(self.baseline_of(server).await)
    }

    async fn release_surface(&self, server: &str, surface: &str) -> Result<(), StoreError> {
        stored(self.keep_release(server, surface).await)
    }

    async fn consent(&self, server: &str, command_digest: &str) -> Result<bool, StoreError> {
        stored(self.has_consent(server, command_digest).await)
    }
}
