//! The audit chain: appending, reading and exporting typed entries, each hashed over its predecessor.

use crate::error::JournalError;
use crate::head::{GENESIS, Head};
use crate::journal::{Fault, Journal, Writing, advance_head};
use crate::redaction::redact_json;
use att_core::id::{AuditId, Randomness};
use att_core::{Actor, canonical_json, sha256_hex};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::io::Write;

const PAGE: i64 = 500;

/// What is to be recorded. The journal adds number, id and hashes, and takes secrets out of the body.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditDraft {
    /// Its id, where the caller has one; else it is drawn from its place in the chain.
    pub id: Option<AuditId>,
    /// When it happened.
    pub at_ms: i64,
    /// Who did it.
    pub actor: Actor,
    /// What sort of thing happened, such as `cycle_moved`.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// The rest, as JSON.
    pub body: Value,
}

/// One line of the audit chain, as it is kept and exported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, gap-free from 1.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When it happened.
    pub at_ms: i64,
    /// Who did it, as JSON.
    pub actor: Value,
    /// What sort of thing happened.
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// The rest.
    pub body: Value,
    /// The hash of the entry before; 64 zeros for the first.
    pub prev_hash: String,
    /// SHA-256 over the canonical JSON of all of the above.
    pub hash: String,
}

impl AuditEntry {
    /// The hash that the other fields lead to.
    pub(crate) fn computed_hash(&self) -> Result<String, JournalError> {
        let mut fields = serde_json::to_value(self)?;
        if let Some(fields) = fields.as_object_mut() {
            fields.remove("hash");
        }
        Ok(sha256_hex(canonical_json(&fields)?))
    }

    fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        let json = |name: &str| -> Result<Value, Fault> {
            let text: String = row.try_get(name)?;
            Ok(serde_json::from_str(&text)?)
        };
        Ok(Self {
            seq: row.try_get("seq")?,
            id: AuditId::from(row.try_get::<String, _>("id")?),
            at_ms: row.try_get("at_ms")?,
            actor: json("actor")?,
            kind: row.try_get("kind")?,
            subject: row.try_get("subject")?,
            body: json("body")?,
            prev_hash: row.try_get("prev_hash")?,
            hash: row.try_get("hash")?,
        })
    }

    /// The entry of a row whose stored text is exactly the canonical text that was hashed.
    pub(crate) fn strictly_from_row(row: &SqliteRow) -> Result<Self, Fault> {
        let entry = Self::from_row(row)?;
        let (actor, body): (String, String) = (row.try_get("actor")?, row.try_get("body")?);
        if canonical_json(&entry.actor)? != actor || canonical_json(&entry.body)? != body {
            return Err(JournalError::Record("its stored text is not the text that was hashed".into()).into());
        }
        Ok(entry)
    }
}

/// Draws an id from a place in the chain, so that the same history has the same ids.
#[derive(Debug)]
struct PlaceInChain(u128);

impl Randomness for PlaceInChain {
    fn bits(&self) -> u128 {
        self.0
    }
}

impl Writing {
    /// Appends one entry to the audit chain, inside this transaction.
    pub(crate) async fn append(&mut self, draft: AuditDraft) -> Result<i64, Fault> {
        let last = match self.appended.take() {
            Some(head) => head,
            None => self.trusted_head().await?,
        };
        let seq = last.sequence + 1;
        let place = sha256_hex(format!("{}:{seq}", last.hash));
        let bits = u128::from_str_radix(&place[..32], 16).unwrap_or_default();
        let body = canonical_json(&redact_json(draft.body))?;
        let actor = canonical_json(&draft.actor)?;
        let mut entry = AuditEntry {
            seq,
            id: draft.id.unwrap_or_else(|| AuditId::mint(draft.at_ms, &PlaceInChain(bits))),
            at_ms: draft.at_ms,
            actor: serde_json::from_str(&actor)?,
            kind: draft.kind,
            subject: draft.subject,
            body: serde_json::from_str(&body)?,
            prev_hash: last.hash,
            hash: String::new(),
        };
        entry.hash = entry.computed_hash()?;
        sqlx::query(
            "INSERT INTO audit (seq, id, at_ms, actor, kind, subject, body, prev_hash, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(seq)
        .bind(entry.id.as_str())
        .bind(entry.at_ms)
        .bind(actor)
        .bind(&entry.kind)
        .bind(&entry.subject)
        .bind(body)
        .bind(&entry.prev_hash)
        .bind(&entry.hash)
        .execute(&mut self.conn)
        .await?;
        self.appended = Some(Head { sequence: seq, hash: entry.hash });
        Ok(seq)
    }

    /// The newest entry, once the chain is known to contain the head that was kept outside.
    async fn trusted_head(&mut self) -> Result<Head, Fault> {
        let last = newest(&mut self.conn).await?;
        let damaged = |sequence, detail: &str| JournalError::Damaged { sequence, detail: detail.into() };
        let kept = self.access.heads.read()?.ok_or_else(|| {
            damaged(last.sequence, "journal.head, which vouches for the newest entry, is missing")
        })?;
        if kept.sequence > last.sequence {
            return Err(damaged(last.sequence + 1, "the newest entries were cut off").into());
        }
        if kept.hash != hash_at(&mut self.conn, kept.sequence).await? {
            return Err(
                damaged(kept.sequence, "the entry is not the one that journal.head vouches for").into()
            );
        }
        Ok(last)
    }
}

/// The newest entry's number and hash.
pub(crate) async fn newest(conn: &mut SqliteConnection) -> Result<Head, Fault> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(conn).await?;
    Ok(row.map_or_else(Head::genesis, |(sequence, hash)| Head { sequence, hash }))
}

