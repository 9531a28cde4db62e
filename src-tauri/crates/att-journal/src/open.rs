//! Opening `journal.db`: whose file is it, may it be written, does it have to be brought forward.

use crate::error::JournalError;
use crate::head::HeadFile;
use crate::journal::{Fault, Journal};
use crate::migrate::{Ownership, SCHEMA_VERSION, migrate, ownership};
use crate::snapshots::SnapshotBudget;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// What is left of the write-ahead log after a checkpoint, at most.
const WAL_BYTES: u32 = 32 * 1024 * 1024;
/// Pages in the log before they go into the file: a page that is written often goes over once.
const CHECKPOINT_PAGES: u32 = 4_000;
const READERS: u32 = 4;
const READER_IDLE: Duration = Duration::from_secs(60);

/// How a journal is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Only read; nothing is created or brought forward.
    pub read_only: bool,
    /// How long a write waits for another program's write. Default 10 s.
    pub busy_timeout: Duration,
    /// The largest number of events, and of attempts, that is kept. Default 200,000.
    pub event_cap: u32,
    /// How many snapshots of one server are kept.
    pub snapshot_budget: SnapshotBudget,
    /// The largest number of 4096-byte pages the file may grow to; beyond it the journal counts as full.
    pub max_pages: Option<u32>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            read_only: false,
            busy_timeout: Duration::from_secs(10),
            event_cap: 200_000,
            snapshot_budget: SnapshotBudget::default(),
            max_pages: None,
        }
    }
}

impl OpenOptions {
    /// The defaults, reading only.
    #[must_use]
    pub fn read_only() -> Self {
        Self { read_only: true, ..Self::default() }
    }
}

/// How connections to one journal file are made.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) path: PathBuf,
    pub(crate) options: OpenOptions,
    pub(crate) heads: HeadFile,
    /// Nobody can write it, not even the companions that readers of a live journal need.
    frozen: bool,
}

impl Access {
    pub(crate) fn waited_ms(&self) -> u64 {
        u64::try_from(self.options.busy_timeout.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn settle<T>(&self, result: Result<T, Fault>) -> Result<T, JournalError> {
        result.map_err(|fault| match fault {
            Fault::Journal(error) => error,
            Fault::Sql(error) => JournalError::from_sqlx(&self.path, self.waited_ms(), &error),
        })
    }

    fn base(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.options.busy_timeout)
            .foreign_keys(true)
            .pragma("recursive_triggers", "ON")
            .pragma("trusted_schema", "OFF")
            .disable_statement_logging()
    }

    fn reader_options(&self) -> SqliteConnectOptions {
        self.base().read_only(self.options.read_only).immutable(self.frozen).pragma("query_only", "ON")
    }

    /// A connection that may write; the file must be a journal already.
    pub(crate) async fn writer(&self) -> Result<SqliteConnection, Fault> {
        let mut options = self
            .base()
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("journal_size_limit", WAL_BYTES.to_string());
        if let Some(pages) = self.options.max_pages {
            options = options.pragma("max_page_count", pages.to_string());
        }
        Ok(options.connect().await?)
    }

    /// A connection that only reads.
    pub(crate) async fn reader(&self) -> Result<SqliteConnection, Fault> {
        Ok(self.reader_options().connect().await?)
    }

    fn readers(&self) -> SqlitePool {
        SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(self.options.busy_timeout)
            .idle_timeout(READER_IDLE)
            .connect_lazy_with(self.reader_options())
    }
}

/// Opens `home/journal.db`; see [`Journal::open`].
pub(crate) async fn open(home: &Path, options: OpenOptions) -> Result<Journal, JournalError> {
    let path = home.join("journal.db");
    let access = Access { path: path.clone(), options, heads: HeadFile::of(home), frozen: false };
    refuse_other_formats(&path)?;
    if access.options.read_only {
        return open_for_reading(access).await;
    }
    std::fs::create_dir_all(home).map_err(|error| JournalError::from_io(home, &error))?;
    let lock = {
        let (heads, timeout) = (access.heads.clone(), access.options.busy_timeout);
        tokio::task::spawn_blocking(move || heads.lock(timeout))
            .await
            .map_err(|error| JournalError::Record(error.to_string()))??
    };
    let prepared = prepare(&access).await;
    drop(lock);
    let (writer, newer) = access.settle(prepared)?;
    let journal = Journal::assemble(access.clone(), writer, access.readers(), newer);
    if newer.is_none() {
        journal.catch_up_head().await?;
    }
    Ok(journal)
}

async fn open_for_reading(mut access: Access) -> Result<Journal, JournalError> {
    if !access.path.exists() {
        return Err(JournalError::Missing { path: access.path });
    }
    let looked = match access.settle(look(&access).await) {
        // On a medium or in a folder that cannot be written a log cannot be shared. Without one, the file is all.
        Err(JournalError::NotWritable { .. }) if !has_log(&access.path) => {
            access.frozen = true;
            access.settle(look(&access).await)
        }
        other => other,
    };
    match looked? {
        Ownership::Foreign => Err(JournalError::Foreign { path: access.path }),
        Ownership::Fresh => Err(JournalError::Missing { path: access.path }),
        Ownership::Ours(found) if found < SCHEMA_VERSION => {
            Err(JournalError::TooOld { path: access.path, found, known: SCHEMA_VERSION })
        }
        Ownership::Ours(version) => {
            let newer = (version > SCHEMA_VERSION).then_some(version);
            let readers = access.readers();
            Ok(Journal::assemble(access, None, readers, newer))
        }
    }
}

async fn look(access: &Access) -> Result<Ownership, Fault> {
    let mut conn = access.reader().await?;
    let whose = ownership(&mut conn).await?;
    conn.close().await?;
    Ok(whose)
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0)
}

/// The writer of a file that is ours and up to date, or the version of one that is too new to be written.
async fn prepare(access: &Access) -> Result<(Option<SqliteConnection>, Option<i64>), Fault> {
    create_private(&access.path)?;
    // Nothing that changes the file may be said to it before it is known to be ours.
    let mut conn = access.base().connect().await?;
    let whose = ownership(&mut conn).await?;
    conn.close().await?;
    match whose {
        Ownership::Foreign => return Err(JournalError::Foreign { path: access.path.clone() }.into()),
        Ownership::Ours(version) if version > SCHEMA_VERSION => return Ok((None, Some(version))),
        // Before the first table, so that no crash leaves entries without a head.
        Ownership::Fresh => access.heads.begin()?,
        Ownership::Ours(_) => {}
    }
    let mut conn = access
        .base()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    migrate(&mut conn).await?;
    conn.close().await?;
    Ok((Some(access.writer().await?), None))
}

/// Makes the file, if it is not there, for its owner's eyes only; SQLite gives its companions the same rights.
fn create_private(path: &Path) -> Result<(), JournalError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| JournalError::from_io(path, &error))
}

/// Refuses a file that does not begin like a SQLite database, without handing it to SQLite.
fn refuse_other_formats(path: &Path) -> Result<(), JournalError> {
    let mut start = Vec::with_capacity(SQLITE_MAGIC.len());
    match std::fs::File::open(path) {
        Ok(file) => {
            if path.is_dir() {
                return Err(JournalError::NotADatabase { path: path.to_path_buf() });
            }
            file.take(16).read_to_end(&mut start).map_err(|error| JournalError::from_io(path, &error))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(JournalError::from_io(path, &error)),
    }
    if start.is_empty() || start == SQLITE_MAGIC {
        return Ok(());
    }
    Err(JournalError::NotADatabase { path: path.to_path_buf() })
}
