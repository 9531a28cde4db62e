//! `att journal verify`: finds the first broken, missing or cut-off entry of the audit chain.

use crate::audit::{AuditEntry, newest};
use crate::error::JournalError;
use crate::head::Head;
use crate::journal::{Fault, Journal};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

const PAGE: i64 = 500;

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Its content, its hash and its predecessor do not fit each other.
    Broken,
    /// A number was left out; the entry is gone.
    Missing,
    /// It was the newest or near it, and the end of the chain is gone.
    CutOff,
    /// `journal.head` is gone or unreadable, so that a cut-off end could not be seen.
    HeadMissing,
}

/// The first entry that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadEntry {
    /// Its number.
    pub sequence: i64,
    /// What is wrong.
    pub problem: Problem,
    /// The same in a sentence.
    pub detail: String,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// True when every entry fits and the kept head is part of the chain.
    pub ok: bool,
    /// How many entries were found good, from the first on.
    pub entries: i64,
    /// The number of the last good entry.
    pub head_sequence: i64,
    /// Its hash.
    pub head_hash: String,
    /// The first entry that is not good.
    pub first_bad: Option<BadEntry>,
}

impl VerifyReport {
    fn upto(last: Head, bad: Option<BadEntry>) -> Self {
        Self {
            ok: bad.is_none(),
            entries: last.sequence,
            head_sequence: last.sequence,
            head_hash: last.hash,
            first_bad: bad,
        }
    }
}

impl Journal {
    /// Recomputes every hash of the audit chain and compares its end with `journal.head`.
    ///
    /// # Errors
    /// When the file cannot be opened for reading at all. Damage inside the chain is in the report.
    pub async fn verify(&self) -> Result<VerifyReport, JournalError> {
        // Read before the chain: entries may be added in between, never taken away.
        let kept = self.access().heads.read();
        let mut report = self.verify_from(Head::genesis()).await?;
        if report.first_bad.is_some() {
            // A cut chain may end in a broken entry; the first bad one is the answer either way.
            return Ok(report);
        }
        let bad = |sequence, problem, detail: String| Some(BadEntry { sequence, problem, detail });
        report.first_bad = match kept {
            Ok(Some(kept)) if kept.sequence > report.head_sequence => bad(
                report.head_sequence + 1,
                Problem::CutOff,
                format!("journal.head vouches for {} entries, {} are there", kept.sequence, report.entries),
            ),
            Ok(Some(kept)) if !self.contains(&kept).await? => bad(
                kept.sequence,
                Problem::Broken,
                "the entry is not the one that journal.head vouches for".into(),
            ),
            Ok(Some(_)) => None,
            Ok(None) => bad(report.head_sequence, Problem::HeadMissing, "journal.head is missing".into()),
            Err(error) => bad(report.head_sequence, Problem::HeadMissing, error.to_string()),
        };
        report.ok = report.first_bad.is_none();
        Ok(report)
    }

    /// Verifies the entries after `start`, which itself must be in the chain.
    pub(crate) async fn verify_from(&self, start: Head) -> Result<VerifyReport, JournalError> {
        let walk = async {
            // One transaction, so that every page is of the same moment.
            let mut moment = self.readers().begin().await?;
            let report = walk(&mut moment, start).await?;
            moment.rollback().await?;
            Ok(report)
        };
        self.settle(walk.await)
    }

    async fn contains(&self, head: &Head) -> Result<bool, JournalError> {
        if head.sequence == 0 {
            return Ok(*head == Head::genesis());
        }
        let found: Result<Option<String>, sqlx::Error> =
            sqlx::query_scalar("SELECT hash FROM audit WHERE seq = ?")
                .bind(head.sequence)
                .fetch_optional(self.readers())
                .await;
        Ok(self.settle(found.map_err(Fault::from))?.as_deref() == Some(head.hash.as_str()))
    }
}

async fn walk(conn: &mut SqliteConnection, start: Head) -> Result<VerifyReport, Fault> {
    let mut last = start;
    if last.sequence > 0 && newest(conn).await?.sequence < last.sequence {
        return Ok(VerifyReport::upto(Head::genesis(), cut_off(last.sequence)));
    }
    loop {
        let page = sqlx::query("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?")
            .bind(last.sequence)
            .bind(PAGE)
            .fetch_all(&mut *conn)
            .await;
        let page = match page {
            Ok(page) => page,
            // The pages that hold the rows are themselves damaged.
            Err(sqlx::Error::Database(error))
                if matches!(error.code().as_deref(), Some("11" | "267" | "779")) =>
            {
                let bad = broken(last.sequence + 1, error.message());
                return Ok(VerifyReport::upto(last, bad));
            }
            Err(error) => return Err(error.into()),
        };
        if page.is_empty() {
            return Ok(VerifyReport::upto(last, None));
        }
        for row in &page {
            let expected = last.sequence + 1;
            let seq: i64 = row.try_get("seq")?;
            if seq != expected {
                let detail = format!("the next entry found is {seq}");
                let bad = BadEntry { sequence: expected, problem: Problem::Missing, detail };
                return Ok(VerifyReport::upto(last, Some(bad)));
            }
            match judge(AuditEntry::strictly_from_row(row), &last) {
                Ok(entry) => last = Head { sequence: entry.seq, hash: entry.hash },
                Err(detail) => return Ok(VerifyReport::upto(last, broken(seq, &detail))),
            }
        }
    }
}

fn judge(entry: Result<AuditEntry, Fault>, last: &Head) -> Result<AuditEntry, String> {
    let entry = entry.map_err(|fault| match fault {
        Fault::Sql(error) => error.to_string(),
        Fault::Journal(error) => error.to_string(),
    })?;
    if entry.prev_hash != last.hash {
        return Err("it does not continue the entry before".into());
    }
    match entry.computed_hash() {
        Ok(hash) if hash == entry.hash => Ok(entry),
        Ok(_) => Err("its hash is not that of its content".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn broken(sequence: i64, detail: &str) -> Option<BadEntry> {
    Some(BadEntry { sequence, problem: Problem::Broken, detail: detail.to_owned() })
}

fn cut_off(sequence: i64) -> Option<BadEntry> {
    Some(BadEntry { sequence, problem: Problem::CutOff, detail: "the end of the chain is gone".into() })
}
