//! Leases: who drives the engine, with an epoch that grows with every acquisition and fences what a former
//! holder still wants to write.

use crate::error::JournalError;
use crate::fleet_rows::signed;
use crate::journal::{Fault, Journal};
use att_bootstrap::store::{Lease, LeaseFence, LeaseOwner};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

fn lease_of(row: &SqliteRow) -> Result<Lease, Fault> {
    Ok(Lease {
        name: row.try_get("name")?,
        owner: serde_json::from_str(&row.try_get::<String, _>("owner")?)?,
        epoch: u64::try_from(row.try_get::<i64, _>("epoch")?).unwrap_or(0),
        acquired_at_ms: row.try_get("acquired_ms")?,
        heartbeat_at_ms: row.try_get("heartbeat_ms")?,
        expires_at_ms: row.try_get("expires_ms")?,
    })
}

impl Journal {
    pub(crate) async fn take_lease(
        &self,
        name: &str,
        owner: &LeaseOwner,
        now_ms: i64,
        ttl_ms: i64,
        take_over: bool,
    ) -> Result<Option<Lease>, JournalError> {
        let (name, owner) = (name.to_owned(), serde_json::to_string(owner)?);
        self.write(move |writing| {
            Box::pin(async move {
                let row = sqlx::query(
                    "INSERT INTO lease (name, owner, held, epoch, acquired_ms, heartbeat_ms, expires_ms)
                     VALUES (?1, ?2, 1, 1, ?3, ?3, ?3 + ?4)
                     ON CONFLICT (name) DO UPDATE
                     SET owner = excluded.owner, held = 1, epoch = lease.epoch + 1,
                         acquired_ms = excluded.acquired_ms, heartbeat_ms = excluded.heartbeat_ms,
                         expires_ms = excluded.expires_ms
                     WHERE ?5 OR lease.held = 0 OR lease.expires_ms <= ?3
                     RETURNING *",
                )
                .bind(name)
                .bind(owner)
                .bind(now_ms)
                .bind(ttl_ms)
                .bind(take_over)
                .fetch_optional(&mut writing.conn)
                .await?;
                row.as_ref().map(lease_of).transpose()
            })
        })
        .await
    }

    pub(crate) async fn extend_lease(
        &self,
        fence: &LeaseFence,
        now_ms: i64,
        ttl_ms: i64,
    ) -> Result<bool, JournalError> {
        let fence = fence.clone();
        self.write(move |writing| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE lease SET heartbeat_ms = ?1, expires_ms = ?1 + ?2
                     WHERE name = ?3 AND epoch = ?4 AND held = 1",
                )
                .bind(now_ms)
                .bind(ttl_ms)
                .bind(fence.name)
                .bind(signed(fence.epoch))
                .execute(&mut writing.conn)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    pub(crate) async fn give_lease_back(&self, fence: &LeaseFence, now_ms: i64) -> Result<(), JournalError> {
        let fence = fence.clone();
        self.write(move |writing| {
            Box::pin(async move {
                // The row stays: its epoch must go on growing.
                sqlx::query(
                    "UPDATE lease SET held = 0, heartbeat_ms = ?1, expires_ms = ?1
                     WHERE name = ?2 AND epoch = ?3",
                )
                .bind(now_ms)
                .bind(fence.name)
                .bind(signed(fence.epoch))
                .execute(&mut writing.conn)
                .await?;
                Ok(())
            })
        })
        .await
    }

    pub(crate) async fn read_lease(&self, name: &str) -> Result<Option<Lease>, JournalError> {
        let row =
            sqlx::query("SELECT * FROM lease WHERE name = ?").bind(name).fetch_optional(self.readers()).await;
        self.settle(row.map_err(Fault::from).and_then(|row| row.as_ref().map(lease_of).transpose()))
    }
}
