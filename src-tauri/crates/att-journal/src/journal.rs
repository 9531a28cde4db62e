//! The handle: one writer under the write lock, a few readers, and the look at `data_version`.

use crate::audit::AuditDraft;
use crate::error::JournalError;
use crate::head::Head;
use crate::open::{self, Access, OpenOptions};
use crate::snapshots::SnapshotQueue;
use crate::telemetry::Telemetry;
use sqlx::{Connection, SqliteConnection, SqlitePool};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const HEAD_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// One open journal. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    telemetry: Arc<Telemetry>,
    snapshots: Arc<SnapshotQueue>,
}

/// The connections, without the telemetry queue that writes through them.
#[derive(Debug)]
pub(crate) struct Shared {
    access: Access,
    /// Taken out while a transaction runs, so that a connection in an unknown state is never put back.
    writer: Mutex<Option<SqliteConnection>>,
    readers: SqlitePool,
    versions: Mutex<Versions>,
    newer: Option<i64>,
}

/// The connection that watches for the commits of others, and how many there were before it.
#[derive(Debug, Default)]
struct Versions {
    conn: Option<SqliteConnection>,
    opened: i64,
}

/// A fault inside a transaction, before it is known which file it belongs to.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(sqlx::Error),
    Journal(JournalError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl<E: Into<JournalError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Journal(error.into())
    }
}

/// What one transaction does.
pub(crate) type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 't>>;

/// One transaction that holds the write lock.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) conn: SqliteConnection,
    pub(crate) access: Access,
    /// The newest audit entry, once this transaction has appended one.
    pub(crate) appended: Option<Head>,
}

impl Journal {
    /// Opens `home/journal.db`, making it if it is not there and bringing an older one forward.
    ///
    /// A journal of a newer ATT opens for reading only; [`Journal::newer_schema`] tells.
    ///
    /// # Errors
    /// Every variant of [`JournalError`] that speaks of the file.
    pub async fn open(home: &Path, options: OpenOptions) -> Result<Self, JournalError> {
        open::open(home, options).await
    }

    pub(crate) fn assemble(
        access: Access,
        writer: Option<SqliteConnection>,
        readers: SqlitePool,
        newer: Option<i64>,
    ) -> Self {
        let shared =
            Shared { access, writer: Mutex::new(writer), readers, versions: Mutex::default(), newer };
        let shared = Arc::new(shared);
        let telemetry = Arc::new(Telemetry::start(Arc::clone(&shared)));
        Self { shared, telemetry, snapshots: Arc::default() }
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.access.path
    }

    /// The schema version of a journal that a newer ATT has written; such a journal is only read.
    #[must_use]
    pub fn newer_schema(&self) -> Option<i64> {
        self.shared.newer
    }

    /// True when nothing can be written through this handle.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.shared.access.options.read_only || self.shared.newer.is_some()
    }

    /// A number that changes when anybody else, in this process or another, has committed (`PRAGMA data_version`).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn data_version(&self) -> Result<i64, JournalError> {
        let access = &self.shared.access;
        let mut watch = self.shared.versions.lock().await;
        let mut conn = match watch.conn.take() {
            Some(conn) => conn,
            None => {
                watch.opened += 1;
                access.settle(access.reader().await)?
            }
        };
        let asked: Result<i64, _> = sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut conn).await;
        let version = access.settle(asked.map_err(Fault::from))?;
        watch.conn = Some(conn);
        // Each connection counts for itself: a new one must not repeat a number of the one before.
        Ok((watch.opened << 40) + version)
    }

    /// Records one entry of its own in the audit chain and returns its sequence.
    ///
    /// # Errors
    /// When the journal cannot be written or its chain is damaged.
    pub async fn record(&self, draft: AuditDraft) -> Result<i64, JournalError> {
        self.write(move |writing| Box::pin(async move { writing.append(draft).await })).await
    }

    /// Writes what telemetry is queued, then closes every connection of this handle and its clones.
    pub async fn close(&self) {
        if let Err(error) = self.flush().await {
            tracing::warn!(%error, "telemetry was lost at the end");
        }
        self.shared.readers.close().await;
        let writer = self.shared.writer.lock().await.take();
        let watch = self.shared.versions.lock().await.conn.take();
        for conn in [writer, watch].into_iter().flatten() {
            // The file is consistent either way; a failed close only leaves the WAL for the next opener.
            let _ = conn.close().await;
        }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.shared.access
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    pub(crate) fn snapshot_queue(&self) -> &Arc<SnapshotQueue> {
        &self.snapshots
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.shared.readers
    }

    pub(crate) fn settle<T>(&self, result: Result<T, Fault>) -> Result<T, JournalError> {
        self.shared.access.settle(result)
    }

    /// Runs `work` in one `BEGIN IMMEDIATE` transaction. It runs to its end even if the caller goes away.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Writing) -> Work<'t, T> + Send + 'static,
    {
        self.shared.write(work).await
    }

    /// An error when nothing can be written through this handle.
    pub(crate) fn refuse_read_only(&self) -> Result<(), JournalError> {
        self.shared.refuse_read_only()
    }
}

impl Shared {
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) async fn write<T, F>(self: &Arc<Self>, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Writing) -> Work<'t, T> + Send + 'static,
    {
        self.refuse_read_only()?;
        let shared = Arc::clone(self);
        tokio::spawn(async move { shared.transact(work).await })
            .await
            .map_err(|error| JournalError::Record(format!("a write ended early: {error}")))?
    }

    pub(crate) fn refuse_read_only(&self) -> Result<(), JournalError> {
        let path = || self.access.path.clone();
        if let Some(found) = self.newer {
            return Err(JournalError::TooNew { path: path(), found, known: crate::SCHEMA_VERSION });
        }
        if self.access.options.read_only {
            return Err(JournalError::ReadOnly { path: path() });
        }
        Ok(())
    }

    async fn transact<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        F: for<'t> FnOnce(&'t mut Writing) -> Work<'t, T> + Send,
    {
        let access = self.access.clone();
        let mut slot = self.writer.lock().await;
        let conn = match slot.take() {
            Some(conn) => conn,
            None => access.settle(access.writer().await)?,
        };
        let mut writing = Writing { conn, access, appended: None };
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writing.conn).await;
        if let Err(error) = begun {
            let result = writing.access.settle(Err(Fault::Sql(error)));
            *slot = Some(writing.conn);
            return result;
        }
        let done = match work(&mut writing).await {
            Ok(value) => match sqlx::raw_sql("COMMIT").execute(&mut writing.conn).await {
                Ok(_) => Ok(value),
                Err(error) => Err(Fault::Sql(error)),
            },
            Err(fault) => Err(fault),
        };
        let Writing { mut conn, access, appended } = writing;
        match done {
            Ok(value) => {
                if let Some(head) = appended {
                    advance_head(&access, head).await;
                }
                *slot = Some(conn);
                Ok(value)
            }
            Err(fault) => {
                // After a full disk SQLite may have rolled back by itself; then the connection is made anew.
                if sqlx::raw_sql("ROLLBACK").execute(&mut conn).await.is_ok() {
                    *slot = Some(conn);
                }
                access.settle(Err(fault))
            }
        }
    }
}

/// Moves `journal.head` after a commit. The commit stands even if this fails: the head then lags.
pub(crate) async fn advance_head(access: &Access, head: Head) {
    let heads = access.heads.clone();
    let moved = tokio::task::spawn_blocking(move || heads.advance(&head, HEAD_LOCK_TIMEOUT)).await;
    match moved {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "journal.head lags behind the journal"),
        Err(error) => tracing::warn!(%error, "journal.head lags behind the journal"),
    }
}
