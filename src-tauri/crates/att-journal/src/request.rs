//! Requests: what a face that does not drive the engine asks of the one that does (design 4, "Who drives").

use crate::error::JournalError;
use crate::fleet_rows::{signed, word};
use crate::journal::{Fault, Journal};
use att_core::Actor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Nobody has taken it.
    Pending,
    /// The owner works on it.
    Taken,
    /// It was done; the answer is there.
    Done,
    /// It was refused; the answer says why.
    Refused,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// Its id, chosen by the asker: asking twice with one id asks once.
    pub id: String,
    /// What sort of thing, such as `run_cycle`.
    pub kind: String,
    /// The rest, as JSON.
    pub body: Value,
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub at_ms: i64,
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Its id.
    pub id: String,
    /// What sort of thing.
    pub kind: String,
    /// The rest.
    pub body: Value,
    /// Who asked.
    pub actor: Actor,
    /// When.
    pub at_ms: i64,
    /// Where it stands.
    pub state: RequestState,
    /// The epoch of the owner that took it.
    pub taken_by: Option<u64>,
    /// When it was taken.
    pub taken_at_ms: Option<i64>,
    /// When it was done or refused.
    pub ended_at_ms: Option<i64>,
    /// What came of it.
    pub answer: Option<Value>,
}

fn request_of(row: &SqliteRow) -> Result<RequestRow, Fault> {
    let json = |text: String| serde_json::from_str::<Value>(&text);
    Ok(RequestRow {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        body: json(row.try_get("body")?)?,
        actor: serde_json::from_str(&row.try_get::<String, _>("actor")?)?,
        at_ms: row.try_get("at_ms")?,
        state: serde_json::from_value(Value::String(row.try_get("state")?))?,
        taken_by: row.try_get::<Option<i64>, _>("taken_by")?.and_then(|epoch| u64::try_from(epoch).ok()),
        taken_at_ms: row.try_get("taken_at_ms")?,
        ended_at_ms: row.try_get("ended_at_ms")?,
        answer: row.try_get::<Option<String>, _>("answer")?.map(json).transpose()?,
    })
}

impl Journal {
    /// Writes a request for the owner to take. False when one of that id is there already.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn ask(&self, request: NewRequest) -> Result<bool, JournalError> {
        self.write(move |writing| {
            Box::pin(async move {
                let done = sqlx::query(
                    "INSERT INTO request (id, kind, body, actor, at_ms, state) VALUES (?, ?, ?, ?, ?, 'pending')
                     ON CONFLICT (id) DO NOTHING",
                )
                .bind(request.id)
                .bind(request.kind)
                .bind(request.body.to_string())
                .bind(serde_json::to_string(&request.actor)?)
                .bind(request.at_ms)
                .execute(&mut writing.conn)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Takes the oldest pending request for the owner of lease epoch `epoch`. Of several takers one gets it.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn take_request(&self, epoch: u64, now_ms: i64) -> Result<Option<RequestRow>, JournalError> {
        if !self.has_pending_request().await? {
            return Ok(None);
        }
        self.write(move |writing| {
            Box::pin(async move {
                let row = sqlx::query(
                    "UPDATE request SET state = 'taken', taken_by = ?, taken_at_ms = ?
                     WHERE id = (SELECT id FROM request WHERE state = 'pending' ORDER BY at_ms, id LIMIT 1)
                     RETURNING *",
                )
                .bind(signed(epoch))
                .bind(now_ms)
                .fetch_optional(&mut writing.conn)
                .await?;
                row.as_ref().map(request_of).transpose()
            })
        })
        .await
    }

    /// Ends a request that this epoch has taken, with its answer. False when it is no longer this epoch's.
    ///
    /// # Errors
    /// When the journal cannot be written, or `state` is not an end.
    pub async fn answer_request(
        &self,
        id: &str,
        epoch: u64,
        state: RequestState,
        answer: Value,
        now_ms: i64,
    ) -> Result<bool, JournalError> {
        if !matches!(state, RequestState::Done | RequestState::Refused) {
            return Err(JournalError::Record("a request ends as done or refused".into()));
        }
        let id = id.to_owned();
        self.write(move |writing| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE request SET state = ?, answer = ?, ended_at_ms = ?
                     WHERE id = ? AND state = 'taken' AND taken_by = ?",
                )
                .bind(word(&state)?)
                .bind(answer.to_string())
                .bind(now_ms)
                .bind(id)
                .bind(signed(epoch))
                .execute(&mut writing.conn)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    /// Makes pending again what an earlier owner took and never answered. Returns how many.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn return_requests(&self, epoch: u64) -> Result<u64, JournalError> {
        self.write(move |writing| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE request SET state = 'pending', taken_by = NULL, taken_at_ms = NULL
                     WHERE state = 'taken' AND taken_by < ?",
                )
                .bind(signed(epoch))
                .execute(&mut writing.conn)
                .await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// Deletes requests that ended before `before_ms`. Returns how many.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn forget_requests(&self, before_ms: i64) -> Result<u64, JournalError> {
        self.write(move |writing| {
            Box::pin(async move {
                let done = sqlx::query("DELETE FROM request WHERE ended_at_ms < ?")
                    .bind(before_ms)
                    .execute(&mut writing.conn)
                    .await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// One request.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn request(&self, id: &str) -> Result<Option<RequestRow>, JournalError> {
        let row =
            sqlx::query("SELECT * FROM request WHERE id = ?").bind(id).fetch_optional(self.readers()).await;
        self.settle(row.map_err(Fault::from).and_then(|row| row.as_ref().map(request_of).transpose()))
    }

    /// Requests that are pending or taken, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn open_requests(&self) -> Result<Vec<RequestRow>, JournalError> {
        let open = "SELECT * FROM request WHERE state IN ('pending', 'taken') ORDER BY at_ms, id";
        let rows = sqlx::query(open).fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| rows.iter().map(request_of).collect()))
    }

    /// So that the owner's frequent look takes no write lock.
    async fn has_pending_request(&self) -> Result<bool, JournalError> {
        let pending =
            "SELECT EXISTS (SELECT 1 FROM request WHERE state IN ('pending', 'taken') AND state = 'pending')";
        let found = sqlx::query_scalar(pending).fetch_one(self.readers()).await;
        self.settle(found.map_err(Fault::from))
    }
}