async fn hash_at(conn: &mut SqliteConnection, sequence: i64) -> Result<String, Fault> {
    if sequence == 0 {
        return Ok(GENESIS.into());
    }
    let hash: Option<String> = sqlx::query_scalar("SELECT hash FROM audit WHERE seq = ?")
        .bind(sequence)
        .fetch_optional(conn)
        .await?;
    Ok(hash.unwrap_or_default())
}

impl Journal {
    /// Up to `limit` entries after the sequence `after`, oldest first; of one subject only, if one is given.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn audit_entries(
        &self,
        subject: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, JournalError> {
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE seq > ?1 AND (?2 IS NULL OR subject = ?2) ORDER BY seq LIMIT ?3",
        )
        .bind(after)
        .bind(subject)
        .bind(limit)
        .fetch_all(self.readers())
        .await;
        self.settle(
            rows.map_err(Fault::from).and_then(|rows| rows.iter().map(AuditEntry::from_row).collect()),
        )
    }

    /// The number of the newest audit entry; 0 when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn head_sequence(&self) -> Result<i64, JournalError> {
        let newest =
            sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM audit").fetch_one(self.readers()).await;
        self.settle(newest.map_err(Fault::from))
    }

    /// The last `limit` entries about one subject, newest first.
    pub(crate) async fn newest_audit_entries(
        &self,
        subject: &str,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, JournalError> {
        let rows = sqlx::query("SELECT * FROM audit WHERE subject = ? ORDER BY seq DESC LIMIT ?")
            .bind(subject)
            .bind(limit)
            .fetch_all(self.readers())
            .await;
        self.settle(
            rows.map_err(Fault::from).and_then(|rows| rows.iter().map(AuditEntry::from_row).collect()),
        )
    }

    /// Writes the whole chain to `out`, one JSON object per line, and returns how many lines.
    ///
    /// # Errors
    /// When the file cannot be read or `out` cannot be written.
    pub async fn export(&self, out: &mut (dyn Write + Send)) -> Result<u64, JournalError> {
        let (mut after, mut lines) = (0, 0);
        loop {
            let page = self.audit_entries(None, after, u32::try_from(PAGE).unwrap_or(u32::MAX)).await?;
            let Some(last) = page.last() else { return Ok(lines) };
            after = last.seq;
            for entry in &page {
                let line = canonical_json(entry)?;
                writeln!(out, "{line}").map_err(|error| {
                    JournalError::Record(format!("the export could not be written: {error}"))
                })?;
                lines += 1;
            }
        }
    }

    /// Brings `journal.head` up to the newest entry when a crash left it behind. Damage is left to be seen.
    pub(crate) async fn catch_up_head(&self) -> Result<(), JournalError> {
        let Ok(Some(kept)) = self.access().heads.read() else { return Ok(()) };
        let report = self.verify_from(kept.clone()).await?;
        if report.ok && report.head_sequence > kept.sequence {
            advance_head(self.access(), Head { sequence: report.head_sequence, hash: report.head_hash })
                .await;
        }
        Ok(())
    }
}
